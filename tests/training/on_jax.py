"""Training on the accelerator, tested on JAX's CPU: `test_on_device.py` runs this file with KERAS_BACKEND=jax.

The cnn is the short one here, because JAX takes seconds to compile each convolution.
"""

import dataclasses
import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from models import cnn
from models.errors import DivergedError, ParameterError, RunError
from tests.training import one_epoch
from tests.training.short_cnn import short
from training import distill, on_device, optimizers, run, train
from training.config import Augmentation, Config
from training.data import augmentation as augment
from training.together import Learner, together

STRONG = Augmentation(rotation=15, scale=0.12, shift=0.08, noise=0.04, blur=0.8, erase=0.1)
PLAIN = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, False)
TINY = Config(
    "cnn",
    stages=((2, 16),),
    batch=7,
    ema=0.5,
    mixup=0.2,
    balance=0.25,
    dropout=0.15,
    width=0.25,
    augmentation=STRONG,
)
RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 255, (32, 48, 48), dtype=np.uint8)
MANY = np.repeat(FACES, 8, 0)
SMALL = RNG.integers(0, 255, (32, 16, 16), dtype=np.uint8)


def strength(augmentation: Augmentation) -> dict:
    return {name: jnp.float32(value) for name, value in dataclasses.asdict(augmentation).items()}


disturbed = jax.jit(on_device.disturbed, static_argnums=3)


@pytest.fixture(autouse=True)
def short_cnn(monkeypatch):
    monkeypatch.setattr(cnn, "build", short)


# ------------------------------------------------------------------ disturbance


