"""The same epoch on TensorFlow and on JAX, and each reads the other's weights."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training import jax_on_cpu, one_epoch
from training import run, train

ROOT = Path(__file__).parents[2]


def test_an_epoch_on_jax_ends_where_one_on_tensorflow_does(parquet, tmp_path):
    start = tmp_path / "start.weights.h5"
    train.network(one_epoch.CONFIG).save_weights(start)
    command = [sys.executable, "-m", "tests.training.one_epoch", str(parquet), str(start), str(tmp_path / "jax")]
    environment = os.environ | jax_on_cpu.ENVIRONMENT
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=350)
    assert done.returncode == 0, done.stderr
    there = tmp_path / "jax" / "cnn"
    here = one_epoch.one_epoch(parquet, start, tmp_path / "tensorflow")

    assert run.read_record(there)["backend"] == "jax" and "jax" in run.read_record(there)["versions"]
    one, two = run.read_log(here)[0], run.read_log(there)[0]
    assert two["loss"] == pytest.approx(one["loss"], rel=2e-5)
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=1e-3)
    # weights that JAX learned, read by TensorFlow, answer as they did there
    assert one_epoch.answers(there) == pytest.approx(np.load(there / "answers.npy"), abs=1e-4)
    assert np.load(here / "shipped.npy") == pytest.approx(np.load(there / "shipped.npy"), abs=1e-3)
    # TensorFlow's fused batch norm takes the unbiased variance, here of 112 values a channel in the last block
    assert np.load(here / "answers.npy") == pytest.approx(np.load(there / "answers.npy"), abs=0.1)
