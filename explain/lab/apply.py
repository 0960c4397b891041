"""What an experiment makes of a face, and patches to compare with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from explain.lab.steps import (
    PARTS,
    Blur,
    Brightness,
    Contrast,
    Cover,
    Experiment,
    Hide,
    Noise,
    Paint,
    Rectangle,
    Rotate,
    Shift,
    Step,
    Swap,
    pack,
)
from explain.methods import background, masking
from models import framing, regions
from models.errors import UnknownNameError
from models.keypoints import FIVE
from models.regions import REGIONS
from models.types import KEYPOINTS

SEAM = 1.2
"""Standard deviation in pixels of the soft edge around what is swapped."""
OVERLAP = 0.25
"""A random patch lies at most this far, as a share of its pixels, on the patch that it is compared with."""
INSIDE = 0.75
"""At least this share of a random patch lies where it should, if that can be."""

CENTRES = {"mouth": ("mouth_left_corner", "mouth_right_corner"), "eyes": ("left_eye_center", "right_eye_center")}
"""The keypoints whose middle is laid on that of the other face."""


@dataclass(frozen=True, eq=False)
class SourceFace:
    """An example face whose parts can be put into another.

    Attributes:
        crop: float32 (48, 48) in 0..1.
        keypoints: float32 (15, 2), in pixels of the crop.
    """

    crop: np.ndarray
    keypoints: np.ndarray


@dataclass(frozen=True, eq=False)
class Changed:
    """A face after an experiment.

    Attributes:
        crop: float32 (48, 48) in 0..1.
        keypoints: float32 (15, 2), where they lie now, in pixels of the crop.
        touched: bool (48, 48), the pixels of the crop *before* the experiment that other pixels took the place of.
    """

    crop: np.ndarray
    keypoints: np.ndarray
    touched: np.ndarray


def apply(
    experiment: Experiment,
    crop: np.ndarray,
    keypoints: np.ndarray,
    source_faces: Mapping[str, SourceFace] = MappingProxyType({}),
) -> Changed:
    """A face after the steps of an experiment, one after the other; the same every time.

    Everything happens on the networks' crop, not on the photo: what a tilt or a shift brings into
    view is a reflection of the crop's border. Parts of the face are found where they lie after the
    steps before.

    Args:
        experiment: what to do.
        crop: float32 (48, 48) in 0..1; it is not changed.
        keypoints: float (15, 2) in pixels of the crop.
        source_faces: the example faces that steps may name.

    Raises:
        UnknownNameError: a step names an example face that is not among `source_faces`.
    """
    now: np.ndarray = crop.astype(np.float32)
    matrix = np.eye(2, 3)
    touched = np.zeros(crop.shape, bool)
    for step in experiment.steps:
        if isinstance(step, Rotate | Shift):
            move = motion([step])
            now = _warp(now, move)
            matrix = _compose(move, matrix)
        elif isinstance(step, Cover):
            cover, stand_in = _cover(step, now, framing.apply(matrix, keypoints), matrix, source_faces)
            now = now + cover * (stand_in - now) if isinstance(step, Swap) else np.where(cover, stand_in, now)
            touched |= _back(cover > 0.5, matrix)
        else:
            now = _whole(step, now)
        now = np.clip(now, 0, 1).astype(np.float32)
    return Changed(now, framing.apply(matrix, keypoints).astype(np.float32), touched)


def motion(steps: Sequence[Step]) -> np.ndarray:
    """Where the tilts and shifts among the steps take a pixel of the crop, float64 (2, 3)."""
    matrix = np.eye(2, 3)
    for step in steps:
        if isinstance(step, Rotate):
            matrix = _compose(cv2.getRotationMatrix2D(framing.CENTRE, -step.degrees, 1.0), matrix)
        elif isinstance(step, Shift):
            matrix = _compose(np.array([[1, 0, step.x], [0, 1, step.y]]), matrix)
    return matrix


# ------------------------------------------------------------------ random patches


def random_patch(mask: np.ndarray, seed: int, within: np.ndarray | None = None) -> np.ndarray:
    """A patch of exactly the same area as another, somewhere else.

    The same shape is moved to a place where it hardly overlaps the patch itself. Where no such place
    is, for the patch is too large, it is a disc about a random point.

    Args:
        mask: bool (H, W), the patch; one that is empty stays empty.
        seed: another one gives another place.
        within: bool (H, W), where the patch should lie for the most part, such as on the face; None for anywhere.
    """
    if not mask.any() or mask.all():
        return mask.copy()
    rng = np.random.default_rng(seed)
    within = np.ones_like(mask) if within is None or not within.any() else within
    rows, columns = np.nonzero(mask)
    shape = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.float32)
    clear = _sums(mask, shape) <= OVERLAP * mask.sum()
    inside = _sums(within, shape) >= INSIDE * mask.sum()
    places = np.argwhere(clear & inside)
    if len(places):
        top, left = places[rng.integers(len(places))]
        patch = np.zeros_like(mask)
        patch[top : top + shape.shape[0], left : left + shape.shape[1]] = shape > 0
        return patch
    middle = np.argwhere(within)[rng.integers(within.sum())]
    y, x = np.indices(mask.shape)
    nearest = np.argsort(np.hypot(y - middle[0], x - middle[1]), axis=None, kind="stable")[: mask.sum()]
    return np.isin(np.arange(mask.size), nearest).reshape(mask.shape)


def elsewhere(experiment: Experiment, patch: np.ndarray) -> Experiment:
    """The same experiment with one patch hidden in the place of everything that it hides.

    The first covering step gives way to the patch, which shows what that step showed; the other
    covering steps are left out.

    Args:
        experiment: what to compare with.
        patch: bool (48, 48) on the grid of the crop before the experiment.
    """
    steps: list[Step] = []
    done = False
    for step in experiment.steps:
        if not isinstance(step, Cover):
            steps.append(step)
        elif not done:
            done = True
            moved = _warp(patch.astype(np.float32), motion(steps), cv2.BORDER_CONSTANT) > 0.5
            steps.append(Paint(pack(moved), step.shown))
    return Experiment(tuple(steps))


def uncovered(experiment: Experiment) -> Experiment:
    """The same experiment without the steps that hide something."""
    return Experiment(tuple(step for step in experiment.steps if not step.covers))


def _sums(values: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """The sum of values under a shape for each place where it fits, by its top left corner."""
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(np.float32), shape.shape)
    return np.einsum("ijkl,kl->ij", windows, shape)


# -------------------------------------------------------------------------- steps


def _whole(step: Step, crop: np.ndarray) -> np.ndarray:
    match step:
        case Blur(sigma):
            return cv2.GaussianBlur(crop, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) if sigma else crop
        case Brightness(by):
            return crop + by
        case Contrast(times):
            return crop.mean() + times * (crop - crop.mean())
        case Noise(sigma, seed):
            return crop + sigma * np.random.default_rng(seed).standard_normal(crop.shape)
    raise TypeError(f"{type(step).__name__} is no step on the whole face")


def _cover(
    step: Cover, crop: np.ndarray, points: np.ndarray, matrix: np.ndarray, source_faces: Mapping[str, SourceFace]
) -> tuple[np.ndarray, np.ndarray]:
    """Where a step covers the crop, bool or float in 0..1, and what it shows there, both (48, 48)."""
    if isinstance(step, Swap):
        return _swap(step.part, crop, points, _source_face(step.donor, source_faces))
    if isinstance(step, Hide):
        mask = regions.masks(points)[REGIONS.index(step.region)]
    elif isinstance(step, Rectangle | Paint):
        mask = step.mask
    else:
        raise TypeError(f"{type(step).__name__} is no step that covers a part of the face")
    if step.shows_another_face:
        source = _source_face(step.shown, source_faces)
        return mask, _match(source, crop, points, _onto(source.keypoints, points))
    if step.shown == "mean face":
        return mask, _warp(background.mean_face(), matrix)
    return mask, masking.baseline_picture(crop, step.shown)


def _swap(part: str, crop: np.ndarray, points: np.ndarray, source: SourceFace) -> tuple[np.ndarray, np.ndarray]:
    """The part of a source face, its middle laid on that of the face's own, greys matched at a soft seam.

    Its size follows the whole face, not the part: a mouth that is open wide stays so.
    """
    names = [KEYPOINTS.index(name) for name in CENTRES[part]]
    onto = _onto(source.keypoints, points)
    onto[:, 2] += points[names].mean(0) - framing.apply(onto, source.keypoints[names].mean(0))
    own = _part(points, part)
    theirs = _part(framing.apply(onto, source.keypoints), part)
    mask = cv2.dilate((own | theirs).astype(np.uint8), np.ones((3, 3), np.uint8))
    ring = cv2.dilate(mask, np.ones((5, 5), np.uint8)) > mask
    stand_in = _match(source, crop, points, onto)
    if ring.any():
        stand_in = stand_in + (crop[ring].mean() - stand_in[ring].mean())
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), SEAM), np.clip(stand_in, 0, 1)


def _part(points: np.ndarray, part: str) -> np.ndarray:
    """A part as one patch without holes, bool (48, 48)."""
    found = regions.masks(points)[[REGIONS.index(name) for name in PARTS[part]]].any(0)
    patch = np.zeros(found.shape, np.uint8)
    if found.any():
        cv2.fillConvexPoly(patch, cv2.convexHull(np.argwhere(found)[:, ::-1].astype(np.int32)), 1)
    return patch > 0


def _match(source: SourceFace, crop: np.ndarray, points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """A source face on the face's crop, its greys spread like those of the face, float32 (48, 48) in 0..1."""
    warped = _warp(source.crop, onto)
    outside = REGIONS.index("background")
    face, other = crop[~regions.masks(points)[outside]], source.crop[~regions.masks(source.keypoints)[outside]]
    if not face.size or not other.size:
        return warped
    gain = np.clip(face.std() / max(other.std(), 1e-6), 0.5, 2.0)
    return np.clip((warped - other.mean()) * gain + face.mean(), 0, 1).astype(np.float32)


