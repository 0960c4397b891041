"""Compiled gradients are made once for a model, and go with it."""

import gc
import weakref

import numpy as np
import pytest

from explain.base import Target
from explain.methods import gradients
from tests.explain.conftest import wrap


@pytest.fixture
def small():
    """A network of two layers with maps of 12x12 and 6x6."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(2)
    inputs = keras.Input((48, 48, 1))
    first = layers.Conv2D(3, 4, strides=4, activation="relu", name="first")(inputs)
    second = layers.Conv2D(5, 2, strides=2, activation="tanh", name="second")(first)
    outputs = layers.Dense(7, name="logits")(layers.Flatten()(second))
    return wrap(keras.Model(inputs, outputs), "small", "second")


def test_a_function_is_made_once_for_a_model(small):
    made = []
    for _ in range(3):
        gradients.kept(small, "key", lambda: made.append(1) or "value")
    assert made == [1] and gradients.kept(small, "key", None) == "value"
    assert gradients.maps_and_gradients(small, "first") is gradients.maps_and_gradients(small, "first")
    assert gradients.maps_and_gradients(small, "first") is not gradients.maps_and_gradients(small, "second")


def test_what_is_kept_goes_with_the_model(small):
    import keras

    model = wrap(keras.models.clone_model(small.network), "other", "second")
    crop = np.zeros((1, 48, 48), np.float32)
    gradients.input_gradients(model)(crop, Target(0).weights)
    gradients.maps_and_gradients(model, "first", "second")(crop[..., None], Target(0).weights)
    assert model in gradients._kept
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_layers_of_one_pass_are_those_of_their_own(small, crop):
    weights = Target(1, 4).weights
    batch = np.stack([crop, crop[::-1]])[..., None]
    together = gradients.maps_and_gradients(small, "first", "second")(batch, weights)
    for name, (maps, gradient) in zip(("first", "second"), together, strict=True):
        [(maps_alone, gradient_alone)] = gradients.maps_and_gradients(small, name)(batch, weights)
        np.testing.assert_allclose(maps, maps_alone, atol=1e-6)
        np.testing.assert_allclose(gradient, gradient_alone, atol=1e-2 * np.abs(gradient_alone).max())
    assert [maps.shape for maps, _ in together] == [(2, 12, 12, 3), (2, 6, 6, 5)]


def test_the_gradient_of_a_dense_head_is_its_kernel(small, crop):
    """The last maps are flattened and multiplied by the kernel, whose columns are the gradients."""
    kernel = small.network.get_layer("logits").kernel.numpy()
    for target in (Target(0), Target(6, 2)):
        [(_, gradient)] = gradients.maps_and_gradients(small, "second")(crop[None, ..., None], target.weights)
        np.testing.assert_allclose(gradient[0], (kernel @ target.weights).reshape(6, 6, 5), rtol=1e-2, atol=1e-3)
