"""Fewest parts and least area against a search in another order, on models that can be read by eye."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from explain.lab.counterfactual import counterfactual
from explain.methods.masking import baseline_picture
from models.regions import REGIONS


def toy(score):
    """A model whose logits are `score` of the crops, float (N, 48, 48) -> (N, 7)."""

    def probabilities(logits):
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    return SimpleNamespace(logits=score, probabilities=probabilities)


def by_parts(crop, regions, table):
    """A toy that sees which regions are as they were, and looks the logits up."""

    def score(crops):
        seen = np.array([[np.array_equal(c[m], crop[m]) for m in regions] for c in crops])
        return np.array([table(tuple(row)) for row in seen], float)

    return toy(score)


def brute_force(model, crop, masks, baseline):
    """All sets from the smallest up, one crop at a time."""
    stand_in = baseline_picture(crop, baseline)
    original = model.probabilities(model.logits(crop[None]))[0]
    before = int(original.argmax())
    for size in range(1, len(masks) + 1):
        found = {}
        for chosen in itertools.combinations(range(len(masks)), size):
            if not all(masks[index].any() for index in chosen):
                continue
            changed = np.where(masks[list(chosen)].any(0), stand_in, crop)
            answer = model.probabilities(model.logits(changed[None]))[0]
            if answer.argmax() != before:
                found[tuple(REGIONS[index] for index in chosen)] = original[before] - answer[before]
        if found:
            return max(found, key=found.get), len(found) - 1
    return None


@pytest.mark.parametrize("seed", range(1, 7))
def test_it_is_what_brute_force_finds(crop, regions, seed):
    weights = np.random.default_rng(seed).normal(0, 0.05, (48 * 48, 7))
    model = toy(lambda crops: (np.asarray(crops).reshape(len(crops), -1) - 0.5) @ weights)
    found = counterfactual(model, crop, regions, "grey")
    expected = brute_force(model, crop, regions, "grey")
    assert expected is not None, "these seeds flip"
    assert (found.regions, found.ties) == expected
    assert found.before != found.after and 0 < found.drop <= 1


def test_two_parts_are_needed_where_one_is_not_enough(crop, regions):
    model = by_parts(crop, regions, lambda seen: [2, 0, 0, 3 if seen[5] or seen[2] else 0, 0, 0, 0])
    found = counterfactual(model, crop, regions, "grey")
    assert found.regions == ("left_eye", "mouth") and (found.before, found.after) == (3, 0) and found.ties == 0


def test_the_largest_drop_wins_a_tie(crop, regions):
    def table(seen):
        return [0, 0, 2 - 1.5 * (not seen[1]) - 3 * (not seen[5]), 1, 0, 0, 0]

    found = counterfactual(by_parts(crop, regions, table), crop, regions, "grey")
    assert found.regions == ("mouth",) and found.ties == 1


def test_two_small_parts_may_cover_less_than_one_large_one(crop, regions):
    """The background alone flips the answer; so do the two brows together, which are smaller, and nothing else does."""
    brows = regions.copy()
    brows[:2] = False
    brows[0, 2:5, 2:8], brows[1, 2:5, 30:36] = True, True
    brows[2:] &= ~brows[:2].any(0)
    model = by_parts(crop, brows, lambda seen: [1, 0, 0, 2 * (seen[7] and (seen[0] or seen[1])), 0, 0, 0])
    found = counterfactual(model, crop, brows, "grey")
    assert found.regions == ("background",) and found.least_regions == ("left_brow", "right_brow")
    assert found.least_area == pytest.approx(36 / 48**2) and found.area == pytest.approx(brows[7].mean())


@pytest.mark.parametrize("seed", [2, 5])
def test_no_set_of_less_area_changes_the_answer(crop, regions, seed):
    weights = np.random.default_rng(seed).normal(0, 0.05, (48 * 48, 7))
    model = toy(lambda crops: (np.asarray(crops).reshape(len(crops), -1) - 0.5) @ weights)
    found, stand_in = counterfactual(model, crop, regions, "grey"), baseline_picture(crop, "grey")
    flips = {}
    for size in range(1, 9):
        for chosen in itertools.combinations(range(8), size):
            hidden = regions[list(chosen)].any(0)
            if model.logits(np.where(hidden, stand_in, crop)[None])[0].argmax() != found.before:
                flips[tuple(REGIONS[index] for index in chosen)] = hidden.mean()
    assert found.least_area == pytest.approx(min(flips.values())) == pytest.approx(flips[found.least_regions])
    assert found.area == pytest.approx(flips[found.regions]) and found.least_area <= found.area


def test_none_where_nothing_helps(crop, regions):
    stubborn = toy(lambda crops: np.tile([0, 0, 0, 5.0, 0, 0, 0], (len(crops), 1)))
    assert counterfactual(stubborn, crop, regions) is None


def test_a_region_without_pixels_is_left_out(crop, regions):
    merged = regions.copy()
    merged[7] |= merged[0]
    merged[0] = False
    model = by_parts(crop, regions, lambda seen: [1, 0, 0, 2 * seen[0], 0, 0, 0])
    assert counterfactual(model, crop, merged, "grey").regions == ("background",)


def test_on_a_real_network_it_holds(cnn, crop, crop_keypoints):
    from models import regions

    masks = regions.masks(crop_keypoints)
    found = counterfactual(cnn, crop, masks)
    expected = brute_force(cnn, crop, masks, "mean face")
    assert (None if found is None else (found.regions, found.ties)) == expected
