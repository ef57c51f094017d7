"""What a model hears: one module per feature family, and the store that caches what they compute.

An extractor is a frozen dataclass with `name`, `version` and its parameters as fields; calling it with
(samples, rate) gives one array a recording, time first.
"""
