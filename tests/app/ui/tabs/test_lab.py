"""The Lab's handlers, without a browser."""

import re
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from app import experiments, source_faces, text
from app.ui.session import Session
from app.ui.tabs import choose
from app.ui.tabs.lab import changes, handlers, views
from app.ui.tabs.lab.state import MOST_UNDONE, LabState, Latest
from explain import registry
from explain.base import Target
from explain.lab.steps import STEPS, Blur, Experiment, Hide, Noise, Paint, Rectangle, Rotate, Shift, Swap
from models import zoo
from models.errors import FaceWhyError
from models.regions import REGIONS
from models.types import EMOTIONS

MOUTH = REGIONS.index("mouth")


def sent(**data) -> SimpleNamespace:
    """What the page sends."""
    return SimpleNamespace(_data=data)


def shown(session, state: LabState) -> views.View:
    return views.show(session, state)[1]


@pytest.fixture(scope="module")
def start(one) -> SimpleNamespace:
    return SimpleNamespace(**dict(zip(("state", "view"), views.show(one, LabState()), strict=True)))


@pytest.fixture(scope="module")
def hidden(one, start) -> SimpleNamespace:
    touched = changes.touch(start.state, {"index": MOUTH}, "mean face")
    return SimpleNamespace(**dict(zip(("state", "view"), views.show(one, touched), strict=True)))


def picture(html: str) -> str:
    return re.search(r'<image href="([^"]+)"', html)[1]


def test_at_first_the_face_is_as_it_was_and_nothing_can_be_undone(start):
    view = start.view
    assert start.state.experiment == Experiment() and "Tap a part" in view.verdict
    assert not view.undo.interactive and not view.reset.interactive and view.steps == ""
    assert view.predictions.count("fw-card") == 3
    assert "→" not in view.predictions and "fw-told" not in view.predictions
    assert view.face.count("data-index") == 7 and view.parts.count("data-index") == 8


def test_a_map_of_what_a_face_hardly_looks_like_is_pale_and_said_to_be(one, start):
    assert "--fw-strength" not in start.view.predictions and "fw-weak" not in start.view.predictions
    weak = EMOTIONS[int(np.max([each.probabilities for each in one.face_predictions.values()], 0).argmin())]
    asked = shown(one, replace(start.state, emotion=weak)).predictions
    told = [text.weak(answer, Target.named(weak)) for answer in one.face_predictions.values()]
    assert any(told) and asked.count("--fw-strength") == asked.count("fw-weak") == sum(map(bool, told))
    assert all(sentence in asked for sentence in told)


def test_a_tap_hides_a_part_and_the_answers_follow(start, hidden):
    view = hidden.view
    assert hidden.state.experiment.steps == (Hide("mouth"),)
    assert picture(view.face) != picture(start.view.face) and "mouth hidden" in view.steps
    assert f'data-index="{MOUTH}" aria-pressed="true"' in view.parts
    assert view.predictions.count("→") >= 3 and view.predictions.count("random patches of the same size") == 3
    assert view.undo.interactive and view.reset.interactive


def test_a_second_tap_shows_it_again(one, start, hidden):
    again = changes.touch(hidden.state, {"index": MOUTH}, "mean face")
    assert again.experiment == Experiment() and picture(shown(one, again).face) == picture(start.view.face)


def test_undo_and_start_over(one, start, hidden):
    back = changes.back(hidden.state)
    view = shown(one, back)
    assert back.experiment == Experiment() and not view.undo.interactive
    assert picture(view.face) == picture(start.view.face)
    over = changes.start_over(hidden.state)
    assert over.experiment == Experiment() and shown(one, over).undo.interactive
    assert changes.back(over).experiment == hidden.state.experiment
    assert changes.back(start.state) is start.state


def test_the_past_does_not_grow_without_end():
    state = LabState()
    for step in range(100):
        state = state.with_experiment(Experiment((Noise(seed=step),)))
    assert len(state.past) == MOST_UNDONE and state.past[-1].steps[0].seed == 98
    assert state.with_experiment(state.experiment) is state


def test_a_line_paints_a_patch(start):
    (step,) = changes.touch(start.state, {"stroke": [[10, 20], [30, 20]], "width": 4}, "grey").experiment.steps
    assert isinstance(step, Paint) and step.fill == "grey" and step.mask[19:21, 12:28].all()
    for stroke in (None, "x", [[None, 1]]):
        with pytest.raises(FaceWhyError):
            changes.touch(start.state, {"stroke": stroke, "width": 4}, "grey")


def test_what_the_page_never_sends_changes_nothing(hidden):
    for data in ({}, {"index": 99}, {"index": None}, {"index": [1]}, {"index": "0"}, {"index": -1}):
        for changed in (changes.touch(hidden.state, data, "grey"), changes.swap_part(hidden.state, data)):
            assert changed is hidden.state
        for changed in (changes.take_away(hidden.state, data), changes.follow(hidden.state, data)):
            assert changed is hidden.state


