"""Averaged weights, measured and kept instead of the last ones (Polyak and Juditsky 1992)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import keras
import numpy as np

FACES = 2048
"""Training faces that give averaged weights their batch norm statistics."""


@contextmanager
def averaged(model: keras.Model, batches: keras.utils.PyDataset) -> Iterator[None]:
    """Within it, a network has the averaged weights, and batch norm statistics that belong to them.

    The optimiser averages what is trained. The statistics of the last weights do not fit the averaged ones, so they
    are computed anew from training faces (Izmailov et al. 2018, arXiv 1803.05407, section 3.2).

    Args:
        model: compiled with an optimiser of `training.optimizers` that averages.
        batches: of training faces; as many are used as hold `FACES`.
    """
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    before = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    try:
        model.optimizer.average()
        renew(model, batches)
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def renew(model: keras.Model, batches: keras.utils.PyDataset) -> None:
    """Set each batch norm's statistics to their mean over some batches."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    try:
        seen = index = 0
        while norms and seen < FACES and index < len(batches):
            faces, _ = batches[index]
            for norm in norms:
                norm.momentum = index / (index + 1)  # a running mean of all batches so far
            model(faces, training=True)
            seen, index = seen + len(faces), index + 1
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


class Averaged(keras.callbacks.Callback):
    """Lets validation see the averaged weights.

    Args:
        batches: epoch -> its batches, see `averaged`.
    """

    def __init__(self, batches: Callable[[int], keras.utils.PyDataset]):
        super().__init__()
        self.batches = batches

    def within(self, epoch: int) -> AbstractContextManager[None]:
        """See `averaged`; for the weights after an epoch."""
        return averaged(self.model, self.batches(epoch))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch = epoch

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self.open = self.within(self.epoch)
        self.open.__enter__()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        self.open.__exit__(None, None, None)
