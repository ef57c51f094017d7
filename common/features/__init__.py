"""Features of audio: one module per feature family, and the store that caches them.

An extractor is a frozen dataclass with `name`, `version` and its parameters as fields, and with the names of the
`libraries` that it uses; called with samples, float32 (n_samples,), and their rate in Hz, it returns one array per
recording, time first where there is time.
"""
