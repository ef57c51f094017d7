"""All faults, by kind. A line a fault says what is computed wrongly; the guards are tests of behaviour."""

from dataclasses import replace

import numpy as np

from common.audio.containers import Container
from tests.faults.planting import Fault

KINDS = {}  # of each kind its faults: name, place, wrap, guards as "file::test"


def _annotations(change):
    """Changes the labels of songs {id: Annotation} after they are read."""
    return lambda read: lambda *given, **options: change(read(*given, **options))


def _values(change):
    return _annotations(lambda songs: {song: replace(a, values=change(a.values)) for song, a in songs.items()})


def _only(condition, faulty):
    """The fault in some calls, by their arguments."""
    return lambda right: (
        lambda *given, **options: (
            faulty(right)(*given, **options) if condition(*given, **options) else right(*given, **options)
        )
    )


def _result(change):
    """Changes what a function returns."""
    return lambda right: lambda *given, **options: change(right(*given, **options))


def _constant(value):
    return lambda right: lambda *given, **options: value


def _shuffled_rows(table):
    return table.set_index(table.index[np.random.default_rng(0).permutation(len(table))]).sort_index(key=lambda i: i)


def _exchange(a, b):
    return lambda metrics: {name: metrics.get({a: b, b: a}.get(name, name), value) for name, value in metrics.items()}


READ = "data_prep.deam.annotations:read_annotations"
DEAM = "deam::labels_are_those_that_were_written", "deam::small_copy", "deam::label_sources"
CLOCK = (
    "deam::features_are_on_the_clock_of_the_labels",
    "emomusic::the_window_ends_at_the_label",
)
KINDS["labels"] = [
    ("valence_and_arousal_exchanged", READ, _values(lambda v: v[:, ::-1]), DEAM),
    ("exchanged_in_the_evaluation_split", "data_prep.deam:Deam.annotations",
     _only(lambda self, split, *_: split == "evaluation", _values(lambda v: v[:, ::-1])), DEAM),
    ("song_ids_off_by_one", READ,
     _annotations(lambda songs: dict(zip(songs, [*list(songs.values())[1:], next(iter(songs.values()))], strict=True))),
     DEAM),
    ("labels_shifted_by_one_frame", READ, _values(lambda v: np.roll(v, 1, axis=0)), DEAM + CLOCK),
    ("label_times_shifted_by_one_frame", READ,
     _annotations(lambda songs: {s: replace(a, times=a.times + 0.5) for s, a in songs.items()}), DEAM + CLOCK),
    ("time_reversed", READ, _values(lambda v: v[::-1]), DEAM + CLOCK),
    ("one_to_nine_taken_for_minus_one_to_one", READ, _values(lambda v: 4 * v + 5), DEAM),
    ("songs_of_emotify_shuffled", "data_prep.emotify:Emotify.labels", _result(_shuffled_rows),
     ("emotify::small_copy",)),
    ("sad_taken_for_angry", "data_prep.fourq:FourQ.labels",
     _result(lambda table: table.replace({"class": {"sad": "angry", "angry": "sad"}})),
     ("fourq::the_class_of_a_song_is_that_of_its_quadrant",)),
    ("window_starts_at_the_label", "data_prep.dynamic:align_to_labels",
     lambda right: lambda times, starts, values, align=None: right(times, starts, values, "starts_at_label"), CLOCK),
]  # fmt: skip


def _with(**changes):
    """An extractor with other parameters."""
    return lambda right: lambda self, samples, rate: right(replace(self, **changes), samples, rate)


def _first_channel(read):
    def faulty(self, *given, **options):
        samples = read(self, *given, **options)
        if samples.ndim == 2:
            samples[:] = samples[:, :1]
        return samples

    return faulty


def _delta_part(change):
    def faulty(pair):
        def of(frames):
            vectors = pair(frames)
            half = vectors.shape[1] // 2
            return np.concatenate([vectors[:, :half], change(vectors[:, half:])], axis=1)

        return of

    return faulty


