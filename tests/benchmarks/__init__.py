"""Scripts that print timings, and ratios within one run. None asserts anything about seconds."""