@pytest.mark.parametrize("side", [32, 48])
def test_a_warp_is_that_of_opencv(side):
    forward = [augment.affine(np.random.default_rng(seed), STRONG, 48, side) for seed in range(8)]
    inverse = jnp.asarray([cv2.invertAffineTransform(matrix) for matrix in forward], jnp.float32)
    ours = np.asarray(on_device.warp(jnp.asarray(FACES[:8]), inverse, side))
    theirs = [
        cv2.warpAffine(face.astype(np.float32), matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
        for face, matrix in zip(FACES, forward, strict=False)
    ]
    difference = np.abs(ours - np.stack(theirs))  # OpenCV rounds places to a 32nd of a pixel
    assert difference.mean() < 1 and difference.max() < 255 / 16


def test_drawn_maps_fill_the_ranges_of_the_host():
    inverse = on_device._matrices(jax.random.key(1), 4000, strength(STRONG), 48, 32)
    drawn = np.stack([cv2.invertAffineTransform(matrix) for matrix in np.asarray(inverse, np.float64)])
    rng = np.random.default_rng(2)
    host = np.stack([augment.affine(rng, STRONG, 48, 32) for _ in range(4000)])

    def facts(matrices):
        turn = matrices[:, :, :2]
        determinant = np.linalg.det(turn)
        zoom = np.sqrt(np.abs(determinant)) * 48 / 32
        angle = np.rad2deg(np.arctan2(turn[:, 1, 0] * np.sign(determinant), turn[:, 1, 1]))
        shift = (turn @ np.full(2, 23.5) + matrices[:, :, 2] - 15.5) / 32
        return {"zoom": zoom, "angle": angle, "x": shift[:, 0], "y": shift[:, 1]}, determinant < 0

    (ours, mirrored), (theirs, _) = facts(drawn), facts(host)
    for name, (low, high) in {"zoom": (0.88, 1.12), "angle": (-15, 15), "x": (-0.08, 0.08), "y": (-0.08, 0.08)}.items():
        margin = (high - low) / 100
        for values in (ours[name], theirs[name]):
            assert low - 1e-3 <= values.min() <= low + margin and high - margin <= values.max() <= high + 1e-3
        assert ours[name].std() == pytest.approx(theirs[name].std(), rel=0.05)
    assert mirrored.mean() == pytest.approx(0.5, abs=0.04)


def test_light_and_noise_are_like_the_hosts():
    rng = np.random.default_rng(3)
    host = np.stack([augment.face(rng, STRONG, face, 48) for face in MANY])
    ours = np.asarray(disturbed(jax.random.key(2), jnp.asarray(MANY), strength(STRONG), 48))
    assert ours.shape == host.shape and 0 <= ours.min() and ours.max() <= 1
    assert ours.mean() == pytest.approx(host.mean(), abs=0.01) and ours.std() == pytest.approx(host.std(), rel=0.05)
    assert ours.mean((1, 2)).std() == pytest.approx(host.mean((1, 2)).std(), rel=0.1)


def test_nothing_drawn_is_nothing_changed():
    same = disturbed(jax.random.key(0), jnp.asarray(MANY), strength(PLAIN), 48)
    np.testing.assert_allclose(same, MANY / 255, atol=1e-5)


# ------------------------------------------------------------------------ steps


def prepared(config: Config, teachers=()):
    """A function: (configuration, targets) -> state and figures after one epoch on `SMALL`; compiled once."""
    student = on_device.Student.of(train.network(config), config.layer_decay)
    epoch = on_device.epoch_of([student], list(teachers), config.batch, 16)

    def learned(config, targets):
        plan = on_device.recipe(config, targets, np.full(32, 1 / 32), 32 // config.batch)
        (state,), figures = epoch([student.state()], [plan], jnp.asarray(SMALL), jax.random.key(0), jnp.float32(0))
        return state, np.asarray(figures)[0]

    return learned


def test_a_step_is_that_of_keras():
    config = replace(TINY, batch=32, mixup=0.0, balance=0.0, dropout=0.0, layer_decay=0.5, weight_decay=0.5, ema=0.0)
    config = replace(config, augmentation=PLAIN, warmup=0.0)
    targets = np.eye(7, dtype=np.float32)[np.arange(32) % 7]
    state, figures = prepared(config)(config, targets)
    model = train.network(config)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(train.optimizer(config, 1, optimizers.pace(model, 0.5)), loss=loss)
    value = model.train_on_batch(SMALL[..., None].astype(np.float32) / 255, targets)
    assert figures[0] == pytest.approx(float(np.ravel(value)[0]), rel=1e-5)
    start = train.network(config)
    for keras_, begun, ours in zip(model.trainable_variables, start.trainable_variables, state["trained"], strict=True):
        keras_, begun = np.asarray(keras_.value), np.asarray(begun.value)
        # the faces come in another order, so the last digits differ
        assert np.abs(np.asarray(ours) - keras_).max() <= 2e-3 * np.abs(keras_ - begun).max() + 1e-6
    for variable, ours in zip(model.non_trainable_variables, state["other"], strict=True):
        if "seed" not in variable.path:
            assert np.allclose(ours, variable.value, atol=1e-4)
    # without averaging, the average is the last state
    for one, two in zip(state["trained"], state["mean_trained"], strict=True):
        assert (np.asarray(one) == np.asarray(two)).all()


def test_with_a_distillation_of_1_only_the_teacher_counts():
    config = replace(TINY, batch=16, teachers=("a run",), distillation=1.0)
    learned = prepared(config, [train.network(replace(TINY, seed=5))])
    labels = [np.tile(np.eye(7, dtype=np.float32)[label], (32, 1)) for label in (0, 3)]
    (one, first), (two, second), (again, third) = (learned(config, targets) for targets in (*labels, labels[0]))
    assert first[0] == second[0] == third[0]
    for a, b, c in zip(one["trained"], two["trained"], again["trained"], strict=True):
        assert (np.asarray(a) == np.asarray(b)).all() and (np.asarray(a) == np.asarray(c)).all()
    half = replace(config, distillation=0.5)
    assert learned(half, labels[0])[1][0] != learned(half, labels[1])[1][0]
    # what is mixed and how much does count
    assert learned(replace(config, mixup=0.0), labels[0])[1][0] != first[0]


def test_the_schedule_is_that_of_the_host():
    config = replace(TINY, learning_rate=0.4)
    plan = on_device.recipe(config, np.zeros((1, 7)), np.ones(1), 100)
    cycle = train.OneCycle(0.4, 100, 0.2)
    for step in (0, 7, 19, 20, 60, 99):
        assert float(on_device.rate(jnp.float32(step), plan)) == pytest.approx(float(cycle(step)), rel=1e-5, abs=1e-7)


# ------------------------------------------------------------------------- runs


def without_time(folder: Path) -> list[dict]:
    return [row | {"seconds": 0} for row in run.read_log(folder)]


def equal(one: h5py.Group, two: h5py.Group) -> bool:
    """Whether two files hold the same arrays under the same names."""
    return one.keys() == two.keys() and all(
        equal(one[name], two[name]) if isinstance(one[name], h5py.Group) else (one[name][()] == two[name][()]).all()
        for name in one
    )


@pytest.fixture
def parquet():
    return Path(os.environ["FACES"])


def test_two_networks_learn_together_and_a_stop_changes_nothing(parquet, tmp_path):
    (tmp_path / "teacher").mkdir()
    run.begin(tmp_path / "teacher", run.record(replace(TINY, seed=9), "0" * 64))
    train.network(replace(TINY, seed=9)).save_weights(tmp_path / "teacher" / run.BEST)
    one = replace(TINY, stages=((4, 16),), teachers=("teacher",), distillation=0.5)
    two = replace(one, seed=3, learning_rate=0.02, teachers=(), distillation=0.0)
    told = []

    class Told(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            told.append(epoch)
            if stop and epoch == 1:
                raise KeyboardInterrupt

    def learners():
        return [Learner(one, name="one"), Learner(two, name="two", callbacks=[Told()])]

    out = Path(os.environ["OUT"])
    for runs, stop in ((tmp_path / "whole", False), (out, True)):
        runs.mkdir(exist_ok=True)
        os.symlink(tmp_path / "teacher", runs / "teacher")
        if stop:
            with pytest.raises(KeyboardInterrupt):
                together(learners(), parquet, runs, every=2)
            assert {path.name for path in (runs / "one").iterdir()} == {run.RECORD, run.LOG, run.BEST, run.state(2)}
            (runs / "one" / run.BEST).unlink()  # as after a kill before it was written
            stop = False
        folders = together(learners(), parquet, runs, every=2)
    assert told == [1, 3, 1, 3]
    assert [folder.name for folder in folders] == ["one", "two"]
    for folder in folders:
        log = without_time(folder)
        assert log == without_time(tmp_path / "whole" / folder.name) and [row["epoch"] for row in log] == [0, 1, 2, 3]
        assert set(log[0]) == {"epoch", "seconds", "loss", "accuracy", "val_loss", "val_accuracy"}
        assert {path.name for path in folder.iterdir()} == {run.RECORD, run.LOG, run.BEST, run.state(4)}
        for name in (run.BEST, run.state(4)):
            with h5py.File(folder / name) as a, h5py.File(tmp_path / "whole" / folder.name / name) as b:
                a.visititems(
                    lambda path, item, b=b: (
                        np.testing.assert_array_equal(item, b[path]) if hasattr(item, "shape") else None
                    )
                )
    record = run.read_record(folders[0])
    assert record["teachers"] == {"teacher": distill.digest("teacher", out)} and record["on_device"] == ["one", "two"]
    # what is kept is what was measured
    best = max(run.read_log(folders[0]), key=lambda row: row["val_accuracy"])
    kept = train.network(one)
    kept.load_weights(folders[0] / run.BEST)
    from training import data

    held_out = data.load_emotions(parquet)["PublicTest"]
    answer = kept.predict(held_out.images[..., None].astype(np.float32) / 255, verbose=0)
    assert (answer.argmax(1) == held_out.labels).mean() == pytest.approx(best["val_accuracy"], abs=1e-4)

    with pytest.raises(RunError, match="on_device was .* and is"):
        together([Learner(one, name="one")], parquet, out)
    with pytest.raises(RunError, match="on_device was .* and is"):
        train.train(one, parquet, out, name="one")
    # a kill between two logs leaves one of them longer
    run.write_log(out / "two", run.read_log(out / "two")[:2])
    os.link(out / "two" / run.state(4), out / "two" / run.state(2))
    with pytest.raises(RunError, match="could not be read from .*one/epoch002.weights.h5"):
        together(learners(), parquet, out)


def test_an_epoch_is_there_for_the_other_backend_to_compare(parquet):
    folder = one_epoch.one_epoch(parquet, os.environ["START"], Path(os.environ["OUT"]) / "epoch")
    assert run.read_record(folder)["backend"] == "jax"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"optimizer": "adam"}, "optimizer is not supported.*Use sgd"),
        ({"schedule": "plateau"}, "schedule is not supported.*Use one-cycle"),
        ({"patience": 3}, "patience is not supported.*Use 0"),
        ({"batch": 6}, "different batch"),
        ({"augmentation": PLAIN}, "different augmentation"),
        ({"teachers": ("cnn",), "distillation": 0.5}, "different teachers"),
    ],
)
def test_what_cannot_be_trained_together_is_refused(change, told, parquet, tmp_path):
    first = replace(TINY, teachers=("resnet",), distillation=0.5)
    with pytest.raises(ParameterError, match=told):
        together([Learner(first), Learner(replace(TINY, **change), name="two")], parquet, tmp_path)
    assert not list(tmp_path.iterdir())


