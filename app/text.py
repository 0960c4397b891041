"""What the models say, as sentences."""

from collections.abc import Iterable, Sequence

import numpy as np

from explain.base import Target
from models.moved_crops import CropSensitivity
from models.photo import WORKING_SIDE
from models.quality import Quality
from models.types import EMOTIONS, Photo, Prediction

MODELS = {"cnn": "CNN", "resnet": "ResNet", "vgg16": "VGG16"}
"""How each model is written."""
ALL = MODELS | {"mean": "Their mean"}
"""The models, and what they say together."""

ADJECTIVES = {
    "angry": "angry",
    "disgust": "disgusted",
    "fear": "afraid",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprise": "surprised",
}
"""How a face with each emotion looks."""
ONE_COLOUR = 12
"""Levels of 255 by which the pixels of a picture may differ that is called of one colour."""
GUESS = "No face was found.", "The whole picture is taken as a face, so that everything said about it is a guess."
"""What is said of a picture that is taken as a face."""
DOUBTS = {
    "small": "is only about {size} pixels wide{reduced}",
    "dark": "is very dark",
    "bright": "is very bright",
    "flat": "has hardly any contrast",
    "blurred": "is blurred",
    "cut": "is cut off by the edge of the picture",
    "misfit": "has points that fit no upright face, like those of a statue or a drawing",
    "unsure": "may not be one, for the detector is not sure",
}
"""What may be wrong with a face, by its name in `models.quality.WARNINGS`."""
HARDLY = 0.05
"""A face hardly looks like an emotion that is less probable."""
ANYTHING = 4
"""Labels that stay possible, of seven, from which on it could be almost anything."""
LIKELY = 0.45
"""An answer that is less probable is not called likely."""
STEADY = 0.8
"""An answer that stays in fewer of the crops a little off is no steady one."""
FULL, PALEST = 0.1, 0.3
"""A map has its full colours from this probability on, and never less than this part of them."""


UNTESTED = "This map was not tested."
NO_FACE_TO_TEST = "Not tested: no face was found, so that there is nothing a map could rightly mark."
"""What is said in place of a verdict on a map, and on a map of no face."""


