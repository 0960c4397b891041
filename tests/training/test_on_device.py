"""Training on the accelerator; what needs JAX is in `on_jax.py` and runs in a process of its own."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models import cnn
from models.errors import ParameterError, UnknownNameError
from tests.training import jax_on_cpu, one_epoch
from tests.training.conftest import made_up_rows, write_table
from tests.training.short_cnn import short
from training import cli, run
from training.config import Config, load
from training.release import export
from training.together import Learner, together

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    """Where a process on JAX has passed its tests: the faces, first weights, and the folder of its runs."""
    folder = tmp_path_factory.mktemp("jax")
    parquet, start, runs = write_table(folder, made_up_rows()), folder / "start.weights.h5", folder / "runs"
    one_epoch.begun().save_weights(start)
    command = [sys.executable, "-m", "pytest", "tests/training/on_jax.py", "-q", "-x", "-p", "no:cacheprovider"]
    environment = os.environ | jax_on_cpu.ENVIRONMENT | {"FACES": str(parquet), "START": str(start), "OUT": str(runs)}
    # what is compiled again is taken from here
    environment |= {"JAX_COMPILATION_CACHE_DIR": str(folder / "xla")}
    environment |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5"}
    done = subprocess.run(
        [*command, "--timeout=0"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=880
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return parquet, start, runs


@pytest.mark.timeout(900)
def test_a_run_on_jax_becomes_a_version_on_tensorflow(on_jax, tmp_path, monkeypatch):
    _, _, runs = on_jax
    monkeypatch.setattr(cnn, "build", short)
    made = export.export("cnn", runs, "", tmp_path / "archive", tmp_path / "weights", run="one")
    assert made.card.training.backend == "jax" and made.card.training.epochs == 4
    log = run.read_log(runs / "one")
    assert made.card.training.config["best_epoch"] == max(log, key=lambda row: row["val_accuracy"])["epoch"]


@pytest.mark.timeout(900)
def test_an_epoch_on_jax_ends_where_one_on_tensorflow_does(on_jax, tmp_path):
    parquet, start, runs = on_jax
    there, here = runs / "epoch" / "cnn", one_epoch.one_epoch(parquet, start, tmp_path)
    assert run.read_record(there)["backend"] == "jax" and "jax" in run.read_record(there)["versions"]
    one, two = run.read_log(here)[0], run.read_log(there)[0]
    assert two["loss"] == pytest.approx(one["loss"], rel=2e-5)
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=1e-3)
    # weights that JAX learned, read by TensorFlow, answer as they did there
    assert one_epoch.answers(there) == pytest.approx(np.load(there / "answers.npy"), abs=1e-4)
    assert np.load(here / "shipped.npy") == pytest.approx(np.load(there / "shipped.npy"), abs=1e-3)
    # TensorFlow's fused batch norm takes the unbiased variance, here of few values a channel in the last block
    assert np.load(here / "answers.npy") == pytest.approx(np.load(there / "answers.npy"), abs=0.1)


def test_another_backend_is_refused_with_what_to_set(tmp_path):
    with pytest.raises(ParameterError, match="KERAS_BACKEND=tensorflow. Set KERAS_BACKEND=jax"):
        together([Learner(Config("cnn", stages=((1, 24),)))], tmp_path)


@pytest.fixture
def seen(monkeypatch):
    """What `together` would have been called with, instead of a training."""
    calls = []
    monkeypatch.setattr("training.together.together", lambda *arguments: calls.append(arguments))
    return calls


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def test_together_uses_the_recipes_and_starts_vgg16_from_imagenet(seen, tmp_path):
    from safetensors.numpy import save_file

    save_file({"block1_conv1/bias": np.zeros(64, np.float32)}, tmp_path / "vgg16.safetensors")
    options = ["--init", "imagenet", "--init-file", tmp_path / "vgg16.safetensors", "--precision", "float32"]
    result = invoke("together", "vgg16,resnet, cnn", "--data", tmp_path, "--every", 5, *options)
    assert result.exit_code == 0, result.output
    learners, path, runs, every = seen[0]
    assert [learner.config for learner in learners] == [load("vgg16"), load("resnet"), load("cnn")]
    assert learners[0].start.startswith("ImageNet, sha256 ") and callable(learners[0].init)
    assert [learner.start for learner in learners[1:]] == ["random numbers"] * 2
    assert (path, str(runs), every) == (tmp_path, "runs", 5)


def test_settings_of_all_networks_reach_them(seen, tmp_path):
    options = ["--teachers", "a,b", "--distillation", 0.2, "--stages", "2x32,1x48", "--batch", 9, "--augment", "blur=0"]
    result = invoke("together", "resnet,cnn", "--data", tmp_path, "--precision", "float32", *options)
    assert result.exit_code == 0, result.output
    for learner in seen[0][0]:
        recipe = load(learner.config.name)
        assert learner.config == replace(
            recipe,
            teachers=("a", "b"),
            distillation=0.2,
            stages=((2, 32), (1, 48)),
            batch=9,
            augmentation=replace(recipe.augmentation, blur=0.0),
        )


def test_a_teacher_has_a_recipe_and_a_folder_of_its_own(seen, tmp_path):
    options = ["--teacher", "--on-device", "--precision", "float32"]
    assert invoke("train", "resnet", "--data", tmp_path, *options).exit_code == 0
    (learner,) = seen[0][0]
    assert learner.config == load("resnet", teacher=True) and learner.folder == "resnet-teacher"
    assert {name for each in ("vgg16", "resnet", "cnn") for name in load(each).teachers} == {
        "vgg16-teacher",
        "resnet-teacher",
    }
    result = invoke("train", "cnn", "--data", tmp_path, *options)
    assert isinstance(result.exception, UnknownNameError) and "vgg16" in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ["together", ","],
        ["together", "resnet,cnn", "--init", "imagenet"],
        ["together", "vgg16", "--init", "shipped"],
        ["train", "cnn", "--every", 5],
    ],
)
def test_what_cannot_be_is_refused(seen, arguments, tmp_path):
    assert isinstance(invoke(*arguments, "--data", tmp_path).exception, ParameterError) and not seen
