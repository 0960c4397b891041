"""Train networks on an accelerator, one or several side by side; each gets the run folder that `training.train` makes.

Several learn from the same disturbed faces and the same teachers, so that what is computed for one is computed for all.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import keras
import numpy as np

from models.errors import DataError, DivergedError, ParameterError, RunError
from training import data, distill, first, run
from training.checkpoint import size
from training.config import Config
from training.data.batches import chances
from training.networks import network

if TYPE_CHECKING:
    import jax

    from training import on_device

SHARED = ("stages", "batch", "balance", "mixup", "augmentation")
"""Settings that decide which faces are seen and how, which networks that learn together have in common."""
EVERY = 10
"""Epochs from one checkpoint to the next."""


@dataclass(frozen=True, eq=False)
class Learner:
    """A network that is to be trained.

    Attributes:
        config: what to train and how.
        init, start: its first weights and where they come from, see `training.train.train`.
        name: of its run's folder; the model's where empty.
        callbacks: told of every checkpoint once it is written.
    """

    config: Config
    init: first.Init | None = None
    start: str = run.RANDOM
    name: str = ""
    callbacks: Sequence[keras.callbacks.Callback] = ()

    @property
    def folder(self) -> str:
        """The name of its run's folder."""
        return self.name or self.config.name


def together(
    learners: Sequence[Learner], path: str | Path, runs: str | Path = "runs", every: int = EVERY
) -> list[Path]:
    """Train networks on an accelerator, or go on where an earlier call with the same arguments stopped.

    Each epoch's averaged weights are measured on PublicTest, the last ones where a configuration averages none; every
    few epochs the whole state, the log and the best weights are written. `seconds` in a log are those of all networks.

    Args:
        learners: the networks. The first one's seed decides the faces and their disturbance.
        path: the data, see `training.data`.
        runs: where run folders live.
        every: epochs from one checkpoint to the next.

    Returns:
        The runs' folders, see `training.run`.

    Raises:
        ParameterError: Keras runs on another backend than JAX, or the configurations cannot be trained like this.
        DataError, RunError, DivergedError, WeightsError: as for `training.train.train`.
    """
    _check(learners)
    import jax
    import jax.numpy as jnp

    from training import on_device

    # ---------------------------------------------------------------- data
    splits = data.load_emotions(path)
    training, held_out = splits["Training"], splits["PublicTest"]
    config = learners[0].config
    if len(training) < config.batch:
        raise DataError(
            "There are too few faces to fill a batch",
            f"{len(training)} faces for batches of {config.batch}",
            "Give a smaller --batch, or more data",
        )
    steps = len(training) // config.batch

    # -------------------------------------------------------------- record
    names = [learner.folder for learner in learners]
    folders = [Path(runs) / name for name in names]
    fingerprint = data.fingerprint(path)
    logs = []
    for learner, folder in zip(learners, folders, strict=True):
        digests = {teacher: distill.digest(teacher, runs) for teacher in learner.config.teachers}
        source = first.source(learner.init, learner.start)
        logs.append(run.begin(folder, run.record(learner.config, fingerprint, source, digests, names)))
    done = min(len(log) for log in logs)
    logs = [log[:done] for log in logs]  # a kill between two logs leaves one longer; the states before are still there

    # ------------------------------------------------------------ networks
    networks = [network(learner.config) for learner in learners]
    if not done:
        for learner, model in zip(learners, networks, strict=True):
            first.put(model, learner.init, training.images)
    students = [
        on_device.Student.of(model, learner.config.layer_decay)
        for learner, model in zip(learners, networks, strict=True)
    ]
    for folder, model in zip(folders, networks, strict=True):
        run.room(folder, 12 * size(model))  # four times the weights and the best, before and after; the best weights
    teachers = [distill.teacher(name, runs) for name in _teachers(learners)]
    plans = [
        on_device.recipe(
            each.config,
            training.targets(each.config.fer2013_share, each.config.label_smoothing),
            chances(training.labels, each.config.balance),
            steps * config.epochs,
        )
        for each in learners
    ]
    answers = [on_device.answers_of(model) for model in networks]

    # -------------------------------------------------------------- resume
    states = [student.state() for student in students]
    bests: list[list[jax.Array]] = [[] for _ in learners]
    for index, folder in enumerate(folders if done else ()):
        states[index], bests[index] = _read(folder / run.state(done), students[index])
        _keep_best(folder, students[index], bests[index])
    if done:
        print(f"going on with {', '.join(names)} after epoch {done} of {config.epochs}")

    # -------------------------------------------------------------- epochs
    images, unseen = jnp.asarray(training.images), jnp.asarray(held_out.images)
    key, epochs = jax.random.key(config.seed), {}
    for epoch in range(done, config.epochs):
        began = time.perf_counter()
        side = config.side(epoch)
        if side not in epochs:
            epochs[side] = on_device.epoch_of(students, teachers, config.batch, side)
        own = jax.random.fold_in(key, epoch)
        states, figures = epochs[side](states, plans, images, own, jnp.float32(epoch * steps))
        rows = [
            {"epoch": epoch, "seconds": 0.0, "loss": float(loss), "accuracy": float(accuracy)}
            | _measure(answer, state, unseen, held_out.labels)
            for answer, state, (loss, accuracy) in zip(answers, states, np.asarray(figures), strict=True)
        ]
        seconds = round(time.perf_counter() - began, 3)
        for index, (log, row) in enumerate(zip(logs, rows, strict=True)):
            for name, value in row.items():
                if not math.isfinite(value):
                    _stop(names[index], name, value, epoch)
                row[name] = round(value, 5) if name != "epoch" else value
            row["seconds"] = seconds
            log.append(row)
            if row["val_accuracy"] > max((past["val_accuracy"] for past in log[:-1]), default=-math.inf):
                averaged = [*states[index]["mean_trained"], *states[index]["mean_other"]]
                bests[index] = [jnp.copy(value) for value in averaged]
        if (epoch + 1) % every and epoch + 1 < config.epochs:
            continue

        # ------------------------------------------------------ checkpoint
        for folder, student, state, best in zip(folders, students, states, bests, strict=True):
            put = partial(_write, state=state, best=best, student=student)
            run.write(folder / run.state(epoch + 1), put, needed=5 * size(student.network))
        for folder, log in zip(folders, logs, strict=True):
            run.write_log(folder, log)
        for learner, folder, student, best, log in zip(learners, folders, students, bests, logs, strict=True):
            _keep_best(folder, student, best)
            for old in set(folder.glob(run.STATES)) - {folder / run.state(epoch + 1)}:
                old.unlink(missing_ok=True)
            print(_line(config, learner.folder, log), flush=True)
            for callback in learner.callbacks:
                callback.on_epoch_end(epoch, log[-1])
    return folders


