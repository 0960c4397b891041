"""What stands in for pixels that are hidden, and faces of which parts are."""

from typing import Any

import cv2
import numpy as np

from explain.base import choice
from explain.methods import background

BLUR = 6.0
"""Standard deviation of the blur in pixels of the crop: about the width of an eye."""


def baseline_choice(title: str = "A hidden part shows") -> Any:
    """The parameter that says what stands in for what is hidden, see `baseline_picture`."""
    return choice(
        "mean face",
        ("mean face", "blur", "grey"),
        title,
        "What stands in for a part that is hidden: the average of many faces, the same face out of focus, "
        "or its mean grey.",
    )


def baseline_picture(crop: np.ndarray, baseline: str) -> np.ndarray:
    """What hidden parts show, float32 (H, W) in 0..1."""
    if baseline == "mean face":
        return background.mean_face()
    if baseline == "blur":
        return cv2.GaussianBlur(crop, (0, 0), BLUR, borderType=cv2.BORDER_REFLECT)
    return np.full_like(crop, crop.mean())


def mean_face_in_greys_of(crop: np.ndarray) -> np.ndarray:
    """The average of many faces, as bright and as rich in contrast as a crop, float32 (H, W) in 0..1.

    Else a bright or a dark face would differ from what hides it by its light alone. The contrast changes by
    no more than a factor of two.
    """
    face = background.mean_face()
    gain = np.clip(crop.std() / face.std(), 0.5, 2)
    return np.clip((face - face.mean()) * gain + crop.mean(), 0, 1).astype(np.float32)


def blends(crop: np.ndarray, hidden: np.ndarray, regions: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """The crop with some regions hidden.

    Args:
        crop, hidden: float32 (H, W): the face, and what hidden regions show.
        regions: bool (K, H, W) that cover the crop and do not overlap.
        shown: bool (M, K), a row a picture.

    Returns:
        float32 (M, H, W).
    """
    return np.where(shown[:, regions.argmax(0)], crop, hidden)
