"""Which operations give other bits on another processor, what makes them the same, and what that costs in time.

    python -m tests.benchmarks.instruction_sets [--emulate Haswell] [--pairs 5] [--out results]

Each row is a process of its own that computes single operations, features of a synthetic sound and two short
trainings, all in one thread, and compares their bits with those of the first row. `--emulate` runs two rows on a
processor that QEMU emulates (Linux, x86-64; Debian's package qemu-user): other instructions, other caches, and exact
values where a processor only approximates (`rsqrtps`). An emulated row takes minutes. The time is processor time of
longer trainings, the settings SAME against none, one after the other.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from common import provenance
from common.files import write_atomically
from tests.conftest import ROOT

SAME = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # else off where the processor lacks VNNI; Eigen's blocks follow the cache's size
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # else the newest instructions, which sum in another order
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # exp and log of doubles
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's and SciPy's products
}
ROWS = {
    "once more": {},
    "oneDNN limited to AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN's operations off": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "NumPy limited to AVX2": {"NPY_DISABLE_CPU_FEATURES": SAME["NPY_DISABLE_CPU_FEATURES"]},
    "OpenBLAS as on Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
}
EPOCHS, SONGS, RATE = 10, 360, 22050


def normal(*shape) -> np.ndarray:
    """Always the same numbers for the same shape."""
    return np.random.default_rng(shape).standard_normal(shape).astype("float32")


def of_numpy() -> dict:
    """Operations of NumPy, SciPy and scikit-learn, and the features of a sound."""
    from sklearn.linear_model import Ridge
    from sklearn.svm import SVR

    from common.features.mel import MelSpectrogram
    from common.features.opensmile import OpenSmile
    from common.features.relative_mel import RelativeMel

    a, v = normal(300, 500), normal(100_003)
    doubles, sound = v.astype("float64"), (np.sin(np.cumsum(v) / 100) / 2).astype("float32")
    return {
        "NumPy: matrix times its transpose": [a @ a.T, a.astype("float64") @ a.T.astype("float64")],
        "NumPy: matrix product": a @ normal(500, 200),
        "NumPy: exp, log, power of doubles": [np.exp(doubles), np.log(abs(doubles)), abs(doubles) ** 0.3],
        "NumPy: exp, log of floats": [np.exp(v), np.log(abs(v))],
        "NumPy: sums and means": [v.sum(), a.sum(0), a.mean(1), a.std(0)],
        "NumPy: Fourier transform": np.fft.rfft(a),
        "scikit-learn: ridge regression": Ridge().fit(a[:, :50], a[:, 60]).coef_,
        "scikit-learn: support vector regression": SVR(gamma=0.02).fit(a[:, :50], a[:, 60]).dual_coef_,
        "features: MelSpectrogram": MelSpectrogram()(sound, RATE),
        "features: OpenSmile": OpenSmile()(sound, RATE),
        "features: RelativeMel": RelativeMel()(sound, RATE),
    }


def of_tensorflow() -> dict:
    """Operations of TensorFlow, in the shapes of the papers' networks."""
    import tensorflow as tf

    x, kernel, v = normal(20, 20, 260, 1), normal(3, 3, 1, 8), normal(100_003)
    maps = tf.nn.conv2d(x, kernel, 1, "SAME")
    return {
        "TensorFlow: matrix product": [tf.matmul(normal(100, 160), normal(160, 300)), tf.matmul(v[:800].reshape(100, 8),
                                                                                           normal(8, 8))],
        "TensorFlow: matrix product, 2,080 terms a sum": tf.matmul(normal(20, 2080), normal(2080, 16)),
        "TensorFlow: batch of matrix products": tf.matmul(normal(4, 20, 8), normal(4, 8, 24)),
        "TensorFlow: convolution": maps,
        "TensorFlow: gradient of a convolution": tf.compat.v1.nn.conv2d_backprop_filter(
            x, kernel.shape, maps, [1, 1, 1, 1], "SAME"
        ),
        "TensorFlow: softmax": tf.nn.softmax(normal(300, 500)),
        "TensorFlow: rsqrt": tf.math.rsqrt(abs(v)),
        "TensorFlow: square root, quotient": [tf.sqrt(abs(v)), v / (abs(tf.constant(v)) + 1)],
        "TensorFlow: sigmoid, tanh, exp, log": [tf.sigmoid(v), tf.tanh(v), tf.exp(v), tf.math.log(abs(v))],
        "TensorFlow: sums and means": [tf.reduce_sum(v), tf.reduce_mean(normal(300, 500), 0)],
    }  # fmt: skip


