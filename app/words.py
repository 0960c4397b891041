"""What the models say, as sentences."""

from models.types import EMOTIONS, Prediction

MODELS = {"cnn": "CNN", "resnet": "ResNet", "vgg16": "VGG16"}
"""How each model is written."""

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


def listed(names: list[str]) -> str:
    """Names as a phrase: "CNN, ResNet and VGG16"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def sureness(confidence: float) -> str:
    """A probability as words."""
    if confidence >= 0.9:
        return "very sure"
    if confidence >= 0.7:
        return "fairly sure"
    if confidence >= 0.45:
        return "not very sure"
    return "unsure"


def percent(share: float) -> str:
    """A probability as the page writes it; never a rounded-up certainty."""
    if share > 0.99:
        return "over 99\u00a0%"
    return "under 1\u00a0%" if share < 0.01 else f"{100 * share:.0f}\u00a0%"


def verdict(answers: dict[str, Prediction]) -> str:
    """What the models see in a face, how sure they are and where they differ.

    Args:
        answers: by model's name; at least one.

    Returns:
        One to three plain sentences.
    """
    camps: dict[str, list[str]] = {}
    for name, prediction in answers.items():
        camps.setdefault(prediction.emotion, []).append(name)
    ranked = sorted(camps, key=lambda emotion: -len(camps[emotion]))
    if len(ranked) == 1:
        mean = sum(prediction.probabilities for prediction in answers.values()) / len(answers)
        order = mean.argsort()[::-1]
        lead = (
            f"{'All three models see' if len(answers) == 3 else listed([MODELS[name] for name in answers]) + ' sees'} "
            f"a face that looks {ADJECTIVES[ranked[0]]}, and they are {sureness(mean[order[0]])}: "
            f"{percent(mean[order[0]])} on average."
        )
        return f"{lead} {_runner_up(order, mean)}".strip()
    parts = []
    for emotion in ranked:
        names = camps[emotion]
        shares = list(dict.fromkeys(percent(answers[name].confidence) for name in names))
        verb = "see" if len(names) > 1 else "sees"
        parts.append(f"{listed([MODELS[name] for name in names])} {verb} {ADJECTIVES[emotion]} ({listed(shares)})")
    highest = max(answers.values(), key=lambda prediction: prediction.confidence)
    return (
        f"The models differ: {'; '.join(parts)}. {MODELS[highest.model]} is the surest of them, "
        f"and it is {sureness(highest.confidence)}."
    )


def _runner_up(order, mean) -> str:
    second = order[1]
    if mean[second] < 0.1:
        return ""
    return f"If not, then {ADJECTIVES[EMOTIONS[second]]} ({percent(mean[second])})."


def duration(seconds: float) -> str:
    """How long something took."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
