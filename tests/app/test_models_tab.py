import pytest

from app import model_views
from app.tabs import models
from models import zoo


@pytest.mark.parametrize("name", model_views.NAMES)
def test_every_model_says_what_it_is(name):
    keypoints = name == zoo.KEYPOINT_MODEL
    zoo.keypoint_model() if keypoints else zoo.load(name)
    told, trusted, table, note, *charts = models.show(name)
    assert all(part in told for part in ("Weights from", "Licence", "Trained on", "What it cannot"))
    assert (trusted == "") == (table == "") == keypoints
    assert len(charts) == len(models.PLACES)
    assert (note == models.NO_CHARTS) == (not any(chart["visible"] for chart in charts))


def test_a_model_that_is_not_loaded_has_no_charts(monkeypatch):
    monkeypatch.setattr(zoo, "loaded", lambda: {"cnn": zoo.Status("loading")})
    told, *empty, first, second, third, fourth = models.show("cnn")
    assert "Being loaded" in told and empty == ["", "", ""]
    assert not any(chart["visible"] for chart in (first, second, third, fourth))


def test_the_charts_beside_a_card_are_shown_in_their_places(monkeypatch):
    found = {"points": object(), "training": object()}
    monkeypatch.setattr(models.reports, "charts", lambda located: found)
    zoo.keypoint_model()
    _, _, _, note, first, second, third, fourth = models.show(zoo.KEYPOINT_MODEL)
    assert note == "" and first["value"] is found["points"] and fourth["value"] is found["training"]
    assert not second["visible"] and not third["visible"]


def test_charts_on_their_way_are_announced(monkeypatch):
    monkeypatch.setattr(models.reports, "charts", lambda located: {})
    monkeypatch.setattr(models.reports, "fetch", lambda located: True)
    zoo.load("cnn")
    assert models.show("cnn")[3] == models.COMING
    monkeypatch.setattr(models.reports, "fetch", lambda located: False)
    assert models.show("cnn")[3] == models.NO_CHARTS
