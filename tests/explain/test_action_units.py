"""What the literature says, beside evidence that was counted by hand."""

import numpy as np
import pytest

from explain import action_units, evidence
from explain.base import Explanation, Parameters, Target
from models.errors import UnknownNameError
from models.regions import REGIONS
from models.types import EMOTIONS

TABLE_11_1 = {
    "angry": {4, 5, 7, 24},
    "disgust": {10, 17, 4},
    "fear": {1, 2, 4, 5, 20, 25},
    "happy": {6, 12, 25},
    "sad": {1, 4, 15},
    "surprise": {1, 2, 5, 26},
}
"""The most intense combinations of FACS's table 11-1, as quoted in MPR-online 1, issue 4, article 3."""
DU_2014 = {
    "angry": {4, 7, 24},
    "disgust": {9, 10, 17},
    "fear": {1, 4, 20, 25},
    "happy": {12, 25},
    "sad": {4, 15},
    "surprise": {1, 2, 25, 26},
}
"""What more than 70 % of 230 people did, Du et al. 2014, table 1."""
DU_2014_SOME = {
    "angry": {10: 26, 17: 52, 23: 29},
    "disgust": {4: 31, 24: 26},
    "fear": {2: 57, 5: 63, 26: 33},
    "happy": {6: 51},
    "sad": {1: 60, 6: 50, 11: 26, 17: 67},
    "surprise": {5: 66},
}
"""What some did, and how many of 100, in the brackets of the same table."""


def made(values, target, signed=True, method="m") -> Explanation:
    return Explanation(method, "cnn", target, np.asarray(values, np.float32), signed, Parameters(), 0.0)


@pytest.fixture
def values(regions) -> np.ndarray:
    """Above zero: mouth 6, nose 2; below: left eye 3, left brow 1."""
    result = np.zeros((48, 48), np.float32)
    for region, amount in {"mouth": 6, "nose": 2, "left_eye": -3, "left_brow": -1}.items():
        y, x = np.nonzero(regions[REGIONS.index(region)])
        result[y[0], x[0]] = amount
    return result


def test_every_emotion_has_an_entry():
    assert tuple(action_units.PROTOTYPES) == EMOTIONS
    assert action_units.units("neutral") == ()
    assert all(action_units.units(emotion) for emotion in EMOTIONS if emotion != "neutral")
    with pytest.raises(UnknownNameError):
        action_units.units("bored")


def test_the_prototypes_are_those_of_the_papers():
    for emotion, numbers in DU_2014.items():
        half = {unit for unit, share in DU_2014_SOME[emotion].items() if share > 50}
        assert set(action_units.PROTOTYPES[emotion]) == numbers | half & TABLE_11_1[emotion]


def test_units_show_in_parts_that_exist_and_are_small():
    for number, unit in action_units.UNITS.items():
        assert unit.number == number and unit.words
        assert unit.regions and set(unit.regions) <= set(REGIONS) - {"face", "background"}
    used = {number for numbers in action_units.PROTOTYPES.values() for number in numbers}
    assert used <= set(action_units.UNITS)


def test_shares_by_hand(values, regions):
    told = evidence.by_region(values, regions)
    sizes = {region: int(mask.sum()) / 2304 for region, mask in zip(REGIONS, regions, strict=True)}
    happy = action_units.compare(told, "happy")
    assert happy.regions == ("left_eye", "right_eye", "mouth") and [unit.number for unit in happy.units] == [6, 12, 25]
    assert happy.share == pytest.approx(6 / 8)
    assert happy.area == pytest.approx(sizes["left_eye"] + sizes["right_eye"] + sizes["mouth"])
    sad = action_units.compare(told, "sad", against=True)
    assert sad.regions == ("left_brow", "right_brow", "mouth") and sad.share == pytest.approx(1 / 4)
    disgust = action_units.compare(told, "disgust")
    assert disgust.regions == ("nose", "mouth") and disgust.share == 1
    neutral = action_units.compare(told, "neutral")
    assert (neutral.regions, neutral.share, neutral.area) == ((), 0, 0)
    assert happy.usual is sad.usual is None


def test_the_sentence_compares_with_maps_of_other_faces_where_these_were_measured(values, regions):
    usual = {side: dict.fromkeys(REGIONS, share) for side, share in (("supporting", 0.1), ("opposing", 0.05))}
    told = evidence.by_region(values, regions, usual)
    happy, sad = (action_units.compare(told, name, name == "sad") for name in ("happy", "sad"))
    assert happy.usual == pytest.approx(0.3) and sad.usual == pytest.approx(0.15)
    text = action_units.message(made(values, Target.named("happy", "sad")), told)
    assert "speaks for happy rather than sad; in the same method's maps of other faces it is 30\u00a0% on aver" in text
    assert "speaks for sad rather than happy; in the same method's maps of other faces it is 15\u00a0% on aver" in text
    assert "of the picture" not in text


def test_the_sentence_is_a_comparison_with_the_area_beside_it(values, regions):
    text = action_units.message(made(values, Target.named("happy")), evidence.by_region(values, regions))
    area = round(100 * action_units.compare(evidence.by_region(values, regions), "happy").area)
    assert "Studies of faces tie happy to cheeks raised up to the eyes, lip corners pulled up and lips parted." in text
    assert (
        f"(eyes and mouth) lies 75\u00a0% of what speaks for happy; these parts are {area}\u00a0% of the picture."
        in text
    )
    assert text.endswith(action_units.CAUTION)


def test_against_another_emotion_both_are_compared(values, regions):
    told = evidence.by_region(values, regions)
    text = action_units.message(made(values, Target.named("happy", "sad")), told)
    assert "75\u00a0% of what speaks for happy rather than sad" in text
    assert "25\u00a0% of what speaks for sad rather than happy" in text
    alone = action_units.message(made(np.maximum(values, 0), Target.named("happy", "sad"), signed=False), told)
    assert "sad rather than happy" not in alone


def test_neutral_sizes_and_flat_maps(values, regions):
    told = evidence.by_region(values, regions)
    assert action_units.message(made(values, Target.named("neutral")), told).endswith("there is nothing to compare.")
    rather = action_units.message(made(values, Target.named("neutral", "sad")), told)
    assert "nothing to compare" in rather and rather.endswith(action_units.CAUTION)
    size = action_units.message(made(np.abs(values), Target.named("happy"), False, "smoothgrad"), told)
    assert "of what matters for happy" in size
    flat = np.full((48, 48), 0.3)
    assert action_units.message(made(flat, Target.named("happy")), evidence.by_region(flat, regions)) == ""