MEL = ("mel::frames_against_the_definition",)
KINDS["features"] = [
    ("hop_too_long", "common.features.mel:MelSpectrogram.__call__", _with(hop_s=0.03),
     ("mel::thirty_seconds_are_six_hundred_vectors", *MEL)),
    ("window_too_short", "common.features.mel:MelSpectrogram.__call__", _with(frame_s=0.04), MEL),
    ("deltas_left_out", "common.features.mel:paired_with_deltas", _delta_part(lambda d: 0 * d),
     ("mel::pairs_and_deltas",)),
    ("deltas_shifted_by_a_frame", "common.features.mel:paired_with_deltas",
     _delta_part(lambda d: np.roll(d, 1, axis=0)), ("mel::pairs_and_deltas",)),
    ("columns_in_another_order", "common.features.opensmile:OpenSmile.__call__", _result(lambda rows: rows[:, ::-1]),
     ("opensmile::moments_are_those_of_the_descriptors", "opensmile::pitch_and_loudness_are_right")),
    ("first_channel_for_the_mean", "soundfile:SoundFile.read", _first_channel,
     ("audio::stereo_is_mixed_to_the_mean",)),
    ("length_by_the_header", "common.audio.containers:inspect", _constant(Container()),
     ("audio::mp3_without_a_header", "audio::joined_mp3", "audio::chained_ogg")),
    ("silent_channels_in_the_mean", "common.audio.survey:Mix.__call__",
     lambda right: lambda mix, samples: samples.mean(axis=1),
     ("audio::music_in_one_channel_only", "audio::antiphase")),
    ("overshoots_wrap_around", "common.features.opensmile:round_to_16_bits",
     lambda right: lambda samples: (np.round(samples * 32768) + 32768) % 65536 / 32768 - 1,
     ("opensmile::overshoots_are_clipped", "compare::overshoots_are_clipped")),
    ("no_resampling", "common.audio:resample", lambda right: lambda samples, rate, wanted: samples,
     ("opensmile::other_rates", "audio::resampled_tone_keeps_its_pitch")),
    ("decibels_for_natural_logarithms", "common.features.relative_mel:RelativeMel.__call__",
     _result(lambda mel: mel * np.float32(10 / np.log(10))),
     ("velankar2022::spectrogram_against_librosas_own_functions",)),
    ("mean_of_logarithms", "common.features.logmel:LogMel.__call__", _with(mean_of_logs=True),
     ("logmel::against_librosa",)),
]  # fmt: skip


def _trained_on_the_test_songs(networks):
    def faulty(self, variant, split):
        tested = np.concatenate(list(split.tests.values()))
        return networks(self, variant, replace(split, train=np.union1d(split.train, tested)))

    return faulty


def _validated_on_the_test_songs(networks):
    def faulty(self, variant, split):
        return networks(self, variant, replace(split, validation=next(iter(split.tests.values()))))

    return faulty


