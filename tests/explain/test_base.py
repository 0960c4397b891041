"""Targets, and parameters from code and from JSON."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.base import Parameters, Target, choice, common_target, number, switch
from models.errors import ParameterError, UnknownNameError
from models.types import EMOTIONS, Prediction


@dataclasses.dataclass(frozen=True)
class Params(Parameters):
    count: int = number(5, 1, 10, 3, "Count", "How many.")
    share: float = number(0.5, 0.0, 1.0, 0.1, "Share", "How much.")
    way: str = choice("left", ("left", "right"), "Way", "Where to.")
    loud: bool = switch(False, "Loud", "Whether to shout.")


def test_class_zero_is_a_target_like_any_other():
    assert Target(0).weights.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert Target(3, 0).weights.tolist() == [-1, 0, 0, 1, 0, 0, 0]
    assert Target(3, 0) != Target(3)
    assert Target.named("angry") == Target(0)
    assert Target.named("happy", "angry").name == "happy rather than angry"
    assert Target(0).name == "angry"


@pytest.mark.parametrize("index", [-1, 7, 2.0, "3", None, True])
def test_a_target_is_an_index(index):
    with pytest.raises(ParameterError, match="0 to 6"):
        Target(index)


def test_an_emotion_is_not_set_against_itself():
    with pytest.raises(ParameterError, match="angry twice"):
        Target(0, 0)
    with pytest.raises(UnknownNameError, match="bored"):
        Target.named("happy", "bored")
    with pytest.raises(ParameterError):
        Target(1, 7)


def test_weights_pick_the_logit():
    logits = np.arange(7, dtype=np.float32) ** 2
    assert [float(logits @ Target(k).weights) for k in range(len(EMOTIONS))] == logits.tolist()
    assert float(logits @ Target(6, 2).weights) == 36 - 4


def test_what_several_models_are_asked_about_is_what_they_see_on_average():
    rows = np.full((2, 7), 0.1, np.float32)
    rows[0, 3], rows[1, 3], rows[1, 0] = 0.4, 0.2, 0.3
    answers = {name: Prediction(name, np.log(row), row) for name, row in zip("ab", rows, strict=True)}
    assert common_target("", "", answers) == Target(3)
    assert common_target("angry", "", answers) == Target(0)
    assert common_target("", "sad", answers) == Target.named("happy", "sad")


def test_json_values_become_the_declared_types():
    params = Params.from_json({"count": 7.0, "share": 1, "way": "right", "loud": True})
    assert params == Params(7, 1.0, "right", True)
    assert type(params.count) is int and type(params.share) is float
    assert Params.from_json(params.to_json()) == params
    assert Params.from_json(None) == Params.from_json({}) == Params()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"count": 0}, "1 to 10"),
        ({"count": 11}, "1 to 10"),
        ({"count": 2.5}, "whole number"),
        ({"count": True}, "whole number"),
        ({"count": "5"}, "whole number"),
        ({"count": None}, "whole number"),
        ({"share": math.nan}, "number"),
        ({"share": math.inf}, "number"),
        ({"share": -0.01}, "0.0 to 1.0"),
        ({"share": 10**400}, "0.0 to 1.0"),
        ({"count": 10**400}, "1 to 10"),
        ({"way": "up"}, "'left', 'right'"),
        ({"way": ["left"]}, "'left', 'right'"),
        ({"loud": 1}, "true or false"),
        ([("count", 3)], "object"),
    ],
)
def test_wrong_values_are_refused(values, rule):
    with pytest.raises(ParameterError, match=rule):
        Params.from_json(values)


def test_unknown_parameters_are_named():
    with pytest.raises(UnknownNameError, match="'colour'.*count, share, way, loud"):
        Params.from_json({"colour": 1})


@given(st.integers(1, 10))
def test_whatever_lies_in_the_range_is_kept(count):
    assert Params(count).count == count
