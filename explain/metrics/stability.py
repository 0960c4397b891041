"""Does the map stay when the face moves a little?"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from explain import registry
from explain.base import Explanation
from explain.metrics.agreement import rank_correlation
from models.types import Face

if TYPE_CHECKING:
    from models.model import Model

SHIFT = 2.0
"""Pixels of the crop, of 48."""
ZOOM = 1.06
NOISE = 0.02
"""Standard deviation in units of the grey range: hardly visible."""
MARGIN = 4
"""Pixels at the border that are not compared, because the moved face lacks them."""


def perturbed(face: Face, seed: int = 0) -> list[tuple[Face, np.ndarray]]:
    """The same face shifted, scaled, and slightly noisy; the seed chooses directions and noise.

    Returns:
        Three faces, each with the map float64 (2, 3) from the old crop to its own. Keypoints stay
        where they are in the photo and move with the crop.
    """
    rng = np.random.default_rng(seed)
    height, width = face.crop.shape
    shift = np.array([[1, 0, rng.choice([-SHIFT, SHIFT])], [0, 1, rng.choice([-SHIFT, SHIFT])]])
    zoom = rng.choice([ZOOM, 1 / ZOOM])
    scaled = np.array([[zoom, 0, (1 - zoom) * (width - 1) / 2], [0, zoom, (1 - zoom) * (height - 1) / 2]])
    noise = rng.normal(0, NOISE, face.crop.shape).astype(np.float32)
    noisy = replace(face, crop=np.clip(face.crop + noise, 0, 1))
    return [(_moved(face, shift), shift), (_moved(face, scaled), scaled), (noisy, np.eye(2, 3))]


def moved_back(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A map of a disturbed face on the old crop's grid, float32 (H, W); beyond the border it repeats."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(values, matrix, values.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


def stability(model: "Model", face: Face, explanation: Explanation, seed: int = 0) -> float:
    """The mean rank correlation of an explanation with those of the same face slightly disturbed.

    Maps are moved back before they are compared, away from the border. A disturbed map that is flat
    counts as 0. Known criticism: a map can be stable because it ignores the network (an edge
    detector is), and unstable because the answer itself is (Alvarez-Melis and Jaakkola 2018, arXiv
    1806.08049).

    Returns:
        -1..1; nan where the explanation itself is flat.
    """
    inside = (slice(MARGIN, -MARGIN),) * 2
    found = []
    for other, matrix in perturbed(face, seed):
        again = registry.explain(model, other, explanation.target, explanation.method, explanation.params)
        found.append(rank_correlation(explanation.values[inside], moved_back(again.values, matrix)[inside]))
    if np.isnan(rank_correlation(explanation.values, explanation.values)):
        return float("nan")
    return float(np.mean(np.nan_to_num(found)))


def _moved(face: Face, matrix: np.ndarray) -> Face:
    crop = cv2.warpAffine(face.crop, matrix, face.crop.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    to_crop = matrix @ np.vstack([face.to_crop, [0, 0, 1]])
    return replace(face, crop=crop, to_crop=to_crop.astype(np.float32))
