"""From the average face to this one, and what the score does on the way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Target
from explain.methods import background, gradients

if TYPE_CHECKING:
    from models.model import Model


@dataclass(frozen=True, eq=False)
class Path:
    """The straight way from a face to another one.

    Attributes:
        start: float32 (H, W), where it begins.
        shares: float32 (n + 1,), how much of the other face each place on the way holds, from 0 to 1.
        scores: float32 (n + 1,), the target's score there.
        values: float32 (H, W), by how much each pixel moved the score on the way; they sum to about the difference of
            the scores at both ends.
    """

    start: np.ndarray
    shares: np.ndarray
    scores: np.ndarray
    values: np.ndarray


def path(model: "Model", crop: np.ndarray, target: Target, steps: int = 32) -> Path:
    """The path from the average of all training faces to a face: integrated gradients, by the midpoint rule.

    SHAP by gradients takes such paths from sixteen average faces, at random places, and averages them.

    Args:
        model: an emotion model.
        crop: float32 (H, W) in 0..1.
        target: whose score is followed.
        steps: into how many pieces the way is cut.

    Source: Sundararajan et al. 2017, "Axiomatic attribution for deep networks", arXiv 1703.01365, equation 3.
    """
    start = background.mean_face()
    way = crop - start
    shares = np.linspace(0, 1, steps + 1, dtype=np.float32)
    middles = (shares[:-1] + shares[1:]) / 2
    logits = model.logits(start + shares[:, None, None] * way)
    slopes = gradients.input_gradients(model)(start + middles[:, None, None] * way, target.weights)
    values = (way * slopes.mean(0, dtype=np.float64)).astype(np.float32)
    return Path(start, shares, (logits @ target.weights).astype(np.float32), values)
