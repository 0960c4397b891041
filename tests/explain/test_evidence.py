"""Shares by hand, and sentences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from explain import evidence, registry
from explain.base import Explanation, Parameters, Target
from explain.methods import saliency
from models.regions import REGIONS, masks
from tests.mean_face import MEAN_KEYPOINTS

TARGET = Target.named("happy")


def explanation(values, signed=True, target=TARGET, method="m") -> Explanation:
    return Explanation(method, "cnn", target, np.asarray(values, np.float32), signed, Parameters(), 0.0)


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


def test_a_phrase_by_hand(values, regions):
    """Mouth 6 of 8: most. With 8 spread over the rest it holds most for its size; two eyes count together."""

    def phrase(values) -> str:
        return evidence.phrase(explanation(values), evidence.by_region(values, regions))

    assert phrase(values) == "mostly the mouth"
    eyes = np.where(regions[REGIONS.index("left_eye")] | regions[REGIONS.index("right_eye")], 1, 0)
    assert phrase(eyes) == "mostly the eyes"
    face = regions[REGIONS.index("face")]
    assert phrase(values + np.where(face, 20 / face.sum(), 0)) == "mostly the rest of the face"
    rest = face | regions[REGIONS.index("background")]
    assert phrase(values + np.where(rest, 8 / rest.sum(), 0)) == "for its size, mostly the mouth"
    for nothing in (np.ones((48, 48)), -np.abs(values)):
        assert phrase(nothing) == "no part more than another"


def test_against_what_is_usual_by_hand(values, regions):
    """Mouth 6 of 8 and nose 2 of 8, where 40 % and 30 % are usual: the mouth holds 35 points more."""
    usual = {"supporting": dict.fromkeys(REGIONS, 0.05) | {"mouth": 0.4, "nose": 0.3}, "opposing": {"left_eye": 0.5}}
    told = evidence.by_region(values, regions, usual)
    by_name = {item.region: item for item in told}
    assert (by_name["mouth"].usual_supporting, by_name["mouth"].usual_opposing) == (0.4, None)
    assert by_name["left_eye"].usual_opposing == 0.5
    assert evidence.surplus(told)[by_name["mouth"]] == pytest.approx(0.35)
    assert evidence.surplus(evidence.by_region(values, regions)) == {}
    lead = evidence.sentences(explanation(values), told)[0]
    held = "it holds 75\u00a0% of what speaks for happy, where 40\u00a0% is usual."
    assert lead == f"Against other faces, the mouth stands out: {held}"
    same = {"supporting": {item.region: item.share_supporting for item in told}}
    usually = evidence.by_region(values, regions, same)
    assert "shared out much as this method's maps of other faces" in evidence.sentences(explanation(values), usually)[0]
    rest = np.where(regions[REGIONS.index("face")] | regions[REGIONS.index("background")], 1, 0)
    spread = values + rest * 8 / rest.sum()
    more = {"supporting": dict.fromkeys(REGIONS, 0.2) | {"mouth": 0.37, "nose": 0.02}}
    assert (
        evidence.phrase(explanation(spread), evidence.by_region(spread, regions, more))
        == "the nose more than in other faces"
    )


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
    from explain.methods import background, masking, shap_regions

    monkeypatch.setattr("models.regions.masks", lambda keypoints, side=48: regions)
    made = registry.explain(cnn, face, Target(0), "shap_regions")
    blends = lambda shown: masking.blends(face.crop, background.mean_face(), regions, shown)  # noqa: E731
    expected = shap_regions.shapley(lambda shown: cnn.logits(blends(shown))[:, 0], 8)
    totals = [item.total for item in evidence.by_region(made.values, regions)]
    np.testing.assert_allclose(totals, expected, atol=1e-5)


def test_words_name_the_leading_parts(values, regions):
    text = evidence.message(explanation(values), evidence.by_region(values, regions))
    assert "Most of what speaks for happy lies in the mouth (75\u00a0%), then in the nose (25\u00a0%)." in text
    assert "Most of what speaks against happy lies in the left eye (75\u00a0%), then in the mouth (25\u00a0%)." in text
    assert text.endswith(evidence.CAUTION)


def test_the_strongest_statement_comes_first(values, regions):
    told = evidence.sentences(explanation(values), evidence.by_region(values, regions))
    densest = max(evidence.by_region(values, regions), key=lambda item: item.density)
    assert told[0] == f"For its size, the {densest.label} counts most: {densest.density:.1f} times the average."


def test_parts_with_a_name_are_told_before_the_rest(values, regions):
    y, x = np.nonzero(regions[REGIONS.index("face")])
    values[y[0], x[0]] = 24
    text = evidence.message(explanation(values), evidence.by_region(values, regions))
    assert "What speaks for happy lies in the mouth (19\u00a0%), then in the nose (6\u00a0%)" in text
    assert "; the rest of the face holds 75\u00a0%." in text


def test_words_for_an_unsigned_map_leave_the_other_side_out(values, regions):
    above = np.maximum(values, 0)
    text = evidence.message(explanation(above, signed=False), evidence.by_region(above, regions))
    assert "against" not in text and "speaks for happy" in text


def test_words_for_spread_out_one_sided_and_flat_maps(regions):
    values = (1.0 + 0.01 * np.arange(8)) @ regions.reshape(8, -1) / regions.sum((1, 2)).mean()
    values = values.reshape(48, 48)
    text = evidence.message(explanation(values), evidence.by_region(values, regions))
    assert "What speaks for happy lies in the" in text and "Nothing in the map speaks against happy." in text
    flat = np.full((48, 48), 0.4)
    assert "flat" in evidence.message(explanation(flat), evidence.by_region(flat, regions))


def test_words_for_one_emotion_against_another_name_both(values, regions):
    rather = explanation(values, target=Target.named("happy", "sad"))
    text = evidence.message(rather, evidence.by_region(values, regions))
    assert "what speaks for happy rather than sad lies in the mouth" in text
    assert "what speaks for sad rather than happy lies in the left eye" in text
    assert "against" not in text


def test_the_size_of_a_gradient_is_not_said_to_speak_for_anything(values, regions):
    size = explanation(np.abs(values), signed=False, method="saliency")
    text = evidence.message(size, evidence.by_region(size.values, regions))
    assert "Most of what matters for happy lies in the mouth" in text and "speaks" not in text
    assert evidence.pixels_speak(explanation(values, method="saliency"))


@pytest.mark.parametrize("method", registry.METHODS)
def test_methods_whose_maps_are_sizes_are_listed(method, cnn, face):
    """A gradient's size does not change when the target is turned round; what speaks for it does."""
    there, back = Target.named("happy", "sad"), Target.named("sad", "happy")
    first, second = (registry.explain(cnn, face, target, method) for target in (there, back))
    same = not first.signed and np.allclose(first.values, second.values, rtol=1e-3, atol=1e-7)
    assert same == (not evidence.pixels_speak(first)) == (method in evidence.SIZES)


