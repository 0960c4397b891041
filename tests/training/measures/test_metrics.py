import numpy as np
import pytest

from models.types import EMOTIONS, KEYPOINTS
from training.measures import metrics


def test_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 1, 0, 0])  # at 0.9 half are right, at 0.6 all are
    assert metrics.calibration_error(probabilities, labels) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_reliability_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [1.0, 0.0]])
    found = metrics.reliability(probabilities, np.array([0, 1, 0, 0, 0]), bins=10)
    assert found["faces"] == [0, 0, 0, 0, 0, 2, 0, 0, 2, 1]  # a bin holds its upper end
    assert found["confidence"] == [None] * 5 + [0.6, None, None, 0.9, 1.0]
    assert found["accuracy"] == [None] * 5 + [1.0, None, None, 0.5, 1.0]


def test_calibration_error_follows_from_the_reliability():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(7), 500)
    labels = rng.integers(0, 7, 500)
    bins = metrics.reliability(probabilities, labels)
    gaps = [n * abs(c - a) for n, c, a in zip(*bins.values(), strict=True) if n]
    assert metrics.calibration_error(probabilities, labels) == pytest.approx(sum(gaps) / 500, abs=1e-4)


def test_calibration_error_is_zero_where_confidence_is_accuracy():
    probabilities = np.tile([0.75, 0.25], (4, 1))
    assert metrics.calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0)


def test_temperature_undoes_a_known_overconfidence():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (20_000, 7))
    shares = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    labels = (shares.cumsum(1) > rng.random((len(shares), 1))).argmax(1)
    assert metrics.temperature(honest * 2.5, labels) == pytest.approx(2.5, rel=0.05)


def test_emotion_figures_by_hand():
    labels = np.array([0, 0, 3, 6])
    logits = 4 * np.eye(7)[[0, 3, 3, 6]]
    flipped = 9 * np.eye(7)[[0, 0, 3, 6]]
    result = metrics.emotions(logits, flipped, labels, np.array([0, 3, -1, 0]), 1.0)
    assert result["accuracy"] == 0.75
    assert result["accuracy_with_flip"] == 1.0
    assert result["accuracy_ferplus"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["recall"]["angry"] == 0.5 and result["recall"]["happy"] == 1.0
    assert result["confusion"][0][EMOTIONS.index("happy")] == 1
    assert result["precision"]["happy"] == 0.5 and result["precision"]["fear"] == 0
    assert result["f1"]["angry"] == pytest.approx(2 / 3, abs=1e-4) and result["f1"]["surprise"] == 1
    assert result["support"] == dict(zip(EMOTIONS, [2, 0, 0, 1, 0, 0, 1], strict=True))
    # F1: angry 2/3, happy 2/3, surprise 1, the other four 0
    assert result["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 7, abs=1e-4)


def test_networks_together_answer_with_the_mean_of_their_calibrated_probabilities():
    sure, unsure = np.array([[2.0, 0.0]]), np.array([[0.0, 1.0]])
    # softmax([1, 0]) = .7311, softmax([0, 1]) = .2689, each at its temperature
    both = metrics.together([(sure, 2.0), (unsure, 1.0)])
    assert np.exp(both)[0] == pytest.approx([0.5, 0.5])
    one = metrics.together([(sure, 1.0), (unsure, 1.0)])
    assert np.exp(one)[0] == pytest.approx([(0.8808 + 0.2689) / 2, (0.1192 + 0.7311) / 2], abs=1e-4)


def test_keypoint_error_is_in_distances_between_the_eyes():
    true = np.zeros((2, 15, 2))
    true[:, KEYPOINTS.index("left_eye_outer_corner"), 0] = 50.0
    true[:, KEYPOINTS.index("left_eye_center"), 0] = 40.0
    found = true.copy()
    found[0, :, 1] += 10.0  # every point a fifth of the distance off
    result = metrics.keypoints(found, true)
    assert result["nme"] == pytest.approx(0.1)
    assert result["nme_pupils"] == pytest.approx(0.125)
    assert result["failure_rate"] == 0.5
    assert result["nme_by_point"]["nose_tip"] == pytest.approx(0.1)
    # faces at 0.2 and 0: half are within every error below 0.2
    assert result["cumulative"]["share"] == [0.5] * 31
    assert result["cumulative"]["error"][0] == 0 and result["cumulative"]["error"][-1] == 0.15


def test_crops_are_averaged_before_they_are_judged():
    logits = np.zeros((2, 7))
    crops = np.zeros((2, 2, 7))
    crops[0, :, 3], crops[1, :, 4] = 5, 1  # the sure crop outvotes the other one
    result = metrics.emotions(logits, logits, np.array([3, 4]), np.array([-1, -1]), 1.0, crops)
    assert result["accuracy_ten_crops"] == 0.5
    assert "accuracy_ten_crops" not in metrics.emotions(logits, logits, np.array([3, 4]), np.array([-1, -1]), 1.0)
