"""Compare the networks of today with the stored behaviour: `echo CASE | python -m tests.behaviour.compare`.

For each case, a line on standard input, it prints the backend (KERAS_BACKEND) and the largest differences as JSON. A
case with " fused" behind it is the network as `fuse` makes it.
"""

import json
import sys
from contextlib import contextmanager

import numpy as np

from common import backend
from common.layers import fused
from common.layers.fused import fuse
from common.layers.tf1 import RMSprop
from tests.behaviour.cases import CASES, STORED, behaviour, difference, mask, weight

KINDS = {"Conv1D": "conv", "Conv2D": "conv", "BatchNormalization": "norm"}
FUSED = " fused"


def named_layers(case: str, network) -> dict:
    """The layers that have weights or drop something, by the name that they have in the stored behaviour."""
    results, numbers = {}, {}
    for layer in network.layers:
        kind = type(layer).__name__
        number = numbers[kind] = numbers.get(kind, -1) + 1
        name = f"{KINDS.get(kind, kind.lower())}_{number}"
        if case.startswith("malik2017"):
            name = "dense" if case.endswith("li2016") and kind == "Dense" else layer.name
        if kind == "Bidirectional":
            name = "gru" if case.startswith("velankar2022") else f"gru_{number}"
            results |= {f"{name}/{way}": getattr(layer, f"{way}_layer") for way in ("forward", "backward")}
        elif kind == "LSTM" and case.startswith("velankar2022"):
            results["lstm"] = layer
        elif kind == "TimeDistributed":
            results[name] = layer.layer
        else:
            results[f"dropout_{number}" if kind == "Dropout" else name] = layer
    return results


@contextmanager
def injected(case: str, layers: dict):
    """The masks of the case in all layers that drop something."""
    from keras.src.backend import random as backend_random

    names, calls, own, own_fused = {}, {}, backend_random.dropout, fused.kept
    for name, layer in layers.items():
        cell = getattr(layer, "cell", layer)
        if name.startswith("dropout"):
            of = [name]
        elif cell is layer:
            of = [f"{name}/{what}" for what in ("input", "state")]
        else:  # Keras's own GRU draws gate by gate
            of = [f"{name}/{what}/{gate}" for what in ("input", "state") for gate in range(3)]
        if hasattr(cell, "seed_generator"):
            names[id(cell.seed_generator)] = of

    def dropout(inputs, rate, noise_shape=None, seed=None):
        of = names[id(seed)]
        if len(of) == 1:  # of the CNN, ahead of all recurrences: a new pass through the network
            calls.clear()
        name = of[calls.setdefault(id(seed), 0) % len(of)]
        calls[id(seed)] += 1
        return inputs * mask(case, name, rate, tuple(inputs.shape))

    def kept(x, rate, seed):
        return (1 - rate) * dropout(np.ones(x.shape, "float32"), rate, seed=seed)

    backend_random.dropout, fused.kept = dropout, kept
    try:
        yield
    finally:
        backend_random.dropout, fused.kept = own, own_fused


def differences(name: str) -> dict[str, float]:
    """How far a network is from what is stored, by what is compared, each the largest over all weights."""
    case, stored = name.removesuffix(FUSED), np.load(STORED)
    plain = CASES[case].network()
    layers = named_layers(case, plain)
    variables = {f"{of}/{v.name}": v for of, layer in layers.items() for v in layer.weights}

    def put():
        for of, variable in variables.items():
            variable.assign(weight(case, of, tuple(variable.shape)))

    def get():
        return {of: np.asarray(variable) for of, variable in variables.items()}

    with injected(case, layers):
        results = behaviour(case, fuse(plain) if name.endswith(FUSED) else plain, put, get, RMSprop)
    expected = {key.split("|", 1)[1]: stored[key] for key in stored.files if key.startswith(f"{case}|")}
    assert results.keys() == expected.keys(), results.keys() ^ expected.keys()
    largest = {}
    for key, values in results.items():
        assert values.shape == expected[key].shape, key
        kind = key.split("|")[0]
        largest[kind] = max(largest.get(kind, 0.0), difference(expected[key], values))
    return largest


def main():
    backend.start(0)
    for line in sys.stdin:
        print(json.dumps([backend.name(), differences(line.strip())]), flush=True)


if __name__ == "__main__":
    main()
