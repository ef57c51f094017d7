"""Velankar et al. 2022."""
