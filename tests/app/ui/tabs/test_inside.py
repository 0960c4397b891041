"""The handlers of the tab Inside as plain functions."""

import re
from html import unescape

import numpy as np
import pytest

from app import pipeline, text
from app.ui.cancellation import Cancellation
from app.ui.render import html, inside_panels
from app.ui.session import Session
from app.ui.tabs import inside
from explain.inside.opened import SHOWN
from explain.inside.receptive_field import receptive_field
from models import regions, zoo
from models.errors import WeightsError
from tests.app.ui.tabs.test_tabs import picked


def opened(session, model="cnn", emotion="", shown=None) -> inside.View:
    *_, last = inside.open_up(Cancellation(), session, shown, model, emotion)
    return last


@pytest.fixture(scope="module")
def view(one) -> inside.View:
    return opened(one)


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", markup)))


def test_a_network_is_opened_on_the_chosen_face_and_begins_at_the_end(one, view):
    found = view.shown.opened
    assert [stage.stage.grid for stage in found.stages] == [(48, 48), (24, 24), (12, 12), (6, 6)]
    assert view.network.count('role="radio"') == 4 and view.shown.stage == 3
    assert "48 × 48 cells, 32 maps" in words(view.network)
    answer = one.face_predictions["cnn"]
    assert f"{answer.logits[answer.top]:+.1f}" in view.notice.replace("−", "-")
    assert "These cells add up exactly" in view.cells and view.maps.count("<img") == SHOWN
    assert "1. Maps" in view.gradcam and "5. Enlarged" in view.gradcam
    assert 'type="range"' in view.path and len(re.search(r'data-scores="([^"]+)', view.path)[1].split(",")) == 33


def test_what_is_there_is_not_computed_again(one, view, monkeypatch):
    monkeypatch.setattr(inside.pipeline, "opened", lambda *_: 1 / 0)
    [same] = inside.open_up(Cancellation(), one, view.shown, "cnn", "")
    assert "score" in same.notice and same.cells == inside.SKIP


def test_another_emotion_and_another_network_have_other_numbers(one, view):
    sad = opened(one, emotion="sad", shown=view.shown)
    assert "for sad" in words(sad.notice) and sad.cells != view.cells
    vgg = opened(one, "vgg16", shown=view.shown)
    assert text.MODELS["vgg16"] in vgg.network and "512 maps" in words(vgg.network)


def test_a_stage_and_a_cell_are_looked_into(one, view):
    early = inside.turn_to(one, view.shown, picked(1))
    assert early.shown.stage == 1 and "no exact share" in early.cells and early.gradcam == inside.SKIP
    pointed = inside.point_at(one, early.shown, picked(24 * 18 + 16))
    assert pointed.shown.cell == (18, 16) and "Row 19, column 17" in words(pointed.cells)
    layer = early.shown.opened.stages[1].stage.layer
    top, left, bottom, right = receptive_field(zoo.load("cnn").network, layer).box(18, 16, 48)
    assert f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"' in pointed.cells
    part = early.shown.opened.stages[1].parts[18, 16]
    assert inside_panels.signed(float(part)) in pointed.cells
    for index in (-1, 24 * 24, None, "1"):
        assert inside.point_at(one, early.shown, picked(index)) == inside.View()
        assert inside.turn_to(one, early.shown, picked(index)) == inside.View()


def test_whoever_waits_for_a_place_is_told_so(one, two, view):
    queued = inside.waiting(two, view.shown)
    assert queued.notice == html.QUEUED and queued.cells == queued.path == "" and queued.shown == inside.SKIP
    assert inside.waiting(one, None).notice == html.QUEUED
    assert inside.waiting(one, view.shown) == inside.waiting(Session(), None) == inside.View()


def test_what_is_about_another_face_is_left_alone(one, two, view):
    assert inside.point_at(two, view.shown, picked(0)) == inside.View()
    assert inside.turn_to(one, None, picked(0)) == inside.View()
    [nothing] = inside.open_up(Cancellation(), Session(), view.shown, "cnn", "")
    assert nothing.notice == inside.NO_FACE and nothing.shown is None and nothing.path == ""


def test_a_later_run_and_a_network_that_cannot_be_used(one, monkeypatch):
    cancellation = Cancellation()
    steps = inside.open_up(cancellation, one, None, "cnn", "")
    assert "<progress" in next(steps).notice
    cancellation.begin()
    assert list(steps) == []

    def fails(*_, **__):
        raise WeightsError("The weights are gone", "none", "Try again later")

    monkeypatch.setattr(pipeline, "opened", fails)
    assert text.unavailable("resnet") in opened(one, "resnet").notice


def test_what_a_cell_looks_at_is_said_by_the_parts_of_the_face(one):
    masks = regions.masks(one.face.crop_keypoints)
    assert inside_panels.sees(masks, (0, 0, 48, 48)) == "all parts of the face"
    y, x = np.nonzero(masks[regions.REGIONS.index("mouth")])
    assert "the mouth" in inside_panels.sees(masks, (y.min(), x.min(), y.max() + 1, x.max() + 1))
    assert inside_panels.sees(masks, (0, 0, 2, 2)) == "a piece of the background"
