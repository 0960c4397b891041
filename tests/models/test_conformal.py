import math

import numpy as np
import pytest

from models import conformal
from models.conformal import Calibration

THREE = np.array([[0.5, 0.3, 0.2], [0.2, 0.1, 0.7]])


def test_the_threshold_is_the_finite_sample_quantile_by_hand():
    """Rank ceil((n + 1) c): 3rd of 4 at one half, 9th of 9 and 18th of 19 at nine tenths; eight scores are too few."""
    values = np.arange(1.0, 20)
    rng = np.random.default_rng(0)
    assert conformal.threshold(rng.permutation(values[:4]), 0.5) == 3
    assert conformal.threshold(rng.permutation(values[:9])) == 9
    assert conformal.threshold(rng.permutation(values)) == 18
    assert conformal.threshold(values[:8]) == math.inf


def test_scores_by_hand():
    np.testing.assert_allclose(conformal.scores("lac", THREE), [[0.5, 0.7, 0.8], [0.8, 0.9, 0.3]])
    np.testing.assert_allclose(conformal.scores("aps", THREE), [[0.5, 0.8, 1.0], [0.9, 1.0, 0.7]])
    np.testing.assert_allclose(conformal.scores("raps", THREE), [[0.5, 0.8, 1.1], [0.9, 1.1, 0.7]])


def test_a_set_holds_what_scores_at_most_the_threshold_and_always_the_most_probable():
    assert Calibration("aps", 0.85).sets(THREE).tolist() == [[True, True, False], [False, False, True]]
    assert Calibration("lac", 0.1).sets(THREE).tolist() == [[True, False, False], [False, False, True]]
    assert Calibration("lac", math.inf).sets(THREE).all()


def test_the_emotions_of_a_set_come_the_most_probable_first():
    probabilities = np.array([0.02, 0.01, 0.3, 0.12, 0.05, 0.1, 0.4], np.float32)
    assert Calibration("lac", 0.89).likely(probabilities) == ("surprise", "fear", "happy")


@pytest.mark.parametrize("method", conformal.METHODS)
def test_sets_of_exchangeable_faces_hold_the_label_as_often_as_promised(method):
    """Exactly ceil((n + 1) c) / (n + 1) for scores without ties, however wrong the probabilities are.

    Nineteen faces: 18 / 20. The plain quantile of the scores would reach 0.86.
    """
    rng = np.random.default_rng(1)
    held = []
    for _ in range(1500):
        true = rng.dirichlet(np.full(7, 0.6), 39)
        labels = (true.cumsum(1) > rng.random((39, 1))).argmax(1)
        said = true**0.4 * rng.uniform(0.5, 1.5, true.shape)
        found = conformal.scores(method, said / said.sum(1, keepdims=True))[np.arange(39), labels]
        held.append((found[19:] <= conformal.threshold(found[:19])).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    "found",
    [None, [], {}, {"method": "lac", "coverage": 0.9}, {"method": "other", "coverage": 0.9, "threshold": 0.5}]
    + [{"method": "lac", "coverage": 0.9, "threshold": limit} for limit in ("0.5", math.nan)]
    + [{"method": "lac", "coverage": 1.0, "threshold": 0.5}],
)
def test_what_is_no_calibration_makes_no_sets(found):
    assert conformal.read(found) is None


def test_a_calibration_comes_back_from_json():
    assert conformal.read({"method": "aps", "coverage": 0.8, "threshold": 0.7}) == Calibration("aps", 0.7, 0.8)
    assert conformal.read({"method": "lac", "coverage": 0.9, "threshold": None}) == Calibration("lac", math.inf)
