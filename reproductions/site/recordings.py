"""Pages of recordings at hand: the mel spectrogram, and what the models of the suite predict."""

import re
from pathlib import Path

from common.errors import InputError
from common.places import RESULTS
from common.prediction import printable

MODELS = ("musicnn2019", "malik2017", "chaki2020", "jakubik2017", "velankar2022")  # in the order of the page


def songs(paths: list[Path], out: Path) -> tuple[list[dict], list[str]]:
    """Predict recordings and draw them into the site.

    Parameters
    ----------
    paths : recordings
    out : folder of the site

    Returns
    -------
    the values for each recording's page, and a line for each that could not be read
    """
    if not paths:
        return [], []
    from common import weights
    from common.parallel import progress
    from common.predict import load
    from reproductions.predict import with_weights

    models, known = {}, with_weights()
    for paper in (paper for paper in MODELS if paper in known):
        _, facts = weights.load(RESULTS / paper / "weights", paper)
        models[paper] = load(f"reproductions.{paper}.predict"), facts
    pages, failed = [], []
    tasks = ((_song, number, path, models, out / "figures" / "songs") for number, path in enumerate(paths, 1))
    for song in progress(tasks, total=len(paths), n_jobs=1, label="recordings", unit="file"):
        (failed if isinstance(song, str) else pages).append(song)
    return pages, failed


def _song(number: int, path: Path, models: dict, folder: Path) -> dict | str:
    """The values of a recording's page, or why it could not be read."""
    from common import audio
    from common.features.relative_mel import RelativeMel
    from common.report import plots

    slug = f"{number}-{re.sub(r'[^a-z0-9]+', '-', path.stem.lower()).strip('-') or 'recording'}"
    try:
        length = audio.duration(path)
        plots.mel_picture(RelativeMel()(*audio.load(path)), length, folder / f"{slug}-mel.png")
        predicted = [_predicted(paper, *model, path, folder / f"{slug}-{paper}.svg") for paper, model in models.items()]
    except InputError as error:
        return _line(error)
    return {"name": printable(path.name), "slug": slug, "length": length, "models": predicted}


def _predicted(paper: str, model, facts: dict, path: Path, picture: Path) -> dict:
    """What one model predicts, drawn as a picture; its `refusal` for a recording that it cannot use."""
    from common.predict.outputs import training_songs
    from common.report import plots

    about = {"paper": paper, "title": facts["title"]}
    try:
        prediction = model.predict(path)
    except InputError as error:  # as of a recording that is too short for one of them
        return about | {"refusal": _line(error)}
    with plots.svg_in(picture.parent):
        plots.predictions({path: prediction}, facts["columns"], picture, facts["title"], limits=model.limits)
    means = {name: float(value) for name, value in zip(facts["columns"], prediction.mean, strict=True)}
    about |= {"scale": model.scale, "uses": model.uses, "trained": training_songs(facts)}
    return about | {"means": means, "picture": picture.name, "quality": facts["quality"]}


def _line(error: InputError) -> str:
    return " ".join(str(error).split())
