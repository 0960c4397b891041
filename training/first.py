"""The first weights of a run."""

import hashlib
from collections.abc import Callable

import keras
import numpy as np


def source(init: dict | Callable | None, start: str) -> str:
    """Where first weights come from, for the record: with their hash, which a function's `start` has in it."""
    return f"{start}, sha256 {_digest(init)}" if isinstance(init, dict) and init else start


def put(model: keras.Model, init: dict | Callable | None, images: np.ndarray) -> None:
    """Give a model its first weights.

    Args:
        model: the untrained network.
        init: layer name -> list of arrays, or a function that makes them of the training faces; None for none.
        images: uint8 (N, side, side), the training faces.
    """
    for layer, arrays in (init(images) if callable(init) else init or {}).items():
        model.get_layer(layer).set_weights(arrays)


def _digest(init: dict) -> str:
    made = hashlib.sha256()
    for name, arrays in sorted(init.items()):
        made.update(name.encode())
        for array in arrays:
            made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()
