"""Networks of another width, and that their weights come back from a card."""

import dataclasses

import keras
import numpy as np
import pytest

from models import card as cards
from models import weight_store, zoo
from models.errors import WeightsMismatchError
from models.layers import filters
from models.model import restore


def test_filters_are_multiples_of_eight():
    assert [filters(64, width) for width in (1.0, 0.5, 0.3, 1.5, 0.01)] == [64, 32, 16, 96, 8]


@pytest.mark.parametrize("name", zoo.EMOTION_MODELS)
def test_width_scales_the_last_map_and_1_changes_nothing(name):
    layer = cards.read(weight_store.SHIPPED / name).cam_layer
    plain, half = zoo.build(name), zoo.build(name, width=0.5)
    assert half.get_layer(layer).output.shape[-1] * 2 == plain.get_layer(layer).output.shape[-1]
    shipped = cards.read(weight_store.SHIPPED / name).parameters
    assert sum(np.prod(w.shape) for w in zoo.build(name, width=1.0).weights) == shipped


def save(network, folder, width):
    fields = dataclasses.asdict(cards.read(weight_store.SHIPPED / "cnn"))
    del fields["sha256"], fields["parameters"]
    fields["input"], fields["training"] = cards.Input(**fields["input"]), cards.Training(**fields["training"])
    fields["training"].config["width"] = width
    weight_store.save(network, folder, **fields)
    return weight_store.Located(folder, "folder")


def test_a_card_tells_the_width_of_its_network(tmp_path):
    keras.utils.set_random_seed(0)
    network = zoo.build("cnn", width=0.25)
    restored = restore("cnn", save(network, tmp_path, 0.25), zoo.build)
    faces = np.random.default_rng(0).random((2, 48, 48), dtype=np.float32)
    expected = np.asarray(network(faces[..., None]))
    assert restored.logits(faces) == pytest.approx(expected, abs=0.03 * float(expected.std()))  # bfloat16


@pytest.mark.parametrize("width", [1e6, 0, "wide"])
def test_a_card_with_an_impossible_width_is_refused(tmp_path, width):
    located = save(zoo.build("cnn", width=0.25), tmp_path, width)
    with pytest.raises(WeightsMismatchError, match="width"):
        restore("cnn", located, zoo.build)
