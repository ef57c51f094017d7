"""Records and resuming: with a toy experiment, and with the real command killed at random moments."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from common import cli
from common.cli.outcome import write_tensorboard
from common.cli.settings import check_names, with_settings
from common.errors import InputError
from common.experiment import Classes, Dynamic, Experiment, Network, Samples, Split, Static, Trained, Variant, identity
from common.experiment.base import test_folds as folds_of
from common.experiment.records import histories, mixture, new_record, read_record, record_path, write_record
from common.experiment.runner import execute
from tests.conftest import ROOT
from tests.made_up import table


def toy_fold(settings, samples, split):
    with open(settings["log"], "a") as file:
        file.write(f"{settings['scale']} {split.seed} {split.fold}\n")
    return Trained(
        {"value": np.array(settings["scale"] * (10 * split.seed + split.fold))}, {"loss": np.array([2.0, 1.0])}
    )


class Toy(Experiment):
    paper, dataset, folds, fit = "toy", "numbers", 3, staticmethod(toy_fold)

    def __init__(self, log, fingerprint="abc"):
        self.log, self.fingerprint = log, fingerprint
        self.songs = Samples(["1", "2", "3"], np.zeros(3), np.zeros(3), ["1", "2", "3"])

    def facts(self, variant):
        return {"fingerprint": self.fingerprint}

    def task(self, variant):
        return Static(("all",))

    def samples(self, variant):
        return self.songs

    def splits(self, variant, seed):
        songs = np.arange(3)
        return [Split(songs[songs != k], {"cv": songs[songs == k]}, fold=k, seed=seed) for k in range(self.folds)]

    def networks(self, variant, split):
        settings = {"scale": variant.settings["scale"], "log": str(self.log)}
        return [Network(self.fit, settings, self.songs, split)]

    def predict(self, variant, split, trained):
        return {"cv": trained[0].outputs["value"][None]}

    def evaluate(self, variant, splits, predictions):
        return {"metrics": {"cv": {"sum": {"all": float(sum(predictions["cv"].values())) + variant.settings["plus"]}}}}


class ChangedToy(Toy):
    """The same experiment by other code."""

    changed = True


def variant(name, scale=1.0, plus=0.0):
    return Variant(name, name, {"scale": scale, "plus": plus})


@pytest.fixture
def toy(tmp_path):
    log = tmp_path / "log"
    log.touch()

    def go(variants, seeds, experiment=None, out="out"):
        experiment = experiment or Toy(log)
        return execute(experiment, variants, seeds, out=tmp_path / out, work=tmp_path / "work", n_jobs=1, quiet=True)

    go.log, go.folder = log, tmp_path
    return go


def done(toy):
    return toy.log.read_text().splitlines()


def sums(record):
    return [run["metrics"]["cv"]["sum"]["all"] for run in record["runs"]]


def test_runs_are_recorded_and_not_repeated(toy):
    result = toy([variant("a")], [0, 1])
    assert sums(result["a"]) == [3.0, 33.0] and len(done(toy)) == 6
    result = toy([variant("a")], [0, 1, 2])
    assert sums(result["a"]) == [3.0, 33.0, 63.0] and len(done(toy)) == 9
    path = record_path(toy.folder / "out", "toy", "numbers", "a")
    assert [run["seed"] for run in read_record(path)["runs"]] == [0, 1, 2]
    run = read_record(path)["runs"][0]
    assert run["core_seconds"] >= 0 and run["history"] == [{"loss": [2.0, 1.0]}] * 3
    assert [run["seed"] for run in toy([variant("a")], [1])["a"]["runs"]] == [1]  # what was asked for, no more


def test_variants_share_networks(toy):
    result = toy([variant("a"), variant("b", plus=100)], [0])
    assert sums(result["a"]) == [3.0] and sums(result["b"]) == [103.0] and len(done(toy)) == 3


def test_other_configurations_are_not_mixed_in(toy):
    toy([variant("a")], [0])
    path = record_path(toy.folder / "out", "toy", "numbers", "a")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"a\.json: holds runs of another configuration \(scale\)"):
        toy([variant("a", scale=2.0)], [0])
    with pytest.raises(InputError, match=r"a\.json: holds runs of another configuration \(fingerprint\)"):
        toy([variant("a")], [1], Toy(toy.log, "other"))
    assert path.read_bytes() == before and len(done(toy)) == 3


def test_damaged_work_is_done_again(toy):
    toy([variant("a")], [0])
    job = next((toy.folder / "work").glob("*.network"))
    job.write_bytes(job.read_bytes()[:-3])
    assert sums(toy([variant("a")], [0], out="elsewhere")["a"]) == [3.0]
    assert len(done(toy)) == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"runs": []}'])
def test_a_file_that_is_no_record(toy, content):
    path = record_path(toy.folder / "out", "toy", "numbers", "a")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(InputError, match=r"a\.json: is not a record"):
        toy([variant("a")], [0])
    assert path.read_text() == content


def test_record_is_one_line_a_run(toy):
    toy([variant("a")], [0, 1])
    lines = record_path(toy.folder / "out", "toy", "numbers", "a").read_text().splitlines()
    assert len(lines) == 4 and json.loads(lines[1].rstrip(","))["seed"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -np.inf])
def test_a_number_that_is_not_finite_is_not_recorded(toy, number):
    """JSON has no NaN and no infinity; the record keeps the runs it has."""

    class Diverged(Toy):
        def evaluate(self, variant, splits, predictions):
            last = number if splits[0].seed else 0.5
            return {"metrics": {"cv": {"sum": {"all": 1.0}}}, "loss": [[1.0, 2.0], [1.0, last]]}

    toy([variant("a")], [0], Diverged(toy.log))
    path = record_path(toy.folder / "out", "toy", "numbers", "a")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"a\.json: 'loss\[1\]\[1\]' is not a finite number"):
        toy([variant("a")], [1], Diverged(toy.log))
    assert path.read_bytes() == before


def test_what_takes_long_to_score_waits_for_all_networks(toy):
    finished = []

    class Noted(Toy):
        def score(self, variant, seed, trained):
            finished.append((variant.name, len(done(toy))))
            return super().score(variant, seed, trained)

    slow = Variant("slow", "slow", {"scale": 2.0, "plus": 0.0}, score_last=True)
    toy([slow, variant("second"), variant("third", scale=3.0)], [0], Noted(toy.log))
    assert [name for name, _ in finished] == ["second", "slow", "third"] and finished[1][1] == 9


AT_ONCE = """
import sys, time
from pathlib import Path
from tests import test_experiment as toys

