"""Store the behaviour of all networks as they were at a commit, with that commit's arrangement of weights.

    python -m tests.behaviour.store        writes tests/behaviour/behaviour.npz, and in it the commit

It runs at the commit named in the file alone: later ones have other layers, and test_networks.py compares them.
"""

import subprocess

import numpy as np
from common.keras2019 import RMSprop

from common import keras2017
from tests.behaviour.cases import CASES, STORED, behaviour, mask, weight


def arrangement(case: str, network) -> list[tuple]:
    """Of each variable of a network: its value, names of the weights in it, how they are joined, how it is split."""
    paper, rows = case.split()[0], []
    groups = {"malik2017": _of_malik, "velankar2022": _of_velankar}.get(paper, _plain)
    for layer in network.layers:
        if layer.weights:
            rows += groups(case, layer, network)
    return rows


def _alone(layer, name):
    return [
        (v, [(f"{name}/{v.name}", tuple(v.shape))], lambda a: a[0], lambda a: [a])
        for v in layer.weights
        if "seed" not in v.name
    ]


def _recurrent(variables, name):
    """Kernel, recurrent kernel and bias."""
    return [
        (v, [(f"{name}/{kind}", tuple(v.shape))], lambda a: a[0], lambda a: [a])
        for v, kind in zip(variables, ("kernel", "recurrent_kernel", "bias"), strict=True)
    ]


def _number(layer, network, kind):
    return [one for one in network.layers if type(one).__name__ == kind].index(layer)


def _plain(case, layer, network):
    kind = type(layer).__name__
    if kind in ("GRU", "LSTM"):
        return _recurrent(
            [v for v in layer.weights if "seed" not in v.name], f"{kind.lower()}_{_number(layer, network, kind)}"
        )
    return _alone(layer, f"{kind.lower()}_{_number(layer, network, kind)}")


def _both(layer, name):
    return [
        row
        for way in ("forward", "backward")
        for row in _recurrent(getattr(layer, f"{way}_layer").trainable_weights, f"{name}/{way}")
    ]


def _of_malik(case, layer, network):
    kind, branches = type(layer).__name__, CASES[case].arguments.get("branches", 2)
    if kind == "Bidirectional":  # Keras's own, of the reading reset_after, or of li2016
        return _both(layer, f"gru_{_number(layer, network, kind)}")
    if case == "malik2017 li2016":
        return _alone(layer, "dense")
    if kind == "Convolution":
        names = ("conv/kernel", "conv/bias", "norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance")
        variables = (layer.kernel, layer.bias, layer.gamma, layer.beta, layer.mean, layer.variance)
        return [
            (v, [(name, tuple(v.shape))], lambda a: a[0], lambda a: [a])
            for v, name in zip(variables, names, strict=True)
        ]
    if kind == "Dense":
        of = ((layer.kernel, "kernel"), (layer.bias, "bias"))
        return [(v, [(f"fc_{b}/{n}", (*v.shape[:-1], 8)) for b in range(branches)], lambda a: np.concatenate(a, -1),
                 lambda a: np.split(a, branches, -1)) for v, n in of]  # fmt: skip
    if kind == "GRU":
        names = [f"gru_{b}/{way}" for way in ("forward", "backward") for b in range(branches)]
        of = ((layer.kernel, "kernel"), (layer.recurrent, "recurrent_kernel"))
        rows = [(v, [(f"{name}/{k}", tuple(v.shape[1:])) for name in names], np.stack, list) for v, k in of]
        bias = [(f"{name}/bias", (24,)) for name in names]
        return [*rows, (layer.bias, bias, lambda a: np.stack(a)[:, None], lambda a: list(a[:, 0]))]
    n, units, pieces = layer.kernel.shape[2], layer.units, layer.pieces  # maxout; names have Keras 1's shapes

    def joined(arrays):  # (pieces, n, units) of each branch
        return np.stack([a.transpose(1, 2, 0).reshape(1, n, units * pieces) for a in arrays])

    def split(array):
        return [a[0].reshape(n, units, pieces).transpose(2, 0, 1) for a in array]

    return [
        (layer.kernel, [(f"maxout_{b}/kernel", (pieces, n, units)) for b in range(branches)], joined, split),
        (layer.bias, [(f"maxout_{b}/bias", (pieces, units)) for b in range(branches)],
         lambda arrays: np.stack([a.T.reshape(1, 1, -1) for a in arrays]),
         lambda array: [a.reshape(units, pieces).T for a in array]),
    ]  # fmt: skip


