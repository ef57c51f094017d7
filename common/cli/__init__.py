"""What all commands share: options, how they end (`options`), and the command that trains a paper (`training`)."""

from common.cli.options import Parser, at_least, run
from common.cli.training import Training, parser, train

__all__ = ["Parser", "Training", "at_least", "parser", "run", "train"]
