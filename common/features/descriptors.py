"""Hand-made features of a complete excerpt: dynamics, rhythm, harmony and timbre in 54 numbers.

They stand for the sets that Song, Dixon and Pearce, "Evaluation of musical features for emotion classification",
ISMIR 2012, took from MIRtoolbox 1.3. Known for certain are the sizes, as later articles quote them: 7, 5, 10 and 32,
and 49 for the best combination, all but rhythm. Which features these are is from memory, the article not being at
hand. What speaks for it: all names are in MIRtoolbox's own list (mirfeatures.m), and its timbre has, but for low energy
(dynamics here) and inharmonicity, these 16 names, two values each.
Definitions: where marked *, as in MIRtoolbox's files, of versions other than 1.3; else as in its literature.

| here | MIRtoolbox | what it is; where it differs from MIRtoolbox |
|---|---|---|
| rms | mirrms | of frames; not scaled to a common level beforehand, as mirfeatures* would |
| attack_slope | mirattackslope* | rise from the minimum before a peak of the envelope to the peak, over its time; \
the envelope is the RMS over its largest value, without a filter bank; 1/s |
| attack_time | mirattacktime* | that time in s |
| low_energy | mirlowenergy* | share of frames whose RMS is below the mean |
| tempo | mirtempo* | beats per minute in windows of 3 s, every 0.3 s, 120 preferred; librosa's onsets and tempogram, \
so the beat is a multiple of 12 ms |
| fluctuation_* | mirfluctuation* | spectra, 0 to 10 Hz, of the dB in 40 mel bands (not 24 Bark bands, no masking), \
weighted as there and summed: place of the highest peak (Hz), its height, centroid of all (Hz); no mean, no window |
| chroma_peak, chroma_centroid | mirchromagram* | strongest semitone and mean semitone (MIDI numbers), not folded into \
an octave, as in mirfeatures*; frames of 0.19 s instead of 0.1 s |
| key_clarity | mirkey* | best correlation with a key profile in windows of 1 s; Krumhansl's, not Gómez's, profiles |
| mode | mirmode* | best major less best minor correlation |
| hcdf | mirhcdf* | distance between successive tonal centroids of windows of 0.74 s; 0.09 s apart, there 0.07 s |
| centroid, spread, skewness, kurtosis | mircentroid*, mirspread, ... | moments of the magnitude spectrum over Hz |
| brightness | mirbrightness* | share of magnitude above 1,500 Hz, its default |
| rolloff_95, rolloff_85 | mirrolloff* | Hz below which that share of magnitude lies |
| entropy, flatness | mirentropy*, mirflatness* | of the magnitude spectrum, both in [0, 1] |
| roughness | mirroughness* | Sethares: products of all pairs of peaks times Plomp and Levelt's curve |
| irregularity | mirregularity* | Jensen: squared steps between successive peaks over the squared peaks |
| zero_crossing_rate | mirzerocross | a second |
| flux | mirflux* | Euclidean distance of successive magnitude spectra |
| mfcc, delta_mfcc, delta_delta_mfcc | mirmfcc* | 1 to 13; the mean and the deviation of each over time, then \
their averages over the thirteen (how the article comes to one value is unknown) |

Frames, if not stated otherwise, are MIRtoolbox's: 50 ms, half overlapping, Hamming window, padded to a power of two.
A peak is a local maximum above 1 % of its frame's largest value, taken at its bin (MIRtoolbox: by contrast, refined
between bins; for irregularity at most one a semitone). Frames quieter than 1/200 of the loudest are left out of timbre
and harmony, as mirentropy* does. Everything is computed at 22,050 Hz, so nothing above 11 kHz counts.
"""

import importlib.metadata
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import scipy

from common import audio
from common.errors import InputError
from common.features.mel import slaney_bank


def both(*names: str) -> list[str]:
    """The names of the means and standard deviations over time."""
    return [f"{name}_{moment}" for name in names for moment in ("mean", "std")]


DYNAMIC = [*both("rms", "attack_slope", "attack_time"), "low_energy"]
RHYTHM = [*both("tempo"), "fluctuation_peak_hz", "fluctuation_peak", "fluctuation_centroid"]
HARMONIC = both("chroma_peak", "chroma_centroid", "key_clarity", "mode", "hcdf")
SPECTRAL = both(
    "centroid",
    "brightness",
    "spread",
    "skewness",
    "kurtosis",
    "rolloff_95",
    "rolloff_85",
    "entropy",
    "flatness",
    "roughness",
    "irregularity",
    "zero_crossing_rate",
    "flux",
    "mfcc",
    "delta_mfcc",
    "delta_delta_mfcc",
)
NAMES = [*DYNAMIC, *RHYTHM, *HARMONIC, *SPECTRAL]
SETS = {
    "dynamic": DYNAMIC,
    "rhythm": RHYTHM,
    "harmonic": HARMONIC,
    "spectral": SPECTRAL,
    "combined": [*DYNAMIC, *SPECTRAL, *HARMONIC],
}

