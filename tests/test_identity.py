"""What a number depends on: a changed part changes the key, changed words do not."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from common import backend
from common.experiment import identity
from common.features.mel import MelSpectrogram
from common.features.relative_mel import RelativeMel
from common.features.truncated import Truncated
from common.protocol import Sequences
from tests.conftest import ROOT

MODEL = '''"""A network."""
from toy import constants, other

UNITS = 8  # as published
UNUSED = 3


def width():
    """How wide it is."""
    if UNITS < 0:
        raise ValueError(f"{UNITS} units are too few")
    return UNITS * constants.SCALE


def not_reached():
    return UNUSED + other.VALUE
'''
FILES = {
    "__init__.py": "", "constants.py": "SCALE = 2\n", "other.py": "VALUE = 1\n", "model.py": MODEL,
    "train.py": "def train(seed):\n    from toy import model\n\n    return seed * model.width()\n",
}  # fmt: skip


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Writes the package `toy` with some files changed, and gives the digests of the code that its training reaches."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(identity, "PROJECT", (*identity.PROJECT, "toy"))

    def code(**changed):
        folder = tmp_path / "toy"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in (FILES | {f"{name}.py": text for name, text in changed.items()}).items():
            (folder / name).write_text(text)
        for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
            del sys.modules[name]
        for cached in (identity.of_code, identity._reached, identity._parse, identity._find):
            cached.cache_clear()
        from toy.train import train

        return identity.of_code(train)

    yield code
    for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("model", "UNITS = 8", "UNITS = 16"),
        ("model", "UNITS * constants.SCALE", "UNITS + constants.SCALE"),
        ("model", "if UNITS < 0", "if UNITS < 9"),
        ("model", '"""A network."""\n', '"""A network."""\nimport os\nos.environ["TOY"] = "1"\n'),  # an effect
        ("constants", "SCALE = 2", "SCALE = 3"),
        ("constants", "SCALE = 2", "from toy.other import VALUE as SCALE"),
        ("train", "seed * model", "seed + model"),
    ],
)
def test_changed_code_changes_the_digest(toy, module, old, new):
    before = toy()
    assert set(before) == {"toy.train", "toy.model", "toy.constants"}
    changed = FILES[f"{module}.py"].replace(old, new)
    assert changed != FILES[f"{module}.py"]
    assert toy(**{module: changed}) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# as published", "# as in section 3"),
        ('"""How wide it is."""', '"""How wide the network is, in units."""'),
        ('"""A network."""', '"""Another network."""'),
        ("units are too few", "units: give more"),
        ("UNUSED = 3", "UNUSED = 4"),
        ("UNITS = 8  # as published\n", "UNITS = 8\n\n\nNEW = 1\n"),
    ],
)
def test_words_and_what_is_not_reached_change_nothing(toy, old, new):
    before = toy()
    changed = MODEL.replace(old, new)
    assert changed != MODEL and toy(model=changed) == before
    assert toy(other="VALUE = 2\n") == before


def test_a_module_given_away_as_a_whole_counts_as_a_whole(toy):
    """What `getattr(model, name)` takes cannot be seen: then all definitions count."""
    train = 'def train(seed):\n    from toy import model\n\n    return getattr(model, "width")() * seed\n'
    before = toy(train=train)
    assert toy(train=train, model=MODEL.replace("UNUSED = 3", "UNUSED = 4")) != before


@pytest.mark.parametrize(
    "train",
    [
        "import toy.model\n\n\ndef train(seed):\n    return toy.model.width() * seed\n",
        "def train(seed):\n    import toy.model\n\n    return toy.model.width() * seed\n",
        'import importlib\n\n\ndef train(seed):\n    return importlib.import_module("toy.model").width() * seed\n',
    ],
)
def test_a_module_imported_by_its_full_name_counts_too(toy, train):
    before = toy(train=train)
    assert {"toy.train", "toy.model"} <= set(before)
    assert toy(train=train, model=MODEL.replace("UNITS = 8", "UNITS = 16")) != before


KEYS = """
import json, sys
from common.experiment import identity
from common.experiment.runner import call_of
from reproductions.malik2017.train import TRAINING
from common.cli import parser

