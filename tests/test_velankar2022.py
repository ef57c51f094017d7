"""What the paper fixes: parameters, layers, the spectrogram, the split; its tables; and runs on small collections."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from scipy.stats import norm

from common.errors import InputError
from common.experiment import Samples, Split
from common.features.relative_mel import RelativeMel
from common.features.truncated import Truncated
from common.report import number
from common.verdict.board import join, load_expected
from common.verdict.recorded import Records, uncompared
from data_prep import open_classes, synthetic
from data_prep.class_folders import ClassFolders
from reproductions.velankar2022.train import LAST, MOODS, TEST, RandomSplits, fit, main, variants
from tests.conftest import GIVEN_ROOT, ROOT

EXPECTED = load_expected(ROOT / "reproductions" / "velankar2022" / "expected.json")
RATE = 8000


@pytest.mark.parametrize(
    ("network", "outputs", "parameters"),
    [("crnn", 3, 133_195), ("crnn", 8, 133_520), ("parallel", 3, 83_235), ("parallel", 8, 85_160)],
)
def test_parameters(network, outputs, parameters):
    from reproductions.velankar2022 import model

    net = model.NETWORKS[network][0](outputs)
    assert net.count_params() == parameters and net.output_shape == (None, outputs)


@pytest.mark.parametrize(
    ("network", "optimizer", "rate", "batch", "dropouts", "penalised"),
    [("crnn", "Adam", 1e-3, 32, 5, 4), ("parallel", "RMSprop", 5e-4, 64, 0, 0)],
)
def test_training_is_dwivedis(network, optimizer, rate, batch, dropouts, penalised):
    from reproductions.velankar2022 import model

    make, chosen, result = model.NETWORKS[network]
    assert (type(chosen()).__name__, float(chosen().learning_rate), result) == (optimizer, pytest.approx(rate), batch)
    layers = make(3).layers
    assert [layer.rate for layer in layers if type(layer).__name__ == "Dropout"] == [0.4] * dropouts
    penalties = [layer.kernel_regularizer for layer in layers if getattr(layer, "kernel_regularizer", None)]
    assert [float(penalty.l2) for penalty in penalties] == [pytest.approx(1e-3)] * penalised


def test_the_recurrent_branch_is_kerass_bidirectional_gru():
    import keras

    from common.layers.keras1 import hard_sigmoid
    from reproductions.velankar2022 import model

    [ours] = (layer for layer in model.parallel(3).layers if isinstance(layer, keras.layers.Bidirectional))
    cell = keras.layers.GRU(64, reset_after=False, recurrent_activation=hard_sigmoid)
    theirs = keras.layers.Bidirectional(cell)
    theirs.build((None, 160, 64))
    weights = [0.1 * np.random.default_rng(0).normal(size=w.shape) for w in ours.get_weights()]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    loud = np.random.default_rng(1).normal(size=(4, 160, 64)).astype("float32")
    np.testing.assert_allclose(ours(loud), theirs(loud), atol=2e-6)


@pytest.mark.parametrize("relu_first", [False, True])
def test_normalisation_and_relu_stand_as_named(relu_first):
    from reproductions.velankar2022 import model

    names = [type(layer).__name__ for layer in model.crnn(3, relu_first=relu_first).layers[1:6]]
    middle = ["ReLU", "BatchNormalization"] if relu_first else ["BatchNormalization", "ReLU"]
    assert names == ["Conv1D", *middle, "MaxPooling1D", "Dropout"]


def test_spectrogram_against_librosas_own_functions():
    import librosa

    sound = np.random.default_rng(0).standard_normal(22050 * 3).astype("float32") * np.linspace(0, 0.5, 22050 * 3) ** 4
    power = librosa.feature.melspectrogram(y=sound, sr=22050, n_fft=2048, hop_length=1024, pad_mode="reflect")
    expected = np.log(librosa.db_to_power(librosa.power_to_db(power, ref=np.max)))
    result = RelativeMel()(sound, 22050)
    assert result.shape == (65, 128) and result.dtype == np.float32
    np.testing.assert_allclose(result, expected.T, atol=1e-4)
    assert result.max() == 0 and result.min() == pytest.approx(-8 * np.log(10), abs=1e-4)  # 80 dB


def collection(
    folder: Path, *, songs: int, seconds=2.0, classes=("devotional", "romantic", "sad"), artists=False
) -> Path:
    """A data root with a collection `Songs`: every class hums its own tone."""
    rng, lines = np.random.default_rng(0), ["file,artist"]
    for k, name in enumerate(classes):
        (folder / "Songs" / name).mkdir(parents=True)
        for i in range(songs):
            t = np.arange(int(seconds * RATE)) / RATE
            hum = 0.3 * np.sin(2 * np.pi * 200 * (k + 1) ** 1.5 * t) + 0.05 * rng.standard_normal(len(t))
            soundfile.write(folder / "Songs" / name / f"{i}.wav", hum, RATE)
            lines.append(f"{name}/{i}.wav,singer {k}{i // 2}")
    if artists:
        (folder / "Songs" / "artists.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_short_recordings_begin_again(tmp_path):
    data, named = ClassFolders(collection(tmp_path, songs=8), "Songs"), {v.name: v for v in variants()}
    experiment = RandomSplits(data)
    assert experiment.task(named["crnn"]).targets == ("devotional", "romantic", "sad")
    x = experiment.samples(named["crnn"]).x
    assert x.shape == (24, 640, 128) and experiment.facts(named["crnn"])["shorter_than_640_frames"] == 24
    period = 1 + 2 * 22050 // 1024
    np.testing.assert_array_equal(x[:, :period], x[:, period : 2 * period])
    beginning = experiment.samples(replace(named["crnn"], settings=named["crnn"].settings | {"seconds": 1.0})).x
    period = 1 + 22050 // 1024
    np.testing.assert_array_equal(beginning[:, :period], beginning[:, period : 2 * period])


def samples_and_split(x, y, train, validation, test):
    ids = [str(i) for i in range(len(y))]
    return Samples(ids, x, y, ids), Split(train, {TEST: test, LAST: test}, validation)


def test_the_rate_is_halved_on_a_plateau(monkeypatch):
    """Validation accuracy is the same in every epoch: after ten of them the rate is halved."""
    import keras

    from reproductions.velankar2022 import model

    courses = []

    class Seen(keras.Model):
        def fit(self, *arguments, **options):
            courses.append(super().fit(*arguments, **options))
            return courses[-1]

    def constant(outputs):
        x = keras.Input((4, 2))
        return Seen(x, keras.layers.Softmax()(0.0 * keras.layers.Dense(outputs)(keras.layers.Flatten()(x))))

    monkeypatch.setitem(model.NETWORKS, "constant", (constant, lambda: keras.optimizers.SGD(0.08), 8))
    x, y = np.zeros((12, 4, 2), "float32"), np.arange(12) % 3
    fit({"kind": "constant", "epochs": 13}, *samples_and_split(x, y, *np.split(np.arange(12), 3)))
    assert courses[0].history["learning_rate"] == pytest.approx([0.08] * 11 + [0.04] * 2)


def test_the_best_epoch_is_kept(monkeypatch):
    """An optimiser that unlearns from its second step on: the first epoch is the best, and its weights predict."""
    import keras

    from reproductions.velankar2022 import model

    class Unlearning(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            self.assign(variable, keras.ops.where(self.iterations == 0, 1.0, -50.0) * variable)

    small = keras.Sequential([keras.Input((4, 2)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    small.set_weights([np.eye(8, 3), np.zeros(3)])  # knows the classes
    monkeypatch.setitem(model.NETWORKS, "small", (lambda outputs: small, Unlearning, 100))
    y = np.arange(24) % 3
    x = np.zeros((24, 4, 2), "float32")
    x.reshape(24, 8)[np.arange(24), y] = 1
    given = samples_and_split(x, y, np.arange(12), np.arange(12, 18), np.arange(18, 24))
    trained = fit({"kind": "small", "epochs": 2}, *given)
    assert trained.history["val_accuracy"].tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(trained.outputs[TEST], y[18:])
    assert not (trained.outputs[LAST] == y[18:]).any()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network():
    """And of eight outputs the first three tell."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 8)
    x = (rng.normal(size=(24, 640, 128)) - 5 * y[:, None, None]).astype("float32")
    given = samples_and_split(x, y, np.arange(0, 24, 2), np.arange(1, 24, 4), np.arange(3, 24, 4))
    one, again = (fit({"kind": "parallel", "epochs": 2, "outputs": 8}, *given) for _ in range(2))
    for name, predicted in one.outputs.items():
        assert predicted.shape == (6,) and set(predicted) <= {0, 1, 2}
        np.testing.assert_array_equal(predicted, again.outputs[name])
    for name, curve in one.history.items():
        np.testing.assert_array_equal(curve, again.history[name])


