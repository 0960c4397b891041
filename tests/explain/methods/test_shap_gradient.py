"""Expected gradients: a linear network by hand, shap's documented call, completeness."""

import gc
import weakref

import numpy as np
import pytest

from explain import reference
from explain.base import Target
from explain.methods import background, gradients, shap_gradient
from tests.explain.conftest import random_model, wrap

Params = shap_gradient.Params


@pytest.fixture(scope="module")
def linear():
    """A network without a convolution: logits are a matrix times the pixels."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    inputs = keras.Input((48, 48, 1))
    return wrap(keras.Model(inputs, layers.Dense(7, name="logits")(layers.Flatten()(inputs))), "cnn", "logits")


@pytest.mark.parametrize("target", [Target(0), Target(6, 0)])
def test_a_linear_network_by_hand(linear, crop, target, monkeypatch):
    """With weights w and one background face r, every blend gives w (x - r)."""
    one = np.full((1, 48, 48), 0.25, np.float32)
    monkeypatch.setattr(background, "faces", lambda: one)
    fresh = wrap(linear.network, "cnn", "logits")
    weights = (linear.network.get_layer("logits").kernel.numpy() @ target.weights).reshape(48, 48)
    values = shap_gradient.run(fresh, crop, target, Params(samples=16))
    np.testing.assert_allclose(values, weights * (crop - 0.25), atol=1e-6)


def test_it_equals_the_documented_call(cnn, face):
    """All seven outputs at once with the same seed; shap compiles that call itself."""
    params = Params(samples=16, seed=11)
    for target in (Target(0), Target(4, 0)):
        values, expected = (make(cnn, face, target, params) for make in (ours, reference.shap_gradient))
        np.testing.assert_allclose(values, expected, atol=0.02 * np.abs(expected).max())


def ours(model, face, target, params):
    return shap_gradient.run(model, face.crop, target, params)


def test_the_values_sum_to_the_distance_from_the_background(cnn, crop):
    target = Target(0)
    expected = (cnn.logits(crop[None]) - cnn.logits(background.faces()).mean(0, keepdims=True))[0] @ target.weights
    sums = [shap_gradient.run(cnn, crop, target, Params(samples=256, seed=seed)).sum(dtype=float) for seed in range(4)]
    error = np.std(sums, ddof=1) / np.sqrt(len(sums))
    assert np.mean(sums) == pytest.approx(expected, abs=4 * error + 0.02 * abs(expected))
    assert error < 0.2 * abs(expected)  # else the line above says nothing


def test_more_samples_are_less_noisy(cnn, crop):
    def spread(samples):
        maps = [shap_gradient.run(cnn, crop, Target(1), Params(samples=samples, seed=seed)) for seed in range(3)]
        return np.std(maps, axis=0).mean()

    assert spread(256) < 0.6 * spread(16)  # a quarter by theory


def test_numpys_global_generator_is_left_alone(cnn, crop):
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    shap_gradient.run(cnn, crop, Target(0), Params(samples=16))
    np.testing.assert_array_equal(np.random.random(3), expected)


def test_explainers_are_kept_by_model_and_target_and_go_with_the_model(crop):
    model = random_model("cnn")
    first = shap_gradient.explainer(model, Target(0))
    assert shap_gradient.explainer(model, Target(0)) is first
    assert shap_gradient.explainer(model, Target(1)) is not first
    shap_gradient.run(model, crop, Target(0), Params(samples=16))
    gc.collect()
    before, watched = len(gradients._kept), weakref.ref(model)
    del model, first
    gc.collect()
    assert watched() is None
    assert len(gradients._kept) == before - 1