options = parser(TRAINING).parse_args(["--data-root", sys.argv[1], "--allow-missing", "--jobs", "1"])
experiment = TRAINING.build(options)
variants = {v.name: v for v in TRAINING.variants(options)}
names = ["crnn_l20", "cv_crnn_l20", "li2016", "crnn_log_mel_l20"]
experiment.folds = 2
print(json.dumps({name: [identity.of_call(*call_of(network)) for split in experiment.splits(variants[name], 0)
                         for network in experiment.networks(variants[name], split)] for name in names}))
"""


def keys(checkout: Path, data: Path, cache: Path) -> dict:
    run = subprocess.run(
        [sys.executable, "-c", KEYS, str(data)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"MER_CACHE": str(cache)},
    )
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_changed_network_is_another_network(small_deam, tmp_path):
    """The real model: after UNITS is changed no cached network is found; after a docstring is changed all are."""
    for name in ("common", "data_prep", "reproductions"):
        shutil.copytree(ROOT / name, tmp_path / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
    model = tmp_path / "copy" / "reproductions" / "malik2017" / "model.py"
    text = model.read_text()
    here = keys(ROOT, small_deam, tmp_path / "cache")
    model.write_text(text.replace("FILTERS, UNITS = 8, 8", "FILTERS, UNITS = 8, 16").replace('"""The stacked', '"""A'))
    changed = keys(tmp_path / "copy", small_deam, tmp_path / "cache")
    assert changed["li2016"] == here["li2016"]  # its networks have nothing of that
    assert all(set(changed[name]).isdisjoint(here[name]) for name in here if name != "li2016")
    model.write_text(text.replace('"""The stacked', '"""A stacked').replace("# ElasticNet", "# penalty"))
    assert keys(tmp_path / "copy", small_deam, tmp_path / "cache") == here


@dataclass(frozen=True)
class Songs:
    x: np.ndarray
    names: tuple[str, ...] = ("a",)

    def scaled(self):
        return self.x


def train(*arguments):
    """Stands for a training function."""


def key(*arguments):
    return identity.of_call(train, *arguments)


def test_arguments_count_by_content():
    x = np.arange(6, dtype="float32").reshape(2, 3)
    assert key(x, {"a": 1}, [0, 1]) == key(x.copy(), {"a": 1}, [0, 1])
    assert key(Songs(x)) == key(Songs(x.copy()))
    different = [
        (), (x,), (x.T,), (x.astype("float64"),), (x.reshape(3, 2),), (x + 1,), (Songs(x),), (Songs(x, ("b",)),),
        (Songs(x + 1),), (Sequences.of([x]),), (1,), (1.0,), (True,), ("1",), (None,), ([1],), ({"a": 1},), ({"a": 2},),
        (np.array([]),), (np.array(0),), ([[1], 2],), ([1, [2]],),
    ]  # fmt: skip
    assert len({key(*arguments) for arguments in different}) == len(different)


def test_an_array_changed_in_place_by_a_new_one_is_seen():
    """Digests are kept while an array lives, and not for the next one at the same place of memory."""
    results = {key(np.full(1000, value)) for value in range(50)}
    assert len(results) == 50


def test_an_argument_of_unknown_content_is_refused():
    with pytest.raises(TypeError, match=r"a .*Path cannot be part of an identity"):
        key(Path("/data"))


def test_classes_of_arguments_are_part_of_the_code():
    assert "common.protocol" in identity.of_code(train, *identity._classes((Sequences.of([np.zeros((2, 1))]),)))
    assert "common.protocol" not in identity.of_code(train)


def test_the_environment_is_part_of_the_key(monkeypatch):
    before = key(1)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    other = key(1)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    monkeypatch.setattr(backend, "_version", lambda distribution: "0.1")
    assert len({before, other, key(1)}) == 3


def test_features_are_known_by_all_that_they_depend_on(monkeypatch):
    mel = MelSpectrogram()
    results = identity.describe(mel)
    assert results["name"] == "mirtoolbox-mel" and results["bands"] == 40 and "common.features.mel" in results["code"]
    assert {"numpy", "scipy"} <= results["libraries"].keys() and "libsndfile" not in results["libraries"]
    other = [replace(mel, version=2), replace(mel, bands=41), RelativeMel(), Truncated(mel, 5.0), Truncated(mel, 6.0)]
    assert len({identity.digest(identity.describe(one)) for one in [mel, *other]}) == 6
    assert {"librosa", "soxr"} <= identity.describe(RelativeMel())["libraries"].keys()
    from common.features.opensmile import OpenSmile

    assert list(identity.describe(OpenSmile())["files"]) == ["opensmile.conf"]
    monkeypatch.setattr(identity.audio, "decoder", lambda path: "another decoder")
    assert identity.describe(mel) != results and identity.describe(None) is None


# The user's configuration of Keras.

TRAINED = """
import sys, hashlib
sys.path.insert(0, sys.argv[1])
from common import backend

