"""All systems of the paper's tables, the interpretations of what it leaves open, and the baselines."""

from common.experiment import Variant
from reproductions.malik2017 import li2016

LENGTHS = (20, 10, 30, 60)  # of sequences, in frames
EPOCHS, FOLDS = 300, 10  # at most; of the cross-validation over the development songs, which the paper has not
PROTOCOL = 1  # raised by hand when a change of the code changes results
NETWORK = {  # settings of the network as `model.crnn` has them and of the training, see `Training.network`
    "branches": (2, 1), "dropout": 0.25, "pieces": 4, "bn_first": False, "gru_dropout": float, "until": float,
    "penalty": ("mean", "batch", "sum", "weights", "off"), "gates": ("hard_sigmoid", "logistic"),
    "reset_after": False, "loss": ("batch", "sequence", "frame"), "overlapping": False, "validation": False,
}  # fmt: skip
PUBLISHED_DEVELOPMENT = {  # average RMSE on the training songs (Table 1), at which training ends here
    "official": {60: 0.060, 30: 0.057, 20: 0.055, 10: 0.055},
    "log_mel": {60: 0.078, 30: 0.074, 20: 0.074, 10: 0.072},
}
BASELINES = {
    "zero": "baseline: zero",
    "training_mean": "baseline: mean of the training songs",
    "ridge": "baseline: ridge regression of song means on averaged features",
    "own_song_mean": "oracle: each song's own mean",
}
SUFFIXES = {  # of their names and titles, by the labels, or by the input where it is not the task's features
    "task": ("", ""), "deam": ("_deam", " (DEAM's labels)"), "repaired": ("_repaired", " (repaired)"),
    "log_mel": ("_log_mel", ", log-mel"), "opensmile": ("_cuts", ", features of the cuts"),
}  # fmt: skip
SECONDS_PER_EPOCH = {60: 0.5, 30: 0.4, 20: 0.35, 10: 0.45}  # of one core, 260 songs of 60 frames and 260 features


