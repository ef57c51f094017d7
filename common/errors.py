"""The one exception for bad input."""


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what to do, in one line."""
