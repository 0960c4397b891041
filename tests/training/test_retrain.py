import dataclasses

import cv2
import numpy as np
import pytest

from models import card as cards
from models import weight_store, zoo
from models.errors import DataError, WeightsNotFoundError
from models.types import EMOTIONS
from tests.training.conftest import made_up_face
from training import data, retrain, run, train


def test_the_start_is_what_ships():
    begun = retrain.start("cnn")
    network = zoo.build("cnn")
    weight_store.load_into(network, weight_store.SHIPPED / "cnn" / weight_store.FILE)
    for layer in network.layers:
        for have, want in zip(begun.arrays.get(layer.name, []), layer.get_weights(), strict=True):
            assert (have == want).all()
    assert begun.source == f"cnn {cards.read(weight_store.SHIPPED / 'cnn').version}"
    assert begun.config.teachers == () and begun.config.epochs == retrain.EPOCHS


def test_the_start_tells_what_the_shipped_weights_began_with():
    card = cards.read(weight_store.SHIPPED / "vgg16")
    assert retrain.start("vgg16").source == f"vgg16 {card.version}, which began with {card.training.config['start']}"


def test_no_weights_are_refused(tmp_path):
    with pytest.raises(WeightsNotFoundError):
        retrain.start("cnn", tmp_path)


@pytest.fixture
def more(tmp_path):
    """More faces of one emotion only."""
    happy = EMOTIONS.index("happy")
    folder = tmp_path / "more" / "train" / "happy"
    folder.mkdir(parents=True)
    for index in range(10):
        cv2.imwrite(str(folder / f"{index}.png"), made_up_face(happy, 100 + index))
    return tmp_path / "more"


def test_new_faces_join_the_old_ones(parquet, more):
    joined = data.join(data.load_emotions(parquet), data.load_emotions(more, complete=False))
    assert {name: len(split) for name, split in joined.items()} == {
        "Training": 14 + 9,
        "PublicTest": 14 + 1,
        "PrivateTest": 14,
    }
    training = joined["Training"]
    assert (training.labels[14:] == EMOTIONS.index("happy")).all() and not training.votes[14:].any()
    assert (training.images[14] == made_up_face(EMOTIONS.index("happy"), 100)).all()


def test_new_faces_alone_must_show_every_emotion(more):
    with pytest.raises(DataError, match="nothing in train/angry"):
        data.load_emotions(more)


def test_a_retrained_network_begins_with_the_shipped_weights(eager, parquet, more, tmp_path):
    begun = retrain.start("cnn")
    config = dataclasses.replace(begun.config, stages=((1, 48),), batch=20, learning_rate=1e-9)
    folder = train.train(
        config, more, tmp_path / "runs", begun.arrays, start=begun.source, old=parquet, name="cnn-retrain"
    )
    assert folder.name == "cnn-retrain" and run.read_record(folder)["start"].startswith(begun.source)
    network = train.network(config)
    network.load_weights(folder / run.BEST)
    for layer, arrays in begun.arrays.items():
        if layer.endswith("_conv"):  # batch norm's averages move with the faces, whatever the rate
            assert np.allclose(network.get_layer(layer).get_weights()[0], arrays[0], atol=1e-6)
