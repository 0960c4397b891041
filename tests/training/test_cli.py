import hashlib
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from typer.testing import CliRunner

from models import card as cards
from models import weight_store
from models.errors import ParameterError, UnknownNameError
from training import cli
from training.config import Config, load


@pytest.fixture
def seen(monkeypatch, tmp_path):
    """What `train` would have been called with, instead of a training."""
    calls = []

    def train(*arguments, **more):
        calls.append((*arguments, more))

    monkeypatch.setattr("training.train.train", train)
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def test_train_uses_the_shipped_configuration(seen, tmp_path):
    result = run("train", "cnn", "--data", tmp_path, "--precision", "float32")
    assert result.exit_code == 0, result.output
    config, path, runs, more = seen[0]
    assert config == load("cnn") and path == tmp_path and str(runs) == "runs" and more == {"name": "", "callbacks": []}


OPTIONS = {
    "batch": ("32", 32),
    "optimizer": ("adamw", "adamw"),
    "schedule": ("plateau", "plateau"),
    "patience": ("6", 6),
    "learning_rate": ("0.01", 0.01),
    "warmup": ("0.1", 0.1),
    "weight_decay": ("0.002", 0.002),
    "fer2013_share": ("0.9", 0.9),
    "label_smoothing": ("0.05", 0.05),
    "balance": ("1", 1.0),
    "mixup": ("0.3", 0.3),
    "ema": ("0.99", 0.99),
    "layer_decay": ("0.9", 0.9),
    "teachers": ("cnn, vgg16", ("cnn", "vgg16")),
    "distillation": ("0.4", 0.4),
    "dropout": ("0.25", 0.25),
    "width": ("0.5", 0.5),
    "seed": ("4", 4),
    "stages": ("2x32,3x40", ((2, 32), (3, 40))),
}


def test_every_option_reaches_the_configuration(seen, tmp_path):
    options = [part for name, (text, _) in OPTIONS.items() for part in (f"--{name.replace('_', '-')}", text)]
    augment = ["--augment", "rotation=3", "--augment", "flip=no"]
    result = run("train", "resnet", "--data", tmp_path, "--precision", "float32", *options, *augment)
    assert result.exit_code == 0, result.output
    config = seen[0][0]
    assert {name: getattr(config, name) for name in OPTIONS} == {name: value for name, (_, value) in OPTIONS.items()}
    assert config.augmentation == replace(load("resnet").augmentation, rotation=3, flip=False)
    assert {field.name for field in fields(Config)} == {"name", "augmentation", *OPTIONS}


def test_without_teachers_there_is_no_distillation(seen, tmp_path):
    assert run("train", "resnet", "--data", tmp_path, "--teachers", "", "--precision", "float32").exit_code == 0
    assert seen[0][0].teachers == () and seen[0][0].distillation == 0


def test_epochs_stand_for_the_stages(seen, tmp_path):
    assert run("train", "cnn", "--data", tmp_path, "--epochs", 3, "--precision", "float32").exit_code == 0
    assert seen[0][0].stages == ((3, 48),)


@pytest.mark.parametrize(
    "options",
    [
        ["--stages", "12"],
        ["--stages", "2x48", "--epochs", 3],
        ["--augment", "zoom=2"],
        ["--augment", "rotation"],
        ["--augment", "flip=perhaps"],
        ["--batch", 0],
        ["--teachers", "", "--distillation", 0.3],
        ["--init", "imagenet", "--width", 0.5],
        ["--init", "shipped", "--width", 0.5],
    ],
)
def test_a_setting_that_cannot_be_is_refused(seen, tmp_path, options):
    result = run("train", "resnet", "--data", tmp_path, *options)
    assert isinstance(result.exception, ParameterError) and not seen


def test_retrain_starts_from_the_shipped_weights_with_a_low_rate(seen, tmp_path):
    options = ["--data-old", tmp_path / "old", "--epochs", 2, "--precision", "float32"]
    result = run("retrain", "cnn", "--data", tmp_path, *options)
    assert result.exit_code == 0, result.output
    config, path, _, more = seen[0]
    assert config.stages == ((2, 48),) and config.learning_rate == load("cnn").learning_rate / 10
    assert path == tmp_path and more["old"] == tmp_path / "old" and more["name"] == "cnn-retrain"
    assert more["start"] == f"cnn {cards.read(weight_store.SHIPPED / 'cnn').version}"


