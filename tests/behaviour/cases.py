"""The networks whose behaviour is stored, and how it is derived: outputs, gradients, three steps of training.

Weights, batches and dropout masks come from seeded generators and are known by the name of the layer that they are
for, so that networks with another arrangement of weights can be given the same. Names of weights: layer/weight, as
"conv/kernel" or "gru_0/forward/kernel".
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

STORED = Path(__file__).with_name("behaviour.npz")
STEPS, SMALL, PROJECTIONS = 3, 64, 8


@dataclass(frozen=True)
class Case:
    """A network, its loss and optimiser as in the paper, and the shapes of a batch.

    make: module and function; y: the shape of the labels, or a number of classes. `undetermined`: weights before a
    batch normalisation, which takes their effect away: their gradient is rounding alone, which Adam makes a step of.
    """

    make: str
    arguments: dict
    x: tuple[int, ...]
    y: tuple[int, ...] | int
    loss: str
    optimizer: str
    undetermined: tuple[str, ...] = ()
    rates: dict = field(default_factory=dict)

    def network(self):
        """The network with its own weights."""
        module, function = self.make.split(":")
        made = getattr(import_module(f"reproductions.{module}"), function)(**self.arguments)
        return made[0] if isinstance(made, tuple) else made

    def loss_function(self):
        """A function, or Keras's name of one."""
        if self.loss.islower() and ":" not in self.loss:
            return self.loss
        module, function = self.loss.split(":")
        return getattr(import_module(f"reproductions.{module}"), function)


def _crnn(features=8, length=4, undetermined=(), **readings):
    arguments = {"features": features, "length": length, **readings}
    return Case(
        "malik2017.model:crnn",
        arguments,
        (6, length, features),
        (6, length, 2),
        "malik2017.model:rmse",
        "malik2017",
        undetermined,
    )


def _lstm(units=(6,), attention=None, **readings):
    arguments = {"features": 8, "length": 5, "units": units, "attention": attention, **readings}
    return Case("chaki2020.model:lstm", arguments, (6, 5, 8), (6, 5, 1), "mse", "rmsprop")


def _velankar(name, optimizer, undetermined=(), **readings):
    return Case(
        f"velankar2022.model:{name}",
        {"outputs": 3, **readings},
        (3, 640, 128),
        3,
        "sparse_categorical_crossentropy",
        optimizer,
        undetermined,
    )


BEFORE_NORMALISATION = tuple(
    f"{name}_{i}/{weight}" for i in range(3) for name, weight in (("conv", "bias"), ("norm", "moving_mean"))
)
CASES = {
    "malik2017 crnn": _crnn(),
    "malik2017 one branch": _crnn(branches=1),
    "malik2017 log-mel": _crnn(64, 4),
    "malik2017 dropout .75": _crnn(dropout=0.75),
    "malik2017 five pieces": _crnn(pieces=5),
    "malik2017 bn_first": _crnn(bn_first=True, undetermined=("conv/bias", "norm/moving_mean")),
    "malik2017 penalty batch": _crnn(penalty="batch"),
    "malik2017 penalty sum": _crnn(penalty="sum"),
    "malik2017 penalty weights": _crnn(penalty="weights"),
    "malik2017 penalty off": _crnn(penalty="off"),
    "malik2017 logistic gates": _crnn(gates="logistic"),
    "malik2017 reset_after": _crnn(reset_after=True),
    "malik2017 no dropout in the gru": _crnn(gru_dropout=0.0),
    "malik2017 li2016": Case("malik2017.li2016:blstm", {"features": 12, "layers": 2}, (4, 5, 12), (4, 5, 2),
                             "malik2017.model:rmse", "adam"),
    "jakubik2017 embedding": Case("jakubik2017.model:semantic_embedding_gru", {}, (5, 12, 160), (5, 9),
                                  "jakubik2017.model:similarity_loss", "adadelta"),
    "jakubik2017 standard": Case("jakubik2017.model:standard_gru", {"targets": 9}, (5, 12, 160), (5, 9),
                                 "mean_squared_error", "adadelta"),
    "jakubik2017 autoencoder": Case("jakubik2017.model:sparse_autoencoder", {"units": 20}, (9, 160), (9, 160),
                                    "mean_squared_error", "adam"),
    "chaki2020 lstm": _lstm(),
    "chaki2020 two layers": _lstm((6, 4)),
    "chaki2020 strict": _lstm(attention="strict"),
    "chaki2020 history": _lstm(attention="history"),
    "chaki2020 global": _lstm((6, 4), "global"),
    "chaki2020 linear": _lstm(activation="linear"),
    "velankar2022 crnn": _velankar("crnn", "adam", BEFORE_NORMALISATION),
    "velankar2022 relu_first": _velankar("crnn", "adam", relu_first=True),
    "velankar2022 parallel": _velankar("parallel", "rmsprop"),
}  # fmt: skip


