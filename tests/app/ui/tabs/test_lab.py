"""The Lab's handlers, without a browser."""

import re
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from app import experiments
from app.ui.session import Session
from app.ui.tabs import choose, lab
from app.ui.tabs.lab import Display, History, LabState
from explain.lab.steps import STEPS, Blur, Experiment, Hide, Noise, Paint, Rectangle, Rotate, Shift, Swap
from models.errors import FaceWhyError
from models.regions import REGIONS

ASKED = ("gradcam", "", "mouth")
SHOWN = (
    "history strip face steps verdict predictions smallest parts swap undo reset link text blur brightness "
    "contrast rotate noise x y"
).split()
MOUTH = REGIONS.index("mouth")


def sent(**data) -> SimpleNamespace:
    """What the page sends."""
    return SimpleNamespace(_data=data)


def named(values: tuple | Display) -> SimpleNamespace:
    """What is shown after a change, or what was shown, by name."""
    values = lab.show(*values) if isinstance(values, Display) else values
    return SimpleNamespace(**dict(zip(SHOWN, values, strict=True)))


@pytest.fixture(scope="module")
def start(one) -> SimpleNamespace:
    return named(lab.show(one, History(), *ASKED))


@pytest.fixture(scope="module")
def hidden(one, start) -> SimpleNamespace:
    return named(lab.touch(one, start.history, sent(index=MOUTH), *ASKED, "mean face"))


def picture(html: str) -> str:
    return re.search(r'<image href="([^"]+)"', html)[1]


def test_at_first_the_face_is_as_it_was_and_nothing_can_be_undone(start):
    assert start.history.experiment == Experiment() and "Tap a part" in start.verdict
    assert not start.undo.interactive and not start.reset.interactive and start.steps == ""
    assert (
        start.predictions.count("fw-card") == 3 and "→" not in start.predictions and "fw-told" not in start.predictions
    )
    assert start.face.count("data-index") == 7 and start.parts.count("data-index") == 8


def test_a_tap_hides_a_part_and_the_answers_follow(start, hidden):
    assert hidden.history.experiment.steps == (Hide("mouth"),)
    assert picture(hidden.face) != picture(start.face) and "mouth hidden" in hidden.steps
    assert f'data-index="{MOUTH}" aria-pressed="true"' in hidden.parts
    assert hidden.predictions.count("→") >= 3 and hidden.predictions.count("random patches of the same size") == 3
    assert hidden.undo.interactive and hidden.reset.interactive


def test_a_second_tap_shows_it_again(one, start, hidden):
    again = named(lab.touch(one, hidden.history, sent(index=MOUTH), *ASKED, "mean face"))
    assert again.history.experiment == Experiment() and picture(again.face) == picture(start.face)


def test_undo_and_start_over(one, start, hidden):
    back = named(lab.back(one, hidden.history, *ASKED))
    assert back.history.experiment == Experiment() and not back.undo.interactive
    assert picture(back.face) == picture(start.face)
    over = named(lab.start_over(one, hidden.history, *ASKED))
    assert over.history.experiment == Experiment() and over.undo.interactive
    assert named(lab.back(one, over.history, *ASKED)).history.experiment == hidden.history.experiment
    assert named(lab.back(one, start.history, *ASKED)).history.experiment == Experiment()


def test_the_past_does_not_grow_without_end():
    history = History()
    for step in range(100):
        history = history.with_experiment(Experiment((Noise(seed=step),)))
    assert len(history.past) == lab.MOST_UNDONE and history.past[-1].steps[0].seed == 98
    assert history.with_experiment(history.experiment) is history


def test_a_line_paints_a_patch(one, start):
    painted = named(lab.touch(one, start.history, sent(stroke=[[10, 20], [30, 20]], width=4), *ASKED, "grey"))
    (step,) = painted.history.experiment.steps
    assert isinstance(step, Paint) and step.fill == "grey" and step.mask[19:21, 12:28].all()
    for stroke in (None, "x", [[None, 1]]):
        with pytest.raises(FaceWhyError):
            lab.touch(one, start.history, sent(stroke=stroke, width=4), *ASKED, "grey")


def test_what_the_page_never_sends_changes_nothing(one, hidden):
    for data in ({}, {"index": 99}, {"index": None}, {"index": [1]}, {"index": "0"}, {"index": -1}):
        assert named(lab.touch(one, hidden.history, sent(**data), *ASKED, "grey")).history.experiment.steps == (
            Hide("mouth"),
        )
        assert named(lab.swap_part(one, hidden.history, sent(**data), *ASKED)).history.experiment.steps == (
            Hide("mouth"),
        )
        assert named(lab.take_away(one, hidden.history, sent(**data), *ASKED)).history.experiment.steps == (
            Hide("mouth"),
        )
        assert named(lab.follow(one, hidden.history, sent(**data), *ASKED)).history.experiment.steps == (Hide("mouth"),)