def test_another_filling_goes_for_everything_that_is_hidden():
    state = LabState(Experiment((Hide("mouth"), Rotate(5), Rectangle(1, 1, 5, 5), Swap())))
    steps = changes.change_baseline(state, "blur").experiment.steps
    assert steps == (Hide("mouth", "blur"), Rotate(5), Rectangle(1, 1, 5, 5, "blur"), Swap())


def test_a_part_comes_from_an_example_face_and_goes_again(one, start):
    names = list(source_faces.SOURCE_FACES)
    happy = names.index("composite_happy")
    eyes = changes.watch(start.state, "gradcam", "", "eyes")
    swapped = changes.swap_part(eyes, {"index": happy})
    assert swapped.experiment.steps == (Swap("eyes", "composite_happy"),)
    assert f'data-index="{happy}" aria-pressed="true"' in shown(one, swapped).swap
    other = changes.swap_part(swapped, {"index": 0})
    assert other.experiment.steps == (Swap("eyes", names[0]),)
    mouth = changes.swap_part(changes.watch(other, "gradcam", "", "mouth"), {"index": happy})
    assert len(mouth.experiment.steps) == 2
    assert changes.swap_part(other, {"index": 0}).experiment == Experiment()


def test_sliders_set_steps_and_stand_where_the_steps_are(one, start):
    slid = changes.slide(start.state, 2, 0, 1, 0, 0, 3, -4)
    assert slid.experiment.steps == (Blur(2), Shift(3, -4))
    assert shown(one, slid)[-7:] == (2, 0, 1, 0, 0, 3, -4)
    quiet = handlers.slide(one, Latest(), 2, 0, 1, 0, 0, 3, -4)
    assert quiet[-7:] == (gr.skip(),) * 7, "what a finger is on stays"
    assert changes.slide(slid, 0, 0, 1, 0, 0, 3, 0).experiment.steps == (Shift(3, 0),)
    with pytest.raises(FaceWhyError):
        changes.slide(start.state, 99, 0, 1, 0, 0, 0, 0)


def test_a_slider_keeps_the_order_and_the_seed():
    state = LabState(Experiment((Noise(0.1, seed=7), Hide("nose"))))
    assert changes.slide(state, 0, 0, 1, 0, 0.2, 0, 0).experiment.steps == (Noise(0.2, seed=7), Hide("nose"))


def test_the_json_on_the_page_brings_every_step_back():
    everything = Experiment(tuple(kind() for kind in STEPS.values()))
    assert Experiment.from_json(views.written(everything)) == everything
    assert Experiment.from_json(views.written(Experiment())) == Experiment()
    done = changes.follow_json(LabState(), views.written(everything))
    assert done.experiment == everything and done.past == (Experiment(),)
    with pytest.raises(FaceWhyError):
        changes.follow_json(LabState(), "{}")


def test_one_step_is_taken_away():
    state = LabState(Experiment((Hide("mouth"), Blur(2), Hide("nose"))))
    assert changes.take_away(state, {"index": 1}).experiment.steps == (Hide("mouth"), Hide("nose"))


def test_the_link_carries_the_steps_and_waits_for_a_face(one, hidden):
    code = re.search(r'href="\?lab=([\w-]+)"', hidden.view.link)[1]
    latest = Latest()
    handlers.linked(latest, code)
    state = latest.state
    assert state.experiment == hidden.state.experiment
    assert "mouth hidden" in shown(Session(), state).face
    assert picture(shown(one, state).face) == picture(hidden.view.face)
    handlers.linked(latest, "")
    assert latest.state is state
    for broken in (
        "x",
        code[:-4],
        Experiment((Swap("mouth", "nobody"),)).code,
        Experiment((Hide("mouth", "nobody"),)).code,
    ):
        with pytest.raises(FaceWhyError):
            handlers.linked(Latest(), broken)


def test_heatmaps_are_kept_for_the_face_and_no_longer(one, two, hidden, monkeypatch):
    made = []
    explain = registry.explain
    monkeypatch.setattr(registry, "explain", lambda *args: made.append(args[0].name) or explain(*args))
    shown(one, changes.slide(hidden.state, 1, 0, 1, 0, 0, 0, 0))
    assert made == []
    chosen = choose(two, sent(index=1))
    state, view = views.show(chosen, hidden.state)
    assert chosen.chosen == 1 and made == ["cnn", "resnet", "vgg16"]
    assert state.experiment == hidden.state.experiment and 'aria-checked="true" data-index="1"' in view.strip


def test_the_smallest_change_is_found_and_followed(one, hidden):
    latest = Latest(hidden.state)
    begun, found = handlers.search_smallest(one, latest, "mean face")
    assert "<progress" in begun.smallest
    html = found.smallest
    assert html.count("<li>") == 3 and html.count("Try it") >= 1
    _, found = latest.state.found
    index = next(place for place, change in enumerate(found.values()) if change)
    name, change = list(found.items())[index]
    done = changes.follow(latest.state, {"index": index})
    assert {step.region for step in done.experiment.steps} == set(change.regions)
    outcome = experiments.run(one.face, done.experiment)
    assert outcome.models[name].after.top == change.after
    assert shown(one, done).smallest == html, "still there, for the others"
    assert shown(one, changes.change_baseline(done, "grey")).smallest == ""
    (view,) = handlers.search_smallest(Session(), Latest(), "mean face")
    assert "First give a photo" in view.smallest