def _of_velankar(case, layer, network):
    kind = type(layer).__name__
    if kind == "GRU":
        names = ["gru/forward", "gru/backward"]
        of = ((layer.kernel, "kernel"), (layer.recurrent, "recurrent_kernel"))
        rows = [(v, [(f"{name}/{k}", tuple(v.shape[1:])) for name in names], np.stack, list) for v, k in of]
        bias = [(f"{name}/bias", (192,)) for name in names]
        return [*rows, (layer.bias, bias, lambda a: np.stack(a)[:, None], lambda a: list(a[:, 0]))]
    if kind == "LSTM":
        return _recurrent([layer.kernel, layer.recurrent, layer.bias], "lstm")
    name = {"Conv1D": "conv", "Conv2D": "conv", "BatchNormalization": "norm", "Dense": "dense"}[kind]
    return _alone(layer, f"{name}_{_number(layer, network, kind)}")


def inject(case: str, network, patch) -> None:
    """Give the masks of the case to all layers that drop something: `patch` takes the place of Keras's function."""
    names, calls = {}, {}
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "Dropout" and layer.rate:
            names[id(layer.seed_generator)] = [f"dropout_{_number(layer, network, kind)}"]
        elif kind == "GRU":
            branches = CASES[case].arguments.get("branches", 2)
            of = [f"gru_{b}/{way}" for way in ("forward", "backward") for b in range(branches)]
            names[id(layer.seeds)] = [[f"{name}/{what}" for name in of] for what in ("input", "state")]
        elif kind == "Bidirectional":
            for way in ("forward", "backward"):
                cell = getattr(layer, f"{way}_layer").cell
                name = f"gru_{_number(layer, network, kind)}/{way}"
                names[id(cell.seed_generator)] = [f"{name}/{what}/{g}" for what in ("input", "state") for g in range(3)]

    def dropout(inputs, rate, noise_shape=None, seed=None):
        of = names[id(seed)]
        name = of[calls.setdefault(id(seed), 0) % len(of)]
        calls[id(seed)] += 1
        if isinstance(name, str):
            return inputs * mask(case, name, rate, tuple(inputs.shape))
        three, _, *rest = inputs.shape  # gates, groups, batch, n
        return inputs * np.stack([mask(case, each, rate, (three, *rest)) for each in name], axis=1)

    patch(dropout)


def main():
    from keras.src.backend import random as backend_random

    keras2017.start(0)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    results = {"commit": np.array(commit)}
    for case, of in CASES.items():
        network = of.network()
        rows = arrangement(case, network)
        inject(case, network, lambda function: setattr(backend_random, "dropout", function))

        def put(case=case, rows=rows):
            for variable, parts, joined, _ in rows:
                variable.assign(joined([weight(case, name, shape) for name, shape in parts]))

        def get(rows=rows):
            return {
                name: array
                for variable, parts, _, split in rows
                for (name, _), array in zip(parts, split(np.asarray(variable)), strict=True)
            }

        assert sum(np.prod(v.shape) for v, *_ in rows) == network.count_params(), case
        results |= {f"{case}|{name}": values for name, values in behaviour(case, network, put, get, RMSprop).items()}
        print(case, results[f"{case}|loss"], results[f"{case}|losses"], flush=True)
    np.savez_compressed(STORED, **results)
    print(f"{STORED}: {STORED.stat().st_size / 1024:.0f} KiB, commit {commit}")


if __name__ == "__main__":
    main()
