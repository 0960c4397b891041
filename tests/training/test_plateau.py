from dataclasses import replace

import keras
import numpy as np
import pytest

from training import plateau, run, train
from training.config import Augmentation, Config

pytestmark = pytest.mark.usefixtures("short_cnn", "eager")
CONFIG = Config("cnn", stages=((10, 24),), schedule="plateau", learning_rate=0.4, warmup=0.2)
SERIES = [np.random.default_rng(seed).normal(size=40).cumsum() * scale for seed in range(6) for scale in (1, 1e-4)]


class Optimizer:
    """As much of an optimiser as the callback touches."""

    def __init__(self):
        self.learning_rate = keras.Variable(1.0)

    def __setattr__(self, name, value):
        if name == "learning_rate" and hasattr(self, name):
            self.learning_rate.assign(value)
        else:
            super().__setattr__(name, value)


class Model:
    def __init__(self):
        self.optimizer, self.stop_training = Optimizer(), False


@pytest.mark.parametrize("figures", SERIES)
def test_plateaus_are_counted_as_keras_counts_them(figures):
    callback = keras.callbacks.ReduceLROnPlateau(
        "figure", factor=plateau.FACTOR, patience=plateau.EPOCHS, mode="max", min_delta=plateau.DELTA
    )
    callback.set_model(model := Model())
    callback.on_train_begin()
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {"figure": figure})
        expected = plateau.FACTOR ** plateau.reductions(figures[: epoch + 1])
        assert float(model.optimizer.learning_rate) == pytest.approx(expected)
    assert plateau.reductions(figures) > 0


@pytest.mark.parametrize("figures", SERIES)
def test_patience_ends_where_keras_ends(figures):
    callback = keras.callbacks.EarlyStopping("figure", mode="max", patience=4)
    callback.set_model(model := Model())
    callback.on_train_begin()
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {"figure": figure})
        assert plateau.exhausted(figures[: epoch + 1], 4) == model.stop_training
        if model.stop_training:
            break
    assert not plateau.exhausted(figures, 0) and not plateau.exhausted([], 4)


def test_the_rate_rises_in_steps_and_then_halves():
    # two of ten epochs are the rise: a third, two thirds, all of it
    assert [plateau.rate(CONFIG, [0.1 * n for n in range(done)]) for done in range(4)] == pytest.approx(
        [0.4 / 3, 0.8 / 3, 0.4, 0.4]
    )
    assert plateau.rate(CONFIG, [0.5] * 6) == pytest.approx(0.2)


def test_a_run_learns_at_these_rates_and_stops_early(parquet, tmp_path, monkeypatch, capsys):
    import keras as library

    seen = []

    class Rates(library.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(float(self.model.optimizer.learning_rate))

    monkeypatch.setattr(plateau, "EPOCHS", 1)
    # a rate this small changes nothing that validation sees, so no epoch is better than the first
    config = replace(
        CONFIG, batch=7, width=0.25, learning_rate=1e-8, warmup=0.0, patience=3, augmentation=Augmentation()
    )
    folder = train.train(config, parquet, tmp_path, callbacks=[Rates()])
    accuracies = [row["val_accuracy"] for row in run.read_log(folder)]
    assert len(accuracies) < 10 and "stopped after epoch" in capsys.readouterr().out
    assert seen == pytest.approx([plateau.rate(config, accuracies[:n]) for n in range(len(accuracies))], rel=1e-5)
    assert seen[-1] < seen[0]
    before = run.read_log(folder)
    train.train(config, parquet, tmp_path)  # given again, it is still over
    assert run.read_log(folder) == before
