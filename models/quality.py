"""How far an answer about a face can be relied on, by what can be measured of the face in the photo.

Pure functions of arrays. The limits and how often they warn in vain: `docs/quality.md`.
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from models import framing
from models.keypoints import FIVE
from models.types import Face

MIDDLE = slice(6, 46), slice(6, 42)
"""Rows and columns of the crop that hold the face and little around it."""

SMALL = 30.0
"""`Quality.size` below which a face is small; and so on."""
DARK, BRIGHT = 0.15, 0.82
FLAT = 0.05
BLURRED = 0.2
CUT = 0.75
MISFIT = 0.18
UNSURE = 0.6

WARNINGS = ("guess", "small", "dark", "bright", "flat", "blurred", "cut", "misfit", "unsure")
"""What can make an answer unreliable, in the order in which it is said."""


@dataclass(frozen=True)
class Quality:
    """What is measured of a face.

    Attributes:
        size: side in pixels of the photo of the square that the networks see; their own has 48.
        brightness: the mean of the face, 0 black to 1 white.
        contrast: the standard deviation of the face's brightness.
        sharpness: the standard deviation of the face's Laplacian, in units of `contrast`; it measures what is left of
            fine structure at 48 pixels.
        inside: the share of that square that lies inside the photo, 0..1.
        keypoints_outside: how many keypoints lie outside the photo; None before they are read.
        disagreement: see `disagreement`.
        score: the detector's, 0..1; None where the whole picture was taken as the face.
        reduced: see `Photo.reduced`; `size` times this is the side in pixels of the file.
    """

    size: float
    brightness: float
    contrast: float
    sharpness: float
    inside: float
    keypoints_outside: int | None
    disagreement: float | None
    score: float | None
    reduced: float = 1.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the answer unreliable, of `WARNINGS`."""
        found = {
            "guess": self.score is None,
            "small": self.size < SMALL,
            "dark": self.brightness < DARK,
            "bright": self.brightness > BRIGHT,
            "flat": self.contrast < FLAT and DARK <= self.brightness <= BRIGHT,
            "blurred": self.sharpness < BLURRED,
            "cut": self.inside < CUT or bool(self.keypoints_outside),
            "misfit": self.disagreement is not None and self.disagreement > MISFIT,
            "unsure": self.score is not None and self.score < UNSURE,
        }
        return tuple(name for name in WARNINGS if found[name])

    def to_json(self) -> dict[str, Any]:
        """The numbers, rounded, and the warnings."""
        numbers = {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return {**numbers, "warnings": list(self.warnings)}


def measure(face: Face, size: tuple[int, int], reduced: float = 1.0) -> Quality:
    """The quality of a face.

    Args:
        face: with its keypoints, or before they are read.
        size: width and height of its photo in pixels.
        reduced: see `Photo.reduced`.
    """
    middle = face.crop[MIDDLE]
    contrast = float(middle.std())
    return Quality(
        size=framing.CROP_SIDE / framing.enlargement(face.to_crop),
        brightness=float(middle.mean()),
        contrast=contrast,
        sharpness=float(cv2.Laplacian(middle, cv2.CV_32F, ksize=1)[1:-1, 1:-1].std()) / max(contrast, 1e-3),
        inside=float(within(_square(face.to_crop), size).mean()),
        keypoints_outside=None if face.keypoints is None else int((~within(face.keypoints, size)).sum()),
        disagreement=disagreement(face),
        score=None if face.guessed else float(face.score),
        reduced=reduced,
    )


def disagreement(face: Face) -> float | None:
    """How far two networks disagree about a face: one that is no upright face shows itself so.

    Args:
        face: with its keypoints.

    Returns:
        The mean distance between the detector's five points and the same five of the keypoint network, in the unit of
        `framing.spread`, about the distance between the eyes; None where no detector looked.
    """
    if face.points is None or face.keypoints is None:
        return None
    apart = np.hypot(*(face.points - face.keypoints[list(FIVE)]).T).mean()
    return float(apart / framing.spread(face.to_crop))


def within(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which points (..., 2) lie inside a picture of a width and height, bool (...)."""
    return np.asarray(((points >= -0.5) & (points <= np.array(size) - 0.5)).all(-1))


def _square(to_crop: np.ndarray) -> np.ndarray:
    """Where the pixels of the crop lie in the photo, (48 * 48, 2)."""
    side = np.arange(framing.CROP_SIDE)
    return framing.apply(framing.invert(to_crop), np.stack(np.meshgrid(side, side), -1).reshape(-1, 2))