def gru():
    from reproductions.jakubik2017 import model

    net = model.standard_gru(9)
    net.compile(model.adadelta(), "mse")
    return net, normal(SONGS, 100, 160), normal(SONGS, 9), 100


def crnn():
    import keras

    from reproductions.malik2017 import model

    net = model.crnn(260, 20)
    net.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), model.rmse)
    return net, normal(3 * SONGS, 20, 260), normal(3 * SONGS, 20, 2), 20


def trained(build, batches: int) -> list[np.ndarray]:
    """The weights after some batches."""
    from common import backend

    backend.start(0)
    net, x, y, size = build()
    net.fit(x[: batches * size], y[: batches * size], batch_size=size, shuffle=False, verbose=0)
    return net.get_weights()


def of_networks() -> dict:
    from keras import ops

    found = {"jakubik2017: GRU, 2 batches": trained(gru, 2), "malik2017: CRNN, 10 batches": trained(crnn, 10)}
    ops.rsqrt = lambda x: 1 / ops.sqrt(x)
    return found | {"malik2017: CRNN, 10 batches, 1 / sqrt in the place of rsqrt": trained(crnn, 10)}


def child(what: str) -> dict:
    """In a process of its own: digests of all that is computed, or seconds an epoch of both networks."""
    from common import backend

    backend.start(0)
    found = {}
    if what == "seconds":
        for name, build in (("jakubik2017: GRU", gru), ("malik2017: CRNN", crnn)):
            net, x, y, size = build()
            net.fit(x, y, batch_size=size, verbose=0)  # compiles
            started = time.process_time()
            net.fit(x, y, batch_size=size, epochs=EPOCHS, verbose=0)
            found[name] = (time.process_time() - started) / EPOCHS
        return found
    for name, arrays in (of_numpy() | of_tensorflow() | of_networks()).items():
        digest = hashlib.sha256()
        for array in arrays if isinstance(arrays, list) else [arrays]:
            digest.update(np.ascontiguousarray(array).tobytes())
        found[name] = digest.hexdigest()
    return found


def run(what: str, settings: dict[str, str], processor: str | None = None) -> dict:
    """A child's results under environment variables, on this processor or an emulated one."""
    call = ["qemu-x86_64", "-cpu", processor] if processor else []
    call += [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.instruction_sets", "--child", what]
    own = {name: value for name, value in os.environ.items() if name not in SAME} | settings
    done = subprocess.run(call, cwd=ROOT, env=own, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(call)}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emulate", metavar="PROCESSOR", help="as `qemu-x86_64 -cpu help` names it")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", choices=["bits", "seconds"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child)))
        return
    if options.emulate and not shutil.which("qemu-x86_64"):
        parser.error("--emulate needs qemu-x86_64 (Debian: qemu-user)")

    def compared(title, reference, other):
        rows[title] = sorted(name for name in reference if reference[name] != other[name])
        print(f"\n{title}: {len(rows[title])} of {len(reference)} differ", *rows[title], sep="\n  ", flush=True)

    rows, default = {}, run("bits", {})
    for title, settings in ROWS.items():
        compared(title, default, run("bits", settings))
    if options.emulate:
        compared(f"emulated {options.emulate}", default, run("bits", {}, options.emulate))
        compared(
            f"emulated {options.emulate}, both with the settings", run("bits", SAME), run("bits", SAME, options.emulate)
        )
    pairs = [[run("seconds", settings) for settings in (SAME, {})] for _ in range(options.pairs)]
    ratios = {name: [round(ours[name] / plain[name], 3) for ours, plain in pairs] for name in pairs[0][0]}
    for name, found in ratios.items():
        print(f"{name}: time with the settings / without, median {np.median(found):.2f} of {sorted(found)}")
    if options.out:
        path = options.out / "benchmarks" / "instruction_sets.json"
        record = {"settings": SAME, "compared": sorted(default), "differ": rows, "time_ratio": ratios,
                  "emulated": options.emulate, "provenance": provenance.now(provenance.commit())}  # fmt: skip
        write_atomically(path, (json.dumps(record, indent=1) + "\n").encode())
        print(f"recorded in {path}")


if __name__ == "__main__":
    main()
