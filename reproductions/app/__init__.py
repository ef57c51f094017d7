"""A local page to drop songs on: what the suite's models predict of them, while they play."""
