"""The compiled gradient function of a model, kept as long as the model is."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from models.model import Model

_kept: "WeakKeyDictionary[Model, dict]" = WeakKeyDictionary()
_lock = threading.RLock()


def kept(model: "Model", key, make: Callable):
    """What `make()` returns, made once for a model and a key and dropped with the model.

    What is kept may hold the model's network but not the model itself, which would then never go.
    """
    with _lock:
        entries = _kept.setdefault(model, {})
        if key not in entries:
            entries[key] = make()
        return entries[key]


def maps_and_gradients(model: "Model", layer: str) -> Callable:
    """A layer's maps and the gradient of a score with respect to them, as one compiled function.

    Args:
        model: an emotion model.
        layer: name of a layer whose output is (N, h, w, K).

    Returns:
        A function of float32 (N, H, W, 1) crops and float32 (7,) weights of the logits, which
        returns two tensors, float32 (N, h, w, K): maps and gradients.
    """
    return kept(model, ("maps", layer), lambda: _compile(model.network, layer))


def _compile(network, layer: str) -> Callable:
    import keras
    import tensorflow as tf

    both = keras.Model(network.inputs, [network.get_layer(layer).output, network.outputs[0]])
    side, _, channels = network.input_shape[1:]
    signature = [tf.TensorSpec((None, side, side, channels), tf.float32), tf.TensorSpec((None,), tf.float32)]

    @tf.function(input_signature=signature)
    def run(crops, weights):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(crops)
            maps, logits = both([crops], training=False)
            score = tf.linalg.matvec(logits, weights)
        return maps, tape.gradient(score, maps)

    return run
