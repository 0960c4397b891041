"""Shares by hand, and sentences."""

import numpy as np
import pytest

from explain import evidence, registry
from explain.base import Explanation, Parameters, Target
from models.regions import REGIONS

TARGET = Target.named("happy")


def explanation(values, signed=True) -> Explanation:
    return Explanation("m", "cnn", TARGET, np.asarray(values, np.float32), signed, Parameters(), 0.0)


@pytest.fixture
def values(regions) -> np.ndarray:
    """Mouth 6 above and 1 below zero, nose 2 above, left eye 3 below."""
    result = np.zeros((48, 48), np.float32)
    for region, amounts in {"mouth": (6, -1), "nose": (2,), "left_eye": (-3,)}.items():
        y, x = np.nonzero(regions[REGIONS.index(region)])
        for i, amount in enumerate(amounts):
            result[y[i], x[i]] = amount
    return result


def test_shares_by_hand(values, regions):
    told = {item.region: item for item in evidence.by_region(values, regions)}
    assert tuple(told) == REGIONS
    mouth, nose, eye, brow = (told[name] for name in ("mouth", "nose", "left_eye", "left_brow"))
    assert (mouth.supporting, mouth.opposing, mouth.total) == (6, -1, 5)
    assert (mouth.share_supporting, mouth.share_opposing) == (0.75, 0.25)
    assert (nose.share_supporting, nose.share_opposing) == (0.25, 0)
    assert (eye.share_supporting, eye.share_opposing) == (0, 0.75)
    assert (brow.supporting, brow.share_supporting, brow.share_opposing, brow.density) == (0, 0, 0, 0)
    pixels = regions[REGIONS.index("mouth")].sum()
    assert mouth.pixels == pixels
    assert mouth.density == pytest.approx((7 / pixels) / (12 / 2304))


def test_nothing_is_lost(values, regions):
    told = evidence.by_region(values, regions)
    assert sum(item.total for item in told) == pytest.approx(values.sum())
    assert sum(item.share_supporting for item in told) == pytest.approx(1)
    assert sum(item.share_opposing for item in told) == pytest.approx(1)
    assert sum(item.density * item.pixels for item in told) == pytest.approx(2304)


def test_an_empty_region_and_a_flat_map(regions):
    fewer = regions.copy()
    fewer[0] |= fewer[1]
    fewer[1] = False
    told = evidence.by_region(np.ones((48, 48), np.float32), fewer)
    assert (told[1].pixels, told[1].total, told[1].density) == (0, 0, 0)
    told = evidence.by_region(np.zeros((48, 48), np.float32), regions)
    assert all((item.share_supporting, item.share_opposing, item.density) == (0, 0, 0) for item in told)


def test_the_values_of_region_shapley_come_back(cnn, face, regions, monkeypatch):
    """The map holds densities; its sums are shap's eight values."""
    from explain import background, shap_regions

    monkeypatch.setattr("models.regions.masks", lambda keypoints, side=48: regions)
    made = registry.explain(cnn, face, Target(0), "shap_regions")
    blends = lambda shown: shap_regions.blends(face.crop, background.mean_face(), regions, shown)  # noqa: E731
    expected = shap_regions.shapley(lambda shown: cnn.logits(blends(shown))[:, 0], 8)
    totals = [item.total for item in evidence.by_region(made.values, regions)]
    np.testing.assert_allclose(totals, expected, atol=1e-5)


def test_words_name_the_leading_parts(values, regions):
    text = evidence.words(explanation(values), evidence.by_region(values, regions))
    assert "Most of what speaks for happy lies in the mouth (75%), then in the nose (25%)." in text
    assert "Most of what speaks against happy lies in the left eye (75%), then in the mouth (25%)." in text
    assert text.endswith(evidence.CAUTION)


def test_words_for_an_unsigned_map_leave_the_other_side_out(values, regions):
    above = np.maximum(values, 0)
    text = evidence.words(explanation(above, signed=False), evidence.by_region(above, regions))
    assert "against" not in text and "speaks for happy" in text


def test_words_for_spread_out_one_sided_and_flat_maps(regions):
    values = (1.0 + 0.01 * np.arange(8)) @ regions.reshape(8, -1) / regions.sum((1, 2)).mean()
    values = values.reshape(48, 48)
    text = evidence.words(explanation(values), evidence.by_region(values, regions))
    assert "spread out" in text and "Nothing in the map speaks against happy." in text
    flat = np.full((48, 48), 0.4)
    assert "flat" in evidence.words(explanation(flat), evidence.by_region(flat, regions))