def test_the_lab_follows_the_method_that_explain_shows(one):
    shown = SimpleNamespace(explanation=SimpleNamespace(method="occlusion"))
    fresh = LabState()
    assert changes.arrive(fresh, None) is fresh
    state = changes.arrive(fresh, shown)
    assert state.method == "occlusion"
    own = changes.watch(state, "saliency", "", "mouth")
    assert changes.arrive(own, shown) is own, "the visitor's own choice stays"
    shown.explanation.method = "gradcam"
    assert changes.arrive(own, shown).method == "gradcam"


def test_the_effect_is_said_before_any_verdict(hidden):
    assert re.search(r'status">Hiding the mouth took happy from \d+.% to \d+.% on average\.', hidden.view.verdict)


def test_who_waits_is_not_asked_for_a_photo(one, hidden):
    assert "Waiting for a place" in handlers.waiting(one, Latest()).face
    assert handlers.waiting(one, Latest(hidden.state)) == handlers.waiting(Session(), Latest()) == views.View()


def test_without_a_face_the_tab_says_what_to_do():
    view = shown(Session(), LabState())
    assert "First give a photo" in view.face and view.predictions == view.verdict == ""


def test_no_picture_and_no_network_is_kept(hidden):
    kept = [hidden.state, *hidden.state.maps.values()]
    values = [value for item in kept for value in vars(item).values()]
    modules = {type(value).__module__.split(".")[0] for value in values}
    assert modules <= {"builtins", "numpy", "explain"}
    assert sum(value.nbytes for value in values if isinstance(value, np.ndarray)) < 100_000


def test_two_quick_clicks_both_count_and_the_first_shows_nothing_any_more(one, monkeypatch):
    """The second comes while the models are still asked about the first."""
    latest, run, seen = Latest(), experiments.run, []

    def slow(face, experiment, *args, **kwargs):
        if not seen:
            seen.append(experiment.steps)
            seen.append(handlers.touch(one, latest, sent(index=REGIONS.index("nose")), "grey"))
        return run(face, experiment, *args, **kwargs)

    monkeypatch.setattr(experiments, "run", slow)
    first = handlers.touch(one, latest, sent(index=MOUTH), "grey")
    inputs, second = seen
    assert inputs == (Hide("mouth", "grey"),) and all(value == gr.skip() for value in first)
    assert latest.state.experiment.steps == (Hide("mouth", "grey"), Hide("nose", "grey"))
    assert "mouth hidden" in second.steps and "nose hidden" in second.steps
    assert len(latest.state.maps) == 3 and len(latest.state.past) == 2
    assert first.outdated() and not second.outdated()


def test_an_answer_is_out_of_date_once_a_later_change_has_begun(one):
    latest = Latest()
    hidden = handlers.touch(one, latest, sent(index=MOUTH), "grey")
    assert "mouth hidden" in hidden.steps and not hidden.outdated()
    slid = handlers.slide(one, latest, 2, 0, 1, 0, 0, 3, -4)
    assert hidden.outdated() and not slid.outdated()


def test_a_search_beside_a_click_loses_neither(one, monkeypatch):
    latest, run = Latest(), experiments.run
    found = {"cnn": None, "resnet": None, "vgg16": None}
    handlers.watch(one, latest, "gradcam", "", "mouth")
    monkeypatch.setattr(experiments, "smallest", lambda face, fill, versions: found)

    def searched_meanwhile(*args, **kwargs):
        list(handlers.search_smallest(one, latest, "blur"))
        return run(*args, **kwargs)

    monkeypatch.setattr(experiments, "run", searched_meanwhile)
    handlers.touch(one, latest, sent(index=MOUTH), "grey")
    assert latest.state.found == ("blur", found) and latest.state.experiment.steps == (Hide("mouth", "grey"),)


def test_the_models_are_asked_in_the_version_that_answered_before(one, monkeypatch):
    inputs, load = [], zoo.load
    monkeypatch.setattr(zoo, "load", lambda name, version="": inputs.append((name, version)) or load(name))
    answers = {
        name: (replace(one.face_predictions[name], version=f"9.0.{place}"),)
        for place, name in enumerate(one.face_predictions)
    }
    challenged = Session(one.key, one.photo, one.faces, 0, answers)
    views.show(challenged, LabState())
    list(handlers.search_smallest(challenged, Latest(), "mean face"))
    assert inputs == [("cnn", "9.0.0"), ("resnet", "9.0.1"), ("vgg16", "9.0.2")] * 2


def test_the_guide_is_on_the_page_and_needs_no_other_file():
    guide = handlers.guide()
    assert "Fewest parts whose hiding flips the answer" in guide and not guide.startswith("# ")
    assert re.findall(r"\]\((?!https?:)", guide) == []
