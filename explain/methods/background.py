"""Average faces, which stand for "a face, but no face in particular".

`background.npz` is made by `python -m training.data.composites`: every picture in it is the mean of a
hundred training faces or more.
"""

from functools import cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("background.npz")


@cache
def mean_face() -> np.ndarray:
    """The average of all aligned training faces, float32 (48, 48) in 0..1, read-only."""
    return _read("mean")


@cache
def faces() -> np.ndarray:
    """Averages of groups of similar training faces, float32 (16, 48, 48) in 0..1, read-only."""
    return _read("faces")


def _read(name: str) -> np.ndarray:
    with np.load(FILE, allow_pickle=False) as arrays:
        values = arrays[name].astype(np.float32) / 255
    values.flags.writeable = False
    return values