FOLDS = "protocol::folds_keep_groups_together", "jakubik2017::folds"
SPLITS = "protocol::three_parts_have_their_share_of_each_class", "protocol::no_artist_is_on_two_sides"
KINDS["protocol"] = [
    ("test_songs_are_trained_on", "reproductions.malik2017.train:MediaEval2015.networks", _trained_on_the_test_songs,
     ("malik2017::no_song_is_trained_on_and_tested",)),
    ("scaled_by_all_songs", "common.protocol:Sequences.moments",
     lambda right: lambda self, songs: right(self, np.arange(len(self))),
     ("jakubik2017::moments_are_of_the_training_songs_alone", "protocol::moments_are_scikit_learns")),
    ("validation_songs_are_tested", "common.protocol:random_split",
     _result(lambda split: replace(split, tests=dict.fromkeys(split.tests, split.validation))), SPLITS),
    ("best_epoch_picked_on_the_test_songs", "common.experiment.base:Experiment.networks",
     _validated_on_the_test_songs, ("velankar2022::the_epoch_is_not_chosen_by_the_test_songs",)),
    ("one_seed_for_all_runs", "reproductions.jakubik2017.emotify:Emotions.splits",
     lambda right: lambda self, variant, seed: right(self, variant, 0),
     ("jakubik2017::every_seed_is_another_run",)),
    ("one_artist_on_both_sides", "common.protocol:k_folds",
     lambda right: lambda n, folds, seed, groups=None, classes=None: right(n, folds, seed, None, classes),
     (*FOLDS, SPLITS[1])),
    ("last_frames_are_dropped", "common.protocol:Sequences.split_into",
     _result(lambda cut: (cut[0][:-1], cut[1][:-1])), ("protocol::every_frame_is_scored_once",)),
    ("overlapping_frames_are_scored_by_the_last_sequence", "common.protocol:Sequences.overlap_merge",
     lambda right: lambda self, stretches, starts: right(self, stretches[::-1], starts[::-1]),
     ("protocol::every_frame_is_scored_once",)),
    ("two_folds_are_one", "common.protocol:k_folds",
     _result(lambda fold: np.where(fold == fold.max(), 0, fold)), FOLDS),
    ("folds_do_not_depend_on_the_seed", "common.protocol:k_folds",
     lambda right: lambda n, folds, seed, *more: right(n, folds, 0, *more), FOLDS),
]  # fmt: skip


def _no_forget_bias(right):
    return lambda self, shape, dtype=None: 0 * right(self, shape, dtype)


def _slope_of_keras_3(right):
    def faulty(x):
        from keras import ops

        return ops.hard_sigmoid(x)

    return faulty


def _hears_the_present(build):
    def faulty(self, shape):
        build(self, shape)
        self.allowed = np.tril(np.ones(self.allowed.shape, "float32"), int(self.mode == "strict") * 0)

    return faulty


def _keras_3(name):
    def wrap(right):
        def faulty(self, gradient, variable, learning_rate):
            import keras

            return getattr(keras.optimizers, name).update_step(self, gradient, variable, learning_rate)

        return faulty

    return wrap


LAYERS = "malik2017::trains_as_keras_own_layers_do"
LSTM = "chaki2020::lstm_is_keras_own"
KINDS["networks"] = [
    ("hard_sigmoid_of_keras_3", "common.layers.recurrent:hard_sigmoid", _slope_of_keras_3, (LAYERS, LSTM)),
    ("dropout_at_test_time", "common.layers.keras1:GRU.recurrence",
     lambda right: lambda self, x, training: right(self, x, True),
     ("malik2017::dropout_is_of_the_training_alone",)),
    ("forget_gate_begins_closed", "common.layers.tf1:OpenForgetGate.__call__", _no_forget_bias,
     ("chaki2020::lstm_begins_as_tf_keras_did",)),
    ("attention_hears_the_present", "reproductions.chaki2020.model:Attention.build", _hears_the_present,
     ("chaki2020::attention_follows_its_equations",)),
    ("a_branch_is_missing", "reproductions.malik2017.model:crnn",
     lambda right: lambda *given, branches=2, **more: right(*given, branches=1, **more),
     ("malik2017::parameters",)),
    ("no_penalty_on_the_activity", "common.layers.keras1:ActivityRegularization.penalise", _constant(None), (LAYERS,)),
    ("epsilon_under_the_root", "common.layers.tf1:RMSprop.update_step", _keras_3("RMSprop"),
     ("chaki2020::rmsprop_is_that_of_tensorflow_1",)),
    ("rho_of_keras", "reproductions.jakubik2017.model:adadelta",
     lambda right: lambda *given: setattr(made := right(*given), "rho", 0.95) or made,
     ("keras1::adadelta_is_zeilers",)),
    ("square_without_root_in_the_loss", "reproductions.jakubik2017.model:similarity_loss",
     _result(lambda loss: loss**2), ("jakubik2017::loss_is_equation_13",)),
    ("sum_for_mean_in_the_loss", "reproductions.malik2017.model:rmse", _result(lambda loss: 2 * loss),
     ("malik2017::the_loss_is_the_mean_of_both_errors",)),
]  # fmt: skip