def test_saliency_with_a_sign_speaks(cnn, face):
    made = registry.explain(cnn, face, TARGET, "saliency", saliency.Params(shows=saliency.TIMES_INPUT))
    assert evidence.pixels_speak(made)


maps = arrays.arrays(np.float32, (48, 48), elements=st.floats(-10, 10, width=32), fill=st.floats(-1, 1, width=32))
layouts = arrays.arrays(np.float32, (15, 2), elements=st.floats(-8, 8, width=32)).map(lambda by: MEAN_KEYPOINTS + by)


@settings(max_examples=40, deadline=None)
@given(maps, layouts)
def test_any_map_on_any_face_is_shared_out_completely(values, keypoints):
    told = evidence.by_region(values, masks(keypoints))
    assert sum(item.pixels for item in told) == 48 * 48
    assert sum(item.total for item in told) == pytest.approx(float(values.sum(dtype=np.float64)), abs=1e-6)
    for share, some in (("share_supporting", (values > 0).any()), ("share_opposing", (values < 0).any())):
        shares = [getattr(item, share) for item in told]
        assert sum(shares) == pytest.approx(1.0 if some else 0.0) and min(shares) >= 0
    if values.any():
        assert sum(item.density * item.pixels for item in told) == pytest.approx(48 * 48)


@settings(max_examples=25, deadline=None)
@given(maps, layouts, st.floats(0.01, 1e4))
def test_shares_and_density_do_not_depend_on_the_strength_of_a_map(values, keypoints, factor):
    regions = masks(keypoints)
    once, louder = evidence.by_region(values, regions), evidence.by_region(values.astype(float) * factor, regions)
    for a, b in zip(once, louder, strict=True):
        assert (a.share_supporting, a.share_opposing, a.density) == pytest.approx(
            (b.share_supporting, b.share_opposing, b.density), rel=1e-6, abs=1e-9
        )


def test_an_even_map_has_density_one_however_large_the_part():
    """A large part holds more of an even map, but no more for its size."""
    told = {item.region: item for item in evidence.by_region(np.ones((48, 48), np.float32), masks(MEAN_KEYPOINTS))}
    assert told["face"].share_supporting > 10 * told["left_brow"].share_supporting
    assert all(item.density == pytest.approx(1) for item in told.values())
