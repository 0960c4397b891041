from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from app.data import accuracy, correlation, counts, doubtful, projection
from app.data.intervals import wilson
from models.types import EMOTIONS
from tests.app.data.conftest import faces, sharp

HAPPY, NEUTRAL, SAD = (EMOTIONS.index(name) for name in ("happy", "neutral", "sad"))


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_of_newcombe(right, total, low, high):
    """Newcombe 1998, table I, method 3."""
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)
    assert wilson(total - right, total) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_emotions_are_counted_and_missing_labels_are_not():
    found = counts.by_emotion(np.array([HAPPY, HAPPY, -1, SAD], np.int8))
    assert found == [0, 0, 0, 2, 0, 1, 0]


def test_agreement_by_hand():
    known = faces(["happy", "happy", "sad", "sad"], ["happy", "neutral", "neutral", "sad"])
    assert known.agree.tolist() == [True, False, False, True]
    found = counts.disagreement(known)
    expected = np.zeros((7, 7), int)
    expected[HAPPY, NEUTRAL] = expected[NEUTRAL, HAPPY] = expected[SAD, NEUTRAL] = expected[NEUTRAL, SAD] = 1
    assert np.array_equal(found, expected)


def test_every_pair_of_three_networks_counts():
    three = faces(["happy"], ["neutral"])
    three = replace(three, probabilities={**three.probabilities, "vgg16": sharp("sad")})
    assert counts.disagreement(three).sum() == 6, "three pairs, each both ways"


def test_kappa_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    first = random.integers(0, 7, 400).astype(np.int8)
    second = np.where(random.random(400) < 0.6, first, random.integers(0, 7, 400)).astype(np.int8)
    assert counts.kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    assert counts.kappa(first, first) == pytest.approx(1)
    assert counts.kappa(np.zeros(3, np.int8), np.zeros(3, np.int8)) is None, "chance alone makes them agree"


def test_accuracy_counts_labelled_faces_only():
    known = faces(["happy", "sad", "sad"], ["sad"] * 3, ["happy"] * 3, labels=["happy", "happy", ""])
    found = {name: accuracy.rate(known, name) for name in known.probabilities}
    assert {name: (each.right, each.faces) for name, each in found.items()} == {
        "cnn": (1, 2),
        "resnet": (0, 2),
        "mean": (2, 2),
    }
    assert (found["cnn"].low, found["cnn"].high) == wilson(1, 2)
    nobody = accuracy.rate(known.take(np.zeros(3, bool)), "cnn")
    assert nobody.share is None and (nobody.low, nobody.high) == (0, 1)


def test_bins_hold_as_many_faces_each_and_part_no_equal_values():
    light = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, np.nan, 0.9]
    labels = ["happy"] * 4 + ["sad"] * 4 + ["happy", ""]
    known = faces(["happy"] * 10, ["happy"] * 10, labels=labels, brightness=light)
    found = accuracy.by_measure(known, "cnn", "brightness", 4)
    assert [(each.rate.right, each.rate.faces) for each in found] == [(2, 2), (2, 2), (0, 2), (0, 2)]
    ends = [end for each in found for end in (each.least, each.most)]
    assert ends == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    equal = faces(["happy"] * 4, ["happy"] * 4, labels=["happy"] * 4, size=[48, 48, 48, 60])
    assert [(each.least, each.most, each.rate.faces) for each in accuracy.by_measure(equal, "cnn", "size")] == [
        (48, 48, 3),
        (60, 60, 1),
    ]
    assert accuracy.by_measure(faces(["sad"], ["sad"], size=[48]), "cnn", "size") == [], "no label"


def test_the_undecided_and_the_sure_and_wrong():
    known = faces(["happy"] * 4, ["happy"] * 4, labels=["sad", "happy", "sad", ""])
    known.probabilities["cnn"][:] = np.concatenate([sharp("happy", sure=sure) for sure in (0.9, 0.4, 0.95, 0.99)])
    assert doubtful.undecided(np.full((1, 7), 1 / 7)) == pytest.approx(1)
    assert doubtful.undecided(sharp("happy", sure=1.0)) == pytest.approx(0, abs=1e-6)
    assert doubtful.most_uncertain(known, "cnn", 2).tolist() == [1, 0]
    assert doubtful.most_confident_wrong(known, "cnn", 9).tolist() == [2, 0]


def test_correlations_are_those_of_numpy_and_leave_gaps_out():
    random = np.random.default_rng(0)
    measures, answers = random.normal(size=(50, 3)), random.dirichlet(np.ones(7), 50)
    measures[:20, 1], measures[:, 2] = np.nan, 1.0
    found = correlation.with_answers(measures, answers)
    assert found[0] == pytest.approx(np.corrcoef(measures[:, 0], answers, rowvar=False)[0, 1:])
    assert found[1] == pytest.approx(np.corrcoef(measures[20:, 1], answers[20:], rowvar=False)[0, 1:])
    assert np.isnan(found[2]).all()


def test_principal_components_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    embeddings = np.random.default_rng(0).normal(size=(200, 9)) * np.arange(9, 0, -1)
    found, reference = projection.pca(embeddings), PCA(2, svd_solver="full").fit(embeddings)
    assert found.explained == pytest.approx(reference.explained_variance_ratio_)
    assert np.abs(found.place(embeddings)) == pytest.approx(np.abs(reference.transform(embeddings)), rel=1e-4, abs=1e-4)
    biggest = np.abs(found.loadings).argmax(0)
    assert (found.loadings[biggest, [0, 1]] > 0).all()


def test_a_sample_is_the_same_every_time_and_whole_where_it_can_be():
    assert projection.sample(4, 5).tolist() == [0, 1, 2, 3]
    drawn = projection.sample(1000, 10)
    assert len(set(drawn)) == 10 and (np.diff(drawn) > 0).all()
    assert np.array_equal(drawn, projection.sample(1000, 10))
