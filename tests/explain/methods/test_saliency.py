"""Saliency by hand, against tf-keras-vis, and against differences of the score."""

from dataclasses import replace

import numpy as np
import pytest

from explain import reference
from explain.base import Target
from explain.methods import background, gradients, saliency
from tests.explain.conftest import wrap

SIZE, TIMES_INPUT = saliency.SIZE, saliency.TIMES_INPUT


@pytest.fixture(scope="module")
def plane():
    """Logit k is k times the sum of pixels weighed by a known map: its gradient is known everywhere."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    outputs = layers.Dense(7, use_bias=False, name="logits")(layers.Flatten()(inputs))
    network = keras.Model(inputs, outputs)
    slope = np.random.default_rng(1).normal(size=(48, 48)).astype(np.float32)
    network.get_layer("logits").set_weights([slope.reshape(-1, 1) * np.arange(7, dtype=np.float32)])
    return wrap(network, "plane", "none"), slope


@pytest.fixture(scope="module")
def grainy() -> np.ndarray:
    """An average face with some grain: in areas of one grey, poolings tie and a gradient has no one value."""
    grain = np.random.default_rng(0).normal(0, 0.03, (48, 48))
    return np.clip(background.faces()[3] + grain, 0, 1).astype(np.float32)


def exact(model, crop, target):
    """The gradient in float32, as tf-keras-vis computes it."""
    import tensorflow as tf

    function = gradients._input_gradients(model.network).python_function
    gradient = function(tf.constant(crop[None, ..., None]), tf.constant(target.weights))
    return gradient.numpy()[0, ..., 0]


def test_the_formula_by_hand():
    crop, gradient = np.array([[0, 0.5], [1, 1]]), np.array([[2, -3], [4, -5]])
    np.testing.assert_array_equal(saliency.weigh(crop, gradient, SIZE), [[2, 3], [4, 5]])
    np.testing.assert_array_equal(saliency.weigh(crop, gradient, TIMES_INPUT), [[0, -1.5], [4, -5]])


@pytest.mark.parametrize(("target", "factor"), [(Target(0), 0), (Target(5), 5), (Target(2, 6), -4)])
def test_a_network_whose_gradient_is_known(plane, crop, target, factor):
    model, slope = plane
    values = saliency.run(model, crop, target, saliency.Params())
    np.testing.assert_allclose(values, np.abs(factor * slope), rtol=1e-5)
    signed = saliency.run(model, crop, target, saliency.Params(TIMES_INPUT))
    np.testing.assert_allclose(signed, crop * factor * slope, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(signed.sum(), model.logits(crop[None])[0] @ target.weights, atol=1e-2)


def test_crops_in_several_chunks_are_those_of_one(plane, monkeypatch):
    model, slope = plane
    monkeypatch.setattr(gradients, "CHUNK", 2)
    crops = np.random.default_rng(0).random((5, 48, 48))
    values = gradients.input_gradients(model)(crops, Target(1).weights)
    assert values.shape == (5, 48, 48) and values.dtype == np.float32
    np.testing.assert_allclose(values, np.broadcast_to(slope, values.shape), rtol=1e-5)


def test_it_agrees_with_tf_keras_vis(model, face, grainy):
    library = reference.saliency_map(model, replace(face, crop=grainy), Target(0, 3), saliency.Params())
    values = saliency.weigh(grainy, exact(model, grainy, Target(0, 3)), SIZE)
    np.testing.assert_allclose(values, library, atol=1e-4 * library.max())
    compiled = saliency.run(model, grainy, Target(0, 3), saliency.Params())  # may compute in bfloat16
    assert np.corrcoef(compiled.ravel(), values.ravel())[0, 1] > 0.95


def test_it_is_the_slope_of_the_score(model, grainy):
    """Along its own direction the score rises by the gradient's length times a small step."""
    gradient = exact(model, grainy, Target(3))
    length = np.linalg.norm(gradient)
    step = 0.005 * gradient / length
    above, below = model.network(np.stack([grainy + step, grainy - step])[..., None]).numpy()[:, 3]
    assert (above - below) / 0.01 == pytest.approx(length, rel=0.1)