def test_another_filling_goes_for_everything_that_is_hidden(one):
    history = History(Experiment((Hide("mouth"), Rotate(5), Rectangle(1, 1, 5, 5), Swap())))
    steps = named(lab.change_baseline(one, history, *ASKED, "blur")).history.experiment.steps
    assert steps == (Hide("mouth", "blur"), Rotate(5), Rectangle(1, 1, 5, 5, "blur"), Swap())


def test_a_part_comes_from_an_example_face_and_goes_again(one, start):
    names = list(lab.SOURCE_FACES)
    happy = names.index("composite_happy")
    swapped = named(lab.swap_part(one, start.history, sent(index=happy), "gradcam", "", "eyes"))
    assert swapped.history.experiment.steps == (Swap("eyes", "composite_happy"),)
    assert f'data-index="{happy}" aria-pressed="true"' in swapped.swap
    other = named(lab.swap_part(one, swapped.history, sent(index=0), "gradcam", "", "eyes"))
    assert other.history.experiment.steps == (Swap("eyes", names[0]),)
    mouth = named(lab.swap_part(one, other.history, sent(index=happy), "gradcam", "", "mouth"))
    assert len(mouth.history.experiment.steps) == 2
    gone = named(lab.swap_part(one, other.history, sent(index=0), "gradcam", "", "eyes"))
    assert gone.history.experiment == Experiment()


def test_sliders_set_steps_and_stand_where_the_steps_are(one, start):
    slid = lab.slide(one, start.history, *ASKED, 2, 0, 1, 0, 0, 3, -4)
    assert slid.history.experiment.steps == (Blur(2), Shift(3, -4))
    assert list(lab.show(*slid)[-7:]) == [2, 0, 1, 0, 0, 3, -4]
    quiet = lab.does(lab.slide)(one, LabState(), *ASKED, 2, 0, 1, 0, 0, 3, -4)
    assert len(quiet) == len(SHOWN) - 1 - 7, "what a finger is on stays"
    less = named(lab.slide(one, named(slid).history, *ASKED, 0, 0, 1, 0, 0, 3, 0))
    assert less.history.experiment.steps == (Shift(3, 0),)
    with pytest.raises(FaceWhyError):
        lab.slide(one, start.history, *ASKED, 99, 0, 1, 0, 0, 0, 0)


def test_a_slider_keeps_the_order_and_the_seed(one):
    history = History(Experiment((Noise(0.1, seed=7), Hide("nose"))))
    moved = named(lab.slide(one, history, *ASKED, 0, 0, 1, 0, 0.2, 0, 0)).history.experiment.steps
    assert moved == (Noise(0.2, seed=7), Hide("nose"))


def test_the_json_on_the_page_brings_every_step_back(one):
    everything = Experiment(tuple(kind() for kind in STEPS.values()))
    assert Experiment.from_json(lab.written(everything)) == everything
    assert Experiment.from_json(lab.written(Experiment())) == Experiment()
    done = named(lab.follow_json(one, History(), *ASKED, lab.written(everything)))
    assert done.history.experiment == everything and done.history.past == (Experiment(),)
    with pytest.raises(FaceWhyError):
        lab.follow_json(one, History(), *ASKED, "{}")


def test_one_step_is_taken_away(one):
    history = History(Experiment((Hide("mouth"), Blur(2), Hide("nose"))))
    assert named(lab.take_away(one, history, sent(index=1), *ASKED)).history.experiment.steps == (
        Hide("mouth"),
        Hide("nose"),
    )


def test_the_link_carries_the_steps_and_waits_for_a_face(one, hidden):
    code = re.search(r'href="\?lab=([\w-]+)"', hidden.link)[1]
    state = LabState()
    lab.linked(state, code)
    history = state.history
    assert history.experiment == hidden.history.experiment
    assert "mouth hidden" in named(lab.show(Session(), history, *ASKED)).face
    arrived = named(lab.show(one, history, *ASKED))
    assert picture(arrived.face) == picture(hidden.face)
    lab.linked(state, "")
    assert state.history is history
    for broken in (
        "x",
        code[:-4],
        Experiment((Swap("mouth", "nobody"),)).code,
        Experiment((Hide("mouth", "nobody"),)).code,
    ):
        with pytest.raises(FaceWhyError):
            lab.linked(LabState(), broken)


