"""What is written after every epoch of a run, and what stops it."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import keras
import numpy as np

from models.errors import DivergedError
from training import run

OVERHEAD = 2200
"""Bytes that a variable's place in the file takes; 2,030 were measured."""


class Checkpoint(keras.callbacks.Callback):
    """After every epoch: writes the whole state, keeps the best weights, appends to the log.

    The log is what counts: it names the epochs that are done, and the state of an epoch has the
    epoch in its name, so that a kill before the log is written repeats the epoch and changes nothing.
    The best weights come last; `keep_best` writes them after a kill in between.

    Args:
        folder: of the run.
        metric, sign: what chooses the best epoch, and 1 where more of it is better, else -1.
        seed: of the dropout.
        measured: epoch -> a context within which the model has the weights that validation saw after that epoch.
    """

    def __init__(
        self,
        folder: Path,
        metric: str,
        sign: float,
        seed: int = 0,
        measured: Callable[[int], AbstractContextManager[object]] = nullcontext,
    ):
        super().__init__()
        self.folder, self.metric, self.sign, self.seed = folder, metric, sign, seed
        self.measured = measured
        self.log = run.read_log(folder)
        self.started = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.perf_counter()
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate:  # else a resumed run would drop other features
                layer.seed_generator.state.assign([self.seed, epoch << 16])  # it counts the steps

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            self._stop(loss, f"epoch {len(self.log) + 1}, batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        row = {"epoch": epoch, "seconds": round(time.perf_counter() - self.started, 1)}
        row |= {key: round(float(value), 5) for key, value in (logs or {}).items()}
        for key, value in row.items():
            if not math.isfinite(value):
                self._stop(value, f"{key} of epoch {epoch + 1}")
        self._write(run.state(epoch + 1))
        self.log.append(row)
        run.write_log(self.folder, self.log)
        self.keep_best()
        for old in set(self.folder.glob(run.STATES)) - {self.folder / run.state(epoch + 1)}:
            old.unlink(missing_ok=True)

    def keep_best(self) -> None:
        """Write the weights of the last epoch as the best ones if they are."""
        if self.figures[-1] > max(self.figures[:-1], default=-math.inf):
            with self.measured(self.log[-1]["epoch"]):
                self._write(run.BEST)

    @property
    def figures(self) -> list[float]:
        """What chooses the best epoch, for each that is done; more is better."""
        return [self.sign * row[self.metric] for row in self.log]

    def _write(self, name: str) -> None:
        run.write(self.folder / name, self.model.save_weights, needed=size(self.model))

    def _stop(self, value: float, where: str) -> None:
        kept = f"The checkpoint after epoch {len(self.log)} is kept" if self.log else "There is no checkpoint yet"
        raise DivergedError(
            "The training diverged: a figure is not finite",
            f"{value} in {where}",
            f"{kept}; start anew in another --runs folder with a lower --learning-rate",
        )


def size(model: keras.Model) -> int:
    """About the bytes of a checkpoint of a model with its optimiser."""
    variables = list(model.weights)
    if getattr(model, "optimizer", None) is not None:
        variables += model.optimizer.variables
    numbers = sum(math.prod(variable.shape) for variable in variables)
    return numbers * np.dtype("float32").itemsize + len(variables) * OVERHEAD
