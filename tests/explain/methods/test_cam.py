"""Which layers class activation maps read, and the fusion of two maps."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from explain import scale
from explain.base import Target
from explain.methods import cam, gradcam, gradcam_plus_plus, gradients
from models.errors import ParameterError
from tests.explain.conftest import wrap


def test_details_are_the_last_layers_of_their_grids(model):
    expected = {
        "cnn": ["block4_2_relu", "block3_2_relu", "block2_2_relu"],
        "resnet": ["stage4_2_out", "stage2_2_out", "stage1_2_out"],
        "vgg16": ["block5_conv3_relu", "block3_conv3_relu", "block2_conv2_relu"],
    }[model.name]
    assert [cam.layer_at(model, detail) for detail in cam.FINER] == expected
    sides = [model.network.get_layer(name).output.shape[1] for name in expected]
    assert sides == [6, 12, 24]
    assert cam.suits(model) == ""


def test_a_network_without_a_finer_map_says_so():
    import keras
    from keras import layers

    inputs = keras.Input((48, 48, 1))
    maps = layers.Conv2D(2, 8, strides=8, name="maps")(inputs)
    outputs = layers.Dense(7, name="logits")(layers.GlobalAveragePooling2D()(maps))
    model = wrap(keras.Model(inputs, outputs), "toy", "maps")
    assert cam.suits(model) == ""
    for detail in ("medium", "fused"):
        with pytest.raises(ParameterError, match="'medium'.*toy.*'coarse'"):
            gradcam.run(model, np.zeros((48, 48), np.float32), Target(0), gradcam.Params(detail=detail))


def test_each_place_by_its_own_gradient():
    activations = np.array([[[1, 2], [3, 1]]], np.float32)
    gradient = np.array([[[2, -1], [0, 5]]], np.float32)
    favour, against = cam.pointwise(activations, gradient)
    np.testing.assert_array_equal(favour, [[2, 5]])
    np.testing.assert_array_equal(against, [[2, 0]])


def test_it_is_the_layercam_of_tf_keras_vis(model, crop):
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tf_keras_vis.layercam import Layercam

        layer = cam.layer_at(model, "medium")
        reference = Layercam(model.network, clone=False)(
            lambda outputs: outputs[:, 3],
            crop[None, ..., None],
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
    function = gradients._maps_and_gradients(model.network, (layer,)).python_function
    [(maps, gradient)] = function(tf.constant(crop[None, ..., None]), tf.constant(Target(3).weights))
    favour, _ = cam.pointwise(maps.numpy()[0], gradient.numpy()[0])
    np.testing.assert_allclose(favour, np.asarray(reference)[0], atol=1e-4 * favour.max())


def test_a_level_fine_map_leaves_the_coarse_one():
    coarse = np.array([[1, -5], [0, 2]], np.float32)
    level = np.full((4, 4), 7, np.float32)
    expected = scale.resize(np.maximum(coarse, 0), 4, 4) - scale.resize(np.maximum(-coarse, 0), 4, 4)
    np.testing.assert_allclose(cam.fuse(coarse, level, level), expected, atol=1e-6)


def test_fusion_by_hand():
    """One coarse place of 3 over four fine ones: each gets 3 times its part of their mean of 2."""
    favour, against = np.array([[4, 0], [0, 4]], np.float32), np.array([[1, 0], [3, 0]], np.float32)
    np.testing.assert_allclose(cam.fuse(np.array([[3]], np.float32), favour, against), [[6, 0], [0, 6]])
    np.testing.assert_allclose(cam.fuse(np.array([[-3]], np.float32), favour, against), [[-3, 0], [-9, 0]])


def positive(side):
    return arrays.arrays(np.float32, (side, side), elements=st.floats(0, 100, width=32))


@given(positive(3), positive(6), positive(6))
def test_fusion_marks_only_what_both_maps_mark(coarse, favour, against):
    fused = cam.fuse(coarse, favour, against)
    assert np.isfinite(fused).all() and fused.min() >= 0
    assert not fused[favour == 0].any() and not fused[scale.resize(coarse, 6, 6) == 0].any()
    assert fused.max() <= 64 / 9 * coarse.max() * (1 + 1e-5)
    np.testing.assert_array_equal(cam.fuse(-coarse, against, favour), -fused)


def test_both_layers_come_from_one_pass(model, crop):
    """The fused map is what its two layers, each asked for alone, give by the formula."""
    [(maps, gradient)] = gradients.maps_and_gradients(model, cam.layer_at(model, "medium"))(
        crop[None, ..., None], Target(3).weights
    )
    fine = cam.pointwise(maps.numpy()[0], gradient.numpy()[0])
    for positive_only in (True, False):
        coarse = gradcam.run(model, crop, Target(3), gradcam.Params("coarse", positive_only))
        fused = gradcam.run(model, crop, Target(3), gradcam.Params("fused", positive_only))
        expected = cam.fuse(coarse, *fine)
        assert fused.shape == (12, 12)
        np.testing.assert_allclose(fused, expected, atol=0.02 * np.abs(expected).max())
    plus = gradcam_plus_plus.run(model, crop, Target(3), gradcam_plus_plus.Params("fused"))
    coarse = gradcam_plus_plus.run(model, crop, Target(3), gradcam_plus_plus.Params("coarse"))
    expected = cam.fuse(coarse, *fine)
    np.testing.assert_allclose(plus, expected, atol=0.02 * expected.max())
