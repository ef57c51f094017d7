"""The former place of `common.verdict.recorded`, until `data_prep.export` imports from there."""

from common.verdict.recorded import coverage_of as covered

__all__ = ["covered"]
