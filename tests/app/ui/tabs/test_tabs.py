"""One contract over every tab, and the handlers of each as plain functions."""

import inspect
import re
from types import SimpleNamespace

import gradio as gr
import pytest

from app import main, text
from app.ui.session import Session
from app.ui.tabs import Shared, predict
from models import zoo
from models.errors import FaceWhyError


def picked(index) -> SimpleNamespace:
    """What the page sends when something is chosen."""
    return SimpleNamespace(_data={"index": index})


# ----------------------------------------------------------------- every tab


@pytest.mark.parametrize("tab", main.TABS, ids=lambda tab: tab.TITLE)
def test_a_tab_has_a_title_and_builds_alone(tab):
    assert tab.TITLE and tab.__doc__
    with gr.Blocks() as page, gr.Tabs(), gr.Tab(tab.TITLE) as container:
        tab.build(Shared(gr.State(Session()), container))
    assert page.fns


@pytest.mark.parametrize("tab", main.TABS, ids=lambda tab: tab.TITLE)
def test_the_handlers_of_a_tab_are_module_level_functions(tab):
    with gr.Blocks() as page, gr.Tabs(), gr.Tab(tab.TITLE) as container:
        tab.build(Shared(gr.State(Session()), container))
    for event in page.fns.values():
        assert event.api_visibility == "private"
        if event.fn is not None:
            assert getattr(tab, event.fn.__name__) is inspect.unwrap(event.fn)


def test_titles_differ():
    assert len({tab.TITLE for tab in main.TABS}) == len(main.TABS)


# ------------------------------------------------------------------- predict


def test_a_photo_shows_its_faces_before_the_models_answer(astronaut):
    first, last = predict.read(astronaut)
    assert first.session == gr.skip() and first.notice == predict.WAITING and "fw-box" in first.picture
    assert last.source is None and set(last.session.face_predictions) == set(zoo.EMOTION_MODELS)
    assert text.verdict(last.session.face_predictions) in last.notice


def test_a_photo_without_a_face_offers_the_whole_picture(plain):
    (view,) = predict.read(plain)
    assert view.session.faces == () and view.notice == predict.NO_FACE and view.whole.visible
    view = predict.read_whole(view.session)
    assert len(view.session.faces) == 1 and view.session.face_predictions and not view.whole.visible
    assert view.session.face.keypoints.shape == (15, 2)


def test_the_whole_picture_needs_a_picture():
    with pytest.raises(FaceWhyError):
        predict.read_whole(Session())


def test_choosing_a_face_shows_its_answers(two):
    view = predict.choose(two, picked(1))
    assert view.session.chosen == 1
    assert text.verdict({name: answers[1] for name, answers in two.predictions.items()}) in view.notice


def test_a_choice_that_does_not_exist_changes_nothing(two):
    for index in (7, -1, None, "1", {}):
        assert predict.choose(two, picked(index)).session.chosen == 0


def test_the_numbers_are_those_of_the_chart(one):
    cells = re.findall(r"<td>([^<]+)</td>", predict.numbers(one))
    expected = [text.percent(answer.probabilities[row]) for row in range(7) for answer in one.face_predictions.values()]
    assert cells == expected


def test_an_example_is_read_by_its_place():
    count = len(predict.example_paths())
    assert count >= 8 and predict.thumbnails().count("data-index") == count
    session = list(predict.read_example(picked(0)))[-1].session
    assert session.faces and session.face_predictions
    for index in (count, -1, None, "../../etc/hostname", [0]):
        with pytest.raises(FaceWhyError):
            list(predict.read_example(picked(index)))