def _source_face(name: str, source_faces: Mapping[str, SourceFace]) -> SourceFace:
    if name not in source_faces:
        known = ", ".join(source_faces)
        advice = f"Use one of {known}" if known else "Choose another fill; no example faces are at hand"
        raise UnknownNameError("The name of the example face is unknown", repr(name), advice)
    return source_faces[name]


# ----------------------------------------------------------------------- geometry


def _onto(keypoints: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The map that lays one face on another by their frames, float64 (2, 3)."""
    own = cv2.invertAffineTransform(framing.frame(points[list(FIVE)]).astype(np.float64))
    return _compose(own, framing.frame(keypoints[list(FIVE)]))


def _compose(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The map that does one thing and then another."""
    return np.column_stack([after[:, :2] @ before[:, :2], framing.apply(after, before[:, 2])]).astype(np.float64)


def _warp(picture: np.ndarray, matrix: np.ndarray, border: int = cv2.BORDER_REFLECT) -> np.ndarray:
    if np.array_equal(matrix, np.eye(2, 3)):
        return picture
    return cv2.warpAffine(picture, np.asarray(matrix, np.float64), picture.shape[::-1], borderMode=border)


def _back(mask: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A mask on the changed crop, as seen on the crop before the experiment."""
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask.astype(np.uint8), np.asarray(matrix, np.float64), mask.shape[::-1], flags=flags) > 0