folder, seeds, name, seconds, n_jobs = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3], *sys.argv[4:]
toys.Slow.seconds = float(seconds)
where = {"out": folder / "out", "work": folder / "work", "n_jobs": int(n_jobs), "quiet": True}
records = toys.execute(toys.Slow(folder / "log"), [toys.variant(name)], list(map(int, seeds)), **where)
print(sorted(run["seed"] for run in records[name]["runs"]))
"""


def slow_fold(settings, samples, split):
    time.sleep(settings["seconds"])
    return toy_fold(settings, samples, split)


class Slow(Toy):
    """The toy whose networks take some time."""

    fit, seconds = staticmethod(slow_fold), 0.0

    def networks(self, variant, split):
        (network,) = super().networks(variant, split)
        return [replace(network, settings=network.settings | {"seconds": self.seconds})]


def start_toy(folder, seeds: str, name="a", seconds=0.02, n_jobs=1):
    """A command of its own, in a group of its own, that runs the slow toy."""
    call = [sys.executable, "-c", AT_ONCE, folder, seeds, name, seconds, n_jobs]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(list(map(str, call)), cwd=ROOT, start_new_session=True, **pipes)


@pytest.mark.slow
def test_commands_at_once_share_a_folder(tmp_path):
    """All runs of all commands are kept, each network is trained once, and both see all that they asked for."""
    asked = [("0,1,2", "a"), ("3,2,1,0", "a"), ("0,1,2,3,4,5", "a"), ("5,4", "b")]
    processes = [start_toy(tmp_path, *one) for one in asked]
    for process, (seeds, _) in zip(processes, asked, strict=True):
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        assert out.strip() == str(sorted(int(seed) for seed in seeds.split(",")))
    for name, n in [("a", 6), ("b", 2)]:
        record = read_record(record_path(tmp_path / "out", "toy", "numbers", name))
        assert sums(record)[-n:] == [30.0 * run["seed"] + 3 for run in record["runs"]] and len(record["runs"]) == n
    trained = (tmp_path / "log").read_text().splitlines()
    assert len(trained) == len(set(trained)) == 6 * 3
    assert not list(tmp_path.rglob(".writable*"))


@pytest.mark.parametrize("verified", [False, True])
def test_runs_of_another_identity_are_added_only_where_a_verification_found_them_alike(toy, verified):
    toy([variant("a")], [0])
    path = record_path(toy.folder / "out", "toy", "numbers", "a")
    record = read_record(path)
    (before,) = record["identities"]
    assert record["runs"][0]["identity"] == before
    changed = ChangedToy(toy.log)
    if verified:
        now = next(iter(new_record(changed, variant("a"))["identities"]))
        write_record(path, record | {"equivalent": [{"identities": sorted([before, now]), "date": "2026-01-01"}]})
        record = toy([variant("a")], [0, 1], changed)["a"]
        assert [run["identity"] for run in record["runs"]] == [before, now]
        assert set(record["identities"]) == {before, now} and mixture(record) == []
        assert mixture(record | {"equivalent": []}) == sorted([before, now])
    else:
        for seeds in ([0], [0, 1]):  # also where nothing is left to do: what is there is not what was asked for
            with pytest.raises(InputError, match=r"a\.json: .* another identity \(code of tests.test_experiment\)"):
                toy([variant("a")], seeds, changed)
        assert read_record(path) == record


def test_runs_without_identity_are_legacy(toy):
    toy([variant("a")], [0, 1])
    path = record_path(toy.folder / "out", "toy", "numbers", "a")
    record = read_record(path)
    for run in record["runs"]:
        del run["identity"]
    write_record(path, {key: value for key, value in record.items() if key != "identities"})
    with pytest.raises(InputError, match="before identities were kept"):
        toy([variant("a")], [2])
    assert mixture(read_record(path)) == []


def test_code_that_changes_under_a_training_is_an_error(toy, monkeypatch):
    """A worker that has loaded other code than the command does not record it under the old key."""
    made = identity.of_call
    monkeypatch.setattr(identity, "of_call", lambda *call: made(*call) + "x")  # in this process, not in workers
    with pytest.raises(InputError, match="code was changed"):
        toy([variant("a")], [0])


# Tasks, and how splits become folds and parts.


def test_folds_and_parts_of_splits():
    """Songs that no split tests have the number of splits; one split with validation names the part of each song."""
    two = [
        Split(np.array([2, 3]), {"cv": np.array([0, 1])}, fold=0),
        Split(np.array([0, 1]), {"cv": np.array([3])}, fold=1),
    ]
    assert folds_of(two, 4).tolist() == [0, 0, 2, 1]

    class Classified(Toy):
        evaluate = Experiment.evaluate

        def task(self, variant):
            return Classes(("low", "high"))

    toy = Classified("log")
    toy.songs = Samples(list("abcd"), None, np.array([0, 1, 1, 0]), list("abcd"))
    split = Split(np.array([3]), {"test": np.array([0, 2])}, np.array([1]))
    entry = toy.evaluate(None, [split], {"test": {0: 0, 2: 0}})
    assert entry["part"] == "tvtl" and entry["fold"] == [0, 1, 0, 1]
    again = Split(np.array([3]), {"training": np.array([1, 3]), "test": np.array([0])}, np.array([1]))
    assert toy.evaluate(None, [again], {"training": {1: 0, 3: 0}, "test": {0: 0}})["part"] == "tv-l"
    assert entry["predicted"] == {"test": [0, -1, 0, -1]} and entry["metrics"]["test"]["accuracy"] == {"all": 0.5}


def test_songs_of_unequal_length_are_scored_in_their_order():
    labels = [np.array([[0.0], [1.0]]), np.array([[0.5], [0.5], [1.0]])]
    entry = Dynamic(("valence",)).score(labels, {"cv": {0: labels[0] + 0.5, 1: labels[1] - 0.25}}, np.array([1, 0]))
    assert entry["songs"]["cv"]["frames"] == [2, 3] and entry["fold"] == [1, 0]
    assert entry["songs"]["cv"]["absolute_error"] == [[0.5], [0.25]]
    assert entry["metrics"]["cv"]["rmse_pooled"]["valence"] == pytest.approx(
        np.sqrt((2 * 0.25 + 3 * 0.0625) / 5), abs=1e-5
    )
    few = Dynamic(("valence",), with_tau=False).score(labels, {"cv": dict(enumerate(labels))}, np.array([0, 0]))
    assert (
        set(few["songs"]["cv"]) == {"frames", "moments", "absolute_error"}
        and few["metrics"]["cv"]["rmse_pooled"]["valence"] == 0
    )


# The command line that every paper shares, with the toy.


class Covered(Toy):
    """A toy that is not for the record, and lacks what its third variant needs."""

    for_record = False

    def facts(self, variant):
        songs = dict.fromkeys(("n_train", "of_train", "n_test", "of_test"), 3)
        return {"fingerprint": "abc", "input": "numbers", "audio": "none", **songs}

    def unavailable_reason(self, variant):
        return "there is no sand" if variant.name == "sandy" else None


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """Runs a command of four variants; returns exit code, variants in the table, output and errors."""
    log, expected = tmp_path / "log", tmp_path / "expected.json"
    log.touch()
    expected.write_text(json.dumps(table([]) | {"paper": "toy"}))
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    every = [
        Variant(name, name, {"scale": float(k), "plus": 0.0}, primary=name in ("plain", "sandy"))
        for k, name in enumerate(["base", "plain", "sandy", "other"])
    ]
    training = cli.Training(
        lambda options: every, lambda options: Covered(log), lambda variant: ("base",), ("other",), expected=expected
    )

    def go(*arguments):
        code = training.main([*arguments, "--jobs", "1"])
        out, err = capsys.readouterr()
        variants = [line.split()[0] for line in out.splitlines() if line.split()[:1] and line.split()[0] in names]
        return code, variants, out, err

    names = [v.name for v in every]
    return go


@pytest.mark.slow
def test_a_table_is_all_primary_variants_and_the_baselines(train):
    assert train()[:2] == (0, ["base", "other"])
    code, table, out, _ = train("--table")
    assert (code, table) == (0, ["base", "plain"])
    assert "left out: sandy (there is no sand)" in out.splitlines()
    assert train("--variant", "other", "--table")[:2] == (0, ["base", "other"])


def test_a_variant_that_cannot_run_here_is_an_error_if_asked_for(train):
    code, table, _, told = train("--variant", "plain", "--variant", "sandy")
    assert (code, table, told) == (2, [], "error: sandy cannot run here: there is no sand\n")


@pytest.mark.slow
def test_quiet_and_verbose(train, caplog):
    """Quiet: tables alone; verbose: a line a network. Progress bars are on standard error."""
    code, _, out, err = train("--variant", "plain", "--verbose", "--out", "one")
    assert code == 0 and "2 variants" in out and "training toy" in err and caplog.text.count("trained in") == 6
    caplog.clear()
    code, _, out, err = train("--variant", "plain", "--quiet", "--out", "two")
    assert code == 0 and "variants" not in out and err == "" and not caplog.text


NETWORK = {
    "dropout": 0.25, "pieces": 4, "gru_dropout": float, "gates": ("hard_sigmoid", "logistic"), "bn_first": False,
    "until": float, "branches": (2, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [("dropout=.5", 0.5), ("dropout=0", 0.0), ("pieces=5", 5), ("gru_dropout=.1", 0.1), ("gates=logistic", "logistic"),
     ("bn_first=true", True), ("epochs=7", 7), ("units=(64, 32)", (64, 32)), ("until=.055", 0.055), ("until=0", 0.0),
     ("branches=1", 1), ("decay=.5", 0.5)],
)  # fmt: skip
def test_a_setting_is_changed_on_the_command_line(change, expected):
    settings = {"network": {"epochs": 300, "units": (128,), "decay": None}, "input": "official"}
    own = Variant("crnn", "CRNN", settings, primary=True)
    changed = with_settings(own, [change, "length=20"], NETWORK | {"length": 60})
    name = change.split("=")[0]
    assert changed.settings["network"][name] == expected and type(changed.settings["network"][name]) is type(expected)
    assert changed.settings["network"]["length"] == 20 and changed.settings["input"] == "official"
    assert changed.name == f"crnn_{change.replace('=', '_').replace(' ', '')}_length_20" and not changed.primary
    assert own.settings["network"] == settings["network"] and with_settings(own, [], {}) is own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("dropuot=.5", "no setting is called 'dropuot'; did you mean dropout?"),
        ("dropout", "is not NAME=VALUE"),
        *((f"dropout={rate}", "is not a number from 0 to below 1") for rate in ("1", "1.5", "-.1", "none", "true")),
        ("gru_dropout=half", "is not a number from 0 to below 1"),
        *((f"until={limit}", "is not a number of 0 or more") for limit in ("-1", "none", "1e999", "few")),
        *((f"pieces={n}", "is not a whole number of 1 or more") for n in ("few", "true", "0", "2.0", "none")),
        ("epochs=0", "is not a whole number of 1 or more"),
        *((f"epsilon={value}", "is not a number above 0") for value in ("0", "-1e-6", "1e999", "none")),
        ("lowest_penalty=0", "is not a number above 0"),
        *((f"bn_first={word}", "is not true or false") for word in ("3", "1", "none")),
        *((f"gates={word}", "is not one of hard_sigmoid, logistic") for word in ("sharp", "none", "1")),
        *((f"branches={n}", "is not one of 2, 1") for n in ("3", "2.0", "true")),
        *(
            (f"units={sizes}", "is not whole numbers in brackets")
            for sizes in ("64", "()", "(64, 0)", "(8.5,)", "(True,)")
        ),
    ],
)
def test_a_setting_that_is_not_possible_is_an_error(change, message):
    settings = {"network": {"epochs": 300, "units": (128,), "until": 0, "epsilon": 1e-6, "lowest_penalty": 0.1}}
    with pytest.raises(InputError, match=re.escape(f"--set {change}: {message}")):
        with_settings(Variant("crnn", "CRNN", settings), [change], NETWORK)


def test_settings_that_cannot_be_changed():
    with pytest.raises(InputError, match="ridge has no network"):
        with_settings(Variant("ridge", "ridge", {}), ["pieces=2"], NETWORK)
    with pytest.raises(InputError, match="the settings of rnn cannot be changed: its gates is none"):
        with_settings(Variant("rnn", "", {"network": {"gates": "none"}}), ["pieces=2"], NETWORK)
    several = {"network": {"length": 5}, "networks": [{"length": 5}, {"length": 9}]}
    with pytest.raises(InputError, match="lengths trains several networks"):
        with_settings(Variant("lengths", "", several), ["pieces=2"], NETWORK)
    with pytest.raises(InputError, match="--set pieces=3: pieces is set twice"):
        with_settings(Variant("crnn", "", {"network": {"epochs": 3}}), ["pieces=2", "pieces=3"], NETWORK)


def test_a_variant_with_a_misspelled_setting_is_an_error():
    variants = [
        Variant(f"crnn{name}", "CRNN", {"network": {"epochs": 300} | changes}, primary=not name)
        for name, changes in (("", {}), ("_dropout", {"dropout": 0.5}))
    ]
    check_names([*variants, Variant("ridge", "ridge", {"alpha": 1})], NETWORK)
    misspelled = Variant("crnn_50", "CRNN", {"network": {"epochs": 300, "dropuot": 0.5}})
    with pytest.raises(InputError, match=r"variant crnn_50: no setting is called 'dropuot'; did you mean dropout\?"):
        check_names([*variants, misspelled], NETWORK)


@pytest.mark.slow
def test_a_chosen_seed_runs_alone(train):
    _, _, out, _ = train("--variant", "plain", "--seed", "7", "--seed", "3")
    assert "2 variants, 2 runs each" in out


def test_histories_have_the_epochs_of_the_checks():
    """Of several targets the mean; epochs whose value was not finite are left out."""
    run = {"history": [{"epoch": [10, 20, 25], "rmse, evaluation": [[0.5, 0.3], [0.4, None], [0.5, 0.5]]}]}
    assert histories(run) == [{"rmse, evaluation": pytest.approx({10: 0.4, 25: 0.5})}]
    run = {"history": [{"loss": [None, 1.0]}, {"loss": [4.0, 3.0]}]}
    assert histories(run) == [{"loss": {2: 1.0}}, {"loss": {1: 4.0, 2: 3.0}}] and histories({}) == []


def test_histories_for_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = [{"loss": [None, None]}, {"loss": [4.0, 3.0]}]
    records = {"a": {"runs": [{"seed": 3, "history": history}]}}
    write_tensorboard(records, tmp_path)
    read = EventAccumulator(str(tmp_path / "a" / "run 3" / "1"))
    read.Reload()
    assert [(e.step, float(e.tensor_proto.float_val[0])) for e in read.Tensors("loss")] == [(1, 4.0), (2, 3.0)]


# The real command.


def command(root, out, *, jobs):
    options = ["--data-root", root, "--allow-missing", "--folds", "2", "--epochs", "1"]
    module = [sys.executable, "-m", "reproductions.jakubik2017.train"]
    return [*module, *map(str, options), "--out", str(out), "--jobs", str(jobs)]


def start(call, cache):
    environment = os.environ | {"MER_CACHE": str(cache)}
    return subprocess.Popen(call, cwd=ROOT, env=environment, start_new_session=True, stdout=-1, stderr=-1, text=True)


def results(out: Path) -> dict:
    result = {}
    for path in sorted(out.rglob("*.json")):
        record = json.loads(path.read_text())
        kept = [{k: v for k, v in run.items() if k not in ("provenance", "core_seconds")} for run in record["runs"]]
        result[path.name] = {**record, "runs": kept}
    return result


@pytest.mark.slow
def test_the_number_of_processes_changes_no_bit(small_emotify, tmp_path, new_cache):
    """Records and tables of the real command with one process and with two."""
    printed = []
    for jobs in (1, 2):
        process = start(command(small_emotify, tmp_path / str(jobs), jobs=jobs), new_cache())
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        printed.append([line for line in out.splitlines() if "…" in line or "–" in line])
    one, two = (results(tmp_path / str(jobs)) for jobs in (1, 2))
    assert one == two and printed[0] and printed[0] == printed[1]
    assert set(one) == {
        f"{n}.json" for n in ("genre_mean", "ridge", "semantic_embedding_gru_svr", "standard_gru", "training_mean")
    }
    assert all(len(record["runs"]) == 1 for record in one.values())


@pytest.mark.slow
def test_two_commands_killed_at_ten_moments_give_the_same_results(tmp_path):
    """Two trainings into one folder at once, each with two processes; what is left in the end is as if undisturbed."""
    seeds, slow = "0,1,2,3", {"seconds": 0.1, "n_jobs": 2}
    started = time.monotonic()
    assert start_toy(tmp_path / "undisturbed", seeds, **slow).wait() == 0
    takes, rng = time.monotonic() - started, np.random.default_rng(1)
    for moment in rng.uniform(0.4, 1.0, 10) * takes:
        both = [start_toy(tmp_path / "killed", seeds, **slow) for _ in range(2)]
        time.sleep(moment)
        for process in both:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    for process in [start_toy(tmp_path / "killed", seeds, **slow) for _ in range(2)]:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert results(tmp_path / "killed" / "out") == results(tmp_path / "undisturbed" / "out")
    assert not list(tmp_path.rglob(".writable*"))
