"""The parts of a face: eight masks on the crop's grid, built from the 15 keypoints.

Sizes are shares of `framing.SPREAD`, the distance between the eyes of a face in its frame. The face's
oval was fitted to the jaw line of 4,232 frames with 68 landmarks: it is 1.08 wide to each side at
any turn of the head, reaches 1.18 below the middle of the face, and moves 1.5 times as far to the
one side as the tip of the nose to the other. No landmark tells how high the forehead is.
"""

from functools import lru_cache

import cv2
import numpy as np

from models import framing
from models.errors import ParameterError
from models.keypoints import FIVE
from models.types import KEYPOINTS

REGIONS = ("left_brow", "right_brow", "left_eye", "right_eye", "nose", "mouth", "face", "background")
"""In the order of the masks; "face" is the rest of the face. Left and right are the subject's own."""

LABELS = {
    "left_brow": "left eyebrow",
    "right_brow": "right eyebrow",
    "left_eye": "left eye",
    "right_eye": "right eye",
    "nose": "nose",
    "mouth": "mouth",
    "face": "rest of the face",
    "background": "background",
}
"""How to name a region to people: fits after "the"."""

BROW_RADIUS, BROW_ARCH = 0.14, 0.08
EYE_MARGIN, EYE_HEIGHT = 0.1, 0.16
BRIDGE_RADIUS, TIP_RADIUS = 0.09, 0.25
MOUTH_MARGIN = 0.12
OVAL_WIDTH, OVAL_TOP, OVAL_BOTTOM, OVAL_SHIFT = 1.08, -1.4, 1.18, -1.5

FARTHEST = 1000.0 * framing.CROP_SIDE
"""Keypoints farther out than this many pixels of the crop are taken as lying there."""


def masks(crop_keypoints: np.ndarray, side: int = framing.CROP_SIDE) -> np.ndarray:
    """Which pixels belong to which region.

    The regions cover the crop and do not overlap at any pose. Where two parts meet, a pixel belongs
    to the one that it lies deeper in. A part that lies outside the crop has no pixel; where all points
    coincide all is background.

    Args:
        crop_keypoints: float (15, 2), in pixels of the 48x48 crop, in the order of `KEYPOINTS`.
        side: height and width of the masks; other sides show the same regions on another grid.

    Returns:
        bool (8, side, side), in the order of `REGIONS`; read-only, because it is computed once a face.

    Raises:
        ParameterError: keypoints of another shape, or not finite.
    """
    return _masks(_checked(crop_keypoints).tobytes(), side)


def _checked(crop_keypoints: np.ndarray) -> np.ndarray:
    """The keypoints as float64 (15, 2), none of them farther out than `FARTHEST`; raises as `masks` does."""
    points = np.asarray(crop_keypoints, np.float64)
    if points.shape != (len(KEYPOINTS), 2) or not np.isfinite(points).all():
        received = f"shape {points.shape}, {np.isfinite(points).sum()} of {points.size} numbers finite"
        raise ParameterError("The keypoints are not 15 finite points", received, "Read the keypoints again")
    return np.clip(points, -FARTHEST, FARTHEST)


@lru_cache(maxsize=64)
def _masks(keypoints: bytes, side: int) -> np.ndarray:
    """See `masks`; float64 points as bytes, so that the same face is not cut up again."""
    found = _labels(np.frombuffer(keypoints).reshape(-1, 2), side) == np.arange(len(REGIONS))[:, None, None]
    found.flags.writeable = False
    return found


def _labels(points: np.ndarray, side: int) -> np.ndarray:
    """The index of the region of every pixel, int (side, side)."""
    line = (np.arange(side) + 0.5) * framing.CROP_SIDE / side - 0.5
    upright = framing.frame(points[list(FIVE)]).astype(np.float64)
    face, background = REGIONS.index("face"), REGIONS.index("background")
    if not upright[:, :2].any():  # all points in one place: no face to cut up
        return np.full((side, side), background)
    points = _unit(framing.apply(upright, points))
    grid = _unit(framing.apply(upright, np.stack(np.meshgrid(line, line), -1)))

    at = dict(zip(KEYPOINTS, points, strict=True))
    parts = np.stack(
        [
            _brow(grid, at["left_eyebrow_inner_end"], at["left_eyebrow_outer_end"]),
            _brow(grid, at["right_eyebrow_inner_end"], at["right_eyebrow_outer_end"]),
            _eye(grid, at["left_eye_inner_corner"], at["left_eye_outer_corner"]),
            _eye(grid, at["right_eye_inner_corner"], at["right_eye_outer_corner"]),
            _capsule(
                grid,
                (at["left_eye_inner_corner"] + at["right_eye_inner_corner"]) / 2,
                at["nose_tip"],
                BRIDGE_RADIUS,
                TIP_RADIUS,
            ),
            _mouth(grid, *points[KEYPOINTS.index("mouth_left_corner") :]),
        ]
    )
    rest = np.where(_oval(grid, at) <= 1, face, background)
    return np.where(parts.min(0) <= 1, parts.argmin(0), rest)


