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
from app.ui.tabs.lab import Bench, Desk, Wanted
from explain.lab.steps import STEPS, Blur, Experiment, Hide, Noise, Paint, Rectangle, Rotate, Shift, Swap
from models.errors import FaceWhyError
from models.regions import REGIONS

ASKED = ("gradcam", "", "mouth")
SHOWN = (
    "bench strip face steps verdict told smallest parts swap undo reset link text blur brightness contrast rotate "
    "noise x y"
).split()
MOUTH = REGIONS.index("mouth")


def sent(**data) -> SimpleNamespace:
    """What the page sends."""
    return SimpleNamespace(_data=data)


def named(values: tuple | Wanted) -> SimpleNamespace:
    """What is shown after a change, or what was shown, by name."""
    values = lab.show(*values) if isinstance(values, Wanted) else values
    return SimpleNamespace(**dict(zip(SHOWN, values, strict=True)))


@pytest.fixture(scope="module")
def start(one) -> SimpleNamespace:
    return named(lab.show(one, Bench(), *ASKED))


@pytest.fixture(scope="module")
def hidden(one, start) -> SimpleNamespace:
    return named(lab.touch(one, start.bench, sent(index=MOUTH), *ASKED, "mean face"))


def picture(html: str) -> str:
    return re.search(r'<image href="([^"]+)"', html)[1]


def test_at_first_the_face_is_as_it_was_and_nothing_can_be_undone(start):
    assert start.bench.experiment == Experiment() and "Tap a part" in start.verdict
    assert not start.undo.interactive and not start.reset.interactive and start.steps == ""
    assert start.told.count("fw-card") == 3 and "→" not in start.told and "fw-told" not in start.told
    assert start.face.count("data-index") == 7 and start.parts.count("data-index") == 8


def test_a_tap_hides_a_part_and_the_answers_follow(start, hidden):
    assert hidden.bench.experiment.steps == (Hide("mouth"),)
    assert picture(hidden.face) != picture(start.face) and "mouth hidden" in hidden.steps
    assert f'data-index="{MOUTH}" aria-pressed="true"' in hidden.parts
    assert hidden.told.count("→") >= 3 and hidden.told.count("random patches of the same size") == 3
    assert hidden.undo.interactive and hidden.reset.interactive


def test_a_second_tap_shows_it_again(one, start, hidden):
    again = named(lab.touch(one, hidden.bench, sent(index=MOUTH), *ASKED, "mean face"))
    assert again.bench.experiment == Experiment() and picture(again.face) == picture(start.face)


def test_undo_and_start_over(one, start, hidden):
    back = named(lab.back(one, hidden.bench, *ASKED))
    assert back.bench.experiment == Experiment() and not back.undo.interactive
    assert picture(back.face) == picture(start.face)
    over = named(lab.start_over(one, hidden.bench, *ASKED))
    assert over.bench.experiment == Experiment() and over.undo.interactive
    assert named(lab.back(one, over.bench, *ASKED)).bench.experiment == hidden.bench.experiment
    assert named(lab.back(one, start.bench, *ASKED)).bench.experiment == Experiment()


def test_the_past_does_not_grow_without_end():
    bench = Bench()
    for step in range(100):
        bench = bench.turn(Experiment((Noise(seed=step),)))
    assert len(bench.past) == lab.MOST_UNDONE and bench.past[-1].steps[0].seed == 98
    assert bench.turn(bench.experiment) is bench


def test_a_line_paints_a_patch(one, start):
    painted = named(lab.touch(one, start.bench, sent(stroke=[[10, 20], [30, 20]], width=4), *ASKED, "grey"))
    (step,) = painted.bench.experiment.steps
    assert isinstance(step, Paint) and step.fill == "grey" and step.mask[19:21, 12:28].all()
    for stroke in (None, "x", [[None, 1]]):
        with pytest.raises(FaceWhyError):
            lab.touch(one, start.bench, sent(stroke=stroke, width=4), *ASKED, "grey")


def test_what_the_page_never_sends_changes_nothing(one, hidden):
    for data in ({}, {"index": 99}, {"index": None}, {"index": [1]}, {"index": "0"}, {"index": -1}):
        assert named(lab.touch(one, hidden.bench, sent(**data), *ASKED, "grey")).bench.experiment.steps == (
            Hide("mouth"),
        )
        assert named(lab.exchange(one, hidden.bench, sent(**data), *ASKED)).bench.experiment.steps == (Hide("mouth"),)
        assert named(lab.take_away(one, hidden.bench, sent(**data), *ASKED)).bench.experiment.steps == (Hide("mouth"),)
        assert named(lab.follow(one, hidden.bench, sent(**data), *ASKED)).bench.experiment.steps == (Hide("mouth"),)


