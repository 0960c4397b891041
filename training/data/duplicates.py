"""The same photo twice in a data set: once learned from and once asked about, it flatters a network."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from training.data import EmotionSplit

BITS = 8
"""Near duplicates have hashes that differ in no more bits than this, of 64."""
LIKENESS = 0.9
"""Near duplicates have a correlation of their pixels above this. In FER2013 nearly all such pairs are one
photo, cut or watermarked differently; a few of those below 0.92 are two photos lit alike."""
GRID, LOW = 32, 8
BLOCK = 512
"""Hashes that are compared with all others at once."""


@dataclass(frozen=True)
class Pair:
    """Two faces of different splits that show the same photo.

    Attributes:
        split, row: of the first face, the row counted within its split.
        other, other_row: of the second.
        likeness: correlation of their pixels, -1..1; 1 where they are equal.
    """

    split: str
    row: int
    other: str
    other_row: int
    likeness: float

    @property
    def exact(self) -> bool:
        """Whether every pixel is the same."""
        return self.likeness == 1.0


def hashes(images: np.ndarray) -> np.ndarray:
    """64 bits a picture that stay the same under light, blur and small cuts.

    The picture is shrunk to 32x32; of its discrete cosine transform the 8x8 lowest frequencies after
    the constant one are kept; a bit says whether one lies above their median (Zauner 2010,
    "Implementation and benchmarking of perceptual image hash functions", section 3.2.1).

    Args:
        images: uint8 (N, H, W), grey.

    Returns:
        uint64 (N,).
    """
    u, x = np.arange(1, LOW + 1)[:, None], np.arange(GRID)[None]
    basis = np.cos(np.pi * (2 * x + 1) * u / (2 * GRID)).astype(np.float32)
    small = [cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA) for image in images]
    pictures = np.stack(small).astype(np.float32) if small else np.zeros((0, GRID, GRID), np.float32)
    low = (basis @ pictures @ basis.T).reshape(-1, LOW * LOW)
    above = low > np.median(low, axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(np.uint64)[:, 0]


def across(splits: dict[str, EmotionSplit]) -> list[Pair]:
    """The pairs of faces of different splits that show the same photo, the most alike first."""
    marks = {name: hashes(split.images) for name, split in splits.items()}
    found = []
    for one, two in combinations(splits, 2):
        for start in range(0, len(marks[one]), BLOCK):
            apart = np.bitwise_count(marks[one][start : start + BLOCK, None] ^ marks[two][None])
            rows, others = np.nonzero(apart <= BITS)
            rows += start
            likeness = _likeness(splits[one].images[rows], splits[two].images[others])
            found += [
                Pair(one, int(row), two, int(other), float(value))
                for row, other, value in zip(rows, others, likeness, strict=True)
                if value > LIKENESS
            ]
    return sorted(found, key=lambda pair: -pair.likeness)


def grouped(groups: np.ndarray, marks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Groups of faces, joined wherever a face of one is a near duplicate of a face of another.

    Pixels are not asked, and a fifth of the pairs that join FER2013's faces are not as alike as `LIKENESS`: what is
    joined in error costs a few faces and flatters nothing.

    Args:
        groups: int (N,), the same number for faces of one group.
        marks: uint64 (N,), see `hashes`.
        known: bool (N,), whether a face has a hash.

    Returns:
        int64 (N,), numbered from 0.
    """
    where = np.flatnonzero(known)
    _, first, place = np.unique(groups, return_index=True, return_inverse=True)
    ones, others = [np.arange(len(groups))], [first[place]]
    for start in range(0, len(where), BLOCK):
        apart = np.bitwise_count(marks[where[start : start + BLOCK], None] ^ marks[where[start:]][None])
        rows, columns = np.nonzero(apart <= BITS)
        ones.append(where[start + rows])
        others.append(where[start + columns])
    one, other = np.concatenate(ones), np.concatenate(others)
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(groups), len(groups)))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _likeness(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlations of pictures, (N, H, W) and (N, H, W) -> (N,); exactly 1 where all pixels are equal."""
    if not len(a):
        return np.zeros(0)
    x, y = (each.reshape(len(each), -1).astype(np.float64) for each in (a, b))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt((x * x).sum(1) * (y * y).sum(1))
    value = np.divide((x * y).sum(1), size, out=np.zeros(len(x)), where=size > 0)
    return np.where((a == b).all((1, 2)), 1.0, np.minimum(value, 1 - 1e-9))