def outlines(crop_keypoints: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The borders of the regions, for drawing.

    Args:
        crop_keypoints: as for `masks`.

    Returns:
        For every region but the background its closed outer borders, each float32 (M, 2) in pixels of
        the 48x48 crop; map them to the photo with the inverse of a face's `to_crop`.
    """
    return dict(_outlines(_checked(crop_keypoints).tobytes()))


@lru_cache(maxsize=64)
def _outlines(keypoints: bytes) -> dict[str, list[np.ndarray]]:
    fine = 8
    labels, found = _labels(np.frombuffer(keypoints).reshape(-1, 2), framing.CROP_SIDE * fine), {}
    for index, region in enumerate(REGIONS[:-1]):
        mask = (labels == index).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        found[region] = [(c[:, 0].astype(np.float32) + 0.5) / fine - 0.5 for c in contours if len(c) > 2]
    return found


# Each shape below gives, for every point of the grid, how far out it lies: 0 in the middle, 1 on the border.


def _unit(points: np.ndarray) -> np.ndarray:
    """Points of the upright crop in shares of the spread, from the middle of the face."""
    return (points - framing.CENTRE) / framing.SPREAD


def _ellipse(grid: np.ndarray, centre: np.ndarray, along: np.ndarray, half: np.ndarray) -> np.ndarray:
    """An ellipse of half axes (2,), the first in the direction of the unit vector `along`."""
    offset = grid - centre
    across = np.array([-along[1], along[0]])
    return np.hypot(offset @ along / half[0], offset @ across / half[1])


def _capsule(grid: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float, end_radius: float) -> np.ndarray:
    """A line from start to end that is as thick as the two radii at its ends."""
    axis = end - start
    share = np.clip((grid - start) @ axis / max(axis @ axis, 1e-9), 0, 1)
    distance = np.linalg.norm(grid - (start + share[..., None] * axis), axis=-1)
    return distance / (radius + (end_radius - radius) * share)


def _brow(grid: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    top = (inner + outer) / 2 - [0, BROW_ARCH]
    halves = [_capsule(grid, end, top, BROW_RADIUS, BROW_RADIUS) for end in (inner, outer)]
    return np.minimum(*halves)


def _eye(grid: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    along, length = _direction(inner, outer)
    return _ellipse(grid, (inner + outer) / 2, along, np.array([length / 2 + EYE_MARGIN, EYE_HEIGHT]))


def _mouth(grid: np.ndarray, left: np.ndarray, right: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    along, _ = _direction(right, left)
    turn = np.stack([along, [-along[1], along[0]]])
    extent = np.stack([left, right, top, bottom]) @ turn.T
    low, high = extent.min(0), extent.max(0)
    return _ellipse(grid, (low + high) / 2 @ turn, along, (high - low) / 2 + MOUTH_MARGIN)


def _oval(grid: np.ndarray, at: dict[str, np.ndarray]) -> np.ndarray:
    eyes = (at["left_eye_center"] + at["right_eye_center"]) / 2
    mouth = (at["mouth_left_corner"] + at["mouth_right_corner"]) / 2
    nose = np.clip(at["nose_tip"][0] - (eyes[0] + mouth[0]) / 2, -0.6, 0.6)
    centre = np.array([OVAL_SHIFT * nose, (OVAL_TOP + OVAL_BOTTOM) / 2])
    return _ellipse(grid, centre, np.array([1.0, 0.0]), np.array([OVAL_WIDTH, (OVAL_BOTTOM - OVAL_TOP) / 2]))


def _direction(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, float]:
    """The unit vector from start to end, level where they are one point, and their distance."""
    length = float(np.hypot(*(end - start)))
    return ((end - start) / length if length > 1e-6 else np.array([1.0, 0.0])), length
