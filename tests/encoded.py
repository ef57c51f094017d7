"""Audio files of many kinds for tests: written by libsndfile or FFmpeg, joined, cut, without their headers."""

import io
from fractions import Fraction

import av
import numpy as np
import soundfile

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def by_soundfile(samples: np.ndarray, rate: int, form: str, subtype: str | None = None) -> bytes:
    """The bytes of a file that libsndfile writes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def by_ffmpeg(
    samples: np.ndarray, rate: int, form: str, codec: str, *, bit_rate: int = 0, seekable: bool = True, **options: str
) -> bytes:
    """The bytes of a file that FFmpeg writes; not seekable: a stream, whose header cannot be completed at its end."""
    samples = np.asarray(samples, "float32").reshape(len(samples), -1)
    layout, buffer = LAYOUTS[samples.shape[1]], io.BytesIO()
    file = buffer if seekable else _Stream(buffer)
    with av.open(file, "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return buffer.getvalue()


class _Stream:
    """A file that can only be written to."""

    def __init__(self, file):
        self.write = file.write


def decoded_by_ffmpeg(content: bytes) -> np.ndarray:
    """All samples that FFmpeg itself decodes, (n_samples, n_channels)."""
    with av.open(io.BytesIO(content)) as container:
        resampler = av.AudioResampler(format="fltp")
        frames = [one for frame in container.decode(audio=0) for one in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().T for frame in frames])