SHORTEST_S = 2.0
TINY = 1e-12
QUIET, LOW_PEAK = 1 / 200, 1 / 100
ENVELOPE = {"frame_length": 1024, "hop_length": 256}  # samples: 46 and 12 ms
PROMINENCE = 0.1  # of the envelope's largest value, that a peak counts as an attack
BANDS = {"n_fft": 512, "hop_length": 256, "n_mels": 40}  # 23 ms, half overlapping
TEMPO_WINDOW_S, TEMPO_STEP_S, FASTEST = 3.0, 0.3, 200
FLUCTUATION_HZ, FLUCTUATION_STEP_HZ = 10, 0.01
CHROMA_FRAME, CHROMA_HOP = 4096, 1024  # samples; the bins, 5.4 Hz apart, just resolve the lowest semitone
LOWEST_PITCH, OCTAVES, CHROMA_DB = 44, 6, 20  # MIDI number, 104 Hz, to 6.3 kHz; dB below a frame's largest bin
KEY_WINDOW, KEY_HOP, HCDF_WINDOW, HCDF_HOP = 22, 11, 16, 2  # frames: 1.02, 0.51, 0.74 and 0.09 s
BRIGHT_HZ = 1500
# Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization", 1982; from the tonic upwards
MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
MINOR = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]


def columns(name: str) -> list[int]:
    """Where the features of a set are in the vector.

    Parameters
    ----------
    name : str
        One of SETS.

    Returns
    -------
    list of int, in [0, 54)
    """
    return [NAMES.index(feature) for feature in SETS[name]]


def engine() -> str:
    """The package and its version, part of a feature's cache key."""
    return f"librosa {importlib.metadata.version('librosa')}"


def summary(*series: np.ndarray) -> list[float]:
    """Mean and standard deviation over the last axis, averaged over the others; 0 where there is no frame."""
    return [moment(s, axis=-1).mean() if s.shape[-1] else 0.0 for s in series for moment in (np.mean, np.std)]


def dynamic(samples: np.ndarray, rate: int) -> list[float]:
    """The values of DYNAMIC.

    Parameters
    ----------
    samples : float32 (n_samples,)
    rate : int
        In Hz.

    Returns
    -------
    list of float
    """
    import librosa

    frame, hop = framing(rate)
    rms = librosa.feature.rms(y=samples, frame_length=frame, hop_length=hop, center=False)[0]
    envelope = librosa.feature.rms(y=samples, **ENVELOPE, center=False)[0]
    envelope = envelope / max(envelope.max(), TINY)
    peaks, _ = scipy.signal.find_peaks(envelope, prominence=PROMINENCE)
    starts = librosa.onset.onset_backtrack(peaks, envelope) if len(peaks) else peaks
    times = (peaks - starts) * ENVELOPE["hop_length"] / rate
    return [*summary(rms, (envelope[peaks] - envelope[starts]) / times, times), np.mean(rms < rms.mean())]


def rhythm(samples: np.ndarray, rate: int) -> list[float]:
    """The values of RHYTHM.

    Parameters
    ----------
    samples : float32 (n_samples,)
    rate : int
        In Hz.

    Returns
    -------
    list of float
    """
    import librosa

    hop = BANDS["hop_length"]
    bands = librosa.feature.melspectrogram(y=samples, sr=rate, **BANDS, center=False)
    bands = librosa.power_to_db(bands, ref=np.max)  # (bands, time), 80 dB deep
    onsets = librosa.onset.onset_strength(S=bands, sr=rate, hop_length=hop, center=False)
    tempogram = librosa.feature.tempogram(
        onset_envelope=onsets, sr=rate, hop_length=hop, win_length=round(TEMPO_WINDOW_S * rate / hop)
    )[:, :: round(TEMPO_STEP_S * rate / hop)]
    tempo = librosa.feature.tempo(tg=tempogram, sr=rate, hop_length=hop, max_tempo=FASTEST, aggregate=None)

    bands = bands - bands.mean(axis=1, keepdims=True)
    n = scipy.fft.next_fast_len(max(bands.shape[1], round(rate / hop / FLUCTUATION_STEP_HZ)), real=True)
    hz = np.fft.rfftfreq(n, hop / rate)
    hz = hz[hz <= FLUCTUATION_HZ]
    weight = np.minimum(hz / 4, 1 - 0.3 * (hz - 4) / 6)  # MIRtoolbox's fluctuation strength: most at 4 Hz
    strength = weight * np.abs(scipy.fft.rfft(bands, n, axis=1)[:, : len(hz)]).sum(axis=0) / bands.shape[1]
    return [*summary(tempo), hz[strength.argmax()], strength.max(), strength @ hz / max(strength.sum(), TINY)]


