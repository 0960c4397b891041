"""A run's figures for TensorBoard, in the folder `tensorboard` of the run."""

from pathlib import Path
from typing import Any

import keras

from models.errors import RunError
from training import run

FOLDER = "tensorboard"


class TensorBoard(keras.callbacks.Callback):
    """Writes the figures of every epoch of the log, so that a run that is resumed has each epoch once.

    Keras' own callback begins a file at every `fit`, which is an epoch here, and shows an epoch that a kill cut short
    twice.

    Args:
        folder: of the run, see `training.run`.

    Raises:
        RunError: TensorFlow, which writes the files, is not installed.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self.folder, self.sent = folder, 0
        self.writer: Any = None
        try:
            import tensorflow
        except ImportError as error:
            raise RunError(
                "TensorFlow was not found, so there is nothing to write for TensorBoard",
                str(error),
                "Install it, or leave it out",
            ) from error
        self.tf = tensorflow

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.writer is None:
            for old in (self.folder / FOLDER).glob("events.*"):
                old.unlink()
            self.writer = self.tf.summary.create_file_writer(str(self.folder / FOLDER))
        summary = self.tf.compat.v1.SummaryMetadata
        scalar = summary(plugin_data=summary.PluginData(plugin_name="scalars"))  # `summary.scalar` needs the package
        log = run.read_log(self.folder)
        with self.writer.as_default():
            for row in log[self.sent :]:
                for name, value in row.items():
                    if name != "epoch":
                        self.tf.summary.write(name, self.tf.constant(value, "float32"), row["epoch"], scalar)
        self.sent = len(log)
        self.writer.flush()
