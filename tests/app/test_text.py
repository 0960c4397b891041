from dataclasses import replace

import numpy as np
import pytest

from app import text
from explain.base import Target
from models.moved_crops import CropSensitivity
from models.quality import WARNINGS, Quality
from models.types import EMOTIONS, Photo, Prediction


def prediction(model: str, **shares: float) -> Prediction:
    """A model's answer; what is not given is shared out among the rest."""
    rest = (1 - sum(shares.values())) / (7 - len(shares))
    probabilities = np.array([shares.get(emotion, rest) for emotion in EMOTIONS], np.float32)
    return Prediction(model, np.log(probabilities), probabilities)


def test_models_that_agree():
    answers = {name: prediction(name, happy=0.95) for name in text.MODELS}
    said = text.verdict(answers)
    assert said == "The face looks happy to all three models, and they are very sure: 95\u00a0% on average."


def test_a_close_second_is_named():
    answers = {name: prediction(name, sad=0.5, neutral=0.4) for name in text.MODELS}
    said = text.verdict(answers)
    assert "they are not very sure: 50\u00a0% on average." in said
    assert said.endswith("If not, then neutral (40\u00a0%).")


def test_models_that_differ():
    answers = {
        "cnn": prediction("cnn", fear=0.6),
        "resnet": prediction("resnet", surprise=0.8),
        "vgg16": prediction("vgg16", fear=0.5),
    }
    assert text.verdict(answers) == (
        "The models differ: the face looks afraid to CNN and VGG16 (60\u00a0% and 50\u00a0%), "
        "surprised to ResNet (80\u00a0%). "
        "ResNet is the surest of them, and it is fairly sure."
    )


def test_the_mean_of_the_models_is_named():
    agreed = {name: prediction(name, happy=0.8) for name in text.MODELS}
    assert text.verdict(agreed, prediction("mean", happy=0.93)) == (
        "The face looks happy to all three models, and their mean is very sure: 93\u00a0%."
    )
    split = {"cnn": prediction("cnn", fear=0.6), "resnet": prediction("resnet", sad=0.8)}
    said = text.verdict(split, prediction("mean", sad=0.61))
    assert "Their mean says sad (61\u00a0%)." in said and said.endswith("VGG16 cannot be used at the moment.")


def test_angry_which_is_class_0_is_an_emotion_like_any_other():
    assert "angry" in text.verdict({name: prediction(name, angry=0.9) for name in text.MODELS})


@pytest.mark.parametrize(
    ("share", "expected"), [(0.999, "over 99"), (0.004, "under 1"), (0.555, "56"), (0.0, "under 1"), (1.0, "over 99")]
)
def test_no_probability_is_rounded_to_a_certainty(share, expected):
    assert text.percent(share) == f"{expected}\u00a0%"


def test_sureness_grows():
    said = [text.sureness(share) for share in (0.2, 0.5, 0.8, 0.95)]
    assert said == ["unsure", "not very sure", "fairly sure", "very sure"]


def test_lists_are_phrases():
    assert text.listed([]) == ""
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b", "c"]) == "a, b and c"


def test_durations():
    assert text.duration(0.0123) == "12 ms"
    assert text.duration(2.34) == "2.3 s"


def test_every_emotion_has_an_adjective():
    assert tuple(text.ADJECTIVES) == EMOTIONS


def test_two_models_or_one_speak_of_themselves():
    both = {name: prediction(name, happy=0.95) for name in ("cnn", "resnet")}
    assert text.verdict(both) == (
        "The face looks happy to CNN and ResNet, and they are very sure: 95\u00a0% on average. "
        "VGG16 cannot be used at the moment."
    )
    assert text.verdict({"cnn": prediction("cnn", sad=0.5, neutral=0.4)}) == (
        "The face looks sad to CNN, and it is not very sure: 50\u00a0%. If not, then neutral (40\u00a0%). "
        "ResNet and VGG16 cannot be used at the moment."
    )