def test_two_runs_need_two_folders_and_keypoints_are_refused(parquet, tmp_path):
    from training.config import load

    with pytest.raises(ParameterError, match="the same run folder"):
        together([Learner(TINY), Learner(TINY)], parquet, tmp_path)
    with pytest.raises(ParameterError, match="keypoints"):
        together([Learner(replace(load("keypoints"), optimizer="sgd"))], parquet, tmp_path)


def test_a_loss_without_bounds_stops_before_anything_is_kept(parquet, tmp_path):
    with pytest.raises(DivergedError, match="finite.*cnn, epoch 1"):
        together([Learner(replace(TINY, learning_rate=1e38, warmup=0.0))], parquet, tmp_path)
    assert not list(tmp_path.rglob("*.h5"))


def test_the_command_trains_on_the_device(parquet, tmp_path):
    from typer.testing import CliRunner

    from training import cli

    options = ["--data", str(parquet), "--runs", str(tmp_path), "--stages", "1x16", "--batch", "7", "--width", "0.25"]
    options += ["--teachers", "", "--precision", "float32", "--on-device", "--run", "small", "--tensorboard"]
    done = CliRunner().invoke(cli.app, ["train", "cnn", *options])
    assert done.exit_code == 0, done.output
    assert "small: loss" in done.output and json.loads((tmp_path / "small" / run.LOG).read_text())[0]["epoch"] == 0
    assert list((tmp_path / "small" / "tensorboard").iterdir())