def test_heatmaps_are_kept_for_the_face_and_no_longer(one, two, hidden, monkeypatch):
    made = []
    explain = experiments.registry.explain
    monkeypatch.setattr(experiments.registry, "explain", lambda *args: made.append(args[0].name) or explain(*args))
    named(lab.slide(one, hidden.history, *ASKED, 1, 0, 1, 0, 0, 0, 0))
    assert made == []
    chosen = choose(two, sent(index=1))
    shown = named(lab.refresh(chosen, hidden.history, *ASKED))
    assert chosen.chosen == 1 and made == ["cnn", "resnet", "vgg16"]
    assert shown.history.experiment == hidden.history.experiment and 'aria-checked="true" data-index="1"' in shown.strip


def test_the_smallest_change_is_found_and_followed(one, hidden):
    state = LabState()
    state.history = hidden.history
    html = lab.search_smallest(one, state, "mean face")
    history = state.history
    assert html.count("<li>") == 3 and html.count("Try it") >= 1
    _, found = history.found
    index = next(place for place, change in enumerate(found.values()) if change)
    name, change = list(found.items())[index]
    done = named(lab.follow(one, history, sent(index=index), *ASKED))
    assert {step.region for step in done.history.experiment.steps} == set(change.regions)
    outcome = experiments.run(one.face, done.history.experiment)
    assert outcome.models[name].after.top == change.after
    assert done.smallest == html, "still there, for the others"
    assert named(lab.change_baseline(one, done.history, *ASKED, "grey")).smallest == ""
    with pytest.raises(FaceWhyError):
        lab.search_smallest(Session(), LabState(), "mean face")


def test_without_a_face_the_tab_says_what_to_do():
    shown = named(lab.show(Session(), History(), *ASKED))
    assert "First give a photo" in shown.face and shown.predictions == shown.verdict == ""


def test_no_picture_and_no_network_is_kept(hidden):
    kept = [hidden.history, *hidden.history.maps.values()]
    values = [value for item in kept for value in vars(item).values()]
    modules = {type(value).__module__.split(".")[0] for value in values}
    assert modules <= {"builtins", "numpy", "explain"}
    assert sum(value.nbytes for value in values if isinstance(value, np.ndarray)) < 100_000


def test_two_quick_clicks_both_count_and_the_first_shows_nothing_any_more(one, monkeypatch):
    """The second comes while the models are still asked about the first."""
    state, run, seen = LabState(), experiments.run, []

    def slow(face, experiment, *args, **kwargs):
        if not seen:
            seen.append(experiment.steps)
            seen.append(lab.does(lab.touch)(one, state, sent(index=REGIONS.index("nose")), *ASKED, "grey"))
        return run(face, experiment, *args, **kwargs)

    monkeypatch.setattr(experiments, "run", slow)
    first = lab.does(lab.touch)(one, state, sent(index=MOUTH), *ASKED, "grey")
    inputs, second = seen
    assert inputs == (Hide("mouth", "grey"),) and all(value == gr.skip() for value in first)
    assert state.history.experiment.steps == (Hide("mouth", "grey"), Hide("nose", "grey"))
    assert "mouth hidden" in second[2] and "nose hidden" in second[2]
    assert len(state.history.maps) == 3 and len(state.history.past) == 2


def test_a_search_beside_a_click_loses_neither(one, monkeypatch):
    state, run = LabState(), experiments.run
    found = {"cnn": None, "resnet": None, "vgg16": None}
    lab.does(lab.refresh)(one, state, *ASKED)
    monkeypatch.setattr(experiments, "smallest", lambda face, fill, versions: found)

    def searched_meanwhile(*args, **kwargs):
        lab.search_smallest(one, state, "blur")
        return run(*args, **kwargs)

    monkeypatch.setattr(experiments, "run", searched_meanwhile)
    lab.does(lab.touch)(one, state, sent(index=MOUTH), *ASKED, "grey")
    assert state.history.found == ("blur", found) and state.history.experiment.steps == (Hide("mouth", "grey"),)


def test_the_models_are_asked_in_the_version_that_answered_before(one, monkeypatch):
    inputs, load = [], experiments.zoo.load
    monkeypatch.setattr(experiments.zoo, "load", lambda name, version="": inputs.append((name, version)) or load(name))
    answers = {
        name: (replace(one.face_predictions[name], version=f"9.0.{place}"),)
        for place, name in enumerate(one.face_predictions)
    }
    challenged = Session(one.key, one.photo, one.faces, 0, answers)
    lab.show(challenged, History(), *ASKED)
    lab.search_smallest(challenged, LabState(), "mean face")
    assert inputs == [("cnn", "9.0.0"), ("resnet", "9.0.1"), ("vgg16", "9.0.2")] * 2