def _check(learners: Sequence[Learner]) -> None:
    """Whether these configurations can be trained here."""
    if keras.backend.backend() != "jax":
        raise ParameterError(
            "Training on the accelerator was asked of another backend than JAX",
            f"KERAS_BACKEND={keras.backend.backend()}",
            "Set KERAS_BACKEND=jax",
        )
    names = [learner.folder for learner in learners]
    if len(set(names)) < len(names):
        raise ParameterError("Two networks were given the same run folder", ", ".join(names), "Name each run")
    for learner in learners:
        config = learner.config
        for field, only in (("optimizer", "sgd"), ("schedule", "one-cycle"), ("patience", 0)):
            if (value := getattr(config, field)) != only:
                raise ParameterError(
                    f"The {field} is not supported on the accelerator", f"{value} for {config.name}", f"Use {only}"
                )
        if config.name == "keypoints":
            raise ParameterError(
                "The keypoint network cannot be trained on the accelerator", "keypoints", "Leave --on-device out"
            )
        for field in SHARED:
            one, two = getattr(learners[0].config, field), getattr(config, field)
            if one != two:
                raise ParameterError(
                    f"The networks were given different {field}",
                    f"{one} for {learners[0].folder} and {two} for {learner.folder}",
                    "Give it for all, or train them one by one",
                )
    _teachers(learners)


