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
    steps = list(predict.read(astronaut))
    assert len(steps) == 2
    (_, waiting, *first), (emptied, session, *last) = steps
    assert waiting == gr.skip() and first[2] == predict.WAITING and "fw-box" in first[0]
    assert emptied is None and set(session.face_predictions) == set(zoo.EMOTION_MODELS)
    assert text.verdict(session.face_predictions) in last[2]


def test_a_photo_without_a_face_offers_the_whole_picture(plain):
    ((_, session, *shown),) = predict.read(plain)
    assert session.faces == () and shown[2] == predict.NO_FACE and shown[3].visible
    session, *shown = predict.read_whole(session)
    assert len(session.faces) == 1 and session.face_predictions and not shown[3].visible
    assert session.face.keypoints.shape == (15, 2)


def test_the_whole_picture_needs_a_picture():
    with pytest.raises(FaceWhyError):
        predict.read_whole(Session())


def test_choosing_a_face_shows_its_answers(two):
    session, *shown = predict.choose(two, picked(1))
    assert session.chosen == 1
    assert text.verdict({name: answers[1] for name, answers in two.predictions.items()}) in shown[2]


def test_a_choice_that_does_not_exist_changes_nothing(two):
    for index in (7, -1, None, "1", {}):
        assert predict.choose(two, picked(index))[0].chosen == 0


def test_the_numbers_are_those_of_the_chart(one):
    cells = re.findall(r"<td>([^<]+)</td>", predict.numbers(one))
    expected = [text.percent(answer.probabilities[row]) for row in range(7) for answer in one.face_predictions.values()]
    assert cells == expected


def test_an_example_is_read_by_its_place():
    count = len(predict.example_paths())
    assert count >= 8 and predict.thumbnails().count("data-index") == count
    session = list(predict.read_example(picked(0)))[-1][1]
    assert session.faces and session.face_predictions
    for index in (count, -1, None, "../../etc/hostname", [0]):
        with pytest.raises(FaceWhyError):
            list(predict.read_example(picked(index)))
