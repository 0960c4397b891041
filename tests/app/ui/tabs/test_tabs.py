"""One contract over every tab, and the handlers of each as plain functions."""

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from app import error_messages, main, pipeline, text
from app.api import endpoints, requests
from app.live import Stream
from app.serving import admission
from app.ui import session
from app.ui.cancellation import Cancellation
from app.ui.session import Session
from app.ui.tabs import Shared, live, predict
from explain import evidence
from explain.base import Target
from models import regions, upright, zoo
from models.errors import PhotoError, WeightsError
from models.types import Photo


def picked(index) -> SimpleNamespace:
    """What the page sends when something is chosen."""
    return SimpleNamespace(_data={"index": index})


# ----------------------------------------------------------------- every tab


@pytest.mark.parametrize("tab", main.TABS, ids=lambda tab: tab.TITLE)
def test_a_tab_has_a_title_and_builds_alone(tab):
    assert tab.TITLE and tab.__doc__
    with gr.Blocks() as page, gr.Tabs(), gr.Tab(tab.TITLE) as container:
        tab.build(Shared(gr.State(Session()), container, gr.State(None)))
    assert page.fns


@pytest.mark.parametrize("tab", main.TABS, ids=lambda tab: tab.TITLE)
def test_the_handlers_of_a_tab_are_module_level_functions(tab):
    with gr.Blocks() as page, gr.Tabs(), gr.Tab(tab.TITLE) as container:
        tab.build(Shared(gr.State(Session()), container, gr.State(None)))
    for event in page.fns.values():
        assert event.api_visibility == "private"
        if event.fn is not None:
            assert getattr(tab, event.fn.__name__) is event.fn


@pytest.mark.parametrize("tab", main.TABS, ids=lambda tab: tab.TITLE)
def test_whoever_waits_for_an_explanation_is_told_the_place(tab):
    with gr.Blocks() as page, gr.Tabs(), gr.Tab(tab.TITLE) as container:
        tab.build(Shared(gr.State(Session()), container, gr.State(None)))
    for event in page.fns.values():
        if event.concurrency_id == admission.EXPLAIN:
            (place,) = event.show_progress_on
            assert event.show_progress == "minimal" and "fw-place" in place.elem_classes, event.fn.__name__


def test_titles_differ():
    assert len({tab.TITLE for tab in main.TABS}) == len(main.TABS)


# ------------------------------------------------------------------- predict


def read(take, current=None, cancellation=None, when=1.0) -> Iterator[predict.View]:
    return predict.read(cancellation or Cancellation(), current or Session(), when, take)


def test_a_photo_shows_its_faces_before_the_models_answer(astronaut):
    begun, found, last = read(lambda: astronaut)
    assert "<progress" in begun.notice and begun.session == gr.skip()
    assert found.session == gr.skip() and found.notice == predict.WAITING and "fw-box" in found.picture
    assert last.source is None and set(last.session.face_predictions) == set(zoo.EMOTION_MODELS)
    assert text.verdict(last.session.face_predictions, last.session.face_together) in last.notice


def test_behind_the_answer_the_page_says_how_sure_it_is(one, monkeypatch):
    *_, answered = read(lambda: one.photo)
    likely = text.likely(one.face_together)
    assert likely in answered.sure and "crops a little off" not in answered.sure
    known, said = predict.in_moved_crops(Cancellation(), one, predict.Steady())
    assert likely in said and text.steady(known.found[pipeline.MEAN]) in said
    assert said.count("of 44</td>") == 1 + len(zoo.EMOTION_MODELS)
    monkeypatch.setattr(predict.pipeline, "crop_sensitivity", lambda *found: 1 / 0)
    assert predict.in_moved_crops(Cancellation(), one, known) == (known, said), "the same face is not asked about twice"
    assert predict.in_moved_crops(Cancellation(), Session(), known) == (gr.skip(), gr.skip())


def test_the_photo_that_was_given_last_is_shown(astronaut, plain):
    cancellation = Cancellation()
    slow = read(lambda: astronaut, cancellation=cancellation, when=1.0)
    next(slow)
    *_, later = read(lambda: plain, cancellation=cancellation, when=2.0)
    assert later.session.photo is plain
    assert list(slow) == []
    assert list(read(lambda: astronaut, cancellation=cancellation, when=1.5)) == [], "its upload took longer"


def test_choosing_the_camera_is_no_photo(one):
    assert list(read(None, one)) == [predict.View()]


