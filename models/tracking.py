"""Faces followed from frame to frame, so that the detector looks only now and then.

Between two looks a face is found again by the keypoint network alone: the frame is cut where the face was, its
keypoints say where it is now, and they frame the next cut. Source of the idea: Bewley et al. 2016, "Simple Online and
Realtime Tracking", arXiv 1602.00763, whose Hungarian assignment of boxes by overlap is `match` here, with the faces'
points beside their boxes. A person who leaves and comes back counts as another one: faces are followed, not recognised.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from models import framing
from models.keypoints import FIVE
from models.types import Face, Photo

EVERY = 8
"""Frames from one look of the detector to the next, while the keypoints fit."""
EVERY_EMPTY = 3
"""The same while nobody is in sight."""
PATIENCE = 3
"""Looks in a row that may miss a face before it is given up."""
FOLLOWED = 6
"""Faces, the largest, that are followed between two looks."""

NEAR = 0.75
"""Of the distance between the eyes: two faces whose points lie closer may be one."""
OVERLAP = 0.2
"""Two faces whose boxes have this intersection over union may be one as well."""
MOVED = 0.1
"""Of the distance between the eyes: a face that moved further since the last frame is read a second time, in place."""
JUMPED = 0.8
"""The same: one that moved further is not believed to be the same face."""
ZOOMED = 1.35
"""Nor is one that grew or shrank by more."""
LIKENESS = 0.55
"""Nor one whose crop correlates less with that of the frame before."""


@dataclass(frozen=True, eq=False)
class Track:
    """One face, followed.

    Attributes:
        number: names it, from 1 up in the order of coming.
        face: as it was seen last, with its keypoints.
        offset: float32 (2, 3), from the crop that the keypoints frame to the one that the detector's points framed.
        missed: looks in a row that did not find it; 0 while it is in sight.
    """

    number: int
    face: Face
    offset: np.ndarray
    missed: int = 0


class Tracker:
    """Follows the faces of one stream of frames.

    Args:
        detect: finds the faces of a frame, see `models.detector.find`.
        read: reads their keypoints, see `models.keypoints.read`.
        every: frames from one look to the next; 1 looks at every frame.

    Attributes:
        tracks: those that are known, the ones out of sight among them.
        looks: how often the detector has looked.
    """

    def __init__(
        self,
        detect: Callable[[Photo], list[Face]],
        read: Callable[[list[Face], Photo], list[Face]],
        every: int = EVERY,
    ):
        self.tracks: tuple[Track, ...] = ()
        self.looks = 0
        self._detect, self._read, self._every = detect, read, every
        self._since, self._next = 0, 1

    def follow(self, photo: Photo) -> tuple[Track, ...]:
        """The faces in sight in the next frame, largest first.

        Raises:
            what `detect` and `read` raise.
        """
        self._since += 1
        if self.looks and self._since < (self._every if self.tracks else min(self._every, EVERY_EMPTY)):
            found = self._follow(photo)
            if found is not None:
                self.tracks = found
                return self._in_sight()
        self._look(photo)
        return self._in_sight()

    def _in_sight(self) -> tuple[Track, ...]:
        seen = [track for track in self.tracks if not track.missed]
        return tuple(sorted(seen, key=lambda track: -_area(track.face.box)))

    def _follow(self, photo: Photo) -> tuple[Track, ...] | None:
        """The tracks without a look of the detector; None where it has to look."""
        tracks = self._in_sight()
        if len(tracks) < len(self.tracks) or len(tracks) > FOLLOWED:
            return None
        grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
        found = list(tracks)
        again = list(range(len(tracks)))
        for _ in range(2):
            if not again:
                break
            placed = [_placed(grey, found[index].face, found[index].face.to_crop) for index in again]
            for index, face in zip(again, self._read(placed, photo), strict=True):
                found[index] = _reframed(grey, found[index], face)
            again = [index for index in again if step(tracks[index].face, found[index].face) > MOVED]
        if not all(fits(before.face, after.face) for before, after in zip(tracks, found, strict=True)):
            return None
        return tuple(found)

    def _look(self, photo: Photo) -> None:
        self.looks, self._since = self.looks + 1, 0
        faces = self._read(self._detect(photo), photo)
        pairs = match([track.face for track in self.tracks], faces)
        tracks = []
        for index, track in enumerate(self.tracks):
            if index in pairs:
                tracks.append(_begun(track.number, faces[pairs[index]]))
            elif track.missed + 1 < PATIENCE:
                tracks.append(replace(track, missed=track.missed + 1))
        for index in sorted(set(range(len(faces))) - set(pairs.values())):
            tracks.append(_begun(self._next, faces[index]))
            self._next += 1
        self.tracks = tuple(tracks)


def match(before: Sequence[Face], after: Sequence[Face]) -> dict[int, int]:
    """Which faces of two frames are the same: by index in `before`, the index in `after`.

    The assignment with the least sum of costs, 1 less the mean of the boxes' intersection over union and of
    exp(-distance), where the distance is that of the faces' points in the unit of `framing.spread`. Pairs that neither
    overlap (`OVERLAP`) nor lie near (`NEAR`) are none.
    """
    if not before or not after:
        return {}
    overlap = np.array([[iou(one.box, other.box) for other in after] for one in before])
    apart = np.array([[distance(one, other) for other in after] for one in before])
    possible = (overlap >= OVERLAP) | (apart <= NEAR)
    costs = np.where(possible, 1 - (overlap + np.exp(-apart)) / 2, 2.0)  # 2: dearer than any that is possible
    rows, columns = linear_sum_assignment(costs)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if possible[row, column]}


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """The intersection over union of two boxes, left, top, right, bottom; 0 where both are empty."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    together = _area(one) + _area(other) - common
    return common / together if together > 0 else 0.0


