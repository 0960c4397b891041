"""Batch norm folded into the convolutions before it."""

from typing import Any

import keras
import numpy as np
from keras import layers


def fold(network: keras.Model) -> keras.Model:
    """An equivalent network for inference, in float32, without batch norm.

    A convolution y = W x + b followed by g (y - m) / sqrt(v + e) + h is the convolution with the
    kernel W g / sqrt(v + e) and the bias (b - m) g / sqrt(v + e) + h, output channel by output
    channel (Jacob et al. 2018, arXiv 1712.05877, section 3.2).

    Args:
        network: a functional model; it is left as it is. A batch norm that does not directly follow
            a linear convolution, or whose convolution has other readers, stays.

    Returns:
        A new functional model with the same input and outputs; every other layer keeps its name.
    """
    convolutions = {}
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization) and (before := _convolution_before(layer)) is not None:
            convolutions[before.name] = layer
    folded = {norm.name for norm in convolutions.values()}

    def clone(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config() | {"dtype": "float32"}
        if layer.name in convolutions:
            config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer: layers.Layer, *arguments: Any, **keywords: Any) -> Any:
        return arguments[0] if layer.name in folded else layer(*arguments, **keywords)

    result = keras.models.clone_model(network, clone_function=clone, call_function=call)
    for layer in result.layers:
        if layer.name in convolutions:
            layer.set_weights(_folded(network.get_layer(layer.name), convolutions[layer.name]))
        elif layer.weights:
            layer.set_weights(network.get_layer(layer.name).get_weights())
    result.trainable = False
    return result


def _convolution_before(norm: layers.BatchNormalization) -> layers.Conv2D | None:
    before = norm.input._keras_history.operation
    plain = type(before) is layers.Conv2D and before.activation is keras.activations.linear
    along_channels = norm.axis in (-1, 3)
    return before if plain and along_channels and len(before._outbound_nodes) == 1 else None


def _folded(convolution: layers.Conv2D, norm: layers.BatchNormalization) -> list[np.ndarray]:
    kernel = np.asarray(convolution.kernel, np.float64)
    bias = np.asarray(convolution.bias, np.float64) if convolution.use_bias else 0.0
    gain = 1 / np.sqrt(np.asarray(norm.moving_variance, np.float64) + norm.epsilon)
    if norm.scale:
        gain = gain * np.asarray(norm.gamma, np.float64)
    offset = np.asarray(norm.beta, np.float64) if norm.center else 0.0
    bias = (bias - np.asarray(norm.moving_mean, np.float64)) * gain + offset
    return [(kernel * gain).astype(np.float32), bias.astype(np.float32)]