@lru_cache
def pitch_bank(rate: int) -> np.ndarray:
    """Means over the bins of each semitone.

    Parameters
    ----------
    rate : int
        In Hz.

    Returns
    -------
    float32 (12 * OCTAVES, CHROMA_FRAME // 2 + 1)
    """
    import librosa

    hz = librosa.fft_frequencies(sr=rate, n_fft=CHROMA_FRAME)
    pitch = np.round(librosa.hz_to_midi(np.maximum(hz, 1))) - LOWEST_PITCH
    bank = pitch == np.arange(12 * OCTAVES)[:, None]
    return (bank / bank.sum(axis=1, keepdims=True)).astype("float32")


def pitches(power: np.ndarray, window: int, hop: int, rate: int) -> np.ndarray:
    """Salience of each semitone.

    Parameters
    ----------
    power : float (bins, n_frames)
    window, hop : int
        In frames.
    rate : int
        In Hz.

    Returns
    -------
    float (12 * OCTAVES, n_windows)
        Windows quieter than QUIET times the loudest are left out.
    """
    power = np.lib.stride_tricks.sliding_window_view(power, window, axis=1)[:, ::hop].mean(axis=2)
    level = np.sqrt(power.sum(axis=0))
    power = power[:, level >= QUIET * level.max()]
    db = 10 * np.log10(np.maximum(power, TINY))
    threshold = np.maximum(db.max(axis=0) - CHROMA_DB, 10 * np.log10(TINY))  # nothing stands out of silence
    return pitch_bank(rate) @ np.maximum(db - threshold, 0)


def folded(salience: np.ndarray) -> np.ndarray:
    """Semitones summed over octaves.

    Parameters
    ----------
    salience : float (12 * OCTAVES, n_windows)

    Returns
    -------
    float (12, n_windows)
        From G sharp on.
    """
    return salience.reshape(OCTAVES, 12, -1).sum(axis=0)


def key_strengths(chroma: np.ndarray) -> np.ndarray:
    """Correlations with the profiles of all keys.

    Parameters
    ----------
    chroma : float (12, n)

    Returns
    -------
    float (24, n), in [-1, 1]
        The twelve major, then the twelve minor keys.
    """

    def standard(rows):
        rows = rows - rows.mean(axis=0)
        return rows / np.maximum(np.linalg.norm(rows, axis=0), TINY)

    profiles = np.stack([np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)], axis=1)
    return standard(profiles).T @ standard(chroma)


def harmonic(samples: np.ndarray, rate: int) -> list[float]:
    """The values of HARMONIC.

    Parameters
    ----------
    samples : float32 (n_samples,)
    rate : int
        In Hz.

    Returns
    -------
    list of float
    """
    import librosa

    power = np.abs(librosa.stft(samples, n_fft=CHROMA_FRAME, hop_length=CHROMA_HOP, center=False)) ** 2
    salience = pitches(power, 1, 1, rate)
    numbers = LOWEST_PITCH + np.arange(len(salience))
    keys = key_strengths(folded(pitches(power, KEY_WINDOW, KEY_HOP, rate)))
    tonal = librosa.feature.tonnetz(chroma=folded(pitches(power, HCDF_WINDOW, HCDF_HOP, rate)), sr=rate)
    return summary(
        numbers[salience.argmax(axis=0)],
        numbers @ salience / np.maximum(salience.sum(axis=0), TINY),
        keys.max(axis=0),
        keys[:12].max(axis=0) - keys[12:].max(axis=0),
        np.linalg.norm(np.diff(tonal), axis=0),
    )


