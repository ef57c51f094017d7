"""Experiments: what a paper says of its protocol (`base`), tasks and their metrics, running, records, identities."""

from common.experiment.base import Experiment, Network, Samples, Split, Trained, Variant
from common.experiment.tasks import Classes, Dynamic, Static

__all__ = ["Classes", "Dynamic", "Experiment", "Network", "Samples", "Split", "Static", "Trained", "Variant"]