@pytest.mark.slow
def test_a_collection_end_to_end(tmp_path, train_here):
    root = collection(tmp_path / "data", songs=20, artists=True)
    options = ("--data-root", root, "--dataset", "Songs", "--out", tmp_path, "--epochs", 2, "--repeats", 2)
    done = train_here("velankar2022", *options, "--variant", "crnn", "--variant", "parallel_artists")
    assert done.returncode == 0, done.stderr
    records = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "velankar2022" / "Songs").glob("*.json")}
    assert set(records) == {
        "crnn",
        "majority",
        "descriptors_svm",
        "parallel_artists",
        "majority_artists",
        "descriptors_svm_artists",
    }
    record = records["crnn"]
    facts = record["facts"]
    assert facts["stand_in"] and facts["partial"] and facts["shorter_than_640_frames"] == 60
    assert facts["targets"] == ["devotional", "romantic", "sad"] and len(record["runs"]) == 2
    from common import metrics

    for one in record["runs"]:
        for split, predicted in one["predicted"].items():
            tested = np.array(predicted) >= 0
            assert tested.sum() == facts["n_test"] == 20 and (np.array(one["fold"]) == 0).tolist() == tested.tolist()
            again = metrics.classification(
                np.array(facts["reference"])[tested], np.array(predicted)[tested], facts["targets"]
            )
            assert one["metrics"][split] == again
    assert all(r["metrics"]["test"]["accuracy"]["all"] == 1.0 for r in records["descriptors_svm"]["runs"])
    of_artists = records["parallel_artists"]
    for one in of_artists["runs"]:
        sides = [
            {a for a, part in zip(of_artists["facts"]["artists"], one["fold"], strict=True) if part == side}
            for side in (0, 1)
        ]
        assert all(sides) and not sides[0] & sides[1]
    done = train_here("velankar2022", *options, "--variant", "crnn_quadrants")
    assert done.returncode == 2 and "Songs has not the four quadrants" in done.stderr


