import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import card as cards
from models import weight_store, zoo
from models.errors import DataError
from models.types import EMOTIONS
from training.measures import photos

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def folder(tmp_path):
    for name in ("astronaut.jpg", "grace_hopper.jpg"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 300, 3), 120, np.uint8))
    (tmp_path / "labels.csv").write_text(
        "file,label,note\nastronaut.jpg,happy,\ngrace_hopper.jpg,fear,\nwall.png,noface,\n", encoding="utf-8"
    )
    return tmp_path


def test_photos_are_answered_as_the_page_answers_them(folder):
    models = {name: zoo.load(name) for name in ("cnn", "resnet")}
    found = photos.measure(models, folder)
    assert (found["photos"], found["found"], found["without_face"], found["reported_without_face"]) == (2, 1.0, 1, 0)
    assert found["support"] == {e: int(e in ("happy", "fear")) for e in found["support"]}
    face = photos.largest_face(folder / "astronaut.jpg")
    for name, model in models.items():
        assert found[name]["recall"]["happy"] == float(model.predict([face])[0].top == EMOTIONS.index("happy"))
        assert found[name]["accuracy"] == np.mean(list(found[name]["recall"].values()))
    assert set(found["mean"]["recall"]) == {"happy", "fear"}
    assert "mean" not in photos.measure({"cnn": models["cnn"]}, folder)
    assert not any("astronaut" in str(value) for value in found.values())


def test_the_fingerprint_knows_labels_and_pictures(folder):
    before = photos.measure({"cnn": zoo.load("cnn")}, folder)["sha256"]
    text = (folder / "labels.csv").read_text()
    (folder / "labels.csv").write_text(text.replace("grace_hopper.jpg,fear", "grace_hopper.jpg,sad"))
    assert photos.measure({"cnn": zoo.load("cnn")}, folder)["sha256"] != before


def test_a_face_that_is_not_found_counts_as_wrong(folder):
    (folder / "labels.csv").write_text("file,label\nastronaut.jpg,happy\nwall.png,happy\n")
    found = photos.measure({"cnn": zoo.load("cnn")}, folder)
    assert found["found"] == 0.5 and found["cnn"]["accuracy"] <= 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no labels.csv"),
        ("file\nastronaut.jpg\n", "lacks a column. Received: label"),
        ("file,label\nastronaut.jpg,joy\n", "line 2.*'joy'"),
        ("file,label\nastronaut.jpg,happy\nnone.jpg,sad\n", "line 3.*'none.jpg'"),
        ("file,label\n", "lists no picture"),
        ("file,label\nwall.png,noface\n", "No photo shows a face"),
        ("file,label\nlabels.csv,happy\n", "picture labels.csv could not be read"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_sentence(folder, text, message):
    (folder / "labels.csv").unlink()
    if text is not None:
        (folder / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        photos.measure({"cnn": zoo.load("cnn")}, folder)


def test_the_page_has_the_photos_of_the_cards():
    page = (Path(__file__).parents[3] / "docs" / "measuring.md").read_text(encoding="utf-8")
    section = page.split("## Real photos")[1].split("## ")[0].splitlines()
    rows = {name: cells for name, *cells in (line.strip("| ").split(" | ") for line in section if line[:1] == "|")}
    found = {name: cards.read(weight_store.SHIPPED / name).metrics["photos"] for name in zoo.EMOTION_MODELS}
    found["averaged"] = json.loads((weight_store.SHIPPED / "ensemble.json").read_text(encoding="utf-8"))["photos"]
    for name, figures in found.items():
        assert rows["photos"] == [str(figures["photos"]), *(str(figures["support"][emotion]) for emotion in EMOTIONS)]
        own = figures["mean" if name == "averaged" else name]
        shares = [own["accuracy"], *(own["recall"][emotion] for emotion in EMOTIONS)]
        assert rows[name] == [f"{100 * share:.0f} %" for share in shares], name
