"""SmoothGrad by hand, and on a function whose average gradient is known."""

import numpy as np
import pytest

from explain.base import Target
from explain.methods import gradients, saliency, smoothgrad
from tests.explain.conftest import wrap

MEAN, SQUARE = smoothgrad.MEAN, smoothgrad.SQUARE


@pytest.fixture(scope="module")
def bowl():
    """Every logit is the sum of the squares of the pixels: its gradient is twice the picture."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    squares = layers.Flatten()(layers.Multiply()([inputs, inputs]))
    outputs = layers.Dense(7, use_bias=False, kernel_initializer="ones", name="logits")(squares)
    return wrap(keras.Model(inputs, outputs), "bowl", "none")


def test_the_formula_by_hand():
    gradient = np.array([[[1, -2]], [[3, -2]], [[-1, 1]]])
    np.testing.assert_allclose(smoothgrad.combine(gradient, MEAN), [[1, 1]])
    np.testing.assert_allclose(smoothgrad.combine(gradient, SQUARE), [[11 / 3, 3]], rtol=1e-6)


def test_noise_is_a_share_of_the_faces_range(crop):
    copies = smoothgrad.noisy(crop * 0.5, 200, 0.2, 3)
    difference = copies - crop * 0.5
    assert copies.dtype == np.float32 and copies.shape == (200, *crop.shape)
    assert difference.std() == pytest.approx(0.2 * 0.5 * (crop.max() - crop.min()), rel=0.01)
    assert abs(difference.mean()) < 1e-3
    np.testing.assert_array_equal(smoothgrad.noisy(crop * 0.5, 10, 0.2, 3), copies[:10])
    assert np.abs(smoothgrad.noisy(crop * 0.5, 10, 0.2, 4) - copies[:10]).max() > 0.1


def test_a_face_of_one_grey_has_no_noise():
    flat = np.full((48, 48), 0.3, np.float32)
    np.testing.assert_array_equal(smoothgrad.noisy(flat, 8, 0.5, 0), np.broadcast_to(flat, (8, 48, 48)))


def test_averages_of_a_bowl(bowl, crop):
    """E[2 (x + n)] = 2 x and E[4 (x + n)^2] = 4 x^2 + 4 sigma^2."""
    sigma = 0.2 * (crop.max() - crop.min())
    mean = smoothgrad.run(bowl, crop, Target(0), smoothgrad.Params(256, 0.2, MEAN))
    square = smoothgrad.run(bowl, crop, Target(0), smoothgrad.Params(256, 0.2, SQUARE))
    error = 2 * sigma / np.sqrt(256)
    np.testing.assert_allclose(mean, 2 * crop, atol=5 * error)
    assert (mean - 2 * crop).std() == pytest.approx(error, rel=0.1)
    assert (square - 4 * crop**2).mean() == pytest.approx(4 * sigma**2, rel=0.05)


def test_it_averages_the_gradients_of_the_noisy_copies(cnn, crop):
    """As single saliency maps, taken one by one, give."""
    params = smoothgrad.Params(samples=8, noise=0.1, average=SQUARE, seed=5)
    copies = smoothgrad.noisy(crop, 8, 0.1, 5)
    single = [saliency.run(cnn, copy, Target(2), saliency.Params()) for copy in copies]
    values = smoothgrad.run(cnn, crop, Target(2), params)
    expected = np.square(single).mean(0)
    assert np.corrcoef(values.ravel(), expected.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(values.sum(), expected.sum(), rtol=0.05)


def test_more_samples_are_smoother(cnn, crop):
    """Two seeds agree better the more copies are averaged."""

    def agreement(samples):
        one, other = (
            smoothgrad.run(cnn, crop, Target(3), smoothgrad.Params(samples, 0.2, MEAN, seed)) for seed in (1, 2)
        )
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    assert agreement(8) + 0.1 < agreement(128)


def test_chunks_do_not_change_the_map(bowl, crop, monkeypatch):
    params = smoothgrad.Params(samples=24)
    whole = smoothgrad.run(bowl, crop, Target(1), params)
    monkeypatch.setattr(gradients, "CHUNK", 7)
    np.testing.assert_allclose(smoothgrad.run(bowl, crop, Target(1), params), whole, rtol=1e-6)