def test_two_models_that_differ():
    said = text.verdict({"cnn": prediction("cnn", sad=0.5), "vgg16": prediction("vgg16", fear=0.8)})
    assert said.startswith("The models differ: the face looks sad to CNN (50\u00a0%), afraid to VGG16 (80\u00a0%).")
    assert said.endswith("and it is fairly sure. ResNet cannot be used at the moment.")


def test_nothing_is_missing_where_all_answered():
    assert text.missing(text.MODELS) == ""
    assert text.unavailable("cnn").startswith("CNN cannot be used at the moment. ")


def test_a_weak_emotion_is_said_to_be_weak_and_drawn_paler():
    answer = prediction("cnn", happy=0.97)
    assert text.weak(answer, Target.named("happy")) == "" and text.strength(answer, Target.named("happy")) == 1
    assert text.weak(answer, Target.named("sad")) == "This face hardly looks sad to CNN (under 1\u00a0%)."
    assert text.strength(answer, Target.named("sad")) == text.PALEST
    assert "looks sad or afraid to CNN (at most" in text.weak(answer, Target.named("sad", "fear"))
    assert text.weak(answer, Target.named("sad", "happy")) == "", "one of the two is probable"


def test_a_picture_of_one_colour_is_odd():
    assert "black" in text.odd(Photo(np.zeros((9, 9, 3), np.uint8)))
    assert "one colour" in text.odd(Photo(np.full((9, 9, 3), 200, np.uint8)))
    assert text.odd(Photo(np.arange(243, dtype=np.uint8).reshape(9, 9, 3))) == ""


@pytest.mark.parametrize(
    ("degrees", "how"), [(90, "by 90° to the right"), (180, "by 180°"), (270, "by 90° to the left")]
)
def test_a_turn_is_told(degrees, how):
    assert text.turned(degrees) == f"This photo was turned {how}, because its faces fit best that way."


def test_nothing_is_told_of_a_photo_that_was_not_turned():
    assert text.turned(0) == ""


def test_what_makes_an_answer_unreliable_is_one_sentence():
    fine = Quality(100, 0.5, 0.2, 0.8, 1, 0, 0.08, 0.9)
    assert text.doubts(fine) == ""
    assert text.doubts(replace(fine, size=23.6, brightness=0.1)) == (
        "Be careful with this answer: the face is only about 24 pixels wide and is very dark."
    )
    assert "about 60 pixels wide (15 once the photo is reduced to 2048)" in text.doubts(
        replace(fine, size=15.2, reduced=3.95)
    )
    assert text.doubts(replace(fine, score=0.5)).endswith("the face may not be one, for the detector is not sure.")
    assert text.doubts(replace(fine, score=None, size=10)).startswith("No face was found. The whole picture")
    assert set(text.DOUBTS) == set(WARNINGS) - {"guess"}


def test_the_labels_that_stay_possible_are_a_sentence():
    def likely(*names):
        return text.likely(replace(prediction("mean", happy=0.6), likely=names))

    assert likely() == ""
    assert likely("happy").startswith("Labels that stay possible: happy alone.")
    assert likely("happy", "surprise", "fear").startswith("Labels that stay possible: happy, surprise or fear.")
    assert likely("happy", "sad", "fear", "neutral") == (
        "It could be almost anything: happy, sad, fear or neutral stay possible."
    )
    unsure = replace(prediction("mean", happy=0.3), likely=("happy", "sad", "fear", "neutral"))
    assert text.likely(unsure).startswith("It could be almost anything, and none of these is likely: happy")


def test_an_answer_that_a_small_move_changes_is_nothing_to_build_on():
    steady = CropSensitivity("happy", 44, 36, 0.4, 0.9, 0.7, {"sad": 8})
    assert text.steady(steady) == "It stays happy in 36 of 44 crops a little off."
    said = text.steady(replace(steady, same=35, others={"sad": 6, "fear": 3}))
    assert said.startswith("It stays happy in only 35 of 44") and "mostly sad" in said