def test_a_photo_that_cannot_be_read_leaves_the_one_before_and_says_so(one):
    def broken():
        raise PhotoError("A picture is cut off", "half of it", "Save it again")

    begun, last = read(broken, one)
    assert "of the one before" in begun.notice
    assert "A picture is cut off. Received: half of it. Save it again." in last.notice and 'role="alert"' in last.notice
    assert "of the photo before" in last.notice and text.verdict(one.face_predictions, one.face_together) in last.notice
    assert last.session is one and last.source is None
    *_, first = read(broken)
    assert "before" not in first.notice and "Start with a face" in first.notice


def test_an_error_of_ours_is_a_sentence_too(one, monkeypatch):
    monkeypatch.setattr(predict.pipeline, "find", lambda photo: 1 / 0)
    *_, last = read(lambda: one.photo)
    assert error_messages.UNEXPECTED in last.notice


@pytest.mark.parametrize(
    ("pixels", "said"),
    [(np.zeros((60, 60, 3)), "black all over"), (np.full((60, 60, 3), 255), "one colour"), (None, "larger")],
)
def test_what_is_odd_about_a_picture_without_a_face_is_said(pixels, said):
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3))
    *_, last = read(lambda: Photo(np.uint8(noise if pixels is None else pixels)))
    assert "No face was found" in last.notice and said in last.notice


def test_a_photo_without_a_face_offers_the_whole_picture(plain):
    *_, view = read(lambda: plain)
    assert view.session.faces == () and "No face was found" in view.notice and view.whole.visible
    *_, view = predict.read_whole(Cancellation(), view.session, 1.0)
    assert len(view.session.faces) == 1 and view.session.face_predictions and not view.whole.visible
    assert view.session.face.keypoints.shape == (15, 2)


def test_a_photo_that_lies_is_put_upright_and_the_page_says_so(one):
    lying = upright.turned(one.photo, 90)
    *_, view = read(lambda: Photo(lying.pixels))
    assert np.array_equal(view.session.photo.pixels, one.photo.pixels) and not view.session.by_hand
    assert "This photo was turned by 90° to the left" in view.notice
    *_, view = predict.read_turned(Cancellation(), view.session, 1.0)
    assert np.array_equal(view.session.photo.pixels, lying.pixels) and view.session.by_hand
    assert "was turned" not in view.notice, "the visitor has turned it, whatever its faces say"


def test_what_makes_an_answer_unreliable_stands_beside_it(one):
    *_, view = read(lambda: Photo(np.uint8(one.photo.pixels * 0.15)))
    assert "fw-doubt" in view.notice and "the face is very dark" in view.notice
    assert "fw-doubt" not in predict.notice_of(one)


def test_every_click_turns_the_photo_further(one):
    cancellation = Cancellation()
    first = predict.read_turned(cancellation, one, 1.0)
    next(first), next(first)
    *_, view = predict.read_turned(cancellation, one, 2.0)
    assert view.session.photo.turned == 180, "the first click is still being answered"
    assert list(first) == []
    assert list(predict.read_turned(Cancellation(), Session(), 1.0)) == [], "nothing to turn yet"


def test_what_is_turned_is_what_is_shown_wherever_it_came_from(one, two):
    reading, stream = Cancellation(), Stream()
    *_, first = read(lambda: one.photo, cancellation=reading, when=1.0)
    assert reading.photo is None
    stream.photo = two.photo
    *_, kept = live.keep_frame(reading, stream, 2.0)
    *_, view = predict.read_turned(reading, kept.session, 3.0)
    assert view.session.photo.size == two.photo.size[::-1] != one.photo.size[::-1]
    *_, view = read(lambda: Photo(np.zeros((60, 60, 3), np.uint8)), cancellation=reading, when=4.0)
    assert reading.photo is None, "nothing is being read any more where no face is found either"


def test_a_choice_on_another_tab_ends_the_photo_that_is_read(one, two):
    reading, stream = Cancellation(), Stream()
    stream.photo = two.photo
    slow = read(lambda: one.photo, cancellation=reading, when=1.0)
    next(slow), next(slow)
    *_, kept = live.keep_frame(reading, stream, 2.0)
    assert kept.session.photo is two.photo and list(slow) == []
    slow = live.keep_frame(reading, stream, 3.0)
    next(slow)
    *_, later = read(lambda: one.photo, cancellation=reading, when=4.0)
    assert later.session.photo is one.photo
    assert list(slow) == [live.Kept(notice=live.OVERTAKEN)], "and what was being kept is not waited for any more"
    assert list(live.keep_frame(reading, stream, 3.5)) == [], "its turn came late"


def test_opening_the_tab_sets_no_session(one):
    view = predict.arrive(one)
    assert view.session == gr.skip() and view._replace(session=one).notice == predict.show(one).notice