backend.start(0)
import keras, numpy as np

x = np.random.default_rng(0).standard_normal((12, 6, 5)).astype("float32")
net = keras.Sequential([keras.Input((6, 5)), keras.layers.Conv1D(4, 3), keras.layers.BatchNormalization(),
                        keras.layers.Flatten(), keras.layers.Dense(1)])
net.compile("adam", "mse")
epochs = len(net.fit(x, x[:, 0, :1], epochs=3, batch_size=4, verbose=0).history["loss"])
digest = hashlib.sha256(b"".join(w.tobytes() for w in net.get_weights())).hexdigest()
print("result", epochs, net.get_weights()[0].dtype, backend.name(), digest)
"""


def trained(home: Path, configuration: dict | None, **variables) -> list[str]:
    if configuration is not None:
        (home / ".keras").mkdir(parents=True)
        (home / ".keras" / "keras.json").write_text(json.dumps(configuration))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KERAS")} | {"HOME": str(home)}
    environment |= {"MER_CACHE": str(home / "cache")} | variables
    run = subprocess.run(
        [sys.executable, "-c", TRAINED, str(ROOT)], env=environment, capture_output=True, text=True, check=True
    )
    return next(line for line in run.stdout.splitlines() if line.startswith("result")).split()[1:]


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_users_keras(tmp_path):
    plain = trained(tmp_path / "plain", None)
    assert plain[:3] == ["3", "float32", "tensorflow"]
    user = {"floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first", "backend": "tensorflow"}
    assert trained(tmp_path / "user", user, KERAS_MAX_EPOCHS="1", KERAS_MAX_STEPS_PER_EPOCH="1") == plain


@pytest.mark.parametrize(
    ("configuration", "variable", "expected"),
    [
        (None, None, "tensorflow"), ('{"backend": "jax"}', None, "jax"), ('{"backend": "torch"}', None, "torch"),
        ('{"backend": "jax"}', "tensorflow", "tensorflow"), ("{bad", None, "tensorflow"), ("[]", None, "tensorflow"),
    ],
)  # fmt: skip
def test_the_backend_is_the_one_in_fact(tmp_path, monkeypatch, configuration, variable, expected):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backend, "sys", type("NoKeras", (), {"modules": {}}))
    if configuration:
        (tmp_path / "keras.json").write_text(configuration)
    if variable:
        monkeypatch.setenv("KERAS_BACKEND", variable)
    assert backend.name() == expected


IMPORTING = """
import sys, threading, time
from common import backend

backend.prepare()
thread = threading.Thread(target=__import__, args=("keras",))
thread.start()
while "keras" not in sys.modules:
    time.sleep(0.001)
print(backend.name())
thread.join()
"""


def test_the_backend_is_known_while_another_thread_imports_keras():
    run = subprocess.run([sys.executable, "-c", IMPORTING], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout == "tensorflow\n", run.stderr
