"""An emotion model as a TensorFlow SavedModel, as TensorFlow Serving loads it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from models.model import Model
from training.release.versions import order

INPUT, OUTPUT = "images", "probabilities"
SIGNATURE = "serving_default"
LABELS = Path("assets.extra", "labels.txt")


def number(version: str) -> int:
    """A version as the whole number that TensorFlow Serving wants: "1.2.3" is 1002003.

    Raises:
        ParameterError: no version, see `versions.order`.
    """
    major, minor, patch = order(version)
    return (major * 1000 + minor) * 1000 + patch


def write(model: Model, folder: str | Path) -> Path:
    """Write a model with its temperature as a SavedModel.

    The signature `serving_default` takes `images`, float32 (N, 48, 48, 1) in 0..1, and gives
    `probabilities`, float32 (N, 7), calibrated. Their names are the lines of `assets.extra/labels.txt`;
    a second output would break the row format of TensorFlow Serving's REST interface.

    Args:
        model: an emotion model.
        folder: for the SavedModel; must not exist.

    Returns:
        The folder.
    """
    import tensorflow as tf

    given, temperature = model.card.input, model.card.temperature
    images = tf.TensorSpec((None, given.side, given.side, given.channels), tf.float32, name=INPUT)

    @tf.function(input_signature=[images], autograph=False)
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: tf.nn.softmax(model.network(images, training=False) / temperature)}

    module = tf.Module()
    module.serve = serve
    module.kept = [weight.value for weight in model.network.weights]  # keras' own archive holds each weight twice
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: serve})
    labels = Path(folder) / LABELS
    labels.parent.mkdir()
    labels.write_text("".join(f"{label}\n" for label in model.card.labels), encoding="utf-8")
    return Path(folder)


def load(folder: str | Path) -> Callable[[np.ndarray], np.ndarray]:
    """A SavedModel's signature as a function, float32 (N, 48, 48, 1) -> float32 (N, 7)."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))

    def run(images: np.ndarray) -> np.ndarray:
        return loaded.signatures[SIGNATURE](**{INPUT: tf.constant(images, tf.float32)})[OUTPUT].numpy()

    return run


@contextmanager
def exact() -> Iterator[None]:
    """Compute in float32, also where `models.precision` has let this process use bfloat16."""
    import tensorflow as tf

    option = "auto_mixed_precision_onednn_bfloat16"
    before = tf.config.optimizer.get_experimental_options().get(option, False)
    tf.config.optimizer.set_experimental_options({option: False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({option: before})
