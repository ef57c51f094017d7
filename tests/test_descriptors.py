from itertools import pairwise

import numpy as np
import pytest
import scipy.signal

from common.errors import InputError
from common.features.descriptors import (
    DYNAMIC,
    HARMONIC,
    NAMES,
    RHYTHM,
    SETS,
    SPECTRAL,
    Descriptors,
    columns,
    dissonance,
    irregularity,
    key_strengths,
)

RATE = 22050
MAJOR = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)]
MINOR = [(60, 63, 67), (65, 68, 72), (67, 71, 74), (60, 63, 67), (65, 68, 72), (67, 71, 74), (60, 63, 67)]


def described(samples, rate=RATE):
    """The features by name."""
    described_values = Descriptors()(np.asarray(samples, "float32"), rate)
    assert (
        described_values.shape == (54,) and described_values.dtype == np.float32 and np.isfinite(described_values).all()
    )
    return dict(zip(NAMES, described_values.tolist(), strict=True))


def tone(*frequencies, seconds=3, rate=RATE):
    t = np.arange(int(seconds * rate)) / rate
    return 0.2 * sum(np.sin(2 * np.pi * hz * t) for hz in frequencies)


def noise(seconds=6, level=0.1):
    return level * np.random.default_rng(0).standard_normal(seconds * RATE)


def chords(progression, seconds=1):
    """Decaying tones of five harmonics; chords as MIDI numbers."""
    t = np.arange(seconds * RATE) / RATE

    def note(number):
        return sum(np.sin(2 * np.pi * 440 * 2 ** ((number - 69) / 12) * h * t) / h for h in range(1, 6)) * np.exp(-t)

    return 0.05 * np.concatenate([sum(note(number) for number in chord) for chord in progression])


def bursts(every_s, shape, seconds=9):
    """Noise times `shape`, again and again."""
    train = np.zeros(seconds * RATE)
    train[:: round(every_s * RATE)] = 1
    return scipy.signal.fftconvolve(train, shape * noise()[: len(shape)])[: len(train)]


@pytest.fixture(scope="module")
def white():
    return described(noise())


def test_sets_have_the_published_sizes():
    assert [len(names) for names in (DYNAMIC, RHYTHM, HARMONIC, SPECTRAL)] == [7, 5, 10, 32]
    assert len(set(NAMES)) == 54
    assert {name: len(columns(name)) for name in SETS} == {
        "dynamic": 7, "rhythm": 5, "harmonic": 10, "spectral": 32, "combined": 49,
    }  # fmt: skip
    assert [NAMES[i] for i in columns("combined")] == SETS["combined"]
    assert not set(SETS["combined"]) & set(RHYTHM)


@pytest.mark.slow
def test_white_noise_has_the_moments_of_its_distribution(white):
    """Flat to 11,025 Hz, magnitudes Rayleigh: uniform distribution over Hz, flatness exp(E ln x) / E x."""
    edge = RATE / 2
    assert white["rms_mean"] == pytest.approx(0.1, rel=0.01)
    assert white["centroid_mean"] == pytest.approx(edge / 2, rel=0.01)
    assert white["spread_mean"] == pytest.approx(edge / np.sqrt(12), rel=0.01)
    assert white["skewness_mean"] == pytest.approx(0, abs=0.02)
    assert white["kurtosis_mean"] == pytest.approx(1.8, abs=0.02)
    assert white["rolloff_95_mean"] == pytest.approx(0.95 * edge, rel=0.01)
    assert white["rolloff_85_mean"] == pytest.approx(0.85 * edge, rel=0.01)
    assert white["brightness_mean"] == pytest.approx(1 - 1500 / edge, abs=0.01)
    flatness = np.exp((np.log(2) - np.euler_gamma) / 2) / np.sqrt(np.pi / 2)
    assert white["flatness_mean"] == pytest.approx(flatness, abs=0.01)
    assert white["zero_crossing_rate_mean"] == pytest.approx(edge, rel=0.01)
    assert white["entropy_mean"] > 0.97


