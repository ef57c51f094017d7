"""All networks of Tables 2 and 3, the readings of what the paper leaves open, and the baselines."""

from common.runs import Variant

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
FEATURES = {"compare": 6373, "deam": 260}
INPUT_SUFFIX = {"compare": ("", ""), "deam": ("_260", ", 260 features")}
TESTS = {  # how clips are split, and what that adds to a name and a title
    "clips": ("", ""), "artists": ("_artists", ", folds by artist"), "official": ("_official", ", official split"),
}  # fmt: skip
FRAMES_PER_EPOCH = 31_000  # of 626 clips in ten folds
FLOPS, OVERHEAD_S, TYPICAL_EPOCHS = 1.1e11, 0.4, 15  # of one core a second; a whole epoch beside; early stopping


def core_seconds(features: int, units: tuple[int, ...], epochs: int) -> float:
    """Roughly, of one network: four operations an input weight and frame, six a recurrent weight."""
    per_frame, wide = 0, features
    for layer, size in enumerate(units):
        per_frame += 4 * size * (wide * (4 if layer == 0 else 6) + 6 * size)
        wide = size
    return 10 + min(epochs, TYPICAL_EPOCHS) * (OVERHEAD_S + FRAMES_PER_EPOCH * per_frame / FLOPS)


def variants(epochs: int | None = None) -> list[Variant]:
    """All networks and readings; `epochs` in the place of at most 30."""

    def network(prefix, units, source, *, test="clips", about="", primary=False, **readings):
        attention = readings.pop("attention", "strict" if prefix == "at" else None)
        settings = {"input": source, "test": test, "protocol": PROTOCOL}
        settings["network"] = {"units": units, "attention": attention, "epochs": epochs or EPOCHS} | readings
        name = "_".join([prefix, *map(str, units), *([about.split(":")[0]] if about else [])])
        title = "_".join(["LSTM", prefix.upper(), *map(str, units)]) + (f", {about.split(': ')[1]}" if about else "")
        suffixes = [TESTS[test], INPUT_SUFFIX[source]]
        networks = 2 * (1 if test == "official" else FOLDS)
        return Variant(
            name + "".join(suffix for suffix, _ in suffixes), title + "".join(more for _, more in suffixes), settings,
            primary, networks * core_seconds(FEATURES[source], units, epochs or EPOCHS),
        )  # fmt: skip

    tables = [("nat", units) for units in NAT] + [("at", units) for units in AT]
    found = [network(*row, "compare", primary=True) for row in tables]
    found += [network(*row, "deam") for row in tables]
    found += [
        network("at", (128,), "deam", attention="history", about="history: attention to the present and the past"),
        network("at", (128,), "deam", attention="global", about="global: attention to the whole clip"),
        network("nat", (128,), "deam", activation="linear", about="linear: linear units"),
        network("at", (128,), "deam", activation="linear", about="linear: linear units"),
        network("at", (128,), "deam", restore=True, about="restored: weights of the best epoch"),
        network("at", (128,), "deam", optimizer="keras3", about="keras3: RMSprop of Keras 3"),
    ]
    found += [
        network(prefix, (400,), "deam", test=test) for test in ("artists", "official") for prefix in ("nat", "at")
    ]
    beside = {baseline.name: baseline for variant in found for baseline in _beside(variant)}
    return [*found, *beside.values()]


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run beside a variant, on its clips and folds."""
    return tuple(baseline.name for baseline in _beside(variant))


def _beside(variant: Variant) -> list[Variant]:
    on = {k: variant.settings[k] for k in ("input", "test")} | {"protocol": PROTOCOL}
    suffixes = [TESTS[on["test"]], INPUT_SUFFIX[on["input"]]]
    return [
        Variant(name + "".join(suffix for suffix, _ in suffixes), title + "".join(more for _, more in suffixes),
                on | {"beside": name}, core_seconds=_of_baseline(name, on["input"]))
        for name, title in BASELINES.items()
    ]  # fmt: skip


def _of_baseline(name: str, source: str) -> float:
    frames = name in ("ridge", "ridge_so_far", "ridge_averaged")
    return (600 if source == "compare" else 20) if frames else 5