@lru_cache
def dissonance(rate: int, n_fft: int) -> np.ndarray:
    """Plomp and Levelt's curve for all pairs of bins, after Sethares (1998).

    Parameters
    ----------
    rate : int
        In Hz.
    n_fft : int

    Returns
    -------
    float32 (bins, bins)
    """
    hz = np.fft.rfftfreq(n_fft, 1 / rate)
    apart = np.abs(hz - hz[:, None]) * 0.24 / (0.0207 * np.minimum(hz, hz[:, None]) + 18.96)
    return (np.exp(-3.51 * apart) - np.exp(-5.75 * apart)).astype("float32")


def irregularity(spectrum: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Squared differences of successive peaks over the squared peaks.

    Parameters
    ----------
    spectrum : float (bins, n_frames)
    peaks : bool (bins, n_frames)

    Returns
    -------
    float (n_frames,)
    """
    frame, bins = np.nonzero(peaks.T)
    height = spectrum[bins, frame].astype(float)
    steps = np.diff(height) ** 2 * (np.diff(frame) == 0)
    n = peaks.shape[1]
    return np.bincount(frame[1:], steps, n) / np.maximum(np.bincount(frame, height**2, n), TINY)


def framing(rate: int) -> tuple[int, int]:
    """MIRtoolbox's frames.

    Parameters
    ----------
    rate : int
        In Hz.

    Returns
    -------
    length, hop : int
        In samples.
    """
    return round(0.05 * rate), round(0.025 * rate)


def spectral(samples: np.ndarray, rate: int) -> list[float]:
    """The values of SPECTRAL.

    Parameters
    ----------
    samples : float32 (n_samples,)
    rate : int
        In Hz.

    Returns
    -------
    list of float
    """
    import librosa

    frame, hop = framing(rate)
    n_fft = 1 << (frame - 1).bit_length()
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[::hop]
    level = np.linalg.norm(frames, axis=1)
    audible = level >= QUIET * level.max()
    crossings = librosa.feature.zero_crossing_rate(samples, frame_length=frame, hop_length=hop, center=False)[0] * rate
    s = np.abs(scipy.fft.rfft(frames[audible] * np.hamming(frame).astype("float32"), n_fft, axis=1)).T  # (bins, time)
    hz = np.fft.rfftfreq(n_fft, 1 / rate)

    p = s / np.maximum(s.sum(axis=0), TINY)
    centroid = librosa.feature.spectral_centroid(S=s, sr=rate)[0]
    spread = librosa.feature.spectral_bandwidth(S=s, sr=rate, centroid=centroid[None])[0]
    away = (hz[:, None] - centroid) / np.maximum(spread, TINY)
    rolloffs = [librosa.feature.spectral_rolloff(S=s, sr=rate, roll_percent=share)[0] for share in (0.95, 0.85)]
    peaks = librosa.util.localmax(s, axis=0) & (s > LOW_PEAK * s.max(axis=0))
    heights = s * peaks
    mfcc = librosa.feature.mfcc(S=20 * np.log10(slaney_bank(rate, n_fft) @ s + TINY), n_mfcc=14)[1:]
    delta = librosa.feature.delta(mfcc, width=5, mode="nearest")
    return summary(
        centroid,
        p[hz >= BRIGHT_HZ].sum(axis=0),
        spread,
        (p * away**3).sum(axis=0),
        (p * away**4).sum(axis=0),
        *rolloffs,
        -(p * np.log(p + TINY)).sum(axis=0) / np.log(len(p)),
        librosa.feature.spectral_flatness(S=s, power=1)[0],
        ((dissonance(rate, n_fft) @ heights) * heights).sum(axis=0) / 2,
        irregularity(s, peaks),
        crossings[audible],
        np.linalg.norm(np.diff(s), axis=0),
        mfcc,
        delta,
        librosa.feature.delta(delta, width=5, mode="nearest"),
    )


@dataclass(frozen=True)
class Descriptors:
    """One vector per recording.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (54,), in the order of NAMES. Digital silence
    has finite values too: no level, no peaks, tempo 120. Raises InputError for a recording shorter than 2 s.
    """

    rate: int = 22050
    name: str = "descriptors"
    version: int = 1
    engine: str = field(default_factory=engine)
    libraries = ("numpy", "scipy", "librosa", "soxr")

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        if len(samples) < SHORTEST_S * rate:
            raise InputError(
                f"{len(samples) / rate:.2f} s of audio: too short for descriptors ({SHORTEST_S:g} s); remove it"
            )
        samples = audio.resample(samples, rate, self.rate)
        values = [value for part in (dynamic, rhythm, harmonic, spectral) for value in part(samples, self.rate)]
        return np.array(values, "float32")
