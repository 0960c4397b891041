"""Train one network: data, network, optimiser, epochs; checkpoint after each, best kept."""

import json
import math
import sys
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np

from models import zoo
from models.errors import DataError
from training import augment, data, distill
from training.config import Config


class EmotionBatches(keras.utils.PyDataset):
    """Disturbed faces and their targets; the same seed and epoch give the same batches.

    Yields float32 (B, side, side, 1) in 0..1 and float32 (B, 7).
    """

    def __init__(self, split: data.EmotionSplit, targets: np.ndarray, config: Config, epoch: int):
        super().__init__()
        self.images, self.targets = split.images, targets
        self.config, self.epoch, self.side = config, epoch, config.side(epoch)
        rng = np.random.default_rng((config.seed, epoch))
        self.order = rng.permutation(len(split))
        if config.balance:
            chance = np.bincount(split.labels).astype(float)[split.labels] ** -config.balance
            self.order = rng.choice(len(split), len(split), p=chance / chance.sum())

    def __len__(self) -> int:
        return len(self.order) // self.config.batch

    def __getitem__(self, index: int):
        rng = np.random.default_rng((self.config.seed, self.epoch, index))
        rows = self.order[index * self.config.batch : (index + 1) * self.config.batch]
        faces = [augment.face(rng, self.config.augmentation, self.images[row], self.side) for row in rows]
        return np.stack(faces)[..., None], self.targets[rows]


@keras.saving.register_keras_serializable(package="facewhy")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A line up to the peak, then a cosine to zero (Smith, arXiv 1803.09820; Loshchilov, arXiv 1608.03983)."""

    def __init__(self, peak: float, steps: int, warmup: float):
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        rise = max(1.0, self.warmup * self.steps)
        progress = keras.ops.clip((step - rise) / max(1.0, self.steps - rise), 0.0, 1.0)
        fall = 0.5 * self.peak * (1.0 + keras.ops.cos(math.pi * progress))
        return keras.ops.where(step < rise, self.peak * (step + 1) / (rise + 1), fall)

    def get_config(self) -> dict:
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


def optimizer(config: Config, steps: int) -> keras.optimizers.Optimizer:
    """The configuration's optimiser on a one-cycle schedule, with weight decay on kernels only."""
    rate = OneCycle(config.learning_rate, steps, config.warmup)
    if config.optimizer == "adamw":
        result = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    else:
        result = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay)
    result.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return result


class Checkpoint(keras.callbacks.Callback):
    """After every epoch: writes the whole state, keeps the best weights, appends to the log.

    A file is written beside its target and then renamed, so that a kill never leaves half a file.
    The log is what counts: it names the epochs that are done, and the state of an epoch has the
    epoch in its name, so that a kill between two of the files repeats the epoch and changes nothing.
    """

    def __init__(self, folder: Path, metric: str, sign: float, seed: int = 0):
        super().__init__()
        self.folder, self.metric, self.sign, self.seed = folder, metric, sign, seed
        self.log = read_log(folder)
        self.started = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):  # else a resumed run would drop other features
                layer.seed_generator.state.assign([self.seed, epoch])

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch, "seconds": round(time.perf_counter() - self.started, 1)}
        row |= {key: round(float(value), 5) for key, value in (logs or {}).items()}
        if not math.isfinite(row["loss"]):
            raise DataError(
                "The loss must stay finite",
                f"{row['loss']} in epoch {epoch}",
                "The last good checkpoint is kept; resume with a lower --learning-rate",
            )
        best = max((self.sign * past[self.metric] for past in self.log), default=-math.inf)
        if self.sign * row[self.metric] > best:
            self._write("best.weights.h5")
        self._write(state(epoch + 1))
        self.log.append(row)
        beside = self.folder / "log.json.partial"
        beside.write_text(json.dumps(self.log, indent=1))
        beside.replace(self.folder / "log.json")
        (self.folder / state(epoch)).unlink(missing_ok=True)

    def _write(self, name: str) -> None:
        beside = self.folder / f"partial.{name}"
        self.model.save_weights(beside)
        beside.replace(self.folder / name)


def state(epochs: int) -> str:
    """The file that holds a run after so many epochs: weights, optimiser, everything."""
    return f"epoch{epochs:03}.weights.h5"


def read_log(folder: Path) -> list[dict]:
    """The epochs done so far, one dict each: epoch, seconds, losses and metrics."""
    path = folder / "log.json"
    return json.loads(path.read_text()) if path.is_file() else []


def network(config: Config) -> keras.Model:
    """The untrained network of a configuration, for faces of any side where it allows that."""
    keras.utils.set_random_seed(config.seed)
    return zoo.build(config.name, side=None if config.name != "keypoints" else 96)


def train(config: Config, path: str | Path, runs: str | Path = "runs", init: dict | None = None) -> Path:
    """Train a network, or go on where an earlier call with the same configuration stopped.

    Args:
        config: what to train and how.
        path: the data, see `training.data`.
        runs: where run folders live; this run's is named after the model.
        init: layer name -> list of arrays to start from, see `training.imagenet`.

    Returns:
        The run's folder: `best.weights.h5`, the whole state after the last epoch (`state`), `log.json`.

    Raises:
        DataError: the data cannot be used, or the loss is no longer finite.
    """
    # ---------------------------------------------------------------- data
    folder = Path(runs) / config.name
    folder.mkdir(parents=True, exist_ok=True)
    if config.name == "keypoints":
        from training.keypoint_data import KeypointBatches as Batches
        from training.keypoint_data import fixed_faces

        splits = data.load_keypoints(path)
        training, validation = splits["train"], fixed_faces(splits["validation"])
    else:
        splits = data.load_emotions(path)
        training = splits["Training"]
        held_out = splits["PublicTest"]
        validation = (held_out.images[..., None].astype(np.float32) / 255, held_out.targets(1.0))
        targets = training.targets(config.fer2013_share, config.label_smoothing)
        if config.teachers:
            taught = distill.answers(config.teachers, training.images)
            targets = (1 - config.distillation) * targets + config.distillation * taught
        Batches = partial(EmotionBatches, targets=targets)

    # ------------------------------------------------------------- network
    model = network(config)
    for name, arrays in (init or {}).items():
        model.get_layer(name).set_weights(arrays)
    steps = len(Batches(training, config=config, epoch=0))
    if config.name == "keypoints":
        metric, sign, loss, metrics = "val_loss", -1.0, "mean_absolute_error", []
    else:
        metric, sign = "val_accuracy", 1.0
        loss, metrics = keras.losses.CategoricalCrossentropy(from_logits=True), ["accuracy"]
    model.compile(optimizer(config, steps * config.epochs), loss=loss, metrics=metrics)

    # -------------------------------------------------------------- resume
    done = len(read_log(folder))
    if done:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(folder / state(done))
        print(f"resuming {config.name} after epoch {done} of {config.epochs}")

    # -------------------------------------------------------------- epochs
    checkpoint = Checkpoint(folder, metric, sign, config.seed)
    for epoch in range(done, config.epochs):
        model.fit(
            Batches(training, config=config, epoch=epoch),
            initial_epoch=epoch,
            epochs=epoch + 1,
            validation_data=validation,
            validation_batch_size=256,
            callbacks=[keras.callbacks.TerminateOnNaN(), checkpoint],
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    return folder
