"""Saliency: how much the target's score changes when one pixel does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target, choice
from explain.methods import gradients

if TYPE_CHECKING:
    from models.model import Model

SIZE, TIMES_INPUT = "size of the change", "change times brightness"


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of saliency."""

    shows: str = choice(
        SIZE,
        (SIZE, TIMES_INPUT),
        "Shows",
        "How strongly the answer reacts to each pixel; or that times the pixel's brightness, with a sign, "
        "so that black pixels count nothing.",
    )


def weigh(crop: np.ndarray, gradient: np.ndarray, shows: str) -> np.ndarray:
    """|g|, as Simonyan et al. show a grey picture's gradient g, or x g.

    Args:
        crop, gradient: float (H, W): a face, and the gradient of the score with respect to it.
        shows: one of the options of `Params.shows`.

    Returns:
        float32 (H, W).
    """
    return (np.abs(gradient) if shows == SIZE else crop * gradient).astype(np.float32)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """Saliency of one face, float32 (H, W): logits for a change of one pixel from black to white.

    The gradient's own sign says whether a brighter pixel would help, not whether the pixel as it is
    speaks for the target, so its size is shown; times the brightness it becomes a first-order guess
    of what the pixel adds to the score, with both signs. tf-keras-vis gives the same map, but runs
    its gradient uncompiled at every call. Known criticism: the gradient tells of changes too small
    to see, is noisy, and vanishes where the network is sure of its case (Shrikumar et al. 2017,
    arXiv 1704.02685); it likes edges whatever the target (Adebayo et al. 2018, arXiv 1810.03292);
    change times brightness hardly counts dark pixels, such as brows, and what it marks first raised
    the target no more than chance (area between insertion and deletion by a blurred face, mean of
    40 test faces and three models (1.0.0): -0.03, against 0.19 for its size and 0.00 at random).

    Source: Simonyan et al. 2014, arXiv 1312.6034; Shrikumar et al. 2016, arXiv 1605.01713.
    """
    [gradient] = gradients.input_gradients(model)(crop[None], target.weights)
    return weigh(crop, gradient, params.shows)


METHOD = Method(
    name="saliency",
    title="Saliency",
    summary="How strongly the answer reacts to a tiny change of each pixel: sharp, but noisy.",
    Params=Params,
    run=run,
    signed=lambda params: params.shows == TIMES_INPUT,
)
