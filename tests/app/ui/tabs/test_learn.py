import gradio as gr
import pytest

from app import lesson_outcomes, lessons
from app.ui.cancellation import Cancellation
from app.ui.tabs import learn
from app.ui.tabs.explain import choices
from app.ui.tabs.lab import changes
from app.ui.tabs.lab.state import LabState
from tests.app.ui.tabs.test_tabs import picked


def test_a_step_brings_its_example_with_predictions_and_its_settings():
    lesson = lessons.load("smile")
    found = learn.go(Cancellation(), "smile", 1.0, picked(2))
    assert found.opened == "Explain" and found.note == "" and len(found.session.faces) == 1
    assert set(found.session.face_predictions) == {"cnn", "resnet", "vgg16"}
    assert found.wanted == "vgg16 shap_regions happy" and found.prepared == gr.skip()
    wanted, model, emotion, against, offered, method, *_ = choices.open_with(found.wanted, "cnn", "gradcam", "gradcam")
    assert (wanted, model, emotion, against, method) == ("", "vgg16", "happy", "", "shap_regions")
    first = learn.go(Cancellation(), "smile", 1.0, picked(1))
    key, experiment = first.prepared
    assert experiment is lesson.steps[1].experiment and first.opened == "Lab" and first.wanted == gr.skip()
    state = changes.arrive(LabState(), None, first.prepared)
    assert state.experiment == experiment
    again = changes.arrive(state.with_experiment(type(experiment)()), None, first.prepared)
    assert again.experiment != experiment, "what the visitor has changed since stays when the tab is opened again"
    assert learn.go(Cancellation(), "smile", 1.0, picked(1)).prepared[0] != key, "the button begins anew"


@pytest.mark.parametrize("index", [4, -1, None, "0"])
def test_what_is_no_step_does_nothing(index):
    assert learn.go(Cancellation(), "smile", 1.0, picked(index)) == learn.View()


def test_a_step_without_an_example_keeps_the_photo():
    found = learn.go(Cancellation(), "wrong", 1.0, picked(2))
    assert found.opened == "Models" and found.session == found.wanted == found.prepared == gr.skip()


def test_a_step_opens_nothing_where_something_else_was_chosen_meanwhile(monkeypatch):
    reading = Cancellation()
    really = learn.example
    monkeypatch.setattr(learn, "example", lambda step: reading.begin(2.0) and really(step))
    assert learn.go(reading, "smile", 1.0, picked(2)) == learn.View()
    assert learn.go(reading, "smile", 1.5, picked(2)) == learn.View(), "its turn came late"


def test_what_fails_is_a_sentence(monkeypatch):
    monkeypatch.setattr(learn.pipeline, "detections", lambda photo: 1 / 0)
    found = learn.go(Cancellation(), "smile", 1.0, picked(0))
    assert found.opened == "" and "fw-note" in found.note and "ZeroDivision" not in found.note
    monkeypatch.setitem(lesson_outcomes.OUTCOMES, "smile", lambda: 1 / 0)
    assert "fw-note" in learn.show("smile") and "ZeroDivision" not in learn.show("smile")


def test_a_lesson_shows_its_guess_its_steps_its_end_and_its_sheet():
    steps, note, outcome, end = learn.choose("map")
    lesson = lessons.load("map")
    assert note == outcome == "" and steps.count("data-index=") == len(lesson.steps)
    assert all(f'value="{option}"' in steps for option in lesson.options)
    assert lesson.discuss in end.replace("&#39;", "'") and 'href="data:text/html;base64,' in end
    assert "Article 5(1)(f)" in learn.teaching()