def test_a_tone_against_the_definitions(white):
    """One frame by the sums; the Hamming window's side lobes draw the centroid of magnitudes above the tone."""
    samples = tone(440)
    n = np.arange(1102)
    cut = samples[: len(n)] * (0.54 - 0.46 * np.cos(2 * np.pi * n / (len(n) - 1)))
    bins = np.arange(1025)
    magnitude = np.abs(np.exp(-2j * np.pi * np.outer(bins, n) / 2048) @ cut)
    hz, share = bins * RATE / 2048, magnitude / magnitude.sum()

    described_values = described(samples)
    assert abs(share @ hz - 440) < 400
    assert described_values["centroid_mean"] == pytest.approx(share @ hz, abs=2 * described_values["centroid_std"])
    assert described_values["entropy_mean"] == pytest.approx(-share @ np.log(share) / np.log(1025), abs=0.05)
    assert described_values["rolloff_85_mean"] == pytest.approx(440, abs=40)
    assert described_values["zero_crossing_rate_mean"] == pytest.approx(880, rel=0.01)
    assert described_values["rms_mean"] == pytest.approx(0.2 / np.sqrt(2), rel=0.01)
    assert described_values["chroma_peak_mean"] == described_values["chroma_centroid_mean"] == 69
    assert described_values["chroma_peak_std"] == described_values["chroma_centroid_std"] == 0
    assert described_values["brightness_mean"] < 0.1 * white["brightness_mean"]
    assert described_values["entropy_mean"] < 0.5 * white["entropy_mean"]
    assert described_values["flatness_mean"] < 0.1 * white["flatness_mean"]


@pytest.mark.parametrize(("bpm", "hz"), [(80, 4), (120, 4), (150, 5)])
def test_tempo_and_fluctuation_of_clicks(bpm, hz):
    """Fluctuation is heard best at 4 Hz: of the beat's multiples, all equal in clicks, the nearest to that wins."""
    described_values = described(bursts(60 / bpm, np.ones(200)))
    assert described_values["tempo_mean"] == pytest.approx(bpm, abs=2) and described_values["tempo_std"] < 2
    assert described_values["fluctuation_peak_hz"] == pytest.approx(hz, abs=0.05)


def test_slow_swelling_fluctuates_at_its_own_rate():
    t = np.arange(9 * RATE) / RATE
    described_values = described(noise(9) * 10 ** (np.sin(2 * np.pi * 3 * t) / 2))
    assert described_values["fluctuation_peak_hz"] == pytest.approx(3, abs=0.05)
    assert described_values["fluctuation_peak"] > 3 * described(noise(9))["fluctuation_peak"]