def distance(one: Face, other: Face) -> float:
    """The mean distance between the five points of two faces, in the unit of the larger one's `framing.spread`."""
    unit = max(framing.spread(one.to_crop), framing.spread(other.to_crop))
    return float(np.hypot(*(_five(one) - _five(other)).T).mean() / unit)


def step(before: Face, after: Face) -> float:
    """How far a face moved from a frame to the next, in the unit of its `framing.spread`."""
    moved = _centre(after.to_crop) - _centre(before.to_crop)
    return float(np.hypot(*moved) / framing.spread(before.to_crop))


def fits(before: Face, after: Face) -> bool:
    """Whether a face that was followed can still be the same: it neither jumped, nor changed its size or its looks."""
    zoom = framing.enlargement(after.to_crop) / framing.enlargement(before.to_crop)
    return (
        step(before, after) <= JUMPED
        and 1 / ZOOMED <= zoom <= ZOOMED
        and likeness(before.wide_crop, after.wide_crop) >= LIKENESS
    )


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation of two crops of one shape; 0 where one of them is flat."""
    first, second = one - one.mean(), other - other.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 1e-6 else 0.0


class Smoother:
    """Exponential smoothing of arrays over time, by key; the raw value stays with the caller.

    A value follows a sudden change to 63 % within `settle` seconds, however often frames come.

    Args:
        settle: the time constant in seconds; 0 smooths nothing.
    """

    def __init__(self, settle: float):
        self.settle = settle
        self._known: dict[Hashable, tuple[float, np.ndarray]] = {}

    def __call__(self, key: Hashable, value: np.ndarray, now: float) -> np.ndarray:
        """The smoothed value.

        Args:
            key: whose value it is.
            value: any shape, the same at each call of a key.
            now: seconds on any clock that does not run backwards.
        """
        value = np.asarray(value, np.float64)
        if key in self._known and self.settle > 0:
            then, before = self._known[key]
            value = before + (1 - np.exp(-max(0.0, now - then) / self.settle)) * (value - before)
        self._known[key] = now, value
        return value.astype(np.float32)

    def keep(self, keys: Iterable[Hashable]) -> None:
        """Forget all but these keys."""
        wanted = set(keys)
        self._known = {key: value for key, value in self._known.items() if key in wanted}


def _begun(number: int, face: Face) -> Track:
    return Track(number, face, _after(face.to_crop, framing.invert(framing.frame(_five(face)))))


def _reframed(grey: np.ndarray, track: Track, read: Face) -> Track:
    """A track whose face was read in a new frame, cut where its keypoints say that it is now."""
    before = track.face
    to_crop = _after(track.offset, framing.frame(_five(read)))
    back = framing.invert(to_crop)
    zoom = framing.enlargement(before.to_crop) / framing.enlargement(to_crop)
    middle = framing.apply(back, framing.apply(before.to_crop, (before.box[:2] + before.box[2:]) / 2))
    half = (before.box[2:] - before.box[:2]) / 2 * zoom
    moved = _placed(grey, before, to_crop)
    height, width = grey.shape
    return replace(
        track,
        face=replace(
            moved,
            box=np.clip(np.concatenate([middle - half, middle + half]), 0, [width, height] * 2).astype(np.float32),
            points=None
            if before.points is None
            else framing.apply(back, framing.apply(before.to_crop, before.points)).astype(np.float32),
            keypoints=read.keypoints,
        ),
    )


def _placed(grey: np.ndarray, face: Face, to_crop: np.ndarray) -> Face:
    """A face cut from a frame by a map."""
    return replace(
        face,
        to_crop=to_crop,
        crop=framing.cut(grey, to_crop, framing.CROP_SIDE),
        wide_crop=framing.cut(grey, framing.widen(to_crop), framing.WIDE_SIDE),
    )


def _after(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The map (2, 3) that applies `first` and then `second`."""
    turn = second[:, :2] @ first[:, :2]
    return np.column_stack([turn, second[:, :2] @ first[:, 2] + second[:, 2]]).astype(np.float32)


def _five(face: Face) -> np.ndarray:
    """The five points that frame a face, float32 (5, 2): of its keypoints, or the detector's before they are read."""
    if face.keypoints is not None:
        return face.keypoints[list(FIVE)]
    return np.zeros((5, 2), np.float32) if face.points is None else face.points


def _centre(to_crop: np.ndarray) -> np.ndarray:
    """Where the middle of a crop lies in the frame."""
    return framing.apply(framing.invert(to_crop), np.array([framing.CROP_SIDE / 2] * 2, np.float32))


def _area(box: np.ndarray) -> float:
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))
