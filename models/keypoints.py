"""The 15 keypoints of faces."""

import cv2
import numpy as np

from models import framing, zoo
from models.types import KEYPOINTS, Face, Photo

FIVE = tuple(
    KEYPOINTS.index(name)
    for name in ("right_eye_center", "left_eye_center", "nose_tip", "mouth_right_corner", "mouth_left_corner")
)
"""The keypoints that stand for a detector's five points, in its order."""
PASSES = 3
"""How often a face that no detector framed is looked at, each time framed by the keypoints of the last.

Measured on 150 pictures taken whole, people not seen in training: mean error .23 of the distance
between the eyes after one pass, .10 after two, .07 after three; a detected face gains nothing.
"""
MAX_ZOOM = 5.0
"""A face is not believed to be larger or smaller than the whole picture's crop by more than this."""


def read(faces: list[Face], photo: Photo) -> list[Face]:
    """The same faces with their keypoints; all go through the network in one batch.

    Args:
        faces: of one photo.
        photo: theirs; a face without a detector's points is cut from it again, see `PASSES`.

    Returns:
        The faces, each with `keypoints` float32 (15, 2) in pixels of the photo.

    Raises:
        WeightsError: the keypoint network's weights are missing or cannot be used.
    """
    return read_all([(face, photo) for face in faces])


def read_all(pairs: list[tuple[Face, Photo]]) -> list[Face]:
    """As `read`, for faces of several photos: each with its own."""
    if not pairs:
        return []
    faces = [face for face, _ in pairs]
    keypoints = _points([face.wide_crop for face in faces], [face.to_crop for face in faces])
    unframed = [index for index, face in enumerate(faces) if face.points is None]
    if unframed:
        greys = [cv2.cvtColor(pairs[index][1].pixels, cv2.COLOR_RGB2GRAY) for index in unframed]
        for _ in range(PASSES - 1):
            maps = [_frame(keypoints[index, FIVE], faces[index].to_crop) for index in unframed]
            crops = [
                framing.cut(grey, framing.widen(to_crop), framing.WIDE_SIDE)
                for grey, to_crop in zip(greys, maps, strict=True)
            ]
            keypoints[unframed] = _points(crops, maps)
    return [face.with_keypoints(points) for face, points in zip(faces, keypoints, strict=True)]


def _frame(points: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The map that frames a face by five keypoints; the one before where these cannot be a face's."""
    to_crop = framing.frame(points)
    zoom = np.sqrt(abs(np.linalg.det(to_crop[:, :2]) / np.linalg.det(before[:, :2])))
    return to_crop if 1 / MAX_ZOOM < zoom < MAX_ZOOM else before


def _points(wide_crops: list[np.ndarray], to_crops: list[np.ndarray]) -> np.ndarray:
    """Keypoints in pixels of the photo, float32 (N, 15, 2)."""
    shares = zoo.keypoint_model().points(np.stack(wide_crops))
    back = [framing.invert(framing.widen(to_crop)) for to_crop in to_crops]
    pixels = [framing.apply(m, points * (framing.WIDE_SIDE - 1)) for m, points in zip(back, shares, strict=True)]
    return np.stack(pixels).astype(np.float32)
