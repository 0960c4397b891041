"""The glass box on the page: its panels, and the Lab's fold in which measures are moved by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest

from app import pipeline
from app.ui import measures_fold
from app.ui.measures_fold import Moved, face_again, face_arrived, move_measures
from app.ui.render import glass_box as panels
from app.ui.session import Session
from app.ui.tabs import SKIP
from explain.base import Target
from models import glass_box
from models.errors import WeightsNotFoundError
from models.geometry import NAMES, measure
from models.types import EMOTIONS

LEFT, RIGHT, WIDTH = (NAMES.index(name) for name in ("corner_raise_left", "corner_raise_right", "mouth_width"))


def places(state):
    """What the sliders show."""
    return [round(value, 2) for value in state.values]


@pytest.fixture
def at_rest(one):
    return face_again(one)


def test_the_sliders_begin_where_the_face_has_its_measures(one, at_rest):
    state, answer, *sliders = at_rest
    values = measure(one.face.keypoints)
    assert state.values == pytest.approx(values)
    for slider, value in zip(sliders, values, strict=True):
        assert slider.minimum <= slider.value <= slider.maximum and slider.value == pytest.approx(value, abs=0.006)
    assert "looks <b>happy</b> to it" in answer


def test_what_was_not_moved_keeps_the_faces_own_value(one, at_rest):
    state, answer, *sliders = move_measures(one, at_rest[0], True, *places(at_rest[0]))
    assert state.values == at_rest[0].values and answer == at_rest[1] and sliders == [SKIP] * 20


def test_lowered_corners_take_happy_away_and_the_other_side_follows(one, at_rest):
    moved = places(at_rest[0])
    moved[LEFT] -= 0.2
    state, answer, *sliders = move_measures(one, at_rest[0], True, *moved)
    assert state.values[LEFT] == pytest.approx(moved[LEFT])
    assert state.values[RIGHT] < at_rest[0].values[RIGHT] and sliders[RIGHT].value == round(state.values[RIGHT], 2)
    assert [index for index, slider in enumerate(sliders) if slider != SKIP] == [RIGHT]
    before, after = (
        pipeline.read_glass_box(one.face, dict(zip(NAMES, values.values, strict=True)))
        for values in (at_rest[0], state)
    )
    assert after.probabilities[3] < before.probabilities[3]
    alone, _, *untouched = move_measures(one, at_rest[0], False, *moved)
    assert alone.values[RIGHT] == at_rest[0].values[RIGHT] and untouched == [SKIP] * 20


def test_the_page_shows_the_probabilities_of_what_was_moved(one, at_rest):
    moved = places(at_rest[0])
    moved[WIDTH] -= 0.3
    state, answer, *_ = move_measures(one, at_rest[0], False, *moved)
    values = np.array(at_rest[0].values)
    values[WIDTH] = moved[WIDTH]
    expected = glass_box.shipped().read(values).probabilities
    shown = [float(width) for width in re.findall(r'<b style="width:([\d.]+)%', answer)]
    assert shown == pytest.approx(100 * expected, abs=0.06)


def test_another_face_begins_anew_and_the_same_one_stays(two, at_rest):
    first = face_arrived(two, Moved())
    assert face_arrived(two, first[0]) == (SKIP,) * 22
    second = face_arrived(replace(two, chosen=1), first[0])
    assert second[0].about == (two.key, 1)
    assert move_measures(replace(two, chosen=1), first[0], True, *places(first[0]))[0].about == (two.key, 1)


def test_without_a_face_the_fold_says_what_to_do():
    state, answer, *sliders = face_arrived(Session(), Moved(("gone", 0), (0.0,) * 20))
    assert state.values == () and "Predict" in answer and sliders == [SKIP] * 20


def test_bars_of_the_column_are_the_terms_and_sum_to_the_score(one):
    reading, box = pipeline.read_glass_box(one.face), glass_box.shipped()
    for target in (Target(EMOTIONS.index("happy")), Target(EMOTIONS.index("happy"), EMOTIONS.index("angry"))):
        of = reading.contributions[:, target.emotion]
        start = box.intercept[target.emotion]
        if target.against is not None:
            of, start = of - reading.contributions[:, target.against], start - box.intercept[target.against]
        shown = panels.column(one.face, target)
        amounts = [float(text.replace("\u2212", "-")) for text in re.findall(r"<b>([+\u2212]?\d+\.\d)</b></li>", shown)]
        assert sorted(amounts) == pytest.approx(sorted(of), abs=0.051) and len(amounts) == 20
        assert f"its score, {start + of.sum():+.1f}".replace("-", "\u2212") in shown


def test_where_the_glass_box_is_missing_the_page_goes_on(one, monkeypatch):
    def missing():
        raise WeightsNotFoundError("The file model.json of the glass box could not be read", "gone", "Fit it again")

    monkeypatch.setattr(glass_box, "shipped", missing)
    assert panels.panel(one.face) == "" and panels.column(one.face, Target(0)) == ""
    assert face_again(one)[1] == measures_fold.UNUSABLE
    assert measures_fold.bounds(0) == (-1.0, 1.0)