@pytest.mark.parametrize(
    ("songs", "options", "told"),
    [
        (7, [], "has 7 songs of class devotional, too few to split; 8 are needed"),
        (1, [], "holds 1 recording, and a class needs 2 or more"),
        (8, ["--variant", "crnn_artists"], "Songs names 0 artists of class devotional, and 10 are needed"),
    ],
)
def test_bad_collections_are_one_line(tmp_path, train_here, songs, options, told):
    root = collection(tmp_path / "data", songs=songs, seconds=2.1)
    done = train_here("velankar2022", "--data-root", root, "--dataset", "Songs", "--out", tmp_path, *options)
    assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_data_without_classes(small_emotify, tmp_path, train_here):
    done = train_here("velankar2022", "--data-root", small_emotify, "--dataset", "emotify", "--out", tmp_path)
    assert done.returncode == 2 and "emotify has no classes; choose 4q" in done.stderr


def test_the_papers_songs_are_known_by_folder_and_classes(tmp_path):
    """A folder `hindi` with its three classes gets verdicts, as partial if it is not whole; with others it is told."""
    for classes in (("devotional", "romantic", "sad"), ("Devotional", "romantic", "sad")):
        folder = tmp_path / classes[0]
        (collection(folder, songs=8, classes=classes) / "Songs").rename(folder / "hindi")
        experiment = RandomSplits(ClassFolders(folder, "hindi"))
        if classes[0] == "devotional":
            facts = experiment.facts(variants()[0])
            assert not facts["stand_in"] and uncompared(facts) == "partial"
        else:
            with pytest.raises(
                InputError, match="has the classes Devotional, romantic, sad, the paper's are devotional"
            ):
                experiment.facts(variants()[0])


