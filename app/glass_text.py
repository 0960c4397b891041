"""What the glass box says of a face, as sentences for page and API."""

from app import text
from models.geometry import MEASURES
from models.glass_box import GlassBox, Reading
from models.types import EMOTIONS

ALIKE = 0.005
"""A measure that differs from the typical one by less than this, in distances between the eyes, is called usual."""


def difference(box: GlassBox, reading: Reading, index: int, short: bool = False) -> str:
    """How a measure of the face differs from the median face: "higher by 0.21 of the eye distance".

    Args:
        box: the model.
        reading: what it says of the face.
        index: of the measure.
        short: leave out what it is counted in.
    """
    measure, by = MEASURES[index], float(reading.values[index] - box.typical[index])
    if abs(by) < ALIKE:
        return "as on most faces"
    unit = "" if short else " of the eye distance"
    return f"{measure.up if by > 0 else measure.down} by {abs(by):.2f}{unit}"


def state(box: GlassBox, reading: Reading, index: int) -> str:
    """A measure and how it differs: "left mouth corner higher by 0.21 of the eye distance"."""
    return f"{MEASURES[index].label} {difference(box, reading, index)}"


def points(amount: float) -> str:
    """A contribution or a score with its sign; one too small to show has none."""
    return f"{amount:+.1f}".replace("-", "\u2212") if abs(amount) >= 0.05 else "0.0"


def reason(box: GlassBox, reading: Reading, index: int, emotion: int) -> str:
    """A measure and what it adds: "left mouth corner higher by 0.21 of the eye distance: +1.8 for happy"."""
    amount = reading.contributions[index, emotion]
    return f"{state(box, reading, index)}: {points(amount)} for {EMOTIONS[emotion]}"


def reasons(box: GlassBox, reading: Reading, emotion: int | None = None, count: int = 3) -> list[str]:
    """The strongest reasons for or against an emotion, the most probable one where it is None."""
    chosen = reading.top if emotion is None else emotion
    return [reason(box, reading, index, chosen) for index in reading.strongest(chosen, count)]


def answer(reading: Reading) -> str:
    """What it says, and how sure it is."""
    return f"{text.ADJECTIVES[reading.emotion]}, {text.percent(reading.confidence)}"


def accuracy(box: GlassBox) -> str:
    """How often it is right, beside the networks on the same faces, and what being readable costs."""
    own = box.card["metrics"]["PrivateTest"]["accuracy"]
    networks = sorted(box.card["networks"].values())
    low, high = (text.share(networks[at], 1) for at in (0, -1))
    return (
        f"It is right on {text.share(own, 1)} of FER2013's test faces, the networks on {low} to {high}: that every "
        f"reason can be read costs {100 * (networks[-1] - own):.1f} points of accuracy here."
    )


def never(box: GlassBox) -> str:
    """The emotions that it hardly ever finds, as a sentence; "" where there is none."""
    recall = box.card["metrics"]["PrivateTest"]["recall"]
    missed = [emotion for emotion in EMOTIONS if recall[emotion] < 0.05]
    return f"Faces labelled {text.listed(missed)} it hardly ever finds." if missed else ""
