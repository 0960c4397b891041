"""Grad-CAM by hand, against tf-keras-vis, and against the network's own arithmetic."""

import numpy as np
import pytest

from explain import reference
from explain.base import Target
from explain.methods import cam, gradcam, gradients
from tests.explain.conftest import wrap

SIGNED = gradcam.Params(positive_only=False)


def test_the_formula_by_hand():
    activations = np.array([[[1, 2], [3, 0]], [[0, 1], [2, 2]]], np.float32)
    gradient = np.array([[[1, -4], [1, 0]], [[1, 0], [5, 0]]], np.float32)  # means 2 and -1
    expected = np.array([[2 * 1 - 2, 2 * 3 - 0], [0 - 1, 2 * 2 - 2]])
    np.testing.assert_array_equal(gradcam.weigh(activations, gradient, False), expected)
    np.testing.assert_array_equal(gradcam.weigh(activations, gradient, True), np.maximum(expected, 0))


@pytest.mark.parametrize("target", [Target(0), Target(5), Target(3, 0)])
def test_after_a_global_average_the_signed_map_sums_to_the_score(model, crop, target):
    """logit_k = b_k + sum_c w_ck mean(A_c), and Grad-CAM's weight of channel c is w_ck / (h w)."""
    bias = model.network.get_layer("logits").bias.numpy()
    score = (model.logits(crop[None])[0] - bias) @ target.weights
    values = gradcam.run(model, crop, target, SIGNED)
    assert values.sum(dtype=np.float64) == pytest.approx(score, rel=0.01, abs=1e-3)


@pytest.mark.parametrize("detail", cam.FINER)
def test_it_agrees_with_tf_keras_vis(model, face, detail):
    import tensorflow as tf

    crop = face.crop
    library = reference.gradcam(model, face, Target(0), gradcam.Params(detail=detail))
    params, largest = gradcam.Params(detail=detail), np.abs(library).max()
    # not compiled: in float32, as tf-keras-vis runs
    function = gradients._maps_and_gradients(model.network, (cam.layer_at(model, detail),)).python_function
    [(maps, gradient)] = function(tf.constant(crop[None, ..., None]), tf.constant(Target(0).weights))
    exact = gradcam.weigh(maps.numpy()[0], gradient.numpy()[0], positive_only=True)
    np.testing.assert_allclose(exact, library, atol=1e-4 * largest)
    compiled = gradcam.run(model, crop, Target(0), params)  # may compute in bfloat16
    np.testing.assert_allclose(compiled, exact, atol=0.15 * largest)
    assert np.corrcoef(compiled.ravel(), exact.ravel())[0, 1] > 0.99


def test_a_map_that_marks_one_corner():
    """A network whose only channel is bright where the picture is: the map must be too."""
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    maps = layers.AveragePooling2D(8, name="maps")(inputs)
    outputs = layers.Dense(7, kernel_initializer="ones", name="logits")(layers.GlobalAveragePooling2D()(maps))
    model = wrap(keras.Model(inputs, outputs), "cnn", "maps")
    crop = np.zeros((48, 48), np.float32)
    crop[:8, 40:] = 1
    expected = np.zeros((6, 6))
    expected[0, 5] = 1 / 36
    np.testing.assert_allclose(gradcam.run(model, crop, Target(2), SIGNED), expected, atol=1e-6)