def test_an_artist_a_class(tmp_path):
    """A class by one artist would be in one part only: told before anything is trained."""
    data = ClassFolders(collection(tmp_path, songs=12, artists=True), "Songs")
    experiment = RandomSplits(data)
    assert "names 6 artists of class devotional" in experiment.unavailable_reason(
        {v.name: v for v in variants()}["crnn_artists"]
    )


def test_a_collection_with_the_names_of_the_quadrants(tmp_path):
    """It keeps its songs and classes; only of 4Q some stand for the paper's, of which there can be too few."""
    quadrants = ("happy", "angry", "sad", "relaxed")
    data = ClassFolders(collection(tmp_path, songs=8, seconds=2.1, classes=quadrants), "Songs")
    songs = RandomSplits(data).songs(variants()[0])
    assert len(songs.tracks) == 32 and set(songs.classes) == set(quadrants) and data.require(per_class=8) == []
    with pytest.raises(InputError, match="has 8 songs of class happy; 46 are needed"):
        data.select(MOODS["4q"], 46)


def mer500(root: Path) -> None:
    """Rendered music in the layout of MER500: 47 clips of 6 s in each mood but Party, which has 8."""
    for mood, tempo in (("Romantic", 80), ("Happy", 140), ("Sad", 60), ("Devotional", 100), ("Party", 160)):
        folder = root / "MER500" / mood / mood
        folder.mkdir(parents=True)
        for clip in range(47 if mood != "Party" else 8):
            rng, mode = np.random.default_rng([clip, tempo]), "minor" if mood == "Sad" else "major"
            sound = synthetic.render(rng, tempo=tempo, mode=mode, loudness=-20, brightness=0.5, seconds=6)
            soundfile.write(folder / f"{clip:03}.wav", sound, synthetic.RATE)


def test_mer500(tmp_path):
    """Three of its moods stand for the paper's, 46 clips of each; verdicts would be those of a stand-in."""
    mer500(tmp_path)
    data = open_classes("mer500", str(tmp_path))
    assert data.require() == [] and len(data.tracks) == 4 * 47 + 8 and not data.splits
    experiment, crnn = RandomSplits(data), variants()[0]
    songs = experiment.songs(crnn)
    assert songs.classes == ("romantic", "sad", "devotional") and np.bincount(songs.numbers).tolist() == [46] * 3
    assert {track.id.split("/")[0].lower() for track in songs.tracks} == set(songs.classes)
    facts = experiment.facts(crnn)
    assert uncompared(facts) == "stand-in" and (facts["n_train"], facts["n_test"]) == (92, 46)
    named = {v.name: v for v in variants()}
    assert experiment.unavailable_reason(named["crnn_quadrants"])
    (tmp_path / "MER500" / "Sad").rename(tmp_path / "elsewhere")
    problem, *_ = open_classes("mer500", str(tmp_path)).validate()
    assert "has no clips in Sad/Sad/" in problem.text and problem.missing


def test_a_part_of_each_recording_needs_longer_recordings(tmp_path):
    """Clips of 6 s have a first half, but no ten seconds that a network could do with."""
    mer500(tmp_path)
    experiment, named = RandomSplits(open_classes("mer500", str(tmp_path))), {v.name: v for v in variants()}
    assert [experiment.unavailable_reason(named[f"crnn_{s}_s"]) for s in (10, 20)] == [
        f"it needs recordings longer than {s} s, and those here last 6 s" for s in (10, 20)
    ]
    five = named["crnn_5_s"]
    assert experiment.unavailable_reason(five) is None and experiment.facts(five)["frames"] == "5 of 6 s"


@pytest.mark.slow
def test_a_training_on_mer500_is_a_stand_in(tmp_path, train_here):
    """It stands next to the published numbers, and is not compared with them; on the board 4Q stands before it."""
    mer500(tmp_path / "data")
    options = ("--data-root", tmp_path / "data", "--dataset", "mer500", "--out", tmp_path)
    done = train_here("velankar2022", *options, "--variant", "crnn", "--repeats", 1)
    assert done.returncode == 0, done.stderr
    rows = [row.fields for row in join(EXPECTED, Records(tmp_path, "velankar2022")) if row.fields["record"]]
    assert {(f["system"], f["dataset"], f["verdict"]) for f in rows} == {("CRNN", "mer500", "stand-in")}
    shown = re.compile(r"^CRNN +all +\.54 +(\.\d+) .* stand-in$", re.MULTILINE)
    accuracy = [number(f["measured"]) for f in rows if f["metric"] == "accuracy"]
    assert len(rows) == 16 and shown.findall(done.stdout) == accuracy
    copy = tmp_path / "velankar2022" / "4q" / "crnn.json"
    copy.parent.mkdir()
    shutil.copy(ROOT / "results" / "velankar2022" / "4q" / "crnn.json", copy)
    done = train_here("velankar2022", *options, "--variant", "crnn", "--repeats", 1)
    assert shown.findall(done.stdout) == accuracy
    assert {row.fields["dataset"] for row in join(EXPECTED, Records(tmp_path, "velankar2022"))} >= {"4q"}