def _teachers(learners: Sequence[Learner]) -> tuple[str, ...]:
    """The teachers that all learners who have any share."""
    found = {learner.config.teachers for learner in learners} - {()}
    if len(found) > 1:
        raise ParameterError(
            "The networks were given different teachers",
            " and ".join(", ".join(teachers) for teachers in sorted(found)),
            "Give --teachers for all",
        )
    return found.pop() if found else ()


def _measure(
    answer: "on_device.Answers", state: "on_device.State", images: "jax.Array", labels: np.ndarray
) -> dict[str, float]:
    """Accuracy and cross entropy of the averaged weights on faces that were not learned, with their original labels."""
    parts = [
        answer(state["mean_trained"], state["mean_other"], images[start : start + 2048])
        for start in range(0, len(images), 2048)
    ]
    logits = np.concatenate([np.asarray(part, np.float64) for part in parts])
    shifted = logits - logits.max(1, keepdims=True)
    chance = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return {
        "val_accuracy": float((logits.argmax(1) == labels).mean()),
        "val_loss": float(-chance[np.arange(len(labels)), labels].mean()),
    }


def _stop(name: str, figure: str, value: float, epoch: int) -> None:
    raise DivergedError(
        "The training diverged: a figure is not finite",
        f"{value} in {figure} of {name}, epoch {epoch + 1}",
        "The last checkpoint is kept; start anew with a lower --learning-rate",
    )


def _line(config: Config, name: str, log: list[dict[str, Any]]) -> str:
    row = log[-1]
    best = max(log, key=lambda past: past["val_accuracy"])
    figures = "  ".join(f"{key} {row[key]:.4f}" for key in ("loss", "accuracy", "val_loss", "val_accuracy"))
    where = f"epoch {row['epoch'] + 1}/{config.epochs}  {config.side(row['epoch'])} px  {row['seconds']:.1f} s"
    return f"{where}  {name}: {figures}  best {best['val_accuracy']:.4f} in epoch {best['epoch'] + 1}"


# ----------------------------------------------------------------------- state


def _write(path: Path, state: "on_device.State", best: "list[jax.Array]", student: "on_device.Student") -> None:
    """A state and the best weights so far, by the variables' paths."""
    with h5py.File(path, "w") as file:
        for part, values in (state | {"best": best}).items():
            for name, value in zip(_names(student.variables[part]), values, strict=True):
                file.create_dataset(f"{part}/{name}", data=np.asarray(value))


def _read(path: Path, student: "on_device.Student") -> "tuple[on_device.State, list[jax.Array]]":
    """What `_write` wrote, as arrays on the accelerator."""
    import jax.numpy as jnp

    try:
        with h5py.File(path, "r") as file:
            found = {
                part: [jnp.asarray(file[f"{part}/{name}"][()]) for name in _names(variables)]
                for part, variables in student.variables.items()
            }
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"The state of the run could not be read from {path}",
            str(error).splitlines()[0],
            "Start anew in another --runs folder",
        ) from error
    best = found.pop("best")
    return found, best


def _names(variables: list[keras.Variable]) -> list[str]:
    """What variables are called in the file: by their paths, but for dropout's seeds, which Keras counts through."""
    return [
        f"seed{index}" if "seed_generator" in variable.path else variable.path
        for index, variable in enumerate(variables)
    ]


def _keep_best(folder: Path, student: "on_device.Student", best: "list[jax.Array]") -> None:
    """Write the best weights; also after a kill between the log and them."""
    student.put(best)
    run.write(folder / run.BEST, student.network.save_weights, needed=size(student.network))
