import numpy as np
import pytest

from models.errors import DataError
from training import train
from training.config import Augmentation, Config, load

TINY = Config("cnn", stages=((1, 24), (1, 32)), batch=7, augmentation=Augmentation(erase=0.5))


def test_one_cycle_by_hand():
    cycle = train.OneCycle(peak=0.4, steps=100, warmup=0.2)
    assert float(cycle(0)) == pytest.approx(0.4 / 21)
    assert float(cycle(20)) == pytest.approx(0.4)
    assert float(cycle(60)) == pytest.approx(0.2)
    assert float(cycle(100)) == pytest.approx(0.0, abs=1e-7)


def test_a_run_interrupted_and_resumed_ends_like_one_that_was_not(parquet, tmp_path, monkeypatch):
    whole = train.train(TINY, parquet, tmp_path / "whole")

    class Interrupted(train.Checkpoint):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "Checkpoint", Interrupted)
        train.train(TINY, parquet, tmp_path / "parts")
    parts = train.train(TINY, parquet, tmp_path / "parts")
    one, two = train.read_log(whole), train.read_log(parts)
    assert [row["epoch"] for row in two] == [0, 1]
    assert two[1]["loss"] == pytest.approx(one[1]["loss"], rel=1e-3)
    networks = [train.network(TINY), train.network(TINY)]
    for network, folder in zip(networks, (whole, parts), strict=True):
        network.load_weights(folder / train.state(2), skip_mismatch=False)
    for a, b in zip(networks[0].get_weights(), networks[1].get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-3)


def test_a_loss_that_is_no_number_stops_and_leaves_the_last_checkpoint(tmp_path):
    network = train.network(TINY)
    checkpoint = train.Checkpoint(tmp_path, "val_accuracy", 1.0)
    checkpoint.set_model(network)
    checkpoint.on_epoch_end(0, {"loss": 1.0, "val_accuracy": 0.5})
    kept = (tmp_path / train.state(1)).read_bytes()
    with pytest.raises(DataError, match="finite"):
        checkpoint.on_epoch_end(1, {"loss": float("nan"), "val_accuracy": 0.5})
    assert (tmp_path / train.state(1)).read_bytes() == kept
    assert len(train.read_log(tmp_path)) == 1


def test_best_is_kept_while_last_goes_on(tmp_path):
    network = train.network(TINY)
    checkpoint = train.Checkpoint(tmp_path, "val_accuracy", 1.0)
    checkpoint.set_model(network)
    checkpoint.on_epoch_end(0, {"loss": 1.0, "val_accuracy": 0.5})
    best = (tmp_path / "best.weights.h5").read_bytes()
    network.get_layer("logits").set_weights([w + 1 for w in network.get_layer("logits").get_weights()])
    checkpoint.on_epoch_end(1, {"loss": 0.9, "val_accuracy": 0.4})
    assert (tmp_path / "best.weights.h5").read_bytes() == best
    assert (tmp_path / train.state(2)).read_bytes() != best


@pytest.mark.parametrize("name", ["cnn", "resnet", "vgg16", "keypoints"])
def test_every_model_has_a_configuration_that_ends_at_its_own_side(name):
    config = load(name)
    assert config.name == name
    assert config.side(config.epochs - 1) == (96 if name == "keypoints" else 48)
