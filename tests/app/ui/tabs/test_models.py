import pytest

from app.serving import reports
from app.ui.render import model_cards
from app.ui.tabs import models
from models import zoo
from models.errors import WeightsError


def last(name: str) -> models.View:
    """What is shown in the end."""
    return list(models.show(name))[-1]


@pytest.mark.parametrize("name", model_cards.NAMES)
def test_every_model_says_what_it_is(name):
    keypoints = name == zoo.KEYPOINT_MODEL
    zoo.keypoint_model() if keypoints else zoo.load(name)
    told, trusted, average, table, note, *charts = last(name)
    assert all(part in told for part in ("Weights from", "Licence", "Trained on", "What it cannot"))
    assert (trusted == "") == (table == "") == keypoints and not (keypoints and average)
    assert len(charts) == len(models.PLACES)
    assert (note == models.NO_CHARTS) == (not any(chart["visible"] for chart in charts))


def test_a_model_that_is_being_loaded_says_so_first(monkeypatch):
    zoo.load("cnn")
    monkeypatch.setitem(zoo._status, "cnn", zoo.Status("loading"))
    shown = models.show("cnn")
    told, *empty, first, second, third, fourth = next(shown)
    assert "Being loaded" in told and empty == ["", "", "", ""]
    assert not any(chart["visible"] for chart in (first, second, third, fourth))
    monkeypatch.setitem(zoo._status, "cnn", zoo.Status("ready", 1.0, "shipped"))
    assert "Weights from" in next(shown)[0] and not list(shown)


def test_a_model_that_cannot_be_loaded_says_why(monkeypatch):
    def fail(name):
        zoo._status[name] = zoo.Status("failed", note="no such file")
        raise WeightsError("A rule", "nothing")

    monkeypatch.setitem(zoo._status, "vgg16", zoo.Status("waiting"))
    monkeypatch.setattr(zoo, "load", fail)
    steps = list(models.show("vgg16"))
    assert len(steps) == 2 and "Not available" in steps[1][0] and "no such file" in steps[1][0]
    assert len(list(models.show("vgg16"))) == 1  # and is not tried again by a look


def test_the_charts_beside_a_card_are_shown_in_their_places(monkeypatch):
    found = {"points": object(), "training": object()}
    monkeypatch.setattr(models.report_charts, "charts", lambda written: found)
    zoo.keypoint_model()
    _, _, _, _, note, first, second, third, fourth = last(zoo.KEYPOINT_MODEL)
    assert note == "" and first["value"] is found["points"] and fourth["value"] is found["training"]
    assert not second["visible"] and not third["visible"]


def test_charts_on_their_way_are_announced(monkeypatch):
    monkeypatch.setattr(models.report_charts, "charts", lambda written: {})
    monkeypatch.setattr(reports, "fetch", lambda located: True)
    zoo.load("cnn")
    assert last("cnn")[4] == models.COMING
    monkeypatch.setattr(reports, "fetch", lambda located: False)
    assert last("cnn")[4] == models.NO_CHARTS
