"""What a face's 15 keypoints say in numbers that a person can read: twenty measures without a unit.

The points are first brought into the face's own frame: its origin lies in the middle between the eyes' centres, x runs
along the line between them to the subject's left, y down the face, and the distance between the eyes is 1. So a measure
changes neither where the face moves, nor with its size, nor with its roll. A head that is turned aside or nods changes
them: `head_turn` and `nose_drop` tell how far.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.errors import ParameterError
from models.types import KEYPOINTS

PREFIX = "geometry_"
"""Before a measure's name in the columns of a data set."""
UNIT = "eye distances"
"""What every measure is counted in: the distance between the centres of the two eyes."""

Points = dict[str, np.ndarray]
"""Points (..., 2) of the face's own frame by the names of `KEYPOINTS`."""


@dataclass(frozen=True)
class Measure:
    """One of the measures.

    Attributes:
        name: for programs.
        label: for people; with `up` or `down` behind it, it is a sentence: "left mouth corner higher".
        up, down: what a larger and a smaller value mean.
        definition: one sentence.
        compute: points of the face's own frame -> float (...).
    """

    name: str
    label: str
    up: str
    down: str
    definition: str
    compute: Callable[[Points], np.ndarray]

    @property
    def column(self) -> str:
        """The name of its column in a data set."""
        return PREFIX + self.name


def _middle(at: Points, *names: str) -> np.ndarray:
    return np.mean([at[name] for name in names], axis=0)