@pytest.mark.parametrize("name", ["crnn_5_s", "crnn_11_khz", "crnn_hop_512", "majority"])
def test_weights_that_predict_would_use_otherwise_are_not_kept(tmp_path, name):
    experiment = RandomSplits(ClassFolders(collection(tmp_path, songs=8), "Songs"))
    with pytest.raises(InputError, match=f"{name}: has no weights that `predict` could read"):
        experiment.trained_on_all({v.name: v for v in variants()}[name])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("parallel", "relu_first=true", "has no normalisation that a ReLU could stand before"),
        ("crnn", "outputs=2", "Songs has 3 classes, an output each"),
    ],
)
def test_a_setting_that_the_network_has_not_is_an_error_before_training(tmp_path, capsys, name, change, message):
    collection(tmp_path, songs=8)
    options = ["--data-root", str(tmp_path), "--dataset", "Songs", "--out", str(tmp_path / "out"), "--set", change]
    assert main([*options, "--variant", name]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {name}_{change.replace('=', '_')} cannot run here: ") and error.endswith(message)


def test_at_11_khz_rate_hop_and_frames_agree():
    """30 s at 11,025 Hz with hop 512 are 646 frames, of which 640 are used; at 22,050 Hz they would be 14.9 s."""
    variant = {v.name: v for v in variants()}["crnn_11_khz"]
    extractor = RandomSplits(SimpleNamespace(name="4q", synthetic=False)).extractor(variant)
    sound = np.random.default_rng(0).standard_normal(30 * 22050).astype("float32")
    assert len(extractor(sound, 22050)) == 646


def test_cells_are_those_of_the_paper():
    cells = EXPECTED["cells"]
    assert len(cells) == 32
    shared = Path(GIVEN_ROOT or "nowhere").parent / "published" / "velankar2022.json"
    if shared.is_file():
        copied = [(c["model"], c["metric"], c["mean"]) for c in json.loads(shared.read_text())["results"]]
        assert copied == [(cell["system"], cell["metric"], cell["value"]) for cell in cells]


def test_songs_that_would_tell_both_networks_apart():
    """As the README has it: from the songs about which both recorded networks disagree, or from independent errors."""
    records = [json.loads((ROOT / f"results/velankar2022/4q/{name}.json").read_text()) for name in ("crnn", "parallel")]
    reference, disagree = np.array(records[0]["facts"]["reference"]), []
    for runs in zip(*(record["runs"] for record in records), strict=True):
        predicted = np.array([run["predicted"]["test"] for run in runs])
        one, other = (predicted == reference)[:, predicted[0] >= 0]
        disagree.append(np.mean(one != other))
    readme = (ROOT / "reproductions/velankar2022/README.md").read_text()
    for p, text in ((np.mean(disagree), "1,980"), (0.54 * 0.5 + 0.46 * 0.5, "2,450")):
        n = (norm.ppf(0.975) * np.sqrt(p) + norm.ppf(0.8) * np.sqrt(p - 0.04**2)) ** 2 / 0.04**2
        assert f"{round(n, -1):,.0f}" == text and text in readme


@pytest.mark.parametrize(
    ("network", "right", "predicted"), [("crnn", (7, 11, 7), (15, 17, 14)), ("parallel", (9, 7, 7), (20, 14, 12))]
)
def test_cells_follow_from_counts(network, right, predicted):
    """Precision, recall, F1 and accuracy of each class from the one table of counts that fits (README)."""
    songs, result = (15, 16, 15), {("all", "accuracy"): sum(right) / 46}
    for name, hits, told, n in zip(("devotional", "sad", "romantic"), right, predicted, songs, strict=True):
        result |= {(name, "precision"): hits / told, (name, "recall"): hits / n, (name, "f1"): 2 * hits / (told + n)}
    for metric in ("precision", "recall", "f1"):
        values = np.array([result[name, metric] for name in ("devotional", "sad", "romantic")])
        result |= {("macro avg", metric): values.mean(), ("weighted avg", metric): values @ songs / 46}
    cells = {(c["target"], c["metric"]): c["value"] for c in EXPECTED["cells"] if c["variant"] == network}
    assert cells.keys() == result.keys()
    assert all(abs(cells[key] - result[key]) <= 0.005 + 1e-9 for key in cells)


def test_every_variant_named_in_the_table_exists():
    known = {variant.name: variant for variant in variants()}
    for cell in EXPECTED["cells"]:
        assert known[cell["variant"]].primary and set(cell["alternatives"]) <= known.keys()
        assert cell["stand_ins"] == [["4q", cell["variant"]], ["mer500", cell["variant"]]]
    for claim in EXPECTED["claims"]:
        assert {claim["a"], claim["b"]} <= known.keys()
    for *_, shown in EXPECTED["variant_tables"]:
        assert set(shown) <= known.keys()


def test_a_silent_beginning_is_no_gap(tmp_path):
    """As librosa's power_to_db(ref=max): of silence every element is the maximum."""
    rate = 22050
    music = np.random.default_rng(0).standard_normal(2 * rate).astype("float32") / 10
    samples = np.concatenate([np.zeros(5 * rate, "float32"), music])
    silent = Truncated(RelativeMel(), 5.0)(samples, rate)
    assert silent.shape[1] == 128 and not silent.any()
    complete = RelativeMel()(samples, rate)
    assert np.isfinite(complete).all() and complete.max() == 0 and complete[0].max() < -18


@pytest.mark.parametrize("epochs", [None, 3])
def test_fewer_epochs_are_partial_of_networks_alone(tmp_path, monkeypatch, epochs):
    data = ClassFolders(collection(tmp_path, songs=20, artists=True), "Songs")
    for incomplete in (False, True):
        experiment = RandomSplits(data, incomplete=incomplete)
        monkeypatch.setattr(experiment, "features", lambda *given: [np.zeros((640, 128), "float32")] * 60)
        facts = {v.name: experiment.facts(v) for v in variants(epochs) if v.name in ("crnn", "majority")}
        assert facts["crnn"]["partial"] == (incomplete or epochs is not None)
        assert facts["majority"]["partial"] == incomplete


@pytest.mark.slow
def test_a_band_that_does_not_vary_is_scaled_by_one():
    """As in scikit-learn: another song's value there is not multiplied by a million."""
    x = np.random.default_rng(0).standard_normal((9, 640, 128)).astype("float32")
    x[:6, :, 3] = -18.420681
    train, rest = np.arange(6), np.arange(6, 9)
    given = samples_and_split(x, np.arange(9) % 3, train, rest, rest)
    scaling = fit({"kind": "crnn", "epochs": 1, "standardised": True}, *given).model.get_layer("scaling")
    std, others = np.sqrt(scaling.variance).reshape(-1), np.arange(128) != 3
    assert std[3] == 1
    np.testing.assert_allclose(std[others], x[train].std(axis=(0, 1))[others] + 1e-6, rtol=1e-5)


def test_the_epoch_is_not_chosen_by_the_test_songs(tmp_path, monkeypatch):
    """The songs that validate, by which the best epoch is kept, are none of those that are tested."""
    experiment = RandomSplits(ClassFolders(collection(tmp_path, songs=20), "Songs"))
    monkeypatch.setattr(experiment, "features", lambda *given: [np.zeros((640, 128), "float32")] * 60)
    variant = next(v for v in variants() if v.name == "crnn")
    for seed in range(3):
        (split,) = experiment.splits(variant, seed)
        (network,) = experiment.networks(variant, split)
        parts = [network.split.train, network.split.validation, network.split.tests[TEST]]
        assert [len(part) > 0 for part in parts] == [True] * 3
        together = np.concatenate(parts)
        assert len(set(together)) == len(together) == 60
