"""Both networks on the songs of the paper or in their place, the readings of what it leaves open, its outlook."""

from common.experiment import Variant

EPOCHS, HOP = 25, 1024
TEST, LAST = "test", "test, last epoch"
PROTOCOL = 1  # raised by hand when a change of the code changes results
SIZES = (92, 200, 400)  # excerpts to learn from; and all there are
NETWORKS = {"crnn": "CRNN", "parallel": "Parallel CNN-RNN"}
BASELINES = {
    "majority": "baseline: the most frequent class of the training songs",
    "descriptors_svm": "baseline: SVM on 54 hand-made features",
}
SECONDS_PER_SONG = {"crnn": 0.003, "parallel": 0.012}  # of one core, a song and epoch
SONGS = {  # what is learnt and told apart, and what that adds to a name and a title
    "moods": ("", ""), "quadrants": ("_quadrants", ", all excerpts in four quadrants"),
}  # fmt: skip


def variants(epochs: int | None = None) -> list[Variant]:
    """All networks, readings and baselines; `epochs` in the place of the published 25."""

    def network(kind, reading=("", ""), *, primary=False, on=None, **readings):
        on = _on(**on or {})
        settings = on | {"network": {"kind": kind, "epochs": epochs or EPOCHS} | readings}
        seconds = 6 + (epochs or EPOCHS) * _songs(on) * SECONDS_PER_SONG[kind]
        name, title = _named(kind, NETWORKS[kind], on)
        return Variant(name + reading[0], title + reading[1], settings, primary, seconds)

    both = tuple(NETWORKS)
    found = [network(kind, primary=True) for kind in both]
    found += [network(kind, ("_hop_512", ", hop 512"), on={"hop": 512}) for kind in both]
    found += [network(kind, ("_8_outputs", ", eight outputs"), outputs=8) for kind in both]
    found += [network("crnn", ("_relu_first", ", ReLU before the normalisation"), relu_first=True)]
    found += [network(kind, ("_standardised", ", input standardised"), standardised=True) for kind in both]
    found += [network(kind, on={"seconds": seconds}) for seconds in (5, 10, 20) for kind in both]
    found += [network(kind, on={"groups": "artists"}) for kind in both]
    learning = {"songs": "quadrants", "groups": "artists"}
    found += [network(kind, on=learning | {"size": size}) for size in (*SIZES, None) for kind in both]
    beside = {baseline.name: baseline for variant in found for baseline in _baselines(variant)}
    return [*found, *beside.values()]


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run beside a variant, on its songs and splits."""
    return tuple(baseline.name for baseline in _baselines(variant))


def _on(*, songs="moods", groups=None, size=None, hop=HOP, seconds=None) -> dict:
    """Songs, what stays together in a split, how many are learnt from, and how they are heard."""
    return {"songs": songs, "groups": groups, "size": size, "hop": hop, "seconds": seconds, "protocol": PROTOCOL}


def _songs(on: dict) -> int:
    return on["size"] or {"moods": 92, "quadrants": 600}[on["songs"]]


def _named(name: str, title: str, on: dict) -> tuple[str, str]:
    name, title = name + SONGS[on["songs"]][0], title + SONGS[on["songs"]][1]
    if on["groups"] and on["songs"] == "moods":
        name, title = name + "_artists", title + ", splits by artist"
    if on["size"]:
        name, title = f"{name}_{on['size']}", f"{title}, {on['size']} to learn from"
    if on["seconds"]:
        name, title = f"{name}_{on['seconds']}_s", f"{title}, {on['seconds']} s of each"
    return name, title


def _baselines(variant: Variant) -> list[Variant]:
    on = _on(**{key: variant.settings[key] for key in ("songs", "groups", "size", "seconds")})
    found = []
    for name, title in BASELINES.items():
        heard = on | {"seconds": None} if name == "majority" else on
        found.append(Variant(*_named(name, title, heard), heard | {"baseline": name}, core_seconds=2))
    return found
