"""What the literature says of how each emotion shows in a face, set beside a map's evidence.

An action unit of the Facial Action Coding System is one movement that can be told apart in a face.
The units of each emotion are those that more than 70 % of 230 people showed who posed it (Du, Tao and
Martinez 2014, "Compound facial expressions of emotion", PNAS 111(15), doi 10.1073/pnas.1322355111,
table 1), and those of FACS's own table of prototypes (Ekman and Friesen 1978, table 11-1; Ekman,
Friesen and Hager 2002) that more than half of these people showed.

Known criticism: Barrett et al. 2019, "Emotional expressions reconsidered", doi
10.1177/1529100619832930: people scowl when angry in fewer than a third of the cases, and scowl for
other reasons; the prototypes are what people pose and recognise, not what they do when they feel
something. A network that looks elsewhere is not wrong for it, and one that looks there is not right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from explain import scale
from explain.base import Explanation
from explain.evidence import RegionEvidence, percent, pixels_speak, sides
from models.errors import UnknownNameError
from models.regions import REGIONS
from models.types import EMOTIONS

BROWS, EYES = ("left_brow", "right_brow"), ("left_eye", "right_eye")
CAUTION = "A comparison, not a proof: people show what they feel in many ways, and pose it in fewer."


@dataclass(frozen=True)
class Unit:
    """An action unit.

    Attributes:
        number: in FACS.
        words: the movement, as it reads after "ties this look to".
        regions: the parts of the face where it shows. Cheeks, chin and forehead are in none of them:
            they lie in the rest of the face, which is half of the picture and would hold a large
            share of any map.
    """

    number: int
    words: str
    regions: tuple[str, ...]


UNITS = {
    unit.number: unit
    for unit in (
        Unit(1, "inner brows raised", BROWS),
        Unit(2, "outer brows raised", BROWS),
        Unit(4, "brows lowered", BROWS),
        Unit(5, "upper lids raised", EYES),
        Unit(6, "cheeks raised up to the eyes", EYES),
        Unit(7, "lids tightened", EYES),
        Unit(9, "the nose wrinkled", ("nose",)),
        Unit(10, "the upper lip raised", ("mouth",)),
        Unit(12, "lip corners pulled up", ("mouth",)),
        Unit(15, "lip corners pulled down", ("mouth",)),
        Unit(17, "the chin pushing up the lower lip", ("mouth",)),
        Unit(20, "lips stretched", ("mouth",)),
        Unit(23, "lips tightened", ("mouth",)),
        Unit(24, "lips pressed together", ("mouth",)),
        Unit(25, "lips parted", ("mouth",)),
        Unit(26, "the jaw dropped", ("mouth",)),
    )
}

PROTOTYPES: dict[str, tuple[int, ...]] = {
    "angry": (4, 7, 24),
    "disgust": (9, 10, 17),
    "fear": (1, 2, 4, 5, 20, 25),
    "happy": (6, 12, 25),
    "neutral": (),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 25, 26),
}
"""Emotion -> its action units; a neutral face has none."""


@dataclass(frozen=True)
class Comparison:
    """A map beside the literature.

    Attributes:
        emotion: whose prototype it is.
        units: its action units.
        regions: the parts where they show, in the order of `REGIONS`.
        share: of what speaks for the emotion in the map, how much lies in these parts, 0..1.
        area: how much of the picture these parts are, 0..1.
        usual: the same share on average in the same method's maps of other faces, which a map that knows nothing of
            this face would have, 0..1; None where that was not measured.
    """

    emotion: str
    units: tuple[Unit, ...]
    regions: tuple[str, ...]
    share: float
    area: float
    usual: float | None = None


def units(emotion: str) -> tuple[Unit, ...]:
    """The action units of an emotion's prototype; none for neutral.

    Raises:
        UnknownNameError: no such emotion.
    """
    if emotion not in PROTOTYPES:
        raise UnknownNameError("The name of the emotion is unknown", repr(emotion), f"Use one of {', '.join(EMOTIONS)}")
    return tuple(UNITS[number] for number in PROTOTYPES[emotion])


def compare(evidence: Sequence[RegionEvidence], emotion: str, against: bool = False) -> Comparison:
    """The evidence beside an emotion's prototype.

    Args:
        evidence: of all regions, see `evidence.by_region`.
        emotion: by name.
        against: whether the emotion is the one that the map's target is set against, so that what
            lies below zero speaks for it.
    """
    moved = units(emotion)
    shown = {region for unit in moved for region in unit.regions}
    there = [item for item in evidence if item.region in shown]
    usual = [item.usual_opposing if against else item.usual_supporting for item in there]
    return Comparison(
        emotion,
        moved,
        tuple(region for region in REGIONS if region in shown),
        sum(item.share_opposing if against else item.share_supporting for item in there),
        sum(item.pixels for item in there) / max(sum(item.pixels for item in evidence), 1),
        None if None in usual else sum(filter(None, usual)),
    )


def message(explanation: Explanation, evidence: Sequence[RegionEvidence]) -> str:
    """The comparison in a few plain, cautious sentences; "" for a flat map."""
    if scale.is_flat(explanation.values):
        return ""
    target = explanation.target
    sentences = [_told(compare(evidence, EMOTIONS[target.emotion]), sides(explanation)[0])]
    if target.against is not None and pixels_speak(explanation) and explanation.signed:
        sentences.append(_told(compare(evidence, EMOTIONS[target.against], against=True), sides(explanation)[1]))
    compared = any(units(EMOTIONS[index]) for index in (target.emotion, target.against) if index is not None)
    return " ".join([*sentences, CAUTION] if compared else sentences)


def _told(found: Comparison, side: str) -> str:
    if not found.units:
        return f"Studies of faces name no movement for {found.emotion}, so there is nothing to compare."
    movements = [unit.words for unit in found.units]
    listed = f"{', '.join(movements[:-1])} and {movements[-1]}"
    usual = f"; in the same method's maps of other faces it is {percent(found.usual or 0)} on average"
    area = f"; these parts are {percent(found.area)} of the picture"
    return (
        f"Studies of faces tie {found.emotion} to {listed}. Where these show ({_parts(found.regions)}) lies "
        f"{percent(found.share)} of what {side}{area if found.usual is None else usual}."
    )


def _parts(regions: tuple[str, ...]) -> str:
    """Both brows and both eyes by one word each."""
    names = list(dict.fromkeys({"brow": "brows", "eye": "eyes"}.get(r.split("_")[-1], r) for r in regions))
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
