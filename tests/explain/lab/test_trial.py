"""Whether a heatmap is right about what an experiment did to an answer."""

from dataclasses import replace

import numpy as np
import pytest

from explain.base import Target
from explain.lab import trial
from explain.lab.forecast import Forecast
from models.types import Prediction


def said(probability: float) -> Prediction:
    row = np.full(7, (1 - probability) / 6, np.float32)
    row[3] = probability
    return Prediction("toy", np.log(row), row)


@pytest.mark.parametrize(
    "expects, after, random, verdict",
    [
        ("more", 0.4, [0.9, 0.8], "right"),
        ("more", 0.8, [0.4, 0.5], "wrong"),
        ("more", 0.5, [0.5, 0.5], "open"),
        ("more", 0.51, [0.5, 0.5], "open"),
        ("more", 0.53, [0.5, 0.5], "wrong"),
        ("more", 0.47, [0.5, 0.5], "right"),
        ("more", 0.9, [0.9, 0.89], "open"),
        ("less", 0.5, [0.5, 0.51], "open"),
        ("less", 0.85, [0.4, 0.5], "right"),
        ("less", 0.4, [0.9, 0.8], "wrong"),
        ("less", 0.9, [0.9, 0.9], "open"),
        ("same", 0.4, [0.9, 0.8], ""),
        (None, 0.4, [0.9, 0.8], ""),
        ("more", 0.4, [], ""),
    ],
)
def test_a_heatmap_is_held_to_what_it_expects(expects, after, random, verdict):
    forecast = Forecast(0.5, 0.0, 0.1, 1, expects)
    tried = trial.Tried(said(0.9), said(after), said(0.9), forecast, np.array(random, np.float32), False)
    assert trial.verdict(tried, Target(3)) == verdict
    assert trial.verdict(replace(tried, swapped=True), Target(3)) == ""