def test_another_filling_goes_for_everything_that_is_hidden(one):
    bench = Bench(Experiment((Hide("mouth"), Rotate(5), Rectangle(1, 1, 5, 5), Swap())))
    steps = named(lab.refill(one, bench, *ASKED, "blur")).bench.experiment.steps
    assert steps == (Hide("mouth", "blur"), Rotate(5), Rectangle(1, 1, 5, 5, "blur"), Swap())


def test_a_part_comes_from_an_example_face_and_goes_again(one, start):
    names = list(lab.SOURCE_FACES)
    happy = names.index("composite_happy")
    swapped = named(lab.exchange(one, start.bench, sent(index=happy), "gradcam", "", "eyes"))
    assert swapped.bench.experiment.steps == (Swap("eyes", "composite_happy"),)
    assert f'data-index="{happy}" aria-pressed="true"' in swapped.swap
    other = named(lab.exchange(one, swapped.bench, sent(index=0), "gradcam", "", "eyes"))
    assert other.bench.experiment.steps == (Swap("eyes", names[0]),)
    mouth = named(lab.exchange(one, other.bench, sent(index=happy), "gradcam", "", "mouth"))
    assert len(mouth.bench.experiment.steps) == 2
    gone = named(lab.exchange(one, other.bench, sent(index=0), "gradcam", "", "eyes"))
    assert gone.bench.experiment == Experiment()


def test_sliders_set_steps_and_stand_where_the_steps_are(one, start):
    slid = lab.slide(one, start.bench, *ASKED, 2, 0, 1, 0, 0, 3, -4)
    assert slid.bench.experiment.steps == (Blur(2), Shift(3, -4))
    assert list(lab.show(*slid)[-7:]) == [2, 0, 1, 0, 0, 3, -4]
    quiet = lab.does(lab.slide)(one, Desk(), *ASKED, 2, 0, 1, 0, 0, 3, -4)
    assert len(quiet) == len(SHOWN) - 1 - 7, "what a finger is on stays"
    less = named(lab.slide(one, named(slid).bench, *ASKED, 0, 0, 1, 0, 0, 3, 0))
    assert less.bench.experiment.steps == (Shift(3, 0),)
    with pytest.raises(FaceWhyError):
        lab.slide(one, start.bench, *ASKED, 99, 0, 1, 0, 0, 0, 0)


def test_a_slider_keeps_the_order_and_the_seed(one):
    bench = Bench(Experiment((Noise(0.1, seed=7), Hide("nose"))))
    moved = named(lab.slide(one, bench, *ASKED, 0, 0, 1, 0, 0.2, 0, 0)).bench.experiment.steps
    assert moved == (Noise(0.2, seed=7), Hide("nose"))


def test_the_json_on_the_page_brings_every_step_back(one):
    everything = Experiment(tuple(kind() for kind in STEPS.values()))
    assert Experiment.from_json(lab.written(everything)) == everything
    assert Experiment.from_json(lab.written(Experiment())) == Experiment()
    done = named(lab.obey(one, Bench(), *ASKED, lab.written(everything)))
    assert done.bench.experiment == everything and done.bench.past == (Experiment(),)
    with pytest.raises(FaceWhyError):
        lab.obey(one, Bench(), *ASKED, "{}")


def test_one_step_is_taken_away(one):
    bench = Bench(Experiment((Hide("mouth"), Blur(2), Hide("nose"))))
    assert named(lab.take_away(one, bench, sent(index=1), *ASKED)).bench.experiment.steps == (
        Hide("mouth"),
        Hide("nose"),
    )


def test_the_link_carries_the_steps_and_waits_for_a_face(one, hidden):
    code = re.search(r'href="\?lab=([\w-]+)"', hidden.link)[1]
    desk = Desk()
    lab.linked(desk, code)
    bench = desk.bench
    assert bench.experiment == hidden.bench.experiment
    assert "mouth hidden" in named(lab.show(Session(), bench, *ASKED)).face
    arrived = named(lab.show(one, bench, *ASKED))
    assert picture(arrived.face) == picture(hidden.face)
    lab.linked(desk, "")
    assert desk.bench is bench
    for broken in (
        "x",
        code[:-4],
        Experiment((Swap("mouth", "nobody"),)).code,
        Experiment((Hide("mouth", "nobody"),)).code,
    ):
        with pytest.raises(FaceWhyError):
            lab.linked(Desk(), broken)


