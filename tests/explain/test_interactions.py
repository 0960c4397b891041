"""Interactions of face parts by hand, against shapiq's exact computer, and on networks that were built for it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from explain import interactions
from explain.base import Target
from explain.methods import masking, shap_regions
from models.errors import ParameterError
from models.regions import REGIONS

MOUTH, EYE = REGIONS.index("mouth"), REGIONS.index("left_eye")


@pytest.fixture(autouse=True)
def fixed_regions(monkeypatch, regions):
    monkeypatch.setattr("models.regions.masks", lambda keypoints, side=48: regions)


def test_the_glove_game_by_hand():
    """One left and two right gloves, a pair is worth 1. Left and right together: half the time 1, by the other 0."""

    def worth(shown):
        return np.minimum(shown[:, 0], shown[:, 1:].any(1)).astype(float)

    found = interactions.game(worth(interactions.coalitions(3)))
    np.testing.assert_allclose(found.shapley, [2 / 3, 1 / 6, 1 / 6])
    np.testing.assert_allclose(found.alone, [0, 0, 0])
    np.testing.assert_allclose(found.left_out, [1, 0, 0])
    np.testing.assert_allclose(found.interaction, [[0, 0.5, 0.5], [0.5, 0, -0.5], [0.5, -0.5, 0]])


@pytest.mark.parametrize("players", [2, 5, 8])
def test_any_game_against_shapiq_and_shap(players):
    shapiq = pytest.importorskip("shapiq")
    table = np.random.default_rng(players).normal(size=2**players)

    def worth(shown):
        return table[np.asarray(shown, int) @ (1 << np.arange(players))]

    found = interactions.game(worth(interactions.coalitions(players)))
    exact = shapiq.ExactComputer(n_players=players, game=worth)("SII", order=2)
    expected = [[0 if i == j else exact[tuple(sorted((i, j)))] for j in range(players)] for i in range(players)]
    np.testing.assert_allclose(found.interaction, expected, atol=1e-9)
    np.testing.assert_allclose(found.shapley, shap_regions.shapley(worth, players), atol=1e-9)


def seen(score):
    """A stand-in for a model: a score of what each region shows, 1 where it is the face's own."""

    def logits(crops):
        found = np.asarray(score(crops), float)
        return np.stack([found, *[np.zeros_like(found)] * 6], 1)

    return SimpleNamespace(logits=logits)


@pytest.fixture
def bright(face, regions):
    """A face that no way of hiding shows, and a function that tells in which crops a region is the face's own."""
    crop = face.crop.copy()
    crop[:] = np.random.default_rng(0).uniform(0.9, 1, crop.shape)
    crop[::2] -= 0.6
    one = replace(face, crop=crop.astype(np.float32))
    return one, lambda crops, part: (crops[:, regions[part]] == one.crop[regions[part]]).all(1)


def test_planted_relations(bright):
    """Mouth and eye count only together; the brows say the same; the nose stands alone."""
    face, shows = bright
    left, right, nose = REGIONS.index("left_brow"), REGIONS.index("right_brow"), REGIONS.index("nose")
    model = seen(
        lambda crops: (
            1.0 * (shows(crops, MOUTH) & shows(crops, EYE))
            + 2.0 * (shows(crops, left) | shows(crops, right))
            + 0.5 * shows(crops, nose)
        )
    )
    found = interactions.read(model, face, Target(0), "blur")
    by_pair = {frozenset((pair.first, pair.second)): pair for pair in found.pairs()}
    together, same = by_pair[frozenset(("mouth", "left_eye"))], by_pair[frozenset(("left_brow", "right_brow"))]
    assert (together.relation, same.relation) == ("together", "same")
    assert together.value == pytest.approx(1) and same.value == pytest.approx(-2)
    assert together.low == together.high == pytest.approx(1), "no way of hiding shows the face"
    assert {pair.relation for key, pair in by_pair.items() if "nose" in key} == {"independent"}
    game = found.chosen
    assert (game.alone[MOUTH], game.left_out[MOUTH], game.shapley[MOUTH]) == pytest.approx((0, 1, 0.5))
    assert (game.alone[left], game.left_out[left], game.shapley[left]) == pytest.approx((2, 0, 1))
    assert (game.alone[nose], game.left_out[nose], game.shapley[nose]) == pytest.approx((0.5, 0.5, 0.5))
    first, second = interactions.sentences(found)
    assert "brow" in first and "say the same: seen together they say 2.00 less" in first
    assert "mouth" in second and "work together: seen together they say 1.00 more" in second
    against = interactions.read(seen(lambda crops: -1.0 * (shows(crops, MOUTH) & shows(crops, EYE))), face, Target(0))
    assert against.pairs()[0].relation == "together", "also where both speak against"
    nothing = interactions.sentences(interactions.read(seen(lambda crops: np.zeros(len(crops))), face, Target(0)))
    assert nothing == ["No two parts clearly count more, or less, together than apart."]


def test_the_values_of_a_network(cnn, face, regions):
    """Shapley values are the method's; each way of hiding has its own, and the spread holds them all."""
    target = Target(0, 3)
    found = interactions.read(cnn, face, target, "grey")
    assert found.fill == "grey" and set(found.games) == set(interactions.FILLS) and found.regions == REGIONS
    for fill, game in found.games.items():
        values = shap_regions.run(cnn, face.crop, target, shap_regions.Params(fill), regions)
        np.testing.assert_allclose(game.shapley, [values[part].sum(dtype=float) for part in regions], atol=1e-4)
        low, high = cnn.logits(np.stack([masking.baseline_picture(face.crop, fill), face.crop])) @ target.weights
        assert game.shapley.sum() == pytest.approx(high - low, abs=1e-4)
    low, high = found.spread("alone")
    assert (low <= found.chosen.alone).all() and (found.chosen.alone <= high).all() and (low < high).all()
    sizes = [abs(pair.value) for pair in found.pairs()]
    assert len(sizes) == 28 and sizes == sorted(sizes, reverse=True)


def test_what_cannot_be_read_is_refused(cnn, face):
    with pytest.raises(ParameterError, match="keypoints"):
        interactions.read(cnn, replace(face, keypoints=None), Target(0))
    with pytest.raises(ParameterError, match="mean face, blur, grey"):
        interactions.read(cnn, face, Target(0), "black")
