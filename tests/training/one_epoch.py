"""One epoch from given weights on Keras' present backend: `python -m tests.training.one_epoch DATA START RUNS`.

START is a `.weights.h5` of `CONFIG`'s network. The run's folder gets `answers.npy` and `shipped.npy`, the
logits that the trained network and the shipped one give to `FACES`.
"""

import sys

import numpy as np

from models import weight_store, zoo
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


def one_epoch(data, start, runs):
    """Train; the run's folder."""
    network = train.network(CONFIG)
    network.load_weights(start)
    arrays = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
    folder = train.train(CONFIG, data, runs, arrays)
    np.save(folder / "answers.npy", answers(folder))
    np.save(folder / "shipped.npy", shipped())
    return folder


def answers(folder) -> np.ndarray:
    """Logits of the run's best weights on the present backend, float32 (4, 7)."""
    network = train.network(CONFIG)
    network.load_weights(folder / run.BEST)
    return network.predict(FACES, verbose=0)


def shipped() -> np.ndarray:
    """Logits of the weights that ship on the present backend, float32 (4, 7)."""
    network = zoo.build("cnn")
    weight_store.load_into(network, weight_store.SHIPPED / "cnn" / weight_store.FILE)
    return network.predict(FACES, verbose=0)


if __name__ == "__main__":
    one_epoch(*sys.argv[1:])
