"""A bar within the epoch on a terminal; elsewhere one line an epoch and nothing else."""

import io
import re

import keras
import numpy as np
import pytest
from rich.console import Console

from training.config import load
from training.progress import Progress
from training.settings import changed


class Log(keras.callbacks.Callback):
    """Keeps a row an epoch, as the checkpoint does."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append({"epoch": epoch, "seconds": 1.5, **{key: float(value) for key, value in logs.items()}})


@pytest.fixture(autouse=True)
def able(monkeypatch):
    """A terminal that can do what most can, wherever the tests run."""
    monkeypatch.setenv("TERM", "xterm")


def trained(terminal: bool) -> str:
    """What a training of two epochs of five steps writes."""
    screen = Console(file=io.StringIO(), force_terminal=terminal, width=100, soft_wrap=True)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    values, targets = np.ones((20, 2), np.float32), np.zeros((20, 1), np.float32)
    log = Log()
    config = changed(load("cnn"), stages="2x48")
    with Progress(config, "val_loss", -1.0, log.rows, screen) as progress:
        progress.bars.live.auto_refresh = False
        update = progress.bars.update
        progress.bars.update = lambda *task, **values: (update(*task, **values), progress.bars.refresh())
        model.fit(
            values,
            targets,
            batch_size=4,
            epochs=2,
            validation_data=(values, targets),
            callbacks=[log, progress],
            verbose=0,
        )
    return screen.file.getvalue()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)


def test_a_terminal_shows_how_far_an_epoch_is():
    shown = plain(trained(terminal=True))
    for epoch in ("epoch 1/2  48 px", "epoch 2/2  48 px"):
        bars = [line for line in re.split(r"[\r\n]", shown) if line.startswith(epoch) and "━" in line]
        steps = [int(match[1]) for line in bars if (match := re.search(r" (\d)/5 ", line))]
        assert set(steps) >= {1, 2, 3, 4, 5} and steps == sorted(steps)
        assert any(re.search(r"loss \d\.\d{4}", line) for line in bars) and any("measuring" in line for line in bars)


@pytest.mark.parametrize("terminal", [True, False])
def test_an_epoch_leaves_one_line(terminal):
    lines = [line for line in plain(trained(terminal)).splitlines() if "val_loss" in line]
    assert [line[:16] for line in lines] == ["epoch 1/2  48 px", "epoch 2/2  48 px"]
    assert all(line.endswith("best so far") for line in lines)


def test_elsewhere_nothing_but_these_lines_is_written():
    written = trained(terminal=False)
    assert "\x1b" not in written and "\r" not in written and len(written.splitlines()) == 2