def test_a_guess_stays_a_guess_when_it_is_turned(plain):
    guess = session.opened(plain, pipeline.faces_in(plain, whole_picture=True))
    *_, view = predict.read_turned(Cancellation(), guess, 1.0)
    assert view.session.guessed and view.session.photo.size == plain.size[::-1]


def test_the_whole_picture_needs_a_picture():
    assert list(predict.read_whole(Cancellation(), Session(), 1.0)) == []


def test_choosing_a_face_shows_its_answers(two):
    view = predict.choose(two, picked(1))
    assert view.session.chosen == 1
    answers = {name: of_model[1] for name, of_model in two.predictions.items()}
    assert text.verdict(answers, two.together[1]) in view.notice


def test_a_choice_that_does_not_exist_changes_nothing(two):
    for index in (7, -1, None, "1", {}):
        assert predict.choose(two, picked(index)).session.chosen == 0


def test_the_numbers_are_those_of_the_chart(one):
    cells = re.findall(r"<td>([^<]+)</td>", predict.numbers(one))
    answers = [*one.face_predictions.values(), one.face_together]
    assert cells == [text.percent(answer.probabilities[row]) for row in range(7) for answer in answers]
    assert [trace["name"] for trace in json.loads(predict.show(one).chart.value["plot"])["data"]] == [
        *text.MODELS.values(),
        "Their mean",
    ]
    assert "Their mean</th>" in predict.numbers(one)


def test_the_mean_needs_several_models(one):
    alone = session.with_predictions(one, {"cnn": one.predictions["cnn"]})
    assert "mean" not in predict.notice_of(alone) + predict.numbers(alone)


def test_the_mean_on_the_page_is_that_of_the_api(one):
    request = requests.PredictRequest(image="", model="mean")
    [face] = endpoints.predict(one.photo, request)["faces"]
    expected = list(face["predictions"][0]["probabilities"].values())
    assert predict.predicted(one).face_together.probabilities == pytest.approx(expected, abs=0.01)


def test_small_maps_come_below_the_answer_one_after_the_other(one):
    seen = predict.Glance()
    assert predict.announce(seen, one).count("fw-empty") == 3
    assert predict.announce(seen, one) == gr.skip(), "they are on their way"
    steps = list(predict.look(Cancellation(), seen, one))
    assert [step.count('role="button"') for step in steps] == [1, 2, 3]
    assert list(predict.look(Cancellation(), seen, one)) == [], "they are there"
    for name, answer in one.face_predictions.items():
        made = pipeline.explain(name, one.face, Target(answer.top), pipeline.recommended(name))
        usual = pipeline.average_shares(made)
        phrase = evidence.phrase(made, evidence.by_region(made.values, regions.masks(one.face.crop_keypoints), usual))
        assert f"<b>{text.MODELS[name]}</b>, {answer.emotion}: {phrase}" in steps[-1]
    assert "Not tested yet" in steps[-1]
    assert [predict.want(one, picked(index)) for index in (1, 3, None, "0")] == ["resnet", "", "", ""]


def test_a_newer_photo_or_another_face_ends_the_small_maps(one, two):
    reading, seen = Cancellation(), predict.Glance()
    predict.announce(seen, one)
    maps = predict.look(reading, seen, one)
    next(maps)
    reading.begin()
    assert list(maps) == []
    assert predict.announce(seen, two).count("fw-empty") == 3
    maps = predict.look(reading, seen, two)
    next(maps)
    predict.announce(seen, two.choose(1))
    assert list(maps) == []
    assert list(predict.look(reading, seen, two)) == [], "nobody wants these any more"
    assert predict.announce(seen, Session()) == "" and list(predict.look(reading, seen, Session())) == []


def test_an_answer_whose_map_fails_stays_without_one(one, monkeypatch):
    def fails(*_, **__):
        raise WeightsError("The weights are gone", "none", "Try again later")

    seen = predict.Glance()
    predict.announce(seen, one)
    monkeypatch.setattr(predict.pipeline, "explain", fails)
    assert list(predict.look(Cancellation(), seen, one)) == [""]


def test_an_example_is_read_by_its_place():
    count = len(predict.example_paths())
    assert count >= 8 and predict.thumbnails().count("data-index") == count
    *_, view = predict.read_example(Cancellation(), Session(), 1.0, picked(0))
    assert view.session.faces and view.session.face_predictions
    for index in (count, -1, None, "../../etc/hostname", [0]):
        assert list(predict.read_example(Cancellation(), Session(), 1.0, picked(index))) == []
