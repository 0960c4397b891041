import subprocess
import sys

import pytest
from typer.testing import CliRunner

from models.errors import UnknownNameError
from training import cli
from training.config import load


@pytest.fixture
def seen(monkeypatch, tmp_path):
    """What `train` would have been called with, instead of a training."""
    calls = []
    monkeypatch.setattr("training.train.train", lambda *arguments: calls.append(arguments) or tmp_path)
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def test_train_uses_the_shipped_configuration(seen, tmp_path):
    result = run("train", "cnn", "--data", tmp_path, "--precision", "float32")
    assert result.exit_code == 0, result.output
    config, path, runs, start = seen[0]
    assert config == load("cnn") and path == tmp_path and str(runs) == "runs" and start is None


def test_every_option_reaches_the_configuration(seen, tmp_path):
    options = ["--epochs", 3, "--learning-rate", 0.01, "--fer2013-share", 0.9, "--seed", 4, "--precision", "float32"]
    assert run("train", "resnet", "--data", tmp_path, *options).exit_code == 0
    config = seen[0][0]
    assert config.stages == ((3, 48),) and config.learning_rate == 0.01
    assert config.fer2013_share == 0.9 and config.seed == 4


@pytest.mark.parametrize("options", [["--init", "jft"], ["--precision", "float8"]])
def test_an_unknown_choice_is_refused(seen, tmp_path, options):
    result = run("train", "vgg16", "--data", tmp_path, *options)
    assert isinstance(result.exception, UnknownNameError) and not seen


def test_bad_input_is_one_sentence_and_exit_code_1(tmp_path):
    command = [sys.executable, "-m", "training", "export", "cnn", "--runs", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert "at least one finished epoch" in result.stderr and "Traceback" not in result.stderr