def test_heatmaps_are_kept_for_the_face_and_no_longer(one, two, hidden, monkeypatch):
    made = []
    explain = experiments.registry.explain
    monkeypatch.setattr(experiments.registry, "explain", lambda *args: made.append(args[0].name) or explain(*args))
    named(lab.slide(one, hidden.bench, *ASKED, 1, 0, 1, 0, 0, 0, 0))
    assert made == []
    chosen = choose(two, sent(index=1))
    shown = named(lab.look(chosen, hidden.bench, *ASKED))
    assert chosen.chosen == 1 and made == ["cnn", "resnet", "vgg16"]
    assert shown.bench.experiment == hidden.bench.experiment and 'aria-checked="true" data-index="1"' in shown.strip


def test_the_smallest_change_is_found_and_followed(one, hidden):
    desk = Desk()
    desk.bench = hidden.bench
    html = lab.search_smallest(one, desk, "mean face")
    bench = desk.bench
    assert html.count("<li>") == 3 and html.count("Try it") >= 1
    _, found = bench.found
    index = next(place for place, change in enumerate(found.values()) if change)
    name, change = list(found.items())[index]
    done = named(lab.follow(one, bench, sent(index=index), *ASKED))
    assert {step.region for step in done.bench.experiment.steps} == set(change.regions)
    outcome = experiments.run(one.face, done.bench.experiment)
    assert outcome.models[name].after.top == change.after
    assert done.smallest == html, "still there, for the others"
    assert named(lab.refill(one, done.bench, *ASKED, "grey")).smallest == ""
    with pytest.raises(FaceWhyError):
        lab.search_smallest(Session(), Desk(), "mean face")


def test_without_a_face_the_tab_says_what_to_do():
    shown = named(lab.show(Session(), Bench(), *ASKED))
    assert "First give a photo" in shown.face and shown.told == shown.verdict == ""


def test_no_picture_and_no_network_is_kept(hidden):
    kept = [hidden.bench, *hidden.bench.maps.values()]
    values = [value for item in kept for value in vars(item).values()]
    modules = {type(value).__module__.split(".")[0] for value in values}
    assert modules <= {"builtins", "numpy", "explain"}
    assert sum(value.nbytes for value in values if isinstance(value, np.ndarray)) < 100_000


def test_two_quick_clicks_both_count_and_the_first_shows_nothing_any_more(one, monkeypatch):
    """The second comes while the models are still asked about the first."""
    desk, run, seen = Desk(), experiments.run, []

    def slow(face, experiment, *args, **kwargs):
        if not seen:
            seen.append(experiment.steps)
            seen.append(lab.does(lab.touch)(one, desk, sent(index=REGIONS.index("nose")), *ASKED, "grey"))
        return run(face, experiment, *args, **kwargs)

    monkeypatch.setattr(experiments, "run", slow)
    first = lab.does(lab.touch)(one, desk, sent(index=MOUTH), *ASKED, "grey")
    asked, second = seen
    assert asked == (Hide("mouth", "grey"),) and all(value == gr.skip() for value in first)
    assert desk.bench.experiment.steps == (Hide("mouth", "grey"), Hide("nose", "grey"))
    assert "mouth hidden" in second[2] and "nose hidden" in second[2]
    assert len(desk.bench.maps) == 3 and len(desk.bench.past) == 2


def test_a_search_beside_a_click_loses_neither(one, monkeypatch):
    desk, run = Desk(), experiments.run
    found = {"cnn": None, "resnet": None, "vgg16": None}
    lab.does(lab.look)(one, desk, *ASKED)
    monkeypatch.setattr(experiments, "smallest", lambda face, fill, versions: found)

    def searched_meanwhile(*args, **kwargs):
        lab.search_smallest(one, desk, "blur")
        return run(*args, **kwargs)

    monkeypatch.setattr(experiments, "run", searched_meanwhile)
    lab.does(lab.touch)(one, desk, sent(index=MOUTH), *ASKED, "grey")
    assert desk.bench.found == ("blur", found) and desk.bench.experiment.steps == (Hide("mouth", "grey"),)


def test_the_models_are_asked_in_the_version_that_answered_before(one, monkeypatch):
    asked, load = [], experiments.zoo.load
    monkeypatch.setattr(experiments.zoo, "load", lambda name, version="": asked.append((name, version)) or load(name))
    answers = {name: (replace(one.answers[name], version=f"9.0.{place}"),) for place, name in enumerate(one.answers)}
    challenged = Session(one.key, one.photo, one.faces, 0, answers)
    lab.show(challenged, Bench(), *ASKED)
    lab.search_smallest(challenged, Desk(), "mean face")
    assert asked == [("cnn", "9.0.0"), ("resnet", "9.0.1"), ("vgg16", "9.0.2")] * 2
