"""One contract over every tab, and the handlers of each as plain functions."""

import inspect
import re
from types import SimpleNamespace

import gradio as gr
import pytest

from app import controls, main, words
from app.session import Session
from app.tabs import Shared, compare, explain, models, predict
from explain.registry import METHODS
from models import zoo
from models.errors import FaceWhyError
from models.types import EMOTIONS


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
    assert emptied is None and set(session.answers) == set(zoo.EMOTION_MODELS)
    assert words.verdict(session.answers) in last[2]


def test_a_photo_without_a_face_offers_the_whole_picture(plain):
    ((_, session, *shown),) = predict.read(plain)
    assert session.faces == () and shown[2] == predict.NO_FACE and shown[3].visible
    session, *shown = predict.read_whole(session)
    assert len(session.faces) == 1 and session.answers and not shown[3].visible
    assert session.face.keypoints.shape == (15, 2)


def test_the_whole_picture_needs_a_picture():
    with pytest.raises(FaceWhyError):
        predict.read_whole(Session())


def test_choosing_a_face_shows_its_answers(two):
    session, *shown = predict.choose(two, picked(1))
    assert session.chosen == 1
    assert words.verdict({name: answers[1] for name, answers in two.predictions.items()}) in shown[2]


def test_a_choice_that_does_not_exist_changes_nothing(two):
    for index in (7, -1, None, "1", {}):
        assert predict.choose(two, picked(index))[0].chosen == 0


def test_the_numbers_are_those_of_the_chart(one):
    cells = re.findall(r"<td>([^<]+)</td>", predict.numbers(one))
    expected = [words.percent(answer.probabilities[row]) for row in range(7) for answer in one.answers.values()]
    assert cells == expected


def test_an_example_is_read_by_its_place():
    count = len(predict.example_paths())
    assert count >= 8 and predict.thumbnails().count("data-index") == count
    session = list(predict.read_example(picked(0)))[-1][1]
    assert session.faces and session.answers
    for index in (count, -1, None, "../../etc/hostname", [0]):
        with pytest.raises(FaceWhyError):
            list(predict.read_example(picked(index)))


# ------------------------------------------------------------------- explain

DEFAULTS = [component.value for method in METHODS.values() for component in controls.build(method)]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_heatmap_with_its_evidence(one, method):
    strip, picture, told, chart = explain.explain(one, "cnn", "", method, *DEFAULTS)
    emotion = one.answers["cnn"].emotion
    assert "fw-heat" in picture and f"for {emotion}" in picture
    assert f"Explained: {emotion}" in told and words.percent(one.answers["cnn"].confidence) in told
    assert chart.visible and strip == ""


def test_the_emotion_and_the_model_that_were_asked_for_are_explained(one):
    shown = {
        (model, emotion): explain.explain(one, model, emotion, "gradcam", *DEFAULTS)[1]
        for model in ("cnn", "resnet")
        for emotion in ("angry", "sad")
    }
    assert len(set(shown.values())) == 4
    for (model, emotion), picture in shown.items():
        assert f"Heatmap of {words.MODELS[model]} for {emotion}" in picture


def test_a_parameter_reaches_the_method(one):
    keys = [(name, key) for name, method in METHODS.items() for key in method.Params.controls()]
    values = list(DEFAULTS)
    values[keys.index(("gradcam", "positive_only"))] = False
    assert (
        explain.explain(one, "cnn", "sad", "gradcam", *values)[1]
        != explain.explain(one, "cnn", "sad", "gradcam", *DEFAULTS)[1]
    )


def test_another_face_is_explained_when_it_is_chosen(two):
    session, strip, picture, *_ = explain.choose(two, picked(1), "cnn", "", "gradcam", *DEFAULTS)
    assert session.chosen == 1 and 'aria-checked="true" data-index="1"' in strip
    assert picture != explain.explain(two, "cnn", "", "gradcam", *DEFAULTS)[1]


def test_only_the_parameters_of_the_chosen_method_are_shown():
    for method in METHODS:
        summary, *groups = explain.turn_to(method)
        assert METHODS[method].summary in summary
        assert [group.visible for group in groups] == [name == method for name in METHODS]


def test_without_a_face_the_other_tabs_say_what_to_do():
    assert explain.explain(Session(), "cnn", "", "gradcam", *DEFAULTS)[1] == explain.NO_FACE
    assert list(compare.compare(Session(), ""))[0][3] == compare.NO_FACE


