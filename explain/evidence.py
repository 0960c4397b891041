"""A map told by the parts of the face, in numbers and in words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explain import scale
from explain.base import Explanation, Target
from models.regions import LABELS, REGIONS

CAUTION = "This is how the method shares out the model's answer, not proof of how the model works."
RESTS = ("face", "background")
"""Regions that are what no other has."""
GROUPS = {
    "brows": ("left_brow", "right_brow"),
    "eyes": ("left_eye", "right_eye"),
    "nose": ("nose",),
    "mouth": ("mouth",),
    "rest of the face": ("face",),
    "background": ("background",),
}
"""Regions that go by one name in `phrase`."""
CLEAR = 0.05
"""A part stands out that holds this much more than is usual."""
SIZES = ("saliency", "smoothgrad")
"""Methods whose maps without a sign are sizes of a gradient."""


@dataclass(frozen=True)
class RegionEvidence:
    """What a map says about one region.

    Attributes:
        region: one of `REGIONS`.
        label: for people.
        pixels: the region's size on the crop's grid.
        supporting: sum of the values above zero.
        opposing: sum of the values below zero, at most 0.
        share_supporting: the region's share of all values above zero, 0..1; 0 where there are none.
        share_opposing: the region's share of all values below zero, 0..1; 0 where there are none.
        density: mean |value| in the region over that in the whole crop: 1 is average, 0 without pixels.
        usual_supporting: the region's mean share of all values above zero in the same method's maps of other faces,
            which a map that knows nothing of this face would have, 0..1; None where that was not measured.
        usual_opposing: the same below zero.
    """

    region: str
    label: str
    pixels: int
    supporting: float
    opposing: float
    share_supporting: float
    share_opposing: float
    density: float
    usual_supporting: float | None = None
    usual_opposing: float | None = None

    @property
    def total(self) -> float:
        """The sum of the region's values; for exact region Shapley the region's Shapley value, in logits."""
        return self.supporting + self.opposing


def by_region(
    values: np.ndarray, masks: np.ndarray, usual: Mapping[str, Mapping[str, float]] | None = None
) -> list[RegionEvidence]:
    """Evidence for every region, in the order of `REGIONS`.

    Args:
        values: float (H, W), a map on the crop's grid.
        masks: bool (8, H, W) that cover the crop and do not overlap.
        usual: mean shares in maps of other faces, "supporting" and "opposing" by region, see `training.measures.trust`;
            None where they were not measured.
    """
    for_it, against_it = ((usual or {}).get(side, {}) for side in ("supporting", "opposing"))
    values = values.astype(np.float64)
    above, below = np.maximum(values, 0), np.minimum(values, 0)
    supporting = [float(above[mask].sum()) for mask in masks]
    opposing = [float(below[mask].sum()) for mask in masks]
    average = np.abs(values).mean()
    return [
        RegionEvidence(
            region=region,
            label=LABELS[region],
            pixels=int(mask.sum()),
            supporting=supporting[i],
            opposing=opposing[i],
            share_supporting=_share(supporting[i], sum(supporting)),
            share_opposing=_share(opposing[i], sum(opposing)),
            density=_share(float(np.abs(values[mask]).mean()) if mask.any() else 0.0, float(average)),
            usual_supporting=for_it.get(region),
            usual_opposing=against_it.get(region),
        )
        for i, (region, mask) in enumerate(zip(REGIONS, masks, strict=True))
    ]


def _share(part: float, whole: float) -> float:
    return part / whole if part and whole else 0.0  # and never -0.0


def pixels_speak(explanation: Explanation) -> bool:
    """Whether the values say for what a pixel speaks; the size of a gradient only says that it matters."""
    return explanation.signed or explanation.method not in SIZES


def sides(explanation: Explanation) -> tuple[str, str]:
    """What values above and below zero do, in words that follow "what".

    "speaks for happy" and "speaks against happy"; for happy against sad "speaks for happy rather than
    sad" and the reverse; "matters for happy" and "" where the map is a size without a direction.
    """
    target = explanation.target
    if not pixels_speak(explanation):
        return f"matters for {target.name}", ""
    if target.against is None:
        return f"speaks for {target.name}", f"speaks against {target.name}"
    return f"speaks for {target.name}", f"speaks for {Target(target.against, target.emotion).name}"


def percent(share: float) -> str:
    """A share in words."""
    return f"{100 * share:.0f}\u00a0%"


def message(explanation: Explanation, evidence: list[RegionEvidence]) -> str:
    """The evidence of an explanation in a few plain, cautious sentences."""
    return " ".join(sentences(explanation, evidence))


def sentences(explanation: Explanation, evidence: list[RegionEvidence]) -> list[str]:
    """The evidence of an explanation, the strongest statement first."""
    if scale.is_flat(explanation.values):
        return ["The map is flat: the method finds no part of the face that matters more than another."]
    above, below = sides(explanation)
    said = [_side(above, evidence, "share_supporting")]
    if explanation.signed:
        said.append(_side(below, evidence, "share_opposing"))
    return [*_strongest(above, evidence), *said, CAUTION]


def _strongest(above: str, evidence: list[RegionEvidence]) -> list[str]:
    """The part that stands out: against maps of other faces where these are known, else for its size; at most one."""
    if apart := surplus(evidence):
        most = max(apart, key=lambda item: apart[item])
        if apart[most] < CLEAR:
            return ["No part stands out: the map is shared out much as this method's maps of other faces are."]
        held, usually = percent(most.share_supporting), percent(most.usual_supporting or 0.0)
        return [
            f"Against other faces, {_the(most)} stands out: it holds {held} of what {above}, where {usually} is usual."
        ]
    densest = max(evidence, key=lambda item: item.density)
    if densest.density < 1.5:
        return []
    return [f"For its size, {_the(densest)} counts most: {densest.density:.1f} times the average."]


def surplus(evidence: list[RegionEvidence]) -> dict[RegionEvidence, float]:
    """How much more of what is above zero each part holds than is usual, -1..1; empty where that is not known."""
    if not any(item.supporting for item in evidence):
        return {}
    return {
        item: item.share_supporting - item.usual_supporting for item in evidence if item.usual_supporting is not None
    }


def phrase(explanation: Explanation, evidence: list[RegionEvidence]) -> str:
    """Where most of what speaks for the target lies, in a few words: "mostly the mouth".

    Where no part holds half of it, it is the part that holds more than is usual in maps of other faces, or where that
    is not known the part that holds most for its size, and the phrase says so.
    """
    if scale.is_flat(explanation.values) or not any(item.supporting for item in evidence):
        return "no part more than another"
    found = {name: [item for item in evidence if item.region in regions] for name, regions in GROUPS.items()}
    shares = {name: sum(item.share_supporting for item in items) for name, items in found.items()}
    most = max(shares, key=lambda name: shares[name])
    if shares[most] >= 0.5:
        return f"mostly the {most}"
    if apart := surplus(evidence):
        more = {name: sum(apart.get(item, 0.0) for item in items) for name, items in found.items()}
        most = max(more, key=lambda name: more[name])
        return f"the {most} more than in other faces" if more[most] >= CLEAR else "spread as in other faces"
    sizes = {name: sum(item.pixels for item in items) for name, items in found.items()}
    dense = max((name for name in shares if sizes[name]), key=lambda name: shares[name] / sizes[name])
    return f"for its size, mostly the {dense}"


def _side(side: str, evidence: list[RegionEvidence], share: str) -> str:
    """Where one side of a map lies: the parts that have a name first, for a rest says little."""
    there = [item for item in evidence if getattr(item, share) >= 0.005]
    if not any(getattr(item, share) for item in evidence):
        return f"Nothing in the map {side}."
    parts = sorted((item for item in there if item.region not in RESTS), key=lambda item: -getattr(item, share))
    rests = [f"{_the(item)} holds {percent(getattr(item, share))}" for item in there if item.region in RESTS]
    named = [f"{_the(item)} ({percent(getattr(item, share))})" for item in parts[:2]]
    most = "Most of what" if parts and getattr(parts[0], share) >= 0.5 else "What"
    where = "in " + ", then in ".join(named) if named else "outside brows, eyes, nose and mouth"
    return f"{most} {side} lies {where}{'; ' if rests else ''}{', '.join(rests)}."


def _the(item: RegionEvidence) -> str:
    return f"the {item.label}"
