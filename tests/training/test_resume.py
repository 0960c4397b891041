"""A run that is killed and resumed ends like one that was not."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import RunError
from tests.training.killed import TINY
from training import run, train

ROOT = Path(__file__).parents[2]
PLAIN = replace(TINY, ema=0.0)
"""Without averages, which a run has after its first step only."""
pytestmark = pytest.mark.usefixtures("short_cnn")  # as in `tests.training.killed`


def killed(data, runs, moment: str) -> None:
    command = [sys.executable, "-m", "tests.training.killed", str(data), str(runs), moment]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.timeout(900)
def test_a_run_that_is_killed_three_times_ends_like_one_that_was_not(parquet, tmp_path):
    folder = tmp_path / "parts" / "cnn"
    killed(parquet, tmp_path / "parts", "batch")
    assert {path.name for path in folder.iterdir()} == {run.RECORD, run.LOG, run.BEST, run.state(1)}
    killed(parquet, tmp_path / "parts", "half")
    assert folder.joinpath(run.UNFINISHED + run.state(2)).is_file() and not folder.joinpath(run.state(2)).exists()
    killed(parquet, tmp_path / "parts", "log")
    assert folder.joinpath(run.state(2)).is_file() and len(run.read_log(folder)) == 1
    began = run.read_record(folder)

    parts = train.train(TINY, parquet, tmp_path / "parts")
    whole = train.train(TINY, parquet, tmp_path / "whole")
    assert {path.name for path in parts.iterdir()} == {run.RECORD, run.LOG, run.BEST, run.state(3)}
    assert run.read_record(parts) == began
    without_time = [[{**row, "seconds": 0} for row in run.read_log(folder)] for folder in (whole, parts)]
    assert without_time[0] == without_time[1]
    for name in (run.BEST, run.state(3)):
        one, two = train.network(TINY), train.network(TINY)
        one.load_weights(whole / name)
        two.load_weights(parts / name)
        for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
            assert np.allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.fixture
def begun(parquet, tmp_path):
    """The folder of a run with one epoch done, as far as its files tell."""
    folder = tmp_path / "runs" / "cnn"
    from training.data import fingerprint

    run.begin(folder, run.record(PLAIN, fingerprint(parquet)))
    run.write_log(folder, [{"epoch": 0, "seconds": 1.0, "loss": 1.0, "val_accuracy": 0.5}])
    model = train.network(PLAIN)
    model.compile(train.optimizer(PLAIN, 6), loss="mse")
    model.optimizer.build(model.trainable_variables)
    model.save_weights(folder / run.state(1))
    return folder


def test_the_best_weights_are_those_of_the_log_after_a_kill_before_they_were_written(begun, parquet):
    run.write_log(begun, [{"epoch": 0, "seconds": 1.0, "loss": 1.0, "val_accuracy": 1.0}])
    (begun / run.BEST).write_bytes(b"of an epoch before")
    (begun / run.state(0)).write_bytes(b"left by a kill")
    before, after = train.network(PLAIN), train.network(PLAIN)
    before.load_weights(begun / run.state(1))
    train.train(PLAIN, parquet, begun.parent)
    after.load_weights(begun / run.BEST)
    for a, b in zip(before.get_weights(), after.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert [path.name for path in begun.glob(run.STATES)] == [run.state(3)]


def test_other_settings_are_refused_with_what_differs(begun, parquet):
    other = replace(PLAIN, learning_rate=0.01, augmentation=replace(PLAIN.augmentation, erase=0.25))
    with pytest.raises(RunError) as refused:
        train.train(other, parquet, begun.parent)
    assert "learning_rate was 0.05 and is 0.01" in str(refused.value)
    assert "augmentation.erase was 0.5 and is 0.25" in str(refused.value)
    assert "seed" not in str(refused.value)


def test_other_data_and_another_start_are_refused(begun, parquet, rows):
    import pyarrow
    import pyarrow.parquet

    with pytest.raises(RunError, match="start was random numbers and is cnn 1.0.0, sha256 "):
        train.train(PLAIN, parquet, begun.parent, {"logits": [np.zeros(3)]}, start="cnn 1.0.0")
    rows[3]["label"] = 0
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), parquet)
    with pytest.raises(RunError, match="data_sha256 was .* and is"):
        train.train(PLAIN, parquet, begun.parent)


def test_a_run_from_before_runs_had_a_record_goes_on(begun, parquet, capsys):
    (begun / run.RECORD).unlink()
    train.train(PLAIN, parquet, begun.parent)
    assert "unknown" in capsys.readouterr().out
    assert len(run.read_log(begun)) == 3 and run.read_record(begun) is None


def test_a_damaged_or_missing_state_is_one_sentence(begun, parquet):
    (begun / run.state(1)).write_bytes(b"no weights")
    with pytest.raises(RunError, match="state of the run could not be read"):
        train.train(PLAIN, parquet, begun.parent)
    (begun / run.state(1)).unlink()
    with pytest.raises(RunError, match="no epoch001.weights.h5"):
        train.train(PLAIN, parquet, begun.parent)
    (begun / run.LOG).write_text("[{")
    with pytest.raises(RunError, match="log.json could not be read as JSON"):
        train.train(PLAIN, parquet, begun.parent)


def test_a_run_without_a_finished_epoch_may_begin_with_something_else(parquet, tmp_path):
    run.begin(tmp_path, run.record(PLAIN, "0" * 64))
    assert run.begin(tmp_path, run.record(replace(PLAIN, seed=7), "0" * 64)) == []
    assert run.read_record(tmp_path)["config"]["seed"] == 7
    assert json.loads((tmp_path / run.RECORD).read_text())["backend"] == "tensorflow"