# ------------------------------------------------------------------- compare


@pytest.fixture(scope="module")
def comparison(one) -> list[tuple]:
    return list(compare.compare(one, ""))


def test_a_comparison_grows_map_by_map(comparison):
    counts = [step[4].count("fw-heat") for step in comparison]
    assert counts == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6]
    assert [step[4].count("fw-empty") for step in comparison] == [6 - count for count in counts]
    assert all("<progress" in step[3] for step in comparison[:-1])


def test_a_finished_comparison_shows_all_three_models(one, comparison):
    grid = comparison[-1][4]
    for name, answer in one.answers.items():
        assert f"<h3>{words.MODELS[name]}</h3><p>sees <b>{words.ADJECTIVES[answer.emotion]}</b>" in grid
    assert grid.count("Speaks most for") + grid.count("Most against it") >= 3
    assert len(re.findall(r"\d+ ms|\d\.\d s", grid)) == 9
    assert words.verdict(one.answers) in comparison[-1][3]


def test_the_maps_of_a_method_share_one_scale(one):
    answers = one.answers
    target = compare.reading.common_target("happy", answers)
    results = {method: {} for method in compare.reading.COMPARED}
    for name in answers:
        results["gradcam"][name] = compare.registry.explain(zoo.load(name), one.face, target, "gradcam")
    alone = {method: {} for method in compare.reading.COMPARED}
    sizes = {name: abs(found.values).max() for name, found in results["gradcam"].items()}
    weakest = min(sizes, key=sizes.get)
    alone["gradcam"][weakest] = results["gradcam"][weakest]
    together = compare.side_by_side(one, target, answers, results)
    own = compare.side_by_side(one, target, answers, alone)
    heat = r'class="fw-heat" alt="Heatmap of ' + words.MODELS[weakest] + r'[^"]*" src="([^"]+)"'
    assert re.search(heat, together)[1] != re.search(heat, own)[1]


def test_the_emotion_that_was_asked_for_is_compared(one):
    *_, last = compare.compare(one, "angry")
    assert "All three are asked about angry" in last[3]


def test_a_comparison_that_is_there_is_not_made_again(one, comparison):
    shown = comparison[-1][1]
    (step,) = compare.arrive(one, "", shown)
    assert len(step) == len(comparison[-1]) and all(value == gr.skip() for value in step)
    assert "<progress" in next(compare.arrive(one, "angry", shown))[3]
    assert "<progress" in next(compare.arrive(one, "", None))[3]


def test_a_comparison_that_was_stopped_does_not_count_as_there(comparison):
    assert [step[1] for step in comparison[:-1]] == [None] * (len(comparison) - 1)


def test_another_face_is_compared_when_it_is_chosen(two):
    first = next(compare.choose(two, picked(1), ""))
    assert first[0].chosen == 1


# -------------------------------------------------------------------- models


def test_every_model_says_where_it_came_from():
    for name in words.MODELS:
        zoo.load(name)
    zoo.keypoint_model()
    shown = models.show()
    assert shown.count("<h3>") == 4 and shown.count("Weights from") == 4
    assert shown.count("Licence") == 4 and shown.count("Known limits") == 4


def test_a_revision_and_a_note_are_shown_and_escaped():
    status = zoo.Status("ready", 1.0, "hub", "0123456789abcdef", "<b>slow</b>")
    facts = dict(models.facts(zoo.load("cnn").card, status))
    assert facts["Revision"] == "0123456789ab" and facts["Note"] == "<b>slow</b>"
    failed = models.described("cnn", zoo.Status("failed", note="<b>hash</b>"))
    assert "Not available" in failed and "&lt;b&gt;" in failed


def test_what_was_measured_is_shown():
    facts = dict(models.facts(zoo.load("cnn").card, zoo.Status("ready", 1.0, "shipped")))
    accuracy = zoo.load("cnn").card.metrics["PrivateTest"]["accuracy"]
    assert facts["Right on FER2013"] == f"{accuracy:.1%} of the test faces"


def test_the_target_of_a_comparison_is_what_they_see_on_average(one):
    mean = sum(answer.probabilities for answer in one.answers.values())
    assert compare.reading.common_target("", one.answers).emotion == int(mean.argmax())
    assert EMOTIONS[compare.reading.common_target("angry", one.answers).emotion] == "angry"
