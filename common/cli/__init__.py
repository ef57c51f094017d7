"""What all commands share: options, how they end (`options`), and the command that trains a paper (`training`)."""

from common.cli.options import (
    Parser,
    add_jobs,
    add_processes,
    add_results,
    add_scale,
    at_least,
    run,
    use_cluster,
    use_device,
)
from common.cli.training import Training, parser, run_module

__all__ = [
    "Parser", "Training", "add_jobs", "add_processes", "add_results", "add_scale", "at_least", "parser", "run",
    "run_module", "use_cluster", "use_device",
]  # fmt: skip
