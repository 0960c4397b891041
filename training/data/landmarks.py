"""Where the published landmarks lie beside the faces they mark, and putting that right.

The landmarks of `keypoints68.parquet` lie to the right of what they mark, on nearly every picture and
in every split. It is no opinion of a network trained on them: whatever marks faces well marks a
mirrored picture with the mirrored points, so a detector's points averaged over a picture and its mirror
image have no side, and what is left between them and the labels does: `training.data.landmark_offset` measures it.

Across only: about up and down a mirror says nothing, so the labels' height stays as it is.
"""

import numpy as np

from models.types import KEYPOINTS

SHIFT = 0.029
"""How far to the right the labels lie, as a share of the distance between the eyes' outer corners."""


def between_eyes(keypoints: np.ndarray) -> np.ndarray:
    """The distance of the eyes' outer corners: float (N, 15, 2) -> (N,)."""
    ends = [KEYPOINTS.index(f"{side}_eye_outer_corner") for side in ("left", "right")]
    return np.linalg.norm(keypoints[:, ends[0]] - keypoints[:, ends[1]], axis=1)


def corrected(published: np.ndarray) -> np.ndarray:
    """Keypoints moved onto what they mark: float (N, 15, 2) in pixels -> the same."""
    return _moved(published, -SHIFT)


def as_published(keypoints: np.ndarray) -> np.ndarray:
    """The inverse of `corrected`."""
    return _moved(keypoints, SHIFT)


def _moved(keypoints: np.ndarray, share: float) -> np.ndarray:
    moved = keypoints.copy()
    moved[..., 0] += share * between_eyes(keypoints)[:, None]
    return moved