def generator(*names) -> np.random.Generator:
    """A generator of random numbers for something with a name."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def weight(case: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The weights of a name: as large as initial weights are, and no bias zero."""
    drawn, kind = generator(case, name).standard_normal(shape), name.split("/")[-1]
    if kind == "moving_variance":
        drawn = 1 + np.abs(drawn)
    elif kind == "gamma":
        drawn = 1 + 0.1 * drawn
    else:
        drawn *= 0.1 if len(shape) == 1 else np.prod(shape[:-1]) ** -0.5
    return drawn.astype("float32")


def mask(case: str, name: str, rate: float, shape: tuple[int, ...]) -> np.ndarray:
    """The dropout mask of a layer (and of what it is for: input or state), the same at all steps."""
    kept = generator(case, "mask", name).random(shape) >= rate
    return (kept / (1 - rate)).astype("float32")


def batch(case: str, step: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of a step."""
    drawn, of = generator(case, "batch", step), CASES[case]
    x = drawn.standard_normal(of.x).astype("float32")
    if isinstance(of.y, int):
        return x, drawn.integers(0, of.y, of.x[0])
    return x, drawn.uniform(0, 1, of.y).astype("float32")


def optimizer(name: str, rmsprop: type):
    """The optimiser of a paper; `rmsprop` is the suite's class."""
    import keras

    from reproductions.jakubik2017 import model

    return {
        "malik2017": lambda: keras.optimizers.Adam(1e-3, epsilon=1e-8), "adam": lambda: keras.optimizers.Adam(1e-3),
        "adadelta": model.adadelta, "rmsprop": lambda: rmsprop(1e-3),
    }[name]()  # fmt: skip


def recording(optimizer):
    """The same optimiser, with the gradients of the last step in its list `gradients`."""

    class Recording(type(optimizer)):
        def build(self, variables):
            super().build(variables)
            self.gradients = [self.add_variable_from_reference(weight, name="gradient") for weight in variables]

        def update_step(self, gradient, variable, learning_rate):
            self.assign(self.gradients[self._get_variable_index(variable)], gradient)
            super().update_step(gradient, variable, learning_rate)

    return Recording.from_config(optimizer.get_config())


def set_all(variables: list, values: list) -> None:
    """Give each variable its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def behaviour(case: str, network, put: Callable[[], None], get: Callable[[], dict], rmsprop: type) -> dict:
    """What a network does, by name: outputs, losses, gradients, weights after training; large arrays as `digested`.

    put: gives the network the weights of the case; get: its weights by name. Dropout masks are injected already.
    """
    import keras

    of, results = CASES[case], {}
    x, y = batch(case, 0)
    put()
    results["output"] = digested(keras.ops.convert_to_numpy(network(x, training=False)))
    results["output in training"] = digested(keras.ops.convert_to_numpy(network(x, training=True)))
    put()
    steps = recording(optimizer(of.optimizer, rmsprop))
    network.compile(steps, of.loss_function())
    losses = [float(network.train_on_batch(x, y))]
    after = [np.asarray(weight) for weight in network.trainable_variables]
    set_all(network.trainable_variables, steps.gradients)  # so that `get` names them
    rounding = {name for name in of.undetermined if name.endswith("bias")}
    results |= {f"gradient|{name}": digested(values) for name, values in get().items() if name not in rounding}
    set_all(network.trainable_variables, after)
    for step in range(1, STEPS):
        network.reset_metrics()  # else some versions of Keras give the mean loss of all steps so far
        losses.append(float(network.train_on_batch(*batch(case, step))))
    results |= {"loss": losses[:1], "losses": losses}
    results |= {f"after|{name}": digested(values) for name, values in get().items() if name not in of.undetermined}
    return {name: np.asarray(values, "float32") for name, values in results.items()}


def digested(values: np.ndarray) -> np.ndarray:
    """Small arrays as they are; of large ones the norm and projections on seeded vectors."""
    flat = np.asarray(values, "float64").ravel()
    if flat.size <= SMALL:
        return flat
    vectors = generator("projections", flat.size).standard_normal((PROJECTIONS, flat.size))
    return np.concatenate([[np.linalg.norm(flat)], vectors @ flat])


def difference(stored: np.ndarray, now: np.ndarray) -> float:
    """The largest difference of two entries, relative to the largest stored value (if that is not below .01)."""
    return float(np.abs(now - stored).max() / max(np.abs(stored).max(), 0.01))
