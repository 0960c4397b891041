"""Integrated Gradients by hand, against shap's explainer with one baseline, and completeness."""

import numpy as np
import pytest

from explain import reference
from explain.base import Target
from explain.methods import background, integrated_gradients
from tests.explain.conftest import gained, wrap

Params = integrated_gradients.Params


@pytest.fixture(scope="module")
def powers():
    """Logit 0 is the sum of the pixels' squares, logit 1 of their fourth powers, the others are zero."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    square = layers.Multiply()([inputs, inputs])
    sums = [
        layers.Dense(1, use_bias=False, kernel_initializer="ones")(layers.Flatten()(values))
        for values in (square, layers.Multiply()([square, square]))
    ]
    outputs = layers.Dense(7, use_bias=False, name="logits")(layers.Concatenate()(sums))
    network = keras.Model(inputs, outputs)
    network.get_layer("logits").set_weights([np.eye(2, 7, dtype=np.float32)])
    return wrap(network, "powers", "none")


def test_the_formula_by_hand():
    """From 1 to 3 in two steps: the middles lie at 1.5 and 2.5; gradients 1 and 3 average to 2."""
    start, crop = np.array([[1.0, 2.0]], np.float32), np.array([[3.0, 2.0]], np.float32)
    np.testing.assert_allclose(integrated_gradients.path(crop, start, 2), [[[1.5, 2]], [[2.5, 2]]])
    gradient = np.array([[[1, 5]], [[3, 5]]])
    np.testing.assert_allclose(integrated_gradients.combine(crop, start, gradient), [[2 * 2, 0]])


def test_powers_by_hand(powers, crop):
    """The integral of 2 z from b to x is x2 - b2, exact by the midpoint rule; that of 4 z3 is x4 - b4."""
    start = background.mean_face().astype(np.float64)
    square = integrated_gradients.run(powers, crop, Target(0), Params(steps=8))
    np.testing.assert_allclose(square, crop**2 - start**2, atol=1e-5)
    error = []
    for steps in (8, 16):
        found = integrated_gradients.run(powers, crop, Target(1), Params(steps=steps))
        # by hand: the midpoint rule falls short of the integral of 12 z2 over the way, over 24 steps2
        short = (crop - start) ** 2 * (crop**2 - start**2) / (2 * steps**2)
        np.testing.assert_allclose(found, crop**4 - start**4 - short, atol=1e-5)
        error.append(abs(found.sum() - (crop**4 - start**4).sum()))
    assert error[1] < error[0] / 3


def test_the_values_sum_to_the_distance_from_the_baseline_on_every_model(model, crop):
    assert_complete(model, crop, "mean face", Target(0))


@pytest.mark.parametrize(("baseline", "target"), [("blur", Target(3, 0)), ("grey", Target(6))])
def test_the_values_sum_to_the_distance_from_every_baseline(cnn, crop, baseline, target):
    assert_complete(cnn, crop, baseline, target)


def assert_complete(model, crop, baseline, target) -> None:
    values = integrated_gradients.run(model, crop, target, Params(steps=64, baseline=baseline))
    distance = gained(model, crop, baseline, target)
    assert values.sum(dtype=np.float64) == pytest.approx(distance, abs=0.05 * abs(distance) + 0.05)


def test_it_is_what_shap_samples_from_one_baseline(cnn, face, monkeypatch):
    """Expected gradients of a single baseline: the same integral, at random points of the way."""
    monkeypatch.setattr(reference, "INTEGRAL_SAMPLES", 80)
    target, params = Target(4, 0), Params(steps=128)
    sampled = reference.integrated_gradients(cnn, face, target, params)
    values = integrated_gradients.run(cnn, face.crop, target, params)
    np.testing.assert_allclose(values, sampled, atol=0.2 * np.abs(sampled).max())
    assert np.corrcoef(values.ravel(), sampled.ravel())[0, 1] > 0.99
