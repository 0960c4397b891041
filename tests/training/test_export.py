import dataclasses

import pytest

from models import card as cards
from models.errors import DataError
from training import train
from training.config import Augmentation, Config
from training.evaluate import evaluate
from training.export import export

TINY = Config("cnn", stages=((1, 32),), batch=7, augmentation=Augmentation())


@pytest.fixture
def exported(parquet, tmp_path):
    train.train(TINY, parquet, tmp_path / "runs")
    return export(TINY, tmp_path / "runs", tmp_path / "weights")


def test_a_run_becomes_weights_with_a_measured_card(exported, parquet, tmp_path):
    assert exported.version == "1.0.0" and exported.metrics == {}
    assert exported.training.config["stages"] == ((1, 32),) and exported.training.epochs == 1
    card = evaluate("cnn", parquet, tmp_path / "weights")
    assert set(card.metrics) == {"PublicTest", "PrivateTest"}
    assert card.metrics["PrivateTest"]["faces"] == 14
    assert sum(map(sum, card.metrics["PrivateTest"]["confusion"])) == 14
    assert cards.read(tmp_path / "weights" / "cnn") == dataclasses.replace(
        card, training=cards.read(tmp_path / "weights" / "cnn").training
    )


def test_the_next_export_counts_the_version_up(exported, tmp_path):
    assert export(TINY, tmp_path / "runs", tmp_path / "weights").version == "1.0.1"


def test_a_run_without_an_epoch_cannot_be_exported(tmp_path):
    with pytest.raises(DataError, match="Train cnn first"):
        export(TINY, tmp_path, tmp_path / "weights")
