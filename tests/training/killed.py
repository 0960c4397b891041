"""A tiny training, of the short cnn, killed at a chosen moment: `python -m tests.training.killed DATA RUNS MOMENT`.

The moments are those of its second epoch: "batch" before its last batch, "half" while the state is
being written, "log" when the state is written and the log is not.
"""

import os
import signal
import sys

from models import cnn
from tests.training.short_cnn import short
from training import checkpoint, run, train
from training.config import Augmentation, Config

TINY = Config(
    "cnn",
    stages=((1, 24), (2, 28)),
    batch=7,
    mixup=0.4,
    ema=0.9,
    layer_decay=0.8,
    augmentation=Augmentation(erase=0.5),
    width=0.25,
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killed(checkpoint.Checkpoint):
    """Kills the process; the run's second epoch is number 1."""

    moment = ""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if (self.moment, self.epoch, batch) == ("batch", 1, 0):
            die()

    def _write(self, name):
        if self.moment == "half" and name == run.state(2):

            def half(path):
                self.model.save_weights(path)
                os.truncate(path, os.path.getsize(path) // 2)
                die()

            run.write(self.folder / name, half)
        super()._write(name)
        if self.moment == "log" and name == run.state(2):
            die()


if __name__ == "__main__":
    data, runs, Killed.moment = sys.argv[1:]
    train.Checkpoint, cnn.build = Killed, short
    train.train(TINY, data, runs)
