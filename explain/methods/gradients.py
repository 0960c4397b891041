"""The compiled gradient functions of a model, kept as long as the model is."""

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from models import pauses

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from models.model import Model

CHUNK = 16
"""The largest batch whose gradients are taken at once; more crops run in several, see `models.model.CHUNK`."""

_kept: "WeakKeyDictionary[Model, dict[Hashable, Any]]" = WeakKeyDictionary()
_lock = threading.RLock()


def kept(model: "Model", key: Hashable, make: Callable[[], Any]) -> Any:
    """What `make()` returns, made once for a model and a key and dropped with the model.

    What is kept may hold the model's network but not the model itself, which would then never go.
    """
    with _lock:
        entries = _kept.setdefault(model, {})
        if key not in entries:
            entries[key] = make()
        return entries[key]


def maps_and_gradients(model: "Model", *layers: str) -> Callable[..., Any]:
    """Layers' maps and the gradients of a score with respect to them, as one compiled function.

    Args:
        model: an emotion model.
        layers: names of layers whose outputs are (N, h, w, K), one or more.

    Returns:
        A function of float32 (N, H, W, 1) crops and float32 (7,) weights of the logits, which
        returns a pair for every layer: maps and gradients, tensors of float32 (N, h, w, K).
    """
    return kept(model, ("maps", *layers), lambda: _maps_and_gradients(model.network, layers).get_concrete_function())


def input_gradients(model: "Model") -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The gradient of a score with respect to every pixel, by one compiled function in chunks.

    Returns:
        A function of float32 (N, H, W) crops, any N, and float32 (7,) weights of the logits, which
        returns float32 (N, H, W): by how much the score rises as a pixel gets brighter by 1.
    """
    compiled = kept(model, "input gradients", lambda: _input_gradients(model.network).get_concrete_function())

    def run(crops: np.ndarray, weights: np.ndarray) -> np.ndarray:
        crops = np.asarray(crops, np.float32)[..., None]
        chunks = []
        for i in range(0, len(crops), CHUNK):
            pauses.here()
            chunks.append(compiled(crops[i : i + CHUNK], weights).numpy())
        return np.concatenate(chunks)[..., 0]

    return run


# Functions are kept as concrete ones: when an argument of another shape is given to a `tf.function`,
# TensorFlow 2.21 raises without giving its lock back, and every other thread then waits for ever.


def _signature(network: "keras.Model") -> "list[tf.TensorSpec]":
    import tensorflow as tf

    side, _, channels = network.input_shape[1:]
    return [tf.TensorSpec((None, side, side, channels), tf.float32), tf.TensorSpec((None,), tf.float32)]


def _maps_and_gradients(network: "keras.Model", layers: tuple[str, ...]) -> Any:
    import keras
    import tensorflow as tf

    outputs = [network.get_layer(layer).output for layer in layers]
    both = keras.Model(network.inputs, [*outputs, network.outputs[0]])

    @tf.function(input_signature=_signature(network), autograph=False)
    def run(crops: tf.Tensor, weights: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(crops)
            *maps, logits = both([crops], training=False)
            score = tf.linalg.matvec(logits, weights)
        return list(zip(maps, tape.gradient(score, maps), strict=True))

    return run


def _input_gradients(network: "keras.Model") -> Any:
    import tensorflow as tf

    @tf.function(input_signature=_signature(network), autograph=False)
    def run(crops: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(crops)
            score = tf.linalg.matvec(network(crops, training=False), weights)
        return tape.gradient(score, crops)

    return run
