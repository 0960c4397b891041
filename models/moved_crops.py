"""Does the answer stay when the crop lies a little differently? A face shifted, scaled and turned in its frame."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np

from models import framing
from models.types import Face, Photo, Prediction

SHIFT = 1.5
"""Pixels of the crop, of 48: a twelfth of the distance between the eyes, about what a detector is off by."""
ZOOM = 1.05
TURN = 5.0
"""Degrees."""


def moves() -> list[np.ndarray]:
    """Maps float64 (2, 3) from the crop to crops a little off: every mixture of a shift to a side, a size and a turn.

    Five places, three sizes and three turns, less the crop itself: 44.
    """
    places = [(0.0, 0.0), (-SHIFT, 0.0), (SHIFT, 0.0), (0.0, -SHIFT), (0.0, SHIFT)]
    middle = ((framing.CROP_SIDE - 1) / 2,) * 2
    found = []
    for (across, down), zoom, turn in product(places, (1.0, 1 / ZOOM, ZOOM), (0.0, -TURN, TURN)):
        matrix = cv2.getRotationMatrix2D(middle, turn, zoom)
        matrix[:, 2] += np.array([across, down])
        found.append(matrix)
    return found[1:]


def moved(face: Face, photo: Photo) -> list[Face]:
    """The same face in each of the crops of `moves`, cut out of the photo anew; boxes and points stay.

    Args:
        face: of this photo.
        photo: as it was when the face was found.
    """
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    to_crops = [(move @ np.vstack([face.to_crop, [0, 0, 1]])).astype(np.float32) for move in moves()]
    crops = framing.cut_all(grey, to_crops, framing.CROP_SIDE)
    return [replace(face, crop=crop, to_crop=to_crop) for crop, to_crop in zip(crops, to_crops, strict=True)]


@dataclass(frozen=True)
class CropSensitivity:
    """What became of an answer in crops a little off.

    Attributes:
        emotion: the answer.
        crops: how many there were.
        same: in how many of them it is the answer, too.
        lowest, highest, mean: its probability in them, 0..1.
        others: what is answered in the rest, how often, the most frequent first.
    """

    emotion: str
    crops: int
    same: int
    lowest: float
    highest: float
    mean: float
    others: dict[str, int]


def sensitivity(answer: Prediction, others: Sequence[Prediction]) -> CropSensitivity:
    """What became of an answer.

    Args:
        answer: about the face as it was found.
        others: about the crops a little off, by the same model; at least one.
    """
    probable = np.array([float(other.probabilities[answer.top]) for other in others])
    counted = Counter(other.emotion for other in others)
    same = counted.pop(answer.emotion, 0)
    return CropSensitivity(
        answer.emotion,
        len(others),
        same,
        float(probable.min()),
        float(probable.max()),
        float(probable.mean()),
        dict(counted.most_common()),
    )
