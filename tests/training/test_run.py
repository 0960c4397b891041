"""The files of a run: written whole or not at all, and told apart by what decides the result."""

import json
import os
import resource
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import RunError
from training import run
from training.config import Augmentation, Config

CONFIG = Config("cnn", stages=((1, 24),))
ROOT = Path(__file__).parents[2]


def test_a_record_says_what_a_card_needs():
    made = run.record(CONFIG, "ab" * 32)
    assert made["config"]["stages"] == [[1, 24]] and made["data_sha256"] == "ab" * 32
    assert made["backend"] == "tensorflow" and made["versions"]["tensorflow"].startswith("2.")
    assert len(made["git_commit"].removesuffix("+changes")) == 40
    assert json.loads(json.dumps(made)) == made


def test_the_same_again_has_no_differences():
    assert run.differences(run.record(CONFIG, "0" * 64), run.record(CONFIG, "0" * 64)) == []


def test_a_setting_that_an_older_record_lacks_had_its_default():
    old = run.record(CONFIG, "0" * 64)
    del old["config"]["balance"], old["config"]["augmentation"]["blur"]
    assert run.differences(old, run.record(CONFIG, "0" * 64)) == []
    changed = replace(CONFIG, balance=0.5, augmentation=Augmentation(blur=1.0))
    assert run.differences(old, run.record(changed, "0" * 64)) == [
        "balance was 0.0 and is 0.5",
        "augmentation.blur was 0.0 and is 1.0",
    ]


def test_data_teachers_and_start_count_and_the_commit_does_not():
    one = run.record(CONFIG, "a" * 64, teachers={"cnn": "c" * 64})
    two = run.record(CONFIG, "b" * 64, "cnn 1.0.0", teachers={"cnn": "d" * 64}) | {"git_commit": "another"}
    assert run.differences(one, two) == [
        f"data_sha256 was {'a' * 16}… and is {'b' * 16}…",
        "start was random numbers and is cnn 1.0.0",
        f"teachers.cnn was {'c' * 16}… and is {'d' * 16}…",
    ]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "the disk is full"),
        (RuntimeError("Disable slist failed\n, errno = 28, 'No space left on device'"), "the disk is full"),
        (OSError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_a_write_that_fails_keeps_what_was_there(tmp_path, error, told):
    path = tmp_path / "log.json"
    path.write_text("before")

    def fails(beside):
        beside.write_text("half")
        raise error

    with pytest.raises(RunError, match=f"log.json could not be written.*{told}.*kept"):
        run.write(path, fails)
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_the_size_of_a_checkpoint_is_about_that_of_its_file(tmp_path):
    from training import checkpoint, train

    model = train.network(replace(CONFIG, width=0.25))
    model.compile(train.optimizer(CONFIG, 3), loss="mse")
    model.optimizer.build(model.trainable_variables)
    model.save_weights(tmp_path / run.BEST)
    actual = (tmp_path / run.BEST).stat().st_size
    assert actual <= checkpoint.size(model) <= 1.3 * actual


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(run.shutil, "disk_usage", lambda path: usage(9e6, 8e6, 1_000_000))
    with pytest.raises(RunError, match="it needs 9.5 MB and 1.0 MB were free"):
        run.write(tmp_path / run.BEST, pytest.fail, needed=9_500_000)
    with pytest.raises(RunError, match="they need 3.0 MB and 1.0 MB are free"):
        run.room(tmp_path, 3_000_000)
    run.room(tmp_path, 900_000)
    assert not list(tmp_path.iterdir())


LIMITED = """
import resource, sys
from pathlib import Path
from training import checkpoint, run, train
from training.config import Config
folder = Path(sys.argv[1])
made = checkpoint.Checkpoint(folder, "val_accuracy", 1.0)
made.set_model(train.network(Config("cnn", stages=((1, 24),), width=0.25)))
made.on_epoch_end(0, {"loss": 1.0, "val_accuracy": 0.5})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    made.on_epoch_end(1, {"loss": 0.9, "val_accuracy": 0.6})
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on the size of files")
def test_a_checkpoint_that_the_system_refuses_to_write_leaves_the_last_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.stdout.startswith("RunError"), done.stderr
    assert "epoch002.weights.h5 could not be written" in done.stdout and "last good checkpoint is kept" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {run.LOG, run.BEST, run.state(1)}
    assert len(run.read_log(tmp_path)) == 1
