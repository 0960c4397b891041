"""What the glass box says, in words that follow from its numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest

from app import glass_text
from models import card, glass_box, weight_store, zoo
from models.geometry import NAMES
from models.types import EMOTIONS

HAPPY = EMOTIONS.index("happy")
CORNER = NAMES.index("corner_raise_left")


@pytest.fixture(scope="module")
def box():
    return glass_box.shipped()


def of(box, **moved):
    values = np.array(box.typical)
    for name, by in moved.items():
        values[NAMES.index(name)] += by
    return box.read(values)


def test_a_measure_is_told_against_the_median_face(box):
    assert glass_text.state(box, of(box, corner_raise_left=0.21), CORNER) == (
        "left mouth corner higher by 0.21 of the eye distance"
    )
    assert glass_text.state(box, of(box, corner_raise_left=-0.1), CORNER).startswith("left mouth corner lower by 0.10")
    assert glass_text.state(box, of(box), CORNER) == "left mouth corner as on most faces"


def test_a_reason_ends_in_what_it_adds(box):
    reading = of(box, corner_raise_left=0.21)
    exact = replace(reading, contributions=np.where(np.arange(7) == HAPPY, 1.84, 0) * np.eye(20)[:, [CORNER]])
    said = "left mouth corner higher by 0.21 of the eye distance: +1.8 for happy"
    assert glass_text.reasons(box, exact, HAPPY) == [said]
    assert [glass_text.points(amount) for amount in (-0.34, 0.04, -0.04)] == ["\u22120.3", "0.0", "0.0"]


def test_raised_corners_speak_for_happy_and_lowered_ones_against_it(box):
    both = {"corner_raise_left": 0.12, "corner_raise_right": 0.12}
    up, down = of(box, **both), of(box, **{name: -by for name, by in both.items()})
    assert up.probabilities[HAPPY] > of(box).probabilities[HAPPY] > down.probabilities[HAPPY]


def test_what_readability_costs_is_the_difference_of_the_figures_beside_it(box):
    own, low, high, cost = map(float, re.findall(r"(\d+\.\d)(?:\u00a0%| points)", glass_text.accuracy(box)))
    measured = [
        card.read(weight_store.SHIPPED / name).metrics["PrivateTest"]["accuracy"] for name in zoo.EMOTION_MODELS
    ]
    right = box.card["metrics"]["PrivateTest"]["accuracy"]
    expected = [100 * right, 100 * min(measured), 100 * max(measured), 100 * (max(measured) - right)]
    assert [own, low, high, cost] == pytest.approx(expected, abs=0.051) and cost == 27.8


def test_emotions_that_it_hardly_ever_finds_are_named(box):
    metrics = {"PrivateTest": {"recall": dict.fromkeys(EMOTIONS, 0.5) | {"disgust": 0.0, "fear": 0.049}}}
    assert "disgust and fear" in glass_text.never(replace(box, card={**box.card, "metrics": metrics}))
    metrics["PrivateTest"]["recall"] |= {"disgust": 0.06, "fear": 0.06}
    assert glass_text.never(replace(box, card={**box.card, "metrics": metrics})) == ""
