"""An emotion model as a TensorFlow Lite file, for phones and small devices; LiteRT runs it."""

import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from models.errors import UnknownNameError
from training.release.savedmodel import INPUT, OUTPUT, SIGNATURE

KINDS = ("float16", "int8")
BATCH = 32


def convert(saved: str | Path, kind: str, faces: np.ndarray | None = None) -> bytes:
    """A SavedModel in few bytes, with the same signature.

    Args:
        saved: the folder, see `training.release.savedmodel`.
        kind: "float16" keeps the weights in half precision and computes in float32. "int8" keeps
            weights and all values between layers as whole numbers of 8 bits, input and output as
            float32 (Jacob et al. 2018, arXiv 1712.05877); probabilities are then multiples of 1/256
            and their sum may be off by 1 %.
        faces: for "int8", float32 (N, 48, 48, 1) in 0..1: faces that show which values occur.

    Returns:
        The content of a `.tflite` file.

    Raises:
        UnknownNameError: no such kind.
    """
    import tensorflow as tf

    if kind not in KINDS:
        raise UnknownNameError(
            "The kind of the TensorFlow Lite file is unknown", repr(kind), f"Use one of {', '.join(KINDS)}"
        )
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved), signature_keys=[SIGNATURE])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    else:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ({INPUT: face[None]} for face in np.asarray(faces, np.float32))
    with warnings.catch_warnings(), _quiet():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")  # the converter's own use
        return converter.convert()


def load(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """A TensorFlow Lite file's signature as a function, float32 (N, 48, 48, 1) -> float32 (N, 7)."""
    from ai_edge_litert.interpreter import Interpreter

    signature = Interpreter(model_content=content, num_threads=os.cpu_count()).get_signature_runner(SIGNATURE)

    def run(images: np.ndarray) -> np.ndarray:
        parts = [images[i : i + BATCH].astype(np.float32) for i in range(0, len(images), BATCH)]
        return np.concatenate([signature(**{INPUT: part})[OUTPUT].copy() for part in parts])

    return run


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the converter's C++ code writes, some twenty lines, unless it fails."""
    sys.stderr.flush()
    outside = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(outside, kept.read())
            raise
        finally:
            os.dup2(outside, 2)
            os.close(outside)
