"""One epoch of the short cnn from given weights on Keras' present backend."""

from unittest.mock import patch

import numpy as np

from models import cnn, weight_store
from models.cnn import build as whole
from tests.training.short_cnn import short
from training import run, train
from training.config import Config

CONFIG = Config(
    "cnn",
    stages=((1, 32),),
    batch=7,
    learning_rate=0.02,
    mixup=0.4,
    ema=0.9,
    layer_decay=0.8,
    dropout=0.0,
    width=0.25,
)
"""Without dropout, whose random numbers differ between backends; with what the optimiser adds."""
FACES = np.random.default_rng(0).random((4, 48, 48, 1), dtype=np.float32)


def begun():
    """A network of `CONFIG`."""
    with patch.object(cnn, "build", short):
        return train.network(CONFIG)


def one_epoch(data, start, runs):
    """Train, and keep in the run's folder what the trained network and the shipped one give to `FACES`.

    Args:
        data: the faces.
        start: a `.weights.h5` of `CONFIG`'s network.
        runs: where the run's folder shall be.

    Returns:
        The run's folder, with the logits in `answers.npy` and `shipped.npy`.
    """
    network = begun()
    network.load_weights(start)
    arrays = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
    with patch.object(cnn, "build", short):
        folder = train.train(CONFIG, data, runs, arrays)
    np.save(folder / "answers.npy", answers(folder))
    np.save(folder / "shipped.npy", shipped())
    return folder


def answers(folder) -> np.ndarray:
    """Logits of the run's best weights on the present backend, float32 (4, 7)."""
    network = begun()
    network.load_weights(folder / run.BEST)
    return network.predict(FACES, verbose=0)


def shipped() -> np.ndarray:
    """Logits of the weights that ship on the present backend, float32 (4, 7)."""
    network = whole()
    weight_store.load_into(network, weight_store.SHIPPED / "cnn" / weight_store.FILE)
    return network.predict(FACES, verbose=0)
