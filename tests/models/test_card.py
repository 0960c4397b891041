import json
import os

import pytest

from models import card as cards
from models.card import Card, Input, Training
from models.errors import WeightsError, WeightsMismatchError, WeightsNotFoundError
from models.types import EMOTIONS

FIELDS = dict(
    name="tiny",
    architecture="cnn",
    version="1.0.0",
    date="2026-11-21",
    input=Input(48, 1, (0.0, 1.0)),
    labels=EMOTIONS,
    cam_layer="block4_2_relu",
    temperature=1.25,
    metrics={"accuracy": 0.65, "per_class": {"angry": 0.5}},
    data=("FER2013",),
    training=Training({"batch": 64}, 3, 0.5, run="tiny", data_sha256="cd" * 32, git_commit="ef" * 20, backend="jax"),
    licence="MIT",
    limits=("Trained on posed faces.",),
)
CARD = Card(**FIELDS, parameters=12, sha256="ab" * 32)
OPTIONAL = {"exports"}


def test_a_card_survives_its_file(tmp_path):
    path = cards.write(CARD, tmp_path)
    assert cards.read(tmp_path) == CARD
    assert os.listdir(tmp_path) == [path.name] == ["card.json"]


def test_a_field_that_is_not_known_is_ignored():
    values = json.loads(CARD.to_json()) | {"colour": "green"}
    assert cards.from_json(json.dumps(values)) == CARD


def test_a_card_from_before_a_field_is_read():
    values = json.loads(CARD.to_json())
    del values["exports"]
    values["training"] = {field: values["training"][field] for field in ("config", "epochs", "hours")}
    card = cards.from_json(json.dumps(values))
    assert card.exports == {} and card.sha256 == CARD.sha256
    assert card.training == Training({"batch": 64}, 3, 0.5, "unknown", "unknown", "unknown", "unknown")


@pytest.mark.parametrize("field", sorted(json.loads(CARD.to_json()).keys() - OPTIONAL))
def test_a_missing_field_is_named(field, tmp_path):
    values = json.loads(CARD.to_json())
    del values[field]
    (tmp_path / "card.json").write_text(json.dumps(values))
    with pytest.raises(WeightsMismatchError) as caught:
        cards.read(tmp_path)
    assert repr(field) in str(caught.value) and str(tmp_path / "card.json") in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../other"),
        ("architecture", ""),
        ("version", 1),
        ("date", "21.11.2026"),
        ("date", "2026-13-01"),
        ("labels", []),
        ("labels", ["sad", "sad"]),
        ("labels", "sad"),
        ("cam_layer", 3),
        ("temperature", 0),
        ("temperature", float("nan")),
        ("temperature", True),
        ("temperature", "1"),
        ("metrics", [1]),
        ("data", "FER2013"),
        ("limits", [1]),
        ("licence", None),
        ("parameters", 0),
        ("sha256", "AB" * 32),
        ("sha256", "ab" * 31),
        ("input", {"side": 48.5, "channels": 1, "range": [0, 1]}),
        ("input", {"side": 48, "channels": 0, "range": [0, 1]}),
        ("input", {"side": 48, "channels": 1, "range": [1, 0]}),
        ("input", {"side": 48, "channels": 1}),
        ("input", 48),
        ("exports", [1]),
        ("training", {"config": {}, "epochs": 1, "hours": 0, "data_sha256": "cd"}),
        ("training", {"config": {}, "epochs": 1, "hours": 0, "git_commit": ""}),
        ("training", {"config": {}, "epochs": -1, "hours": 0}),
        ("training", {"config": "cnn", "epochs": 1, "hours": 0}),
        ("training", {"config": {}, "epochs": 1, "hours": float("inf")}),
    ],
)
def test_a_wrong_field_is_named(field, value, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(json.loads(CARD.to_json()) | {field: value}))
    with pytest.raises(WeightsMismatchError) as caught:
        cards.read(tmp_path)
    assert f"'{field}" in str(caught.value) and str(tmp_path / "card.json") in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3"])
def test_a_card_that_is_no_json_object_is_refused(text):
    with pytest.raises(WeightsMismatchError, match="card.json"):
        cards.from_json(text)


def test_a_card_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "card.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsMismatchError, match="UTF-8"):
        cards.read(tmp_path)


def test_a_folder_without_a_card_is_named(tmp_path):
    with pytest.raises(WeightsNotFoundError) as caught:
        cards.read(tmp_path)
    assert isinstance(caught.value, WeightsError) and str(tmp_path) in str(caught.value)