def _frames_do_not_count(right):
    def faulty(songs):
        frames, errors = right(songs)
        return np.ones_like(frames), errors

    return faulty


DYNAMIC = ("metrics_dynamic::dynamic_metrics_against_references",)
KINDS["metrics"] = [
    ("rmse_per_song_for_pooled", "common.metrics.dynamic:dynamic",
     _result(_exchange("rmse_pooled", "rmse_per_song")), DYNAMIC),
    ("r_pooled_for_per_song", "common.metrics.dynamic:dynamic",
     _result(_exchange("pearson_r_pooled", "pearson_r_per_song")),
     DYNAMIC),
    ("songs_count_alike_whatever_their_length", "common.metrics.dynamic:squared_errors", _frames_do_not_count, DYNAMIC),
    ("tau_of_constants_is_zero", "common.metrics.dynamic:kendall_tau",
     _result(lambda taus: [tau or 0.0 for tau in taus]),
     ("metrics_dynamic::constant_estimates_have_no_tau",)),
    ("r_without_its_sign", "common.metrics.static:pearson_r_pooled", _result(np.abs),
     ("metrics_static::pooled_r_is_scipys", "metrics_static::mean_over_folds_is_scipys")),
    ("r_pooled_for_mean_over_folds", "common.metrics.static:pearson_r_mean_over_folds",
     lambda right: lambda reference, estimate, fold: right(reference, estimate, np.zeros(len(fold))),
     ("metrics_static::mean_over_folds_is_scipys",)),
    ("weighted_for_macro_average", "common.metrics.classes:of_confusion",
     _result(lambda result: {k: v if k == "accuracy" else np.concatenate([v[..., :-2], v[..., :-3:-1]], -1)
                            for k, v in result.items()}),
     ("metrics_classes::metrics_of_classes_against_scikit_learn",)),
    ("recall_for_precision", "common.metrics.classes:of_confusion", _result(_exchange("precision", "recall")),
     ("metrics_classes::metrics_of_classes_against_scikit_learn",)),
]  # fmt: skip

VERDICT = "cells::half_width_against_formulas", "cells::boundaries"
KINDS["verdicts"] = [
    ("delta_moved", "common.verdict.cells:delta", _result(lambda matters: 1.5 * matters),
     ("cells::delta_is_capped_by_the_baseline",)),
    ("delta_not_capped_by_the_baseline", "common.verdict.cells:delta",
     lambda right: lambda metric, target, published, baseline: right(metric, target, published, None),
     ("cells::delta_is_capped_by_the_baseline",)),
    ("root_of_n_left_out", "common.verdict.cells:half_width",
     lambda right: lambda s, n, *more: right(s * n**0.5, n, *more), VERDICT),
    ("half_a_digit_left_out", "common.verdict.cells:half_width",
     lambda right: lambda s, n, s_p, m, half_unit, level: right(s, n, s_p, m, 0.0, level), VERDICT),
    ("sign_of_errors", "common.verdict.cells:lower_is_better", _constant(False),
     ("cells::for_errors_smaller_is_better",)),
    ("holm_left_out", "common.verdict.claims:holm", lambda right: list,
     ("claims::holm", "claims::holm_covers_claims_of_every_kind")),
    ("songs_left_out_of_the_variance", "common.verdict.crossed:estimate",
     lambda right: lambda values, left_out=None, **more: right(values, None, **more),
     ("claims::a_mean_is_estimated_by_the_crossed_analysis_of_variance", "claims::the_interval_holds_its_level")),
    ("songs_of_one_artist_apart", "common.verdict.resampling:leaving_out",
     lambda right: lambda names: right([str(i) for i in range(len(names))]),
     ("claims::songs_of_one_artist_are_left_out_together", "claims::leaving_out_songs_or_whole_artists")),
    ("overlap_of_random_splits_ignored", "common.verdict.crossed:estimate",
     lambda right: lambda *given, overlap=0.0, **more: right(*given, **more),
     ("claims::random_splits_share_songs", "cells::overlapping_splits_do_not_break_the_interval")),
    ("noise_is_called_reproduced", "common.verdict.cells:_decide",
     _result(lambda word: "reproduced" if word == "undecided" else word), ("cells::known_verdicts",)),
]  # fmt: skip


