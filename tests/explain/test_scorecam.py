"""Score-CAM by hand, against tf-keras-vis, and on a network that looks at one corner."""

import warnings

import numpy as np
import pytest

from explain import cam, gradients, scale, scorecam
from explain.base import Target
from tests.explain.conftest import wrap

SIGNED = scorecam.Params(positive_only=False)


def test_the_formula_by_hand():
    activations = np.array([[[1, 2], [3, 0]], [[0, 1], [2, 2]]], np.float32)
    expected = np.array([[2 * 1 - 2, 2 * 3 - 0], [0 - 1, 2 * 2 - 2]])
    increase = np.array([2, -1])
    np.testing.assert_array_equal(scorecam.weigh(activations, increase, False), expected)
    np.testing.assert_array_equal(scorecam.weigh(activations, increase, True), np.maximum(expected, 0))


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
def test_it_agrees_with_tf_keras_vis(cnn, crop, detail, monkeypatch):
    """The library weighs by probabilities; their logarithms' difference is that of the logits.

    It enlarges in another way, and takes nothing off for the black picture.
    """
    target, channels = Target(0, 3), 32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from tf_keras_vis.scorecam import Scorecam

        layer = cam.layer_at(cnn, detail)
        library = Scorecam(cnn.network, clone=False)(
            lambda outputs: tf.math.log(outputs[:, 0]) - tf.math.log(outputs[:, 3]),
            crop[None, ..., None],
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,
            activation_modifier=None,
            max_N=channels,
            expand_cam=False,
            normalize_cam=False,
        )
    reference = np.asarray(library)[0]
    [(maps, _)] = gradients.maps_and_gradients(cnn, layer)(crop[None, ..., None], target.weights)
    maps = maps.numpy()[0]
    chosen = maps[..., scorecam.most_varied(maps, channels)]
    black = cnn.logits(np.zeros_like(crop)[None])[0] @ target.weights
    expected = reference - black * chosen.sum(-1)

    params = scorecam.Params(detail, channels, positive_only=False)
    own = scorecam.run(cnn, crop, target, params)
    monkeypatch.setattr(scorecam, "windows", aligned_at_corners)
    same = scorecam.run(cnn, crop, target, params)  # may compute in bfloat16
    np.testing.assert_allclose(same, expected, atol=0.05 * np.abs(expected).max())
    assert np.corrcoef(same.ravel(), expected.ravel())[0, 1] > 0.99
    assert np.corrcoef(own.ravel(), expected.ravel())[0, 1] > 0.9
    positive = scorecam.run(cnn, crop, target, scorecam.Params(detail, channels))
    np.testing.assert_allclose(positive, np.maximum(same, 0))


def test_channels_that_do_not_fit_in_one_batch_give_the_same_map(cnn, crop, monkeypatch):
    params = scorecam.Params(channels=48, positive_only=False)
    whole = scorecam.run(cnn, crop, Target(1), params)
    monkeypatch.setattr("models.model.CHUNK", 20)
    parts = scorecam.run(cnn, crop, Target(1), params)
    np.testing.assert_allclose(parts, whole, atol=0.02 * np.abs(whole).max())


def test_a_network_that_looks_at_one_corner():
    """Its only channel is the picture on a 6x6 grid and its score the map's mean: all by hand."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    maps = layers.AveragePooling2D(8, name="maps")(inputs)
    outputs = layers.Dense(7, kernel_initializer="ones", name="logits")(layers.GlobalAveragePooling2D()(maps))
    model = wrap(keras.Model(inputs, outputs), "corner", "maps")
    crop = np.zeros((48, 48), np.float32)
    crop[:8, 40:] = 1
    places = np.zeros((6, 6), np.float32)
    places[0, 5] = 1
    through_the_window = (scale.resize(places, 48, 48) * crop).mean()
    values = scorecam.run(model, crop, Target(2), SIGNED)
    np.testing.assert_allclose(values, places * through_the_window, rtol=1e-3, atol=1e-7)