def listed(names: list[str]) -> str:
    """Names as a phrase: "CNN, ResNet and VGG16"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def sureness(confidence: float) -> str:
    """A probability as words."""
    if confidence >= 0.9:
        return "very sure"
    if confidence >= 0.7:
        return "fairly sure"
    if confidence >= LIKELY:
        return "not very sure"
    return "unsure"


def share(part: float, digits: int = 0) -> str:
    """A part of a whole that was counted, as the page writes it."""
    return f"{100 * part:.{digits}f}\u00a0%"


def percent(probability: float) -> str:
    """A probability as the page writes it; never a rounded-up certainty."""
    if probability > 0.99:
        return "over 99\u00a0%"
    return "under 1\u00a0%" if probability < 0.01 else share(probability)


def seconds(value: float) -> str:
    """A time in a clip: "2.5 s"."""
    return f"{value:.1f}\u00a0s"


def verdict(answers: dict[str, Prediction], together: Prediction | None = None) -> str:
    """What the models see in a face, how sure they are and where they differ.

    Args:
        answers: by model's name; at least one.
        together: what their mean says, see `app.pipeline.mean`; None where it was not asked.

    Returns:
        One to five plain sentences; the last says which models could not be asked.
    """
    camps: dict[str, list[str]] = {}
    for name, prediction in answers.items():
        camps.setdefault(prediction.emotion, []).append(name)
    ranked = sorted(camps, key=lambda emotion: -len(camps[emotion]))
    if len(ranked) == 1:
        each = [prediction.probabilities for prediction in answers.values()]
        mean = np.mean(each, axis=0) if together is None else together.probabilities
        order = mean.argsort()[::-1]
        several = len(answers) > 1
        who = "all three models" if len(answers) == len(MODELS) else _named(list(answers))
        subject = "their mean is" if together else "they are" if several else "it is"
        lead = (
            f"The face looks {ADJECTIVES[ranked[0]]} to {who}, and {subject} {sureness(mean[order[0]])}: "
            f"{percent(mean[order[0]])}{' on average' if several and not together else ''}."
        )
        return " ".join(filter(None, [lead, _runner_up(order, mean), missing(answers)]))
    parts = []
    for emotion in ranked:
        names = camps[emotion]
        shares = list(dict.fromkeys(percent(answers[name].confidence) for name in names))
        parts.append(f"{ADJECTIVES[emotion]} to {_named(names)} ({listed(shares)})")
    highest = max(answers.values(), key=lambda prediction: prediction.confidence)
    told = (
        f"The models differ: the face looks {', '.join(parts)}. {MODELS[highest.model]} is the surest of them, "
        f"and it is {sureness(highest.confidence)}."
    )
    mean_says = f"Their mean says {together.emotion} ({percent(together.confidence)})." if together else ""
    return " ".join(filter(None, [told, mean_says, missing(answers)]))


def likely(prediction: Prediction) -> str:
    """Which labels stay possible, as a sentence; "" where no sets were calibrated."""
    names = prediction.likely
    if not names:
        return ""
    if len(names) >= ANYTHING:
        lead = ", and none of these is likely" if prediction.confidence < LIKELY else ""
        return f"It could be almost anything{lead}: {_or(names)} stay possible."
    if len(names) == 1:
        return f"Labels that stay possible: {names[0]} alone. Such lists hold the label of 9 in 10 test faces."
    return f"Labels that stay possible: {_or(names)}. Such lists hold the label of 9 in 10 test faces."


def steady(found: CropSensitivity) -> str:
    """What becomes of an answer in crops a little off, as a sentence."""
    of = f"{found.same} of {found.crops} crops a little off"
    if found.same >= STEADY * found.crops:
        return f"It stays {found.emotion} in {of}."
    other = next(iter(found.others))
    return f"It stays {found.emotion} in only {of}, else it is mostly {other}: hardly an answer to build on."


def weak(prediction: Prediction, target: Target) -> str:
    """The sentence that a face hardly looks to a model like what is explained; "" where it does."""
    if probability(prediction, target) >= HARDLY:
        return ""
    asked = [target.emotion, *([] if target.against is None else [target.against])]
    looks = " or ".join(ADJECTIVES[EMOTIONS[index]] for index in asked)
    share = f"{'at most ' if len(asked) > 1 else ''}{percent(probability(prediction, target))}"
    return f"This face hardly looks {looks} to {MODELS[prediction.model]} ({share})."


def probability(prediction: Prediction, target: Target) -> float:
    """How probable what is explained is to a model; of two emotions, the more probable."""
    asked = [target.emotion, *([] if target.against is None else [target.against])]
    return float(prediction.probabilities[asked].max())


def strength(prediction: Prediction, target: Target) -> float:
    """How strongly a map is drawn, 0..1: pale where the face hardly looks so to the model."""
    return float(np.clip(probability(prediction, target) / FULL, PALEST, 1))


def question(target: Target, prediction: Prediction) -> str:
    """What was explained, in words."""
    first = f"{EMOTIONS[target.emotion]} ({percent(prediction.probabilities[target.emotion])})"
    if target.against is None:
        return f"Explained: why {first}."
    other = EMOTIONS[target.against]
    share = percent(prediction.probabilities[target.against])
    return f"Explained: why {first} and not {other} ({share}): what makes the one more likely than the other."


def odd(photo: Photo) -> str:
    """What is odd about a picture on which nothing can be seen, as a sentence; "" for any other."""
    pixels = photo.pixels
    if int(pixels.max()) - int(pixels.min()) > ONE_COLOUR:
        return ""
    if pixels.max() <= ONE_COLOUR:
        return (
            "It is black all over. If it is an animation, save another frame as a picture: only the first one is read."
        )
    return "It has one colour all over. If it is transparent, nothing can be seen in it: give a picture that is not."


def doubts(measured: Quality) -> str:
    """Why an answer about a face is unreliable, as a sentence; "" where nothing speaks against it."""
    if "guess" in measured.warnings:
        return " ".join(GUESS)
    read = round(measured.size)
    numbers = {
        "size": round(measured.size * measured.reduced),
        "reduced": f" ({read} once the photo is reduced to {WORKING_SIDE})" if measured.reduced > 1 else "",
    }
    found = [DOUBTS[name].format(**numbers) for name in measured.warnings]
    return f"Be careful with this answer: the face {listed(found)}." if found else ""


def turned(degrees: int) -> str:
    """That a photo was turned by itself, as a sentence; "" for one that was not.

    Args:
        degrees: clockwise, 0, 90, 180 or 270.
    """
    how = {0: "", 90: "90° to the right", 180: "180°", 270: "90° to the left"}[degrees]
    return f"This photo was turned by {how}, because its faces fit best that way." if how else ""


def missing(names: Iterable[str], version: str = "") -> str:
    """The sentence that models could not be asked; empty where all were.

    Args:
        names: of the models that answered.
        version: in which they were asked; "" for the active ones.
    """
    others = [name for name in MODELS if name not in names]
    if not others:
        return ""
    if version:
        return f"There is no usable version {version} of {_named(others)}."
    return f"{_named(others)} cannot be used at the moment."


def unavailable(name: str) -> str:
    """The sentence in place of the answer of a model that could not be loaded."""
    return f"{_named([name])} cannot be used at the moment. Choose another model, or try again later."


def _or(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _named(names: list[str]) -> str:
    return listed([MODELS[name] for name in names])


def _runner_up(order: np.ndarray, mean: np.ndarray) -> str:
    second = order[1]
    if mean[second] < 0.1:
        return ""
    return f"If not, then {ADJECTIVES[EMOTIONS[second]]} ({percent(mean[second])})."


def duration(seconds: float) -> str:
    """How long something took."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