def test_train_starts_from_the_shipped_weights_with_its_own_recipe(seen, tmp_path):
    options = ["--init", "shipped", "--teachers", "resnet", "--distillation", 0.3, "--precision", "float32"]
    assert run("train", "cnn", "--data", tmp_path, *options).exit_code == 0
    config, _, _, more = seen[0]
    assert config == replace(load("cnn"), teachers=("resnet",), distillation=0.3)
    assert (
        more["start"] == f"cnn {cards.read(weight_store.SHIPPED / 'cnn').version}" and "block1_1_conv" in more["init"]
    )


def test_train_starts_from_a_file_of_imagenets_convolutions(seen, tmp_path):
    from safetensors.numpy import save_file

    file = tmp_path / "resnet50.safetensors"
    save_file({"conv2_block2_2_conv/kernel": np.ones((3, 3, 64, 64), np.float32)}, file)
    options = ["--init", "imagenet", "--init-file", file, "--precision", "float32"]
    assert run("train", "resnet", "--data", tmp_path, *options).exit_code == 0
    more = seen[0][3]
    assert more["start"] == f"ImageNet, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert list(more["init"](np.zeros((1, 48, 48), np.uint8))) == ["stage1_1_2_conv"]


def test_a_run_is_told_to_tensorboard_where_that_is_asked(seen, tmp_path):
    options = ["--runs", tmp_path, "--tensorboard", "--precision", "float32"]
    assert run("train", "cnn", "--data", tmp_path, *options).exit_code == 0
    assert [callback.folder for callback in seen[0][3]["callbacks"]] == [tmp_path / "cnn"]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["train", "vgg16", "--init-file", "x.safetensors"], "--init-file"),
        (["train", "vgg16", "--init", "shipped", "--init-file", "x.safetensors"], "--init-file"),
        (["together", "vgg16,cnn", "--init-file", "x.safetensors"], "--init-file"),
        (["evaluate", "keypoints", "--photos", "photos"], "--photos"),
        (["evaluate", "keypoints", "--no-robustness"], "--no-robustness"),
        (["evaluate", "ensemble", "--version", "1.0.0"], "--version"),
        (["evaluate", "ensemble", "--archive", "elsewhere", "--no-robustness"], "--archive, --no-robustness"),
        (["export", "cnn", "--to", "int8", "--out", "exports", "--run", "cnn-retrain"], "--run"),
        (["export", "cnn", "--to", "int8", "--out", "exports", "--source", "Faces of our own"], "--source"),
        (["sheet", "--count", 7], "--count"),
    ],
)
def test_an_option_without_effect_is_refused(seen, monkeypatch, tmp_path, arguments, options):
    monkeypatch.chdir(tmp_path)
    data = [] if arguments[0] == "sheet" else ["--data", tmp_path]
    refused = run(*arguments, *data).exception
    assert isinstance(refused, ParameterError) and options in str(refused)
    assert not seen and not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [["--init", "jft"], ["--precision", "float8"]])
def test_an_unknown_choice_is_refused(seen, tmp_path, options):
    result = run("train", "vgg16", "--data", tmp_path, *options)
    assert isinstance(result.exception, UnknownNameError) and not seen


def test_bad_input_is_one_sentence_and_exit_code_1(tmp_path):
    command = [sys.executable, "-m", "training", "data", "check", "--data", str(tmp_path / "none")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert "The training data were not found" in result.stderr and "Traceback" not in result.stderr


def test_a_full_disk_is_one_sentence_and_exit_code_1(monkeypatch, capsys):
    def full(*arguments):
        raise OSError(28, "No space left on device", "runs/versions")

    monkeypatch.setattr("training.release.versions.rollback", full)
    monkeypatch.setattr("sys.argv", ["training", "models", "rollback", "cnn"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert "[Errno 28] No space left on device: 'runs/versions'. Make room" in capsys.readouterr().err
