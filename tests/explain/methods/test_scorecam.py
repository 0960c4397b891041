"""Score-CAM by hand, against tf-keras-vis, and on a network that looks at one corner."""

import numpy as np
import pytest

from explain import reference, scale
from explain.base import Target
from explain.methods import cam, gradients, scorecam
from tests.explain.conftest import wrap


def test_the_formula_by_hand():
    """Scores 5 and 1 lie 2 above and below their mean; two channels: weights 1 and -1."""
    activations = np.array([[[1, 2], [3, 0]], [[0, 1], [2, 2]]], np.float32)
    expected = np.array([[1 - 2, 3 - 0], [0 - 1, 2 - 2]])
    scores = np.array([5, 1])
    np.testing.assert_array_equal(scorecam.weigh(activations, scores, False), expected)
    np.testing.assert_array_equal(scorecam.weigh(activations, scores, True), np.maximum(expected, 0))


def test_it_is_the_papers_softmax_to_first_order():
    rng = np.random.default_rng(0)
    activations, scores = rng.random((4, 4, 20)), 1e-3 * rng.normal(size=20)
    softmax = np.exp(scores) / np.exp(scores).sum()
    expected = activations @ softmax - activations.mean(-1)
    np.testing.assert_allclose(scorecam.weigh(activations, scores + 7, False), expected, atol=1e-7)


def test_a_place_holds_the_covariance_of_activation_and_score():
    rng = np.random.default_rng(1)
    activations, scores = rng.random((3, 3, 12)), rng.normal(size=12)
    expected = [[np.cov(activations[i, j], scores, ddof=0)[0, 1] for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(scorecam.weigh(activations, scores, False), expected, atol=1e-6)


def test_the_most_varied_channels_come_first():
    activations = np.zeros((2, 2, 4))
    activations[0, 0] = [1, 5, 0, 3]
    activations[..., 2] = 100  # large, but the same everywhere
    assert scorecam.most_varied(activations, 2).tolist() == [1, 3]
    assert scorecam.most_varied(activations, 99).tolist() == [1, 3, 0, 2]


def test_windows_run_from_0_to_1():
    activations = np.stack([np.eye(3), 5 + 0.1 * np.eye(3)[::-1], np.full((3, 3), 2.0)], -1).astype(np.float32)
    first, second, flat = scorecam.windows(activations, 6, 6)
    np.testing.assert_allclose(first, scale.resize(np.eye(3, dtype=np.float32), 6, 6), atol=1e-5)
    np.testing.assert_allclose(second, first[::-1], atol=1e-4)
    assert not flat.any() and flat.dtype == np.float32


def aligned_at_corners(activations, height, width):
    """Windows as tf-keras-vis makes them: enlarged so that the corners' centres coincide."""
    from scipy.ndimage import zoom

    factors = (height / activations.shape[0], width / activations.shape[1], 1)
    large = np.moveaxis(zoom(activations, factors, order=1, mode="nearest"), -1, 0)
    lowest, highest = large.min((1, 2), keepdims=True), large.max((1, 2), keepdims=True)
    return ((large - lowest) / (highest - lowest + 1e-7)).astype(np.float32)


@pytest.mark.parametrize("detail", ["coarse", "medium"])
def test_it_agrees_with_tf_keras_vis(cnn, face, detail, monkeypatch):
    """The library weighs by probabilities; their logarithms' difference is that of the logits.

    It runs Keras' own predict, enlarges in another way, has black around the window, and does not
    take the mean score off.
    """
    monkeypatch.setattr("explain.methods.masking.baseline_picture", lambda crop, baseline: np.zeros_like(crop))
    import tensorflow as tf

    crop, target, channels = face.crop, Target(0, 3), 32

    def not_compiled(model, layer):
        function = gradients._maps_and_gradients(model.network, (layer,)).python_function
        return lambda crops, weights: function(tf.constant(crops), tf.constant(weights))

    layer = cam.layer_at(cnn, detail)
    library = reference.scorecam(cnn, face, target, scorecam.Params(detail, channels, positive_only=False))
    [(maps, _)] = not_compiled(cnn, layer)(crop[None, ..., None], target.weights)
    maps = maps.numpy()[0]
    chosen = maps[..., scorecam.most_varied(maps, channels)]
    seen = aligned_at_corners(chosen, *crop.shape) * crop
    scores = cnn.network.predict(seen[..., None], verbose=0) @ target.weights
    expected = (library - scores.mean() * chosen.sum(-1)) / channels

    params = scorecam.Params(detail, channels, positive_only=False)
    usual = scorecam.run(cnn, crop, target, params)  # may compute in bfloat16
    predict = cnn.network.predict
    monkeypatch.setattr("models.model.Model.logits", lambda _, crops: predict(crops[..., None], verbose=0))
    monkeypatch.setattr(gradients, "maps_and_gradients", not_compiled)
    own = scorecam.run(cnn, crop, target, params)
    monkeypatch.setattr(scorecam, "windows", aligned_at_corners)
    same = scorecam.run(cnn, crop, target, params)
    np.testing.assert_allclose(same, expected, atol=1e-3 * np.abs(expected).max())
    assert np.corrcoef(own.ravel(), expected.ravel())[0, 1] > 0.9
    assert np.corrcoef(usual.ravel(), own.ravel())[0, 1] > 0.98
    positive = scorecam.run(cnn, crop, target, scorecam.Params(detail, channels))
    np.testing.assert_allclose(positive, np.maximum(same, 0))


def test_channels_that_do_not_fit_in_one_batch_give_the_same_map(cnn, crop, monkeypatch):
    params = scorecam.Params(channels=48, positive_only=False)
    whole = scorecam.run(cnn, crop, Target(1), params)
    monkeypatch.setattr("models.model.CHUNK", 20)
    parts = scorecam.run(cnn, crop, Target(1), params)
    np.testing.assert_allclose(parts, whole, atol=0.02 * np.abs(whole).max())


def test_a_network_that_looks_at_one_corner():
    """Of four channels, one a quarter of the face, the score reads only the first: only it is marked."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    quarters = np.zeros((4, 48, 48, 1), np.float32)
    for k, (top, left) in enumerate([(0, 0), (0, 24), (24, 0), (24, 24)]):
        quarters[k, top : top + 24, left : left + 24] = 1
    parts = [layers.AveragePooling2D(8)(layers.Lambda(lambda x, q=q: x * q)(inputs)) for q in quarters]
    maps = layers.Concatenate(name="maps")(parts)
    outputs = layers.Dense(7, name="logits")(layers.GlobalAveragePooling2D()(maps))
    network = keras.Model(inputs, outputs)
    kernel = np.zeros((4, 7), np.float32)
    kernel[0, 2] = 1
    network.get_layer("logits").set_weights([kernel, np.zeros(7, np.float32)])
    crop = np.random.default_rng(0).uniform(0.1, 0.3, (48, 48)).astype(np.float32)
    crop[:24, :24] += 0.6
    values = scorecam.run(wrap(network, "corner", "maps"), crop, Target(2), scorecam.Params(baseline="grey"))
    assert values[:3, :3].min() > 0 and not values[3:].any() and not values[:, 3:].any()