def test_attacks():
    slow = described(bursts(1.0, np.append(np.linspace(0, 1, RATE // 5), np.linspace(1, 0, RATE // 5))))
    fast = described(bursts(1.0, np.append(np.linspace(0, 1, RATE // 50), np.linspace(1, 0, RATE // 5))))
    assert slow["attack_time_mean"] == pytest.approx(0.2, abs=0.06)
    assert fast["attack_time_mean"] < 0.08
    assert fast["attack_slope_mean"] > 2 * slow["attack_slope_mean"]
    assert slow["attack_slope_mean"] == pytest.approx(1 / 0.2, rel=0.3)


def test_low_energy():
    soft = np.full(RATE // 5, 0.1)
    for parts, share in (([1, 1, 10, 1], 0.75), ([10, 10, 1, 10], 0.25)):
        level = np.tile(np.concatenate([soft * part for part in parts]), 8)
        assert described(noise(7)[: len(level)] * level)["low_energy"] == pytest.approx(share, abs=0.06)


def test_mode_and_key(white):
    major, minor = described(chords(MAJOR)), described(chords(MINOR))
    assert major["mode_mean"] > 0.05 and minor["mode_mean"] < -0.05
    assert min(major["key_clarity_mean"], minor["key_clarity_mean"]) > white["key_clarity_mean"] + 0.15
    assert major["hcdf_mean"] > 5 * described(chords([MAJOR[0]] * 7))["hcdf_mean"]


@pytest.mark.parametrize("key", range(24))
def test_every_key_is_most_like_itself(key):
    """The notes of a key's three chief triads, counted; index 0 is C."""
    tonic, third = key % 12, 4 if key < 12 else 3
    triads = [(0, third, 7), (5, 5 + third, 12), (7, 11, 14)]
    chroma = np.bincount([(tonic + note) % 12 for triad in triads for note in triad], minlength=12)
    assert key_strengths(chroma[:, None].astype(float))[:, 0].argmax() == key


def test_roughness_and_irregularity_by_the_sums():
    rng = np.random.default_rng(0)
    hz = np.arange(1025) * RATE / 2048
    curve = dissonance(RATE, 2048)
    for i, j in rng.integers(0, 1025, (20, 2)):
        s = 0.24 / (0.0207 * min(hz[i], hz[j]) + 18.96)
        apart = abs(hz[i] - hz[j])
        assert curve[i, j] == pytest.approx(np.exp(-3.51 * s * apart) - np.exp(-5.75 * s * apart), abs=1e-6)

    spectrum, peaks = rng.random((30, 4)), rng.random((30, 4)) < 0.3
    peaks[:, 2] = False
    for k, described_values in enumerate(irregularity(spectrum, peaks)):
        heights = spectrum[peaks[:, k], k]
        steps = sum((b - a) ** 2 for a, b in pairwise(heights))
        assert described_values == pytest.approx(steps / max(sum(heights**2), 1e-12))


def test_a_semitone_is_rougher_than_a_fifth():
    semitone, fifth = described(tone(1760, 1864.7)), described(tone(1760, 2640))
    assert semitone["roughness_mean"] > 5 * fifth["roughness_mean"] > 0


def test_twice_as_loud():
    once, twice = described(chords(MAJOR)), described(2 * chords(MAJOR))
    moving = {"rms_mean": 2, "rms_std": 2, "flux_mean": 2, "flux_std": 2, "roughness_mean": 4, "roughness_std": 4}
    for name, value in once.items():
        expected = value * moving.get(name, 1)
        assert twice[name] == pytest.approx(expected, rel=1e-4, abs=1e-4), name


def test_other_rates_sound_alike():
    here, there = described(tone(440, 3000)), described(tone(440, 3000, rate=48000), 48000)
    for name in ("rms_mean", "centroid_mean", "brightness_mean", "chroma_peak_mean", "zero_crossing_rate_mean"):
        assert there[name] == pytest.approx(here[name], rel=0.02), name


def test_silence_and_constants_are_finite():
    silent = described(np.zeros(5 * RATE))
    described(np.full(5 * RATE, 0.5))
    described(np.append(np.zeros(5 * RATE), 1))
    assert silent["tempo_mean"] == pytest.approx(120, abs=2)
    assert not any(silent[name] for name in [*DYNAMIC, "fluctuation_peak", "key_clarity_mean", "mode_mean"])


def test_silence_before_the_music_leaves_timbre_and_harmony():
    alone, later = described(chords(MAJOR)), described(np.append(np.zeros(2 * RATE), chords(MAJOR)))
    assert later["rms_mean"] < 0.8 * alone["rms_mean"]
    for name in ("centroid_mean", "flatness_mean", "chroma_centroid_mean", "mode_mean"):
        assert later[name] == pytest.approx(alone[name], rel=0.1, abs=0.05), name


def test_five_seconds_suffice_and_less_than_two_do_not():
    described(chords(MAJOR)[: 5 * RATE])
    described(chords(MAJOR)[: 2 * RATE])
    with pytest.raises(InputError, match="too short"):
        described(chords(MAJOR)[: 2 * RATE - 1])


def test_same_input_same_bits():
    samples = chords(MAJOR).astype("float32")
    assert Descriptors()(samples, RATE).tobytes() == Descriptors()(samples.copy(), RATE).tobytes()
