"""Which layers class activation maps read, and the fusion of two maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from explain import cam, gradcam, scale
from explain.base import Target
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


def test_a_level_fine_map_leaves_the_coarse_one():
    coarse = np.array([[1, 5], [0, 2]], np.float32)
    np.testing.assert_allclose(cam.fuse(coarse, np.full((4, 4), 7, np.float32)), scale.resize(coarse, 4, 4))


def test_fusion_by_hand():
    """One coarse place of 3 over four fine ones: each gets 3 times its part of their mean of 2."""
    fused = cam.fuse(np.array([[3]], np.float32), np.array([[4, 0], [-9, 4]], np.float32))
    np.testing.assert_allclose(fused, [[6, 0], [0, 6]])


def test_what_speaks_against_is_fused_apart():
    rng = np.random.default_rng(0)
    coarse, fine = rng.normal(size=(6, 6)).astype(np.float32), rng.normal(size=(12, 12)).astype(np.float32)
    positive, negative = (cam.fuse(np.maximum(s * coarse, 0), np.maximum(s * fine, 0)) for s in (1, -1))
    np.testing.assert_allclose(cam.fuse(coarse, fine), positive - negative, atol=1e-6)
    np.testing.assert_allclose(cam.fuse(-coarse, -fine), -cam.fuse(coarse, fine), atol=1e-6)


@given(
    arrays.arrays(np.float32, (3, 3), elements=st.floats(-100, 100, width=32)),
    arrays.arrays(np.float32, (6, 6), elements=st.floats(-100, 100, width=32)),
)
def test_fusion_marks_only_what_both_maps_mark(coarse, fine):
    fused = cam.fuse(coarse, fine)
    assert np.isfinite(fused).all()
    assert np.all(fused[fine > 0] >= 0) and np.all(fused[fine < 0] <= 0) and not fused[fine == 0].any()
    assert np.abs(fused).max() <= 64 / 9 * np.abs(coarse).max() * (1 + 1e-5)
    for sign in (1, -1):
        unmarked = scale.resize(np.maximum(sign * coarse, 0), 6, 6) == 0
        assert np.all(sign * fused[unmarked] <= 0)


def test_both_layers_come_from_one_pass(model, crop):
    """The fused map is what its two maps, each asked for alone, give by the formula."""
    for positive_only in (True, False):
        coarse, medium, fused = (
            gradcam.run(model, crop, Target(3), gradcam.Params(detail, positive_only))
            for detail in ("coarse", "medium", "fused")
        )
        expected = cam.fuse(coarse, medium)
        assert fused.shape == (12, 12)
        np.testing.assert_allclose(fused, expected, atol=0.02 * np.abs(expected).max())
