"""The dataset that ships is measured with the weights that ship."""

import json

import pytest

from app.data import reading, view
from app.data.filters import Filters
from models import card as cards
from models import dataset, weight_store, zoo

OFF = 2.2
"""Faces: bfloat16 sums otherwise on every kind of processor, and the cards round."""


@pytest.fixture(scope="module")
def shipped():
    return dataset.read(reading.SHIPPED)


def test_it_is_small_and_holds_no_picture(shipped):
    files = [path for path in reading.SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1.5e6
    kinds = shipped.schema("faces")
    assert not {"crop", "embedding"} & set(kinds.names)
    assert set(shipped.read("faces", ["source"])["source"].to_pylist()[0]) & set("/\\") == set(), "no path"


def test_it_matches_the_schema_in_every_table(shipped):
    for table in dataset.TABLES:
        dataset.check(table, shipped.schema(table))
    assert shipped.rows == {"photos": 7153, "faces": 7153, "errors": 0}


def test_its_accuracy_is_that_of_the_cards(monkeypatch, shipped):
    monkeypatch.delenv(reading.VARIABLE, raising=False)
    told = view.summary(Filters(split="PrivateTest"))
    for name in zoo.EMOTION_MODELS:
        card = cards.read(weight_store.SHIPPED / name)
        assert shipped.facts["weights"][name] == card.sha256, "write it anew: .venv/bin/python -m training faces"
        assert told.rates[name].faces == card.metrics["PrivateTest"]["faces"]
        assert told.rates[name].right == pytest.approx(card.metrics["PrivateTest"]["accuracy"] * 3574, abs=OFF)
    together = json.loads((weight_store.SHIPPED / "ensemble.json").read_text())["PrivateTest"]
    assert told.rates["mean"].right == pytest.approx(together["accuracy"] * 3574, abs=OFF)
    assert told.geometry and told.about.projections == ("stored",)
