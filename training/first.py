"""The first weights of a run."""

import hashlib
from collections.abc import Callable

import keras
import numpy as np

Weights = dict[str, list[np.ndarray]]
"""Layer name -> its arrays."""
Init = Weights | Callable[[np.ndarray], Weights]
"""First weights, or a function that makes them of the training faces, uint8 (N, side, side)."""


def source(init: Init | None, start: str) -> str:
    """Where first weights come from, for the record: with their hash, which a function's `start` has in it."""
    return f"{start}, sha256 {_digest(init)}" if isinstance(init, dict) and init else start


def put(model: keras.Model, init: Init | None, images: np.ndarray | list[np.ndarray]) -> None:
    """Give a model its first weights.

    Args:
        model: the untrained network.
        init: see `Init`; None for none.
        images: the training faces.
    """
    for layer, arrays in (init(np.asarray(images)) if callable(init) else init or {}).items():
        model.get_layer(layer).set_weights(arrays)


def _digest(init: Weights) -> str:
    made = hashlib.sha256()
    for name, arrays in sorted(init.items()):
        made.update(name.encode())
        for array in arrays:
            made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()
