import keras
import numpy as np
import pytest
from keras import layers

from models import zoo
from models.fold import fold
from models.layers import BatchNorm


def with_random_norms(network, seed=0):
    """The network with batch norms that do something."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            width = layer.gamma.shape
            values = rng.uniform(0.7, 1.3, width), rng.normal(0, 0.2, width), rng.normal(0, 0.3, width)
            layer.set_weights([*values, rng.uniform(1.0, 3.0, width)])
    return network


def norms(network):
    return [layer.name for layer in network.layers if isinstance(layer, layers.BatchNormalization)]


@pytest.mark.parametrize("name", zoo.ARCHITECTURES)
def test_a_folded_network_gives_the_same_output(name):
    keras.utils.set_random_seed(1)
    network = with_random_norms(zoo.build(name))
    before = network.get_weights()
    count = len(norms(network))
    folded = fold(network)

    assert count > 0 and norms(folded) == []
    assert [layer.name for layer in folded.layers] == [
        layer.name for layer in network.layers if layer.name not in norms(network)
    ]
    faces = np.random.default_rng(0).random((3, *network.input_shape[1:]), np.float32)
    expected = np.asarray(network(faces))
    assert expected.std() > 1e-3
    np.testing.assert_allclose(folded(faces), expected, atol=1e-4 * max(1.0, np.abs(expected).max()))

    assert len(norms(network)) == count
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(network(faces), expected)


def test_one_channel_by_hand():
    """(2 x + 1 - 3) 4 / sqrt(15 + 1) + 5 = 2 x + 3"""
    inputs = keras.Input((1, 1, 1))
    x = layers.Conv2D(1, 1, name="a_conv")(inputs)
    x = BatchNorm(epsilon=1.0, name="a_bn")(x)
    network = keras.Model(inputs, x)
    network.get_layer("a_conv").set_weights([np.full((1, 1, 1, 1), 2.0), np.array([1.0])])
    network.get_layer("a_bn").set_weights([np.array([value]) for value in (4.0, 5.0, 3.0, 15.0)])
    folded = fold(network)
    kernel, bias = folded.get_layer("a_conv").get_weights()
    assert (kernel.item(), bias.item()) == (2.0, 3.0)
    assert folded(np.full((1, 1, 1, 1), 10.0, np.float32)).numpy().item() == 23.0


def test_what_cannot_be_folded_stays():
    inputs = keras.Input((6, 6, 2))
    first = layers.Conv2D(2, 1, name="read_twice")(inputs)
    a = BatchNorm(name="a_bn")(first)
    b = BatchNorm(name="b_bn")(layers.ReLU()(first))
    c = BatchNorm(name="c_bn")(layers.Conv2D(2, 1, activation="relu", name="bent")(inputs))
    network = with_random_norms(keras.Model(inputs, layers.Add()([a, b, c])))
    folded = fold(network)
    assert sorted(norms(folded)) == ["a_bn", "b_bn", "c_bn"]
    x = np.random.default_rng(0).random((2, 6, 6, 2), np.float32)
    np.testing.assert_allclose(folded(x), network(x), atol=1e-5)


def test_a_network_built_for_mixed_precision_folds_to_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = with_random_norms(zoo.build("cnn"))
    finally:
        keras.config.set_dtype_policy("float32")
    folded = fold(network)
    assert {layer.compute_dtype for layer in folded.layers} == {"float32"}
    assert {str(weight.dtype) for weight in folded.weights} == {"float32"}
