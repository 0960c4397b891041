"""Where a face lies in its crop: aligned by the eyes, framed like the training faces.

The constants follow the medians over the faces that the detector finds in FER2013, in pixels of the 48x48
crop; `python -m training.measures.reframe` prints them.
"""

from collections.abc import Sequence

import cv2
import numpy as np

CROP_SIDE = 48
WIDE_SIDE = 96
WIDE_MARGIN = 1.25
"""How much further than the crop the wide crop sees, as a factor on the side."""
CENTRE = (23.7, 27.4)
"""Where the middle between eyes and mouth lies in the crop."""
SPREAD = 17.3
"""Distance in pixels of the crop between the eyes, and between their middle and the mouth's."""


def frame(points: np.ndarray) -> np.ndarray:
    """The map that brings a face upright into its crop.

    The eyes become level. The size follows the larger of two distances, between the eyes and from
    the eyes to the mouth, so that a face turned aside is not blown up.

    Args:
        points: float (5, 2), x and y: right eye, left eye (the subject's), nose tip, right and left
            mouth corner.

    Returns:
        float32 (2, 3), from pixels of the picture to pixels of the crop; pixel centres are integers.
    """
    points = np.asarray(points, np.float64)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    across = points[1] - points[0]
    spread = max(np.hypot(*across), np.hypot(*(mouth - eyes)), 1e-3)
    if np.hypot(*across) < 0.35 * spread:  # in profile the line of the eyes says little about roll
        down = mouth - eyes
        across = np.array([down[1], -down[0]])
    cosine, sine = across / max(np.hypot(*across), 1e-9) * SPREAD / spread
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([turn, np.array(CENTRE) - turn @ ((eyes + mouth) / 2)]).astype(np.float32)


def spread(to_crop: np.ndarray) -> float:
    """The larger of the distances between the eyes and from the eyes to the mouth, in pixels of the picture.

    Args:
        to_crop: what `frame` returned.
    """
    return SPREAD / enlargement(to_crop)


def roll(to_crop: np.ndarray) -> float:
    """How far a face leans in the picture, degrees clockwise in -180..180; 0 for an upright one.

    Args:
        to_crop: what `frame` returned.
    """
    return float(np.degrees(np.arctan2(-to_crop[1, 0], to_crop[0, 0])))


def enlargement(matrix: np.ndarray) -> float:
    """By how much a map (2, 3) enlarges."""
    return float(np.sqrt(abs(np.linalg.det(np.asarray(matrix[:, :2], np.float64)))))


def whole(width: int, height: int) -> np.ndarray:
    """The map that takes the largest centred square of a picture as the crop, float32 (2, 3)."""
    zoom = CROP_SIDE / min(width, height)
    middle = (np.array([width, height]) - 1) / 2
    turn = np.eye(2) * zoom
    return np.column_stack([turn, (CROP_SIDE - 1) / 2 - turn @ middle]).astype(np.float32)


def widen(to_crop: np.ndarray) -> np.ndarray:
    """The map into the wide crop that belongs to a map into the crop, both float32 (2, 3)."""
    zoom = WIDE_SIDE / (CROP_SIDE * WIDE_MARGIN)
    wide = to_crop * zoom
    wide[:, 2] += (WIDE_SIDE - 1) / 2 - zoom * (CROP_SIDE - 1) / 2
    return wide.astype(np.float32)


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., 2) mapped by a (2, 3) matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverse of an affine map, float32 (2, 3)."""
    return cv2.invertAffineTransform(np.asarray(matrix, np.float64)).astype(np.float32)


def cut(grey: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """The part of a picture that a map brings into a square, without aliasing.

    Args:
        grey: uint8 (H, W).
        matrix: (2, 3), from pixels of the picture to pixels of the square.
        side: side of the square in pixels.

    Returns:
        float32 (side, side) in 0..1; what lies outside the picture repeats its border.
    """
    return cut_all(grey, [matrix], side)[0]


def cut_all(grey: np.ndarray, matrices: Sequence[np.ndarray], side: int) -> list[np.ndarray]:
    """Several parts of a picture, see `cut`; a large picture is shrunk only once, by the zoom of the first map.

    Args:
        grey: uint8 (H, W).
        matrices: (2, 3) each, of nearly the same zoom.
        side: side of the squares in pixels.

    Returns:
        float32 (side, side) each.
    """
    zoom, shrink = enlargement(matrices[0]), np.eye(3)
    if zoom < 0.5:  # shrink by averaging first: bilinear sampling alone would alias
        factor = 1 / (2 * zoom)
        height, width = (max(1, round(length / factor)) for length in grey.shape)
        sx, sy = width / grey.shape[1], height / grey.shape[0]
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
        shrink = np.array([[1 / sx, 0, 0.5 / sx - 0.5], [0, 1 / sy, 0.5 / sy - 0.5], [0, 0, 1]])
    maps = [np.asarray(matrix, np.float64) @ shrink for matrix in matrices]
    squares = [
        cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for matrix in maps
    ]
    return [square.astype(np.float32) / 255 for square in squares]
