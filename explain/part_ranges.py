"""How far the evidence by part of the face moves with what hides a part, and with chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explain import evidence, scale
from explain.base import Explanation, Parameters
from models.regions import LABELS, REGIONS

FILL, SEED = "baseline", "seed"
"""The parameters of a method that say what hides a part, and what chance draws."""
SEEDS = 4
"""How many seeds a method with chance is run with, the map's own among them."""


@dataclass(frozen=True)
class PartRange:
    """The lowest and the highest that one part of the face holds in some maps.

    Attributes:
        region: one of `models.regions.REGIONS`.
        label: for people.
        share_supporting: of all values above zero, 0..1.
        share_opposing: of all values below zero, 0..1.
        total: the sum of the part's values; for exact region Shapley its Shapley value, in logits.
    """

    region: str
    label: str
    share_supporting: tuple[float, float]
    share_opposing: tuple[float, float]
    total: tuple[float, float]


@dataclass(frozen=True)
class PartRanges:
    """What the parts hold in a map and in the same map made with other fills, or other seeds, one changed at a time.

    A range holds all that was seen and nothing else: it is no confidence interval.

    Attributes:
        fills: what hidden parts showed, the map's own first; empty where the method has no such choice.
        seeds: what chance was drawn with, the map's own first; empty where the method draws nothing.
        parts: in the order of `REGIONS`.
    """

    fills: tuple[str, ...]
    seeds: tuple[int, ...]
    parts: tuple[PartRange, ...]

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON."""
        return {
            "fills": list(self.fills),
            "seeds": list(self.seeds),
            "parts": [
                {name: list(value) if isinstance(value, tuple) else value for name, value in vars(part).items()}
                for part in self.parts
            ],
        }


def others(explanation: Explanation) -> list[Parameters]:
    """The parameters of the maps that a range needs beside the map itself: other fills, then other seeds.

    None for a flat map, and where the method hides nothing and draws nothing.
    """
    if scale.is_flat(explanation.values):
        return []
    params, controls = explanation.params, type(explanation.params).controls()
    found: list[Parameters] = []
    if FILL in controls:
        now = getattr(params, FILL)
        found += [replace(params, **{FILL: fill}) for fill in controls[FILL].options if fill != now]
    if SEED in controls:
        most = int(controls[SEED].range[1])
        now = getattr(params, SEED)
        found += [replace(params, **{SEED: (now + step) % (most + 1)}) for step in range(1, SEEDS)]
    return found


def over(explanations: Sequence[Explanation], masks: np.ndarray) -> PartRanges:
    """What each part holds at least and at most.

    Args:
        explanations: the map, then the same with the parameters of `others`.
        masks: bool (8, H, W), the parts on the crop's grid.
    """
    told = [evidence.by_region(one.values, masks) for one in explanations]

    def ends(place: int, name: str) -> tuple[float, float]:
        values = [getattr(items[place], name) for items in told]
        return min(values), max(values)

    return PartRanges(
        fills=_seen(explanations, FILL),
        seeds=_seen(explanations, SEED),
        parts=tuple(
            PartRange(
                region,
                LABELS[region],
                ends(place, "share_supporting"),
                ends(place, "share_opposing"),
                ends(place, "total"),
            )
            for place, region in enumerate(REGIONS)
        ),
    )


def between(ends: tuple[float, float]) -> str:
    """The ends of a share in percent: "[12–31]"."""
    low, high = ends
    return f"[{100 * low:.0f}–{100 * high:.0f}]"


def message(found: PartRanges) -> str:
    """What the ranges are over, in words for people."""
    causes = []
    if found.fills:
        causes.append(f"{len(found.fills)} things that a hidden place may show ({', '.join(found.fills)})")
    if found.seeds:
        causes.append(f"{len(found.seeds)} draws of what this method leaves to chance")
    apart = ", one changed at a time" if len(causes) > 1 else ""
    return (
        f"In brackets: the lowest and the highest share, in percent, over {' and '.join(causes)}{apart}. "
        "That is the range of these maps, no confidence interval."
    )


def _seen(explanations: Sequence[Explanation], name: str) -> tuple[Any, ...]:
    if not hasattr(explanations[0].params, name):
        return ()
    return tuple(dict.fromkeys(getattr(one.params, name) for one in explanations))
