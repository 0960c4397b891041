"""Train one network: data, network, optimiser, epochs; checkpoint after each, best kept."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.errors import RunError
from training import data, distill, first, optimizers, plateau, run
from training.averaging import Averaged
from training.checkpoint import Checkpoint, size
from training.config import Config
from training.data.batches import EmotionBatches
from training.networks import network
from training.progress import Progress
from training.run import read_log, state

__all__ = ["OneCycle", "network", "optimizer", "read_log", "state", "train"]


@keras.saving.register_keras_serializable(package="facewhy")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A line up to the peak, then a cosine to zero (Smith, arXiv 1803.09820; Loshchilov, arXiv 1608.03983)."""

    def __init__(self, peak: float, steps: int, warmup: float):
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step: optimizers.Tensor) -> optimizers.Tensor:
        step = keras.ops.cast(step, "float32")
        rise = max(1.0, self.warmup * self.steps)
        progress = keras.ops.clip((step - rise) / max(1.0, self.steps - rise), 0.0, 1.0)
        fall = 0.5 * self.peak * (1.0 + keras.ops.cos(math.pi * progress))
        return keras.ops.where(step < rise, self.peak * (step + 1) / (rise + 1), fall)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


def optimizer(config: Config, steps: int, pace: tuple[float, ...] = ()) -> keras.optimizers.Optimizer:
    """The configuration's optimiser on its schedule, with weight decay on kernels only.

    Args:
        config: of the run.
        steps: of the whole run.
        pace: see `training.optimizers.pace`.
    """
    cycle = config.schedule == "one-cycle"
    rate = OneCycle(config.learning_rate, steps, config.warmup) if cycle else config.learning_rate
    more: dict[str, Any] = {"pace": pace, "ema": config.ema}
    if config.optimizer == "adam":
        return optimizers.Adam(rate, penalty=config.weight_decay, **more)
    if config.optimizer == "adamw":
        result = optimizers.AdamW(rate, weight_decay=config.weight_decay, **more)
    else:
        result = optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay, **more)
    result.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return result


def train(
    config: Config,
    path: str | Path,
    runs: str | Path = "runs",
    init: first.Init | None = None,
    *,
    start: str = run.RANDOM,
    old: str | Path | None = None,
    name: str = "",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Path:
    """Train a network, or go on where an earlier call with the same arguments stopped.

    Args:
        config: what to train and how.
        path: the data, see `training.data`.
        runs: where run folders live.
        init: layer name -> list of arrays to start from, see `training.retrain`; or a function that makes them of the
            training faces, uint8 (N, 48, 48), see `training.imagenet`.
        start: where `init` comes from, for the record; with the hash of it where `init` is a function.
        old: more data of the same kind; then `path` may lack emotions that this one has.
        name: of this run's folder; the model's where empty.
        callbacks: told of every epoch after its checkpoint is written.

    Returns:
        The run's folder: `best.weights.h5`, the whole state after the last epoch, `log.json` and
        `run.json`, see `training.run`.

    Raises:
        DataError: the data cannot be used.
        RunError: the disk is full, or the run began with something else.
        DivergedError: the loss is no longer finite.
        WeightsError: a teacher's weights cannot be used, see `training.distill.teacher`.
    """
    # ---------------------------------------------------------------- data
    folder = Path(runs) / (name or config.name)
    training: data.EmotionSplit | data.KeypointSplit
    batches: Callable[[int], keras.utils.PyDataset]
    if config.name == "keypoints":
        from training.data.keypoint_data import KeypointBatches, fixed_faces

        people = data.load_keypoints(path)
        if old is not None:
            people = data.join(data.load_keypoints(old), people)
        training, validation = people["train"], fixed_faces(people["validation"])
        batches = partial(KeypointBatches, training, config)
    else:
        splits = data.load_emotions(path, complete=old is None)
        if old is not None:
            splits = data.join(data.load_emotions(old), splits)
        training, held_out = splits["Training"], splits["PublicTest"]
        validation = (held_out.images[..., None].astype(np.float32) / 255, held_out.targets(1.0))

    # -------------------------------------------------------------- record
    teachers = {teacher: distill.digest(teacher, runs) for teacher in config.teachers}
    source = first.source(init, start)
    sources = [path] if old is None else [path, old]
    fingerprint = data.fingerprint(*sources, keypoints=config.name == "keypoints")
    log = run.begin(folder, run.record(config, fingerprint, source, teachers))
    if isinstance(training, data.EmotionSplit):
        targets = training.targets(config.fer2013_share, config.label_smoothing)
        if config.teachers:
            taught = distill.answers(config.teachers, training.images, runs=runs)
            targets = (1 - config.distillation) * targets + config.distillation * taught
        batches = partial(EmotionBatches, training, targets, config)

    # ------------------------------------------------------------- network
    model = network(config)
    if not log:
        first.put(model, init, training.images)
    steps = len(batches(0))
    if config.name == "keypoints":
        metric, sign, loss, metrics = "val_loss", -1.0, "mean_absolute_error", []
    else:
        metric, sign = "val_accuracy", 1.0
        loss, metrics = keras.losses.CategoricalCrossentropy(from_logits=True), ["accuracy"]
    pace = optimizers.pace(model, config.layer_decay) if config.layer_decay < 1 else ()
    model.compile(optimizer(config, steps * config.epochs, pace), loss=loss, metrics=metrics)
    model.optimizer.build(model.trainable_variables)
    run.room(folder, 3 * size(model))  # the state before, the state after, the best

    # -------------------------------------------------------------- resume
    done = len(log)
    if done:
        try:
            model.load_weights(folder / state(done))
        except (OSError, ValueError, KeyError) as error:
            raise RunError(
                f"The state of the run could not be read from {folder / state(done)}",
                str(error).splitlines()[0],
                "Start anew in another --runs folder",
            ) from error
        began = "" if run.read_record(folder) else "; what it began with is unknown and cannot be compared"
        print(f"going on with {folder.name} after epoch {done} of {config.epochs}{began}")

    # -------------------------------------------------------------- epochs
    told = list(callbacks)
    checkpoint = Checkpoint(folder, metric, sign, config.seed)
    if config.ema:
        averages = Averaged(batches)
        averages.set_model(model)
        told, checkpoint.measured = [averages, *told], averages.within
    if done:
        checkpoint.set_model(model)
        checkpoint.keep_best()
    with Progress(config, metric, sign, checkpoint.log) as progress:
        for epoch in range(done, config.epochs):
            if plateau.exhausted(checkpoint.figures, config.patience):
                print(f"no better epoch of the last {config.patience}: stopped after epoch {epoch}")
                break
            if config.schedule == "plateau":
                model.optimizer.learning_rate = plateau.rate(config, checkpoint.figures)
            model.fit(
                batches(epoch),
                initial_epoch=epoch,
                epochs=epoch + 1,
                validation_data=validation,
                validation_batch_size=256,
                callbacks=[checkpoint, progress, *told],
                shuffle=False,
                verbose=0,
            )
    return folder
