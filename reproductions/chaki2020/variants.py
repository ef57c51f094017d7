"""All networks of Tables 2 and 3, the interpretations of what the paper leaves open, and the baselines."""

from common.experiment import Variant

EPOCHS, FOLDS = 30, 10
PROTOCOL = 1  # raised by hand when a change of the code changes results
NAT = [(128,), (300,), (400,), (512,), (700,), (1024,), (700, 128), (700, 400)]  # Table 2
AT = [(32,), (64,), (128,), (300,), (400,), (300, 128), (400, 128)]  # Table 3
BASELINES = {
    "training_mean": "baseline: mean of the training clips",
    "ridge": "baseline: ridge regression of every frame",
    "ridge_so_far": "baseline: ridge regression of every frame, mean of the predictions so far",
    "ridge_averaged": "baseline: ridge regression of every frame, mean of the predictions over the clip",
    "ridge_clips": "baseline: ridge regression of clip means on averaged features",
    "own_song_mean": "oracle: each clip's own mean",
}
FEATURES = {"compare": 6373, "deam": 260, "timeless": 248}
INPUT_SUFFIX = {  # what the input adds to a name and a title
    "compare": ("", ""),
    "deam": ("_260", ", 260 features"),
    "timeless": ("_248", ", 248 features"),
}
TESTS = {  # how clips are split, and what that adds to a name and a title
    "clips": ("", ""),
    "artists": ("_artists", ", folds by artist"),
    "official": ("_official", ", official split"),
    "part": ("_part", ", one test part for all folds"),
}
FRAMES_PER_EPOCH = 31_000  # of 626 clips in ten folds
FLOPS, OVERHEAD_S, TYPICAL_EPOCHS = 1.1e11, 0.4, 18  # of one core a second; of an epoch for all else; early stopping


def core_seconds(features: int, units: tuple[int, ...], epochs: int) -> float:
    """Processor time of the training of one network, roughly.

    An input weight counts four operations a frame, a recurrent weight or one of the second layer six.

    Parameters
    ----------
    features : int
    units : tuple of int
        Of each LSTM layer.
    epochs : int
        At most.

    Returns
    -------
    float
        In seconds of one core.
    """
    per_frame, wide = 0, features
    for layer, size in enumerate(units):
        per_frame += 4 * size * (wide * (4 if layer == 0 else 6) + 6 * size)
        wide = size
    return 6 + min(epochs, TYPICAL_EPOCHS) * (OVERHEAD_S + FRAMES_PER_EPOCH * per_frame / FLOPS)


def variants(epochs: int | None = None) -> list[Variant]:
    """All networks and interpretations, and the baselines.

    Parameters
    ----------
    epochs : int, optional
        Of each network, in the place of at most 30.

    Returns
    -------
    list of Variant
    """

    def network(prefix, units, source, *, test="clips", reading=("", ""), primary=False, **readings):
        attention = readings.pop("attention", "strict" if prefix == "at" else None)
        settings = {"input": source, "test": test, "protocol": PROTOCOL}
        settings["network"] = {"units": units, "attention": attention, "epochs": epochs or EPOCHS} | readings
        name, title = ("_".join([*kind, *map(str, units)]) for kind in ([prefix], ["LSTM", prefix.upper()]))
        seconds = (1 if test == "official" else FOLDS) * 2 * core_seconds(FEATURES[source], units, epochs or EPOCHS)
        return Variant(*_named(name + reading[0], title + reading[1], settings), settings, primary, seconds)

    tables = [("nat", units) for units in NAT] + [("at", units) for units in AT]
    systems = [network(*row, "compare", primary=True) for row in tables]
    systems += [network(*row, "deam") for row in tables]
    systems += [
        network(
            "at", (128,), "deam", attention="history", reading=("_history", ", attention to the present and the past")
        ),
        network("at", (128,), "timeless"),
        network("at", (128,), "deam", attention="global", reading=("_global", ", attention to the whole clip")),
        network("nat", (128,), "deam", activation="linear", reading=("_linear", ", linear units")),
        network("at", (128,), "deam", activation="linear", reading=("_linear", ", linear units")),
        network("at", (128,), "deam", restore=True, reading=("_restored", ", weights of the best epoch")),
        network("at", (128,), "deam", optimizer="keras3", reading=("_keras3", ", RMSprop of Keras 3")),
        network("at", (128,), "deam", previous="own", reading=("_own_output", ", previous output as input")),
        network("at", (128,), "deam", previous="label", reading=("_label", ", previous label as input in training")),
    ]
    systems += [
        network(prefix, (400,), "deam", test=test) for test in ("artists", "official") for prefix in ("nat", "at")
    ]
    systems += [network(prefix, (128,), "deam", test="part") for prefix in ("nat", "at")]
    trivial = {baseline.name: baseline for variant in systems for baseline in _baselines(variant)}
    return [*systems, *trivial.values()]


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run together with a variant, on its clips and folds.

    Parameters
    ----------
    variant : Variant

    Returns
    -------
    tuple of str
    """
    return tuple(baseline.name for baseline in _baselines(variant))


def _baselines(variant: Variant) -> list[Variant]:
    on = {k: variant.settings[k] for k in ("input", "test")} | {"protocol": PROTOCOL}
    on["input"] = "deam" if on["input"] == "timeless" else on["input"]  # the same clips
    return [
        Variant(*_named(name, title, on), on | {"baseline": name}, core_seconds=_of_baseline(name, on["input"]))
        for name, title in BASELINES.items()
    ]


def _named(name: str, title: str, settings: dict) -> tuple[str, str]:
    """Name and title with what test and input add."""
    for more in (TESTS[settings["test"]], INPUT_SUFFIX[settings["input"]]):
        name, title = name + more[0], title + more[1]
    return name, title


def _of_baseline(name: str, source: str) -> float:
    return (2800 if source == "compare" else 20) if name == "ridge" else 2  # the others have its predictions