def _of_other_data(right):
    def faulty(expected, records, record, dataset, *where):
        there = [result for name in expected["trivial_baselines"] if (result := records.get(dataset, name))]
        known = (
            record and there and record | {"facts": record["facts"] | {"fingerprint": there[0]["facts"]["fingerprint"]}}
        )
        return right(expected, records, known or record, dataset, *where)

    return faulty


def _recorded_twice(right):
    def faulty(self, *where):
        values = right(self, *where)
        return values and [*values, values[-1]]

    return faulty


KINDS["records"] = [
    ("key_without_code", "common.experiment.identity:of_code", _constant({}),
     ("identity::changed_code_changes_the_digest",)),
    ("key_without_arguments", "common.experiment.identity:_content", _constant(""),
     ("identity::arguments_count_by_content",)),
    ("features_without_versions", "common.experiment.identity:describe",
     _result(lambda result: result and {key: result[key] for key in ("name", "version")}),
     ("store::key_is_content_and_every_parameter",
      "identity::features_are_known_by_all_that_they_depend_on")),
    ("partial_called_complete", "common.verdict.recorded:uncompared", _constant(None),
     ("board::what_cannot_be_compared_is_not",)),
    ("one_run_counted_twice", "common.verdict.recorded:Records.values", _recorded_twice,
     ("board::one_value_a_run",)),
    ("baseline_of_other_data", "common.verdict.board:trivial_baseline", _of_other_data,
     ("board::a_baseline_of_other_data_does_not_count",)),
    ("identities_are_mixed", "common.experiment.records:equivalent", _constant(True),
     ("experiment::runs_of_another_identity_are_added_only_where_a_verification_found_them_alike",)),
    ("a_run_is_lost", "common.experiment.records:read_record", lambda right: lambda path: None,
     ("experiment::runs_are_recorded_and_not_repeated",)),
    ("damaged_files_are_taken", "common.files:unpack",
     lambda right: lambda content: __import__("numpy").load(__import__("io").BytesIO(content[32:]), allow_pickle=False),
     ("store::damaged_entry_is_computed_again_and_said",)),
]  # fmt: skip

KINDS["leaderboard"] = [
    ("predictions_in_another_order", "reproductions.leaderboard.predictions:_Table.complete",
     _result(lambda songs: songs[::-1]),
     ("leaderboard::recorded_predictions_score_as_recorded",
      "leaderboard::the_template_filled_with_the_labels_is_perfect")),
    ("an_entry_of_other_folds_is_taken", "reproductions.leaderboard.entries:_fault", _constant(None),
     ("leaderboard::an_entry_of_other_folds_is_refused",)),
    ("better_called_worse", "reproductions.leaderboard.entries:_judged",
     lambda right: lambda values, lower: right(values, not lower),
     ("leaderboard::the_template_filled_with_the_labels_is_perfect",)),
]  # fmt: skip


def _tests(guards):
    """'file::name' in the place of 'test_file.py::test_name'."""
    return tuple("test_{}.py::test_{}".format(*guard.split("::")) for guard in guards)


FAULTS = {
    name: Fault(name, kind, place, wrap, _tests(guards))
    for kind, faults in KINDS.items()
    for name, place, wrap, guards in faults
}
DOZEN = (  # planted in every run of the tests: fast ones of every kind
    "valence_and_arousal_exchanged", "labels_shifted_by_one_frame", "window_starts_at_the_label", "hop_too_long",
    "deltas_shifted_by_a_frame", "scaled_by_all_songs", "one_artist_on_both_sides", "last_frames_are_dropped",
    "rmse_per_song_for_pooled", "root_of_n_left_out", "holm_left_out", "key_without_code",
)  # fmt: skip