VALIDATED = {"validation": True}  # stopped by songs that are not trained on
CV = VALIDATED | {"cv": True}
INTERPRETATIONS = [  # of the CRNN with sequences of 20 frames: name, title, and in what they differ
    ("crnn_l20_deam", "CRNN, length 20, DEAM's labels", {"labels": "deam"}),
    ("crnn_l20_repaired", "CRNN, length 20, song means exchanged back", {"labels": "repaired"}),
    ("crnn_l20_validated", "CRNN, length 20, early stopping on a tenth of the training songs", VALIDATED),
    ("cv_crnn_l20", "CRNN, length 20", {"cv": True}),
    ("cv_crnn_l20_repaired", "CRNN, length 20, song means exchanged back", {"cv": True, "labels": "repaired"}),
    ("cv_crnn_l20_validated", "CRNN, length 20, early stopping on a tenth of the training songs", CV),
    ("cv_crnn_l20_validated_repaired", "CRNN, length 20, early stopping, song means exchanged back",
     CV | {"labels": "repaired"}),
    ("cv_crnn_248_l20_validated_repaired", "CRNN, length 20, early stopping, means exchanged back, 248 features",
     CV | {"labels": "repaired", "source": "timeless"}),
    ("cv_crnn_means_l20_validated", "CRNN, length 20, early stopping, the 65 means alone", CV | {"source": "means"}),
    ("crnn_means_l20", "CRNN, length 20, the 65 means alone", {"source": "means"}),
    ("crnn_cuts_l10", "CRNN, length 10, 260 features of the songs and seconds of log-mel",
     {"length": 10, "source": "opensmile"}),
    ("crnn_log_mel_l20_dropout_25", "CRNN, log-mel, length 20, dropout .25", {"source": "log_mel"}),
    ("crnn_l20_200_epochs", "CRNN, length 20, 200 epochs", {"fixed": 200}),
    ("crnn_l20_penalty_sum", "CRNN, length 20, activity penalty summed (Keras 1)", {"penalty": "sum"}),
    ("crnn_l20_penalty_batch", "CRNN, length 20, activity penalty per sequence (tf.keras)", {"penalty": "batch"}),
    ("crnn_l20_penalty_weights", "CRNN, length 20, penalty on weights only", {"penalty": "weights"}),
    ("crnn_l20_penalty_off", "CRNN, length 20, no penalty", {"penalty": "off"}),
    ("crnn_l20_bn_first", "CRNN, length 20, batch normalisation before ReLU", {"bn_first": True}),
    ("crnn_l20_dropout_75", "CRNN, length 20, dropout .75", {"dropout": 0.75}),
    ("crnn_l20_no_gru_dropout", "CRNN, length 20, dropout behind the CNN only", {"gru_dropout": 0.0}),
    ("crnn_l20_starts_at_label", "CRNN, length 20, windows that start at the label", {"align": "starts_at_label"}),
    ("crnn_l20_logistic_gates", "CRNN, length 20, logistic gates", {"gates": "logistic"}),
    ("crnn_l20_reset_after", "CRNN, length 20, Keras 3's GRU", {"reset_after": True}),
    ("crnn_l20_1000_epochs", "CRNN, length 20, at most 1,000 epochs", {"epochs": 1000}),
    ("crnn_l20_loss_sequence", "CRNN, length 20, loss: RMSE of each sequence", {"loss": "sequence"}),
    ("crnn_l20_loss_frame", "CRNN, length 20, loss: absolute error of each frame", {"loss": "frame"}),
    ("crnn_l20_overlapping", "CRNN, length 20, a frame is predicted by all sequences that hold it, averaged",
     {"overlapping": True}),
    *((f"crnn_l20_{n}_songs", f"CRNN, length 20, {n} songs to learn from", {"songs": n}) for n in (65, 130, 195)),
    *((f"crnn_l{n}_no_gru_dropout", f"CRNN, length {n}, dropout behind the CNN only", {"length": n, "gru_dropout": 0.0})
      for n in (10, 30, 60)),
]  # fmt: skip


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems and interpretations, and the baselines.

    Parameters
    ----------
    epochs : int, optional
        Of the CRNNs, in the place of at most 300; those that are named by their epochs keep them.

    Returns
    -------
    list of Variant
    """
    epochs = epochs or EPOCHS
    rows = [_crnn(f"crnn_l{n}", f"CRNN, length {n}", epochs, n, primary=True) for n in LENGTHS]
    li = {k: rows[0].settings[k] for k in ("input", "labels", "align", "cross_validation", "protocol")}
    li |= {"members": li2016.LENGTHS, "epochs": [li2016.PRETRAINING, li2016.EPOCHS], "fusion": "svr_and_network"}
    xu = li | {"fusion": "extreme_learning_machine"}  # of the same networks
    several = rows[0].settings | {"networks": [row.settings["network"] for row in rows]}
    seconds = sum(row.core_seconds for row in rows)  # less where those are run too
    rows += [
        _crnn("crnn_nb", "CRNN_NB, length 60", epochs, 60, branches=1, primary=True),
        Variant("crnn_lengths", "mean of the CRNNs of lengths 60, 30, 20 and 10", several, core_seconds=seconds),
        Variant("li2016", "Li et al. 2016, as far as the paper tells it", li, True, 500, score_last=True),
        Variant("xu2015", "Xu et al. 2015, as far as the paper tells it", xu, True, 500, score_last=True),
    ]
    log_mel = {"source": "log_mel", "dropout": 0.75, "primary": True}
    rows += [_crnn(f"crnn_log_mel_l{n}", f"CRNN, log-mel, length {n}", epochs, n, **log_mel) for n in LENGTHS]
    rows += [_crnn(name, title, **{"epochs": epochs} | changes) for name, title, changes in INTERPRETATIONS]
    return rows + list({v.name: v for row in rows for v in _baselines(row)}.values())


def _crnn(
    name,
    title,
    epochs,
    length=20,
    *,
    source="official",
    labels="task",
    align="ends_at_label",
    cv=False,
    primary=False,
    fixed=None,
    songs=None,
    **network,
) -> Variant:
    """A CRNN; fixed: epochs that it is trained for, whatever its error; songs: how many it learns from (None: all)."""
    until = PUBLISHED_DEVELOPMENT["log_mel" if source == "log_mel" else "official"][length]
    network |= {"length": length, "epochs": fixed or epochs, "until": 0 if fixed else until}
    settings = {"network": network, "input": source, "labels": labels, "align": align, "cross_validation": cv}
    settings |= {"protocol": PROTOCOL} | ({"songs": songs} if songs else {})
    share = {"official": 1, "timeless": 1, "means": 0.4, "opensmile": 0.5, "log_mel": 0.3}[source]
    seconds = 10 + network["epochs"] * SECONDS_PER_EPOCH[length] * share * (songs or 260) / 260
    seconds *= 0.4 if "validation" in network else 2.5 if "reset_after" in network else 1
    return Variant(name, title, settings, primary, seconds * (0.9 * FOLDS if cv else 1))


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run together with a variant, on its data.

    Parameters
    ----------
    variant : Variant

    Returns
    -------
    tuple of str
    """
    return tuple(baseline.name for baseline in _baselines(variant))


def _baselines(variant: Variant) -> list[Variant]:
    """What predicts without a network, on the songs, labels and split of a variant."""
    on = {k: variant.settings[k] for k in ("input", "labels", "cross_validation")}
    on["input"] = "official" if on["input"] in ("means", "timeless") else on["input"]  # the same songs and labels
    which = on["input"] if on["input"] != "official" else on["labels"]
    suffix, about = SUFFIXES[which]
    prefix = "cv_" if on["cross_validation"] else ""
    return [
        Variant(
            f"{prefix}{name}{suffix}",
            f"{title}{about}",
            {"baseline": name} | on | {"align": "ends_at_label", "protocol": PROTOCOL},
            core_seconds=1,
        )
        for name, title in BASELINES.items()
    ]
