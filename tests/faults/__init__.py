"""Faults that real reproductions have had, planted one at a time, and the tests that must notice them.

    python -m tests.faults                 # plant every fault, print what caught it
    python -m tests.faults labels networks # only these kinds, or single faults by name

A fault changes what a function computes, for the length of one run of its guards. It is planted by wrapping the
function before the tests are imported; no source is edited, so a fault survives a rewrite of what it wraps. A guard is
a test of behaviour that fails while the fault is there and passes without it.
"""
