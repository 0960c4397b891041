"""Ranges of the evidence by part, by hand on a planted network and on maps that were made for it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from explain import part_ranges, registry
from explain.base import Explanation, Target
from explain.methods import masking
from explain.registry import METHODS
from models.regions import REGIONS

HAPPY = Target.named("happy")
MOUTH, NOSE = REGIONS.index("mouth"), REGIONS.index("nose")


@pytest.fixture(autouse=True)
def fixed_regions(monkeypatch, regions):
    monkeypatch.setattr("models.regions.masks", lambda keypoints, side=48: regions)


def made(values, method="rise", **params) -> Explanation:
    chosen = METHODS[method].Params(**params)
    return Explanation(method, "cnn", HAPPY, np.asarray(values, np.float32), True, chosen, 0.0)


def brightness(regions):
    """A stand-in for a model: happy's logit is three times the mouth's summed greys less the nose's."""

    def logits(crops):
        found = np.zeros((len(crops), 7))
        found[:, HAPPY.emotion] = 3 * crops[:, regions[MOUTH]].sum(1) - crops[:, regions[NOSE]].sum(1)
        return found

    return SimpleNamespace(name="cnn", logits=logits)


def test_a_sum_over_the_parts_by_hand_with_each_fill(face, regions):
    """A sum gives each part its own difference from what hides it, so shares and totals are known without Shapley."""
    planted = brightness(regions)
    explanation = registry.explain(planted, face, HAPPY, "shap_regions")
    params = part_ranges.others(explanation)
    maps = [explanation, *(registry.explain(planted, face, HAPPY, "shap_regions", other) for other in params)]
    found = part_ranges.over(maps, regions)
    assert found.fills == ("mean face", "blur", "grey") and found.seeds == ()
    totals = []
    for fill in found.fills:
        off = face.crop.astype(float) - masking.baseline_picture(face.crop, fill)
        totals.append((3 * off[regions[MOUTH]].sum(), -off[regions[NOSE]].sum()))
    for place, of in ((MOUTH, 0), (NOSE, 1)):
        values = [both[of] for both in totals]
        np.testing.assert_allclose(found.parts[place].total, (min(values), max(values)), rtol=1e-4, atol=1e-4)
        above = [max(both[of], 0) / max(sum(max(one, 0) for one in both), 1e-9) for both in totals]
        below = [min(both[of], 0) / min(sum(min(one, 0) for one in both), -1e-9) for both in totals]
        np.testing.assert_allclose(found.parts[place].share_supporting, (min(above), max(above)), atol=1e-4)
        np.testing.assert_allclose(found.parts[place].share_opposing, (min(below), max(below)), atol=1e-4)
    assert len({round(both[0], 3) for both in totals}) == 3, "the fills are told apart"
    rest = [part for part in found.parts if part.region not in ("mouth", "nose")]
    assert all(np.allclose([part.total, part.share_supporting], 0, atol=1e-4) for part in rest)


def test_the_ends_of_three_maps_by_hand(regions):
    """The mouth holds 1, 3 and 2 quarters of what is above zero, and all or nothing of what is below."""
    maps = []
    for seed, (mouth, nose, against) in enumerate([(1, 3, NOSE), (3, 1, MOUTH), (2, 2, MOUTH)]):
        values = np.zeros((48, 48))
        values[np.unravel_index(np.flatnonzero(regions[MOUTH])[:1], values.shape)] = mouth
        values[np.unravel_index(np.flatnonzero(regions[NOSE])[:1], values.shape)] = nose
        values[np.unravel_index(np.flatnonzero(regions[against])[1:2], values.shape)] = -5
        maps.append(made(values, seed=seed))
    found = part_ranges.over(maps, regions)
    assert found.parts[MOUTH].share_supporting == (0.25, 0.75) and found.parts[NOSE].share_supporting == (0.25, 0.75)
    assert found.parts[MOUTH].share_opposing == (0, 1) and found.parts[NOSE].share_opposing == (0, 1)
    assert found.parts[MOUTH].total == (-3, 1) and found.parts[NOSE].total == (-2, 2)
    assert (found.fills, found.seeds) == (("mean face",), (0, 1, 2))
    assert found.to_json()["parts"][MOUTH] == {
        "region": "mouth",
        "label": "mouth",
        "share_supporting": [0.25, 0.75],
        "share_opposing": [0, 1],
        "total": [-3, 1],
    }
    assert part_ranges.between(found.parts[MOUTH].share_supporting) == "[25–75]"


def test_one_thing_is_changed_at_a_time():
    explanation = made(np.eye(48), baseline="grey", seed=9998, masks=500)
    found = [(one.baseline, one.seed) for one in part_ranges.others(explanation)]
    assert found == [("mean face", 9998), ("blur", 9998), ("grey", 9999), ("grey", 0), ("grey", 1)]
    assert all(
        replace(one, baseline="grey", seed=9998) == explanation.params for one in part_ranges.others(explanation)
    )
    told = part_ranges.message(
        part_ranges.over(
            [explanation, *(replace(explanation, params=one) for one in part_ranges.others(explanation))],
            np.ones((8, 48, 48), bool),
        )
    )
    assert (
        "3 things" in told and "grey, mean face, blur" in told and "4 draws" in told and "one changed at a time" in told
    )


def test_methods_with_a_fill_or_a_seed_have_others_and_no_flat_map_has():
    wanted = {name: len(part_ranges.others(made(np.eye(48), name))) for name in METHODS}
    assert wanted == {
        "gradcam": 0,
        "gradcam_plus_plus": 0,
        "saliency": 0,
        "scorecam": 2,
        "smoothgrad": 3,
        "integrated_gradients": 2,
        "shap_gradient": 3,
        "shap_partition": 2,
        "shap_regions": 2,
        "occlusion": 2,
        "rise": 5,
    }
    assert not any(part_ranges.others(made(np.ones((48, 48)), name)) for name in METHODS)


@pytest.mark.parametrize("method", ["smoothgrad", "shap_gradient", "rise"])
def test_chance_moves_the_parts_of_a_network_that_is_no_sum(cnn, face, regions, method):
    explanation = registry.explain(cnn, face, HAPPY, method, METHODS[method].quick)
    maps = [explanation]
    maps += [registry.explain(cnn, face, HAPPY, method, params) for params in part_ranges.others(explanation)]
    found = part_ranges.over(maps, regions)
    assert len(found.seeds) == part_ranges.SEEDS
    assert any(part.share_supporting[0] < part.share_supporting[1] - 1e-4 for part in found.parts)
    assert all(0 <= part.share_supporting[0] <= part.share_supporting[1] <= 1 for part in found.parts)
