from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError, RunError
from training import run, train
from training.config import Augmentation, Config, load

pytestmark = pytest.mark.usefixtures("short_cnn", "eager")
TINY = Config("cnn", stages=((1, 24), (1, 32)), batch=7, augmentation=Augmentation(erase=0.5))


def test_one_cycle_by_hand():
    cycle = train.OneCycle(peak=0.4, steps=100, warmup=0.2)
    assert float(cycle(0)) == pytest.approx(0.4 / 21)
    assert float(cycle(20)) == pytest.approx(0.4)
    assert float(cycle(60)) == pytest.approx(0.2)
    assert float(cycle(100)) == pytest.approx(0.0, abs=1e-7)


def test_a_loss_without_bounds_ends_the_run_in_its_first_epoch(parquet, tmp_path):
    config = replace(TINY, stages=((2, 24),), batch=2, learning_rate=1e38, warmup=0.0)
    with pytest.raises(RunError, match="(nan|inf) in epoch 1, batch [2-7].*no checkpoint yet"):
        train.train(config, parquet, tmp_path / "runs")
    assert not list((tmp_path / "runs").rglob("*.h5"))


def test_a_batch_larger_than_the_data_is_refused(parquet, tmp_path):
    with pytest.raises(DataError, match="14 faces for batches of 64.*--batch"):
        train.train(replace(TINY, batch=64), parquet, tmp_path)


def test_first_weights_may_be_made_of_the_training_faces(parquet, tmp_path):
    seen = []

    def first(images):
        seen.append(images.shape)
        return {"logits": [np.zeros((64, 7)), np.full(7, 0.5)]}

    config = replace(TINY, stages=((1, 24),), learning_rate=1e-9)
    for _ in range(2):  # the second time the run is over, and nothing is made
        folder = train.train(config, parquet, tmp_path, first, start="ImageNet, sha256 ab")
    assert seen == [(14, 48, 48)] and run.read_record(folder)["start"] == "ImageNet, sha256 ab"
    best = train.network(config)
    best.load_weights(folder / "best.weights.h5")
    assert best.get_layer("logits").bias.numpy() == pytest.approx([0.5] * 7, abs=1e-6)


def test_width_and_dropout_reach_the_network():
    narrow = train.network(replace(TINY, width=0.5, dropout=0.1))
    assert narrow.get_layer("block4_2_conv").filters == 32 and narrow.get_layer("dropout").rate == 0.1
    assert train.network(TINY).get_layer("dropout").rate == 0.3


def test_a_loss_that_is_no_number_stops_and_leaves_the_last_checkpoint(tmp_path):
    network = train.network(TINY)
    checkpoint = train.Checkpoint(tmp_path, "val_accuracy", 1.0)
    checkpoint.set_model(network)
    checkpoint.on_epoch_end(0, {"loss": 1.0, "val_accuracy": 0.5})
    kept = (tmp_path / train.state(1)).read_bytes()
    checkpoint.on_train_batch_end(2, {"loss": 0.7})
    with pytest.raises(RunError, match="finite.*nan in epoch 2, batch 4.*after epoch 1 is kept"):
        checkpoint.on_train_batch_end(3, {"loss": float("nan")})
    with pytest.raises(RunError, match="inf in val_loss of epoch 2"):
        checkpoint.on_epoch_end(1, {"loss": 1.0, "val_loss": float("inf"), "val_accuracy": 0.5})
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
