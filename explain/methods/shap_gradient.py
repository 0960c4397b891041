"""SHAP by gradients: each pixel's share in the distance from average faces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Method, Parameters, Target, number
from explain.methods import background, numpy_random, shap_package
from explain.methods.gradients import kept

if TYPE_CHECKING:
    import shap

    from models.model import Model

BATCH = 64


@dataclass(frozen=True)
class Params(Parameters):
    """Parameters of SHAP by gradients."""

    samples: int = number(64, 16, 256, 16, "Samples", "How many blends are averaged: more are slower and less noisy.")
    seed: int = number(0, 0, 9999, 1, "Seed", "Chooses the blends; the same seed gives the same map.")


def explainer(model: "Model", target: Target) -> "shap.GradientExplainer":
    """The `shap.GradientExplainer` of a model and a target, made once and kept with the model.

    It sees a network with one output, the target's score, so that it takes one gradient where the
    documented call takes seven.
    """
    return kept(model, ("shap_gradient", target), lambda: _explainer(model, target))


def _explainer(model: "Model", target: Target) -> "shap.GradientExplainer":
    import keras
    import tensorflow as tf

    network, weights = model.network, tf.constant(target.weights)
    side, _, channels = network.input_shape[1:]
    signature = [tf.TensorSpec((None, side, side, channels), tf.float32), tf.TensorSpec((None,), tf.float32)]

    def compiled() -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        return tf.function(
            lambda crops, weights: tf.linalg.matvec(network(crops, training=False), weights)[:, None],
            input_signature=signature,
            autograph=False,
        )

    score = kept(model, "score", compiled)

    class Score(keras.layers.Layer):
        def call(self, crops: tf.Tensor) -> tf.Tensor:
            return score(crops, weights)

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, int]:
            return shape[0], 1

    faces = keras.Input((side, side, channels))
    one_output = keras.Model([faces], Score()(faces))
    return shap_package.load().GradientExplainer(one_output, background.faces()[..., None], batch_size=BATCH)


def run(model: "Model", crop: np.ndarray, target: Target, params: Params) -> np.ndarray:
    """Expected gradients of one face, float32 (H, W), signed, in logits.

    The mean over random average faces r and random t in 0..1 of (x - r) times the gradient of the
    target's score at r + t (x - r): equation 3 of the paper, computed by shap. The values sum to
    score(x) less the mean score of the average faces, but for the noise of sampling. Known
    criticism: blends of two faces are no faces, and the map depends on the background chosen
    (Sturmfels et al. 2020, doi 10.23915/distill.00022).

    shap draws from numpy's global generator, so calls take turns.

    Source: Erion et al. 2021, "Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients", arXiv 1906.10670.
    """
    one_target = explainer(model, target)
    with numpy_random.seeded(params.seed):
        values = one_target.shap_values(crop[None, ..., None], nsamples=params.samples, rseed=params.seed)
    return values[0, ..., 0, 0].astype(np.float32)


METHOD = Method(
    name="shap_gradient",
    title="SHAP by gradients",
    summary="How much each pixel pushes the model towards the target or away from it, compared with average faces.",
    Params=Params,
    run=run,
    signed=lambda params: True,
    quick={"samples": 16},
)
