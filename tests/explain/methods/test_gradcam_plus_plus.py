"""Grad-CAM++ by hand, against tf-keras-vis, and against what it is known to equal."""

import numpy as np
import pytest

from explain import reference
from explain.base import Target
from explain.methods import cam, gradcam_plus_plus, gradients

Params = gradcam_plus_plus.Params


def exact(model, crop, target, detail):
    """Maps and gradients in float32, as tf-keras-vis computes them."""
    import tensorflow as tf

    function = gradients._maps_and_gradients(model.network, (cam.layer_at(model, detail),)).python_function
    [(maps, gradient)] = function(tf.constant(crop[None, ..., None]), tf.constant(target.weights))
    return maps.numpy()[0], gradient.numpy()[0]


def test_the_formula_by_hand():
    """One channel that sums to 4; gradients 1/2 and 1 have alphas 1/4 and 1/6, or 3/5 and 2/5 of their sum."""
    activations = np.array([[[1], [0]], [[3], [0]]], np.float32)
    gradient = np.array([[[0.5], [-7]], [[0], [1]]], np.float32)
    weight = 3 / 5 * 0.5 + 2 / 5 * 1
    np.testing.assert_allclose(gradcam_plus_plus.weigh(activations, gradient), [[weight, 0], [3 * weight, 0]])


def test_channels_add_up_and_those_against_count_nothing():
    rng = np.random.default_rng(0)
    activations, gradient = rng.random((4, 4, 3)), rng.normal(size=(4, 4, 3))
    alone = [gradcam_plus_plus.weigh(activations[..., k : k + 1], gradient[..., k : k + 1]) for k in range(3)]
    np.testing.assert_allclose(gradcam_plus_plus.weigh(activations, gradient), sum(alone), rtol=1e-5)
    assert not gradcam_plus_plus.weigh(activations, -np.abs(gradient)).any()
    assert not gradcam_plus_plus.weigh(activations, np.zeros_like(gradient)).any()


@pytest.mark.parametrize("detail", cam.FINER)
def test_it_agrees_with_tf_keras_vis(model, face, detail):
    """The library's map, with its gradients cut at zero, is ours times exp(score)."""
    crop = face.crop
    target = Target(int(model.logits(crop[None])[0].argmax()))
    library = reference.gradcam_plus_plus(model, face, target, Params(detail))
    factor = np.exp(float(model.network(crop[None, ..., None])[0, target.emotion]))
    values = gradcam_plus_plus.weigh(*exact(model, crop, target, detail))
    np.testing.assert_allclose(values, library / factor, atol=1e-3 * values.max())
    compiled = gradcam_plus_plus.run(model, crop, target, Params(detail))  # may compute in bfloat16
    assert np.corrcoef(compiled.ravel(), values.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(compiled.sum(), values.sum(), rtol=0.05)


@pytest.mark.parametrize("target", [Target(0), Target(3, 0)])
def test_at_the_last_layer_it_is_grad_cam_with_positive_weights(model, crop, target):
    """After a global average the gradient of channel k is the same everywhere: w_k / (h w)."""
    maps, _ = exact(model, crop, target, "coarse")
    weights = np.maximum(model.network.get_layer("logits").kernel.numpy() @ target.weights, 0)
    expected = maps @ weights / (maps.shape[0] * maps.shape[1])
    values = gradcam_plus_plus.run(model, crop, target, Params())
    np.testing.assert_allclose(values, expected, atol=0.05 * expected.max())