def _above(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How much higher in the face one point lies than another."""
    return np.asarray(other[..., 1] - one[..., 1])


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(one - other, axis=-1))


def _lips(at: Points) -> np.ndarray:
    return _middle(at, "mouth_center_top_lip", "mouth_center_bottom_lip")


def _sides(
    name: str, label: str, up: str, down: str, definition: str, compute: Callable[[Points, str], np.ndarray]
) -> list[Measure]:
    """A measure of each half of the face; "{side}" in the texts is "left" or "right", the subject's own."""

    def of(side: str) -> Callable[[Points], np.ndarray]:
        return lambda at: compute(at, side)

    return [
        Measure(f"{name}_{side}", label.format(side=side), up, down, definition.format(side=side), of(side))
        for side in ("left", "right")
    ]


def _asymmetry(at: Points) -> np.ndarray:
    gaps = []
    for name in KEYPOINTS:
        other = name.replace("left", "#").replace("right", "left").replace("#", "right")
        gaps.append(_apart(at[name], at[other] * [-1, 1]))
    return np.mean(gaps, axis=0)


MEASURES = (
    *_sides(
        "brow_raise",
        "{side} eyebrow",
        "higher",
        "lower",
        "How far the middle of the {side} eyebrow's two ends lies above the centre of the {side} eye.",
        lambda at, side: _above(
            _middle(at, f"{side}_eyebrow_inner_end", f"{side}_eyebrow_outer_end"), at[f"{side}_eye_center"]
        ),
    ),
    *_sides(
        "brow_tilt",
        "inner end of the {side} eyebrow",
        "higher",
        "lower",
        "How far the inner end of the {side} eyebrow lies above its outer end.",
        lambda at, side: _above(at[f"{side}_eyebrow_inner_end"], at[f"{side}_eyebrow_outer_end"]),
    ),
    Measure(
        "brow_gap",
        "eyebrows",
        "further apart",
        "closer together",
        "The distance between the inner ends of the two eyebrows.",
        lambda at: _apart(at["left_eyebrow_inner_end"], at["right_eyebrow_inner_end"]),
    ),
    *_sides(
        "eye_width",
        "{side} eye",
        "wider",
        "narrower",
        "The distance between the two corners of the {side} eye.",
        lambda at, side: _apart(at[f"{side}_eye_inner_corner"], at[f"{side}_eye_outer_corner"]),
    ),
    *_sides(
        "eye_lift",
        "centre of the {side} eye",
        "higher",
        "lower",
        "How far the centre of the {side} eye lies above the middle of its two corners. No keypoint marks a lid; an "
        "eye that opens lifts its upper lid further than it lowers the other, and its centre with it.",
        lambda at, side: _above(
            at[f"{side}_eye_center"], _middle(at, f"{side}_eye_inner_corner", f"{side}_eye_outer_corner")
        ),
    ),
    *_sides(
        "eye_slant",
        "outer corner of the {side} eye",
        "higher",
        "lower",
        "How far the outer corner of the {side} eye lies above its inner corner.",
        lambda at, side: _above(at[f"{side}_eye_outer_corner"], at[f"{side}_eye_inner_corner"]),
    ),
    Measure(
        "nose_drop",
        "tip of the nose",
        "lower",
        "higher",
        "How far the tip of the nose lies below the line of the eyes. A head that nods changes it most.",
        lambda at: at["nose_tip"][..., 1],
    ),
    Measure(
        "nose_to_lip",
        "upper lip and nose",
        "further apart",
        "closer together",
        "How far the middle of the upper lip lies below the tip of the nose.",
        lambda at: _above(at["nose_tip"], at["mouth_center_top_lip"]),
    ),
    Measure(
        "mouth_width",
        "mouth",
        "wider",
        "narrower",
        "The distance between the two corners of the mouth.",
        lambda at: _apart(at["mouth_left_corner"], at["mouth_right_corner"]),
    ),
    Measure(
        "mouth_openness",
        "lips",
        "further apart",
        "closer together",
        "The distance between the middle of the upper lip and that of the lower lip, from the outer edge of each: it "
        "is the lips' own height where the mouth is closed.",
        lambda at: _apart(at["mouth_center_top_lip"], at["mouth_center_bottom_lip"]),
    ),
    *_sides(
        "corner_raise",
        "{side} mouth corner",
        "higher",
        "lower",
        "How far the {side} corner of the mouth lies above the middle between upper and lower lip.",
        lambda at, side: _above(at[f"mouth_{side}_corner"], _lips(at)),
    ),
    Measure(
        "mouth_shift",
        "mouth",
        "further to its left",
        "further to its right",
        "How far the middle of the mouth's corners lies from the middle of the face, to the subject's left.",
        lambda at: _middle(at, "mouth_left_corner", "mouth_right_corner")[..., 0],
    ),
    Measure(
        "head_turn",
        "tip of the nose",
        "further to its left",
        "further to its right",
        "How far the tip of the nose lies from the middle of the face, to the subject's left. A head that turns aside "
        "changes it most.",
        lambda at: at["nose_tip"][..., 0],
    ),
    Measure(
        "asymmetry",
        "two halves of the face",
        "less alike",
        "more alike",
        "The mean distance between the 15 keypoints and their mirror images about the middle of the face.",
        _asymmetry,
    ),
)
"""All of them, from the top of the face down; left and right are the subject's own."""

NAMES = tuple(measure.name for measure in MEASURES)
OPPOSITE = [NAMES.index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in NAMES]
"""For each measure the place of the same one of the other side; its own where there are no two sides."""
_SIDEWAYS = np.array([-1.0 if name in ("mouth_shift", "head_turn") else 1.0 for name in NAMES], np.float32)
COLUMNS = tuple(measure.column for measure in MEASURES)
"""The columns of a data set that hold them, in their order."""


def measure(keypoints: np.ndarray) -> np.ndarray:
    """All measures of faces.

    Args:
        keypoints: float (..., 15, 2), x to the right and y down in any unit, in the order of `KEYPOINTS`.

    Returns:
        float32 (..., 20), in the order of `MEASURES`, in distances between the centres of the two eyes; NaN where
        these two centres are one point.

    Raises:
        ParameterError: keypoints of another shape, or not finite.
    """
    points = np.asarray(keypoints, np.float64)
    if points.shape[-2:] != (len(KEYPOINTS), 2) or not np.isfinite(points).all():
        received = f"shape {points.shape}, {np.isfinite(points).sum()} of {points.size} numbers finite"
        raise ParameterError("The keypoints are not 15 finite points a face", received, "Read the keypoints again")
    at = dict(zip(KEYPOINTS, np.moveaxis(_own_frame(points), -2, 0), strict=True))
    return np.stack([each.compute(at) for each in MEASURES], axis=-1).astype(np.float32)


def mirrored(values: np.ndarray) -> np.ndarray:
    """The measures (..., 20) of mirrored faces by those of the faces: the sides swap, and what lies to the left lies to
    the right."""
    return np.asarray(np.asarray(values)[..., OPPOSITE] * _SIDEWAYS)


def _own_frame(points: np.ndarray) -> np.ndarray:
    """Points (..., 15, 2) of the picture in the face's own frame; NaN where the eyes are one point."""
    left, right = (points[..., KEYPOINTS.index(name), :] for name in ("left_eye_center", "right_eye_center"))
    along = left - right
    squared = (along**2).sum(-1)[..., None, None]
    from_middle = points - ((left + right) / 2)[..., None, :]
    turn = np.stack([np.stack([along[..., 0], -along[..., 1]], -1), np.stack([along[..., 1], along[..., 0]], -1)], -2)
    with np.errstate(invalid="ignore"):
        return from_middle @ turn / np.where(squared > 0, squared, np.nan)
