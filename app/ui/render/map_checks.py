"""A map beside the same map by another library, and beside those of a network that forgets, as HTML."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.ui.render import pictures, trust_panel
from app.ui.render.html import fill
from app.ui.session import Session
from explain import scale
from explain.base import Explanation
from explain.metrics.randomisation import LIKE_BEFORE, Shaken
from explain.reference import Reference

ZOOM = 4
"""How much larger than the networks' crop a face is shown."""


def library(session: Session, explanation: Explanation, found: Reference) -> str:
    """Our map and the other library's side by side, with their rank correlation."""
    return fill(
        "map_library",
        library=found.library,
        call=found.call,
        maps=[
            {
                "picture": _map(session, explanation, explanation.values),
                "title": "FaceWhy",
                "note": explanation.seconds,
            },
            {"picture": _map(session, explanation, found.values), "title": found.library, "note": found.seconds},
        ],
        correlation=_number(found.rank_correlation),
        alike=trust_panel.alike(found.rank_correlation),
        differs=found.differs,
    )


def shaken(session: Session, explanation: Explanation, found: Sequence[Shaken]) -> str:
    """The map and what becomes of it, a picture a stage; a sentence once all layers are shaken."""
    maps = [{"picture": _map(session, explanation, explanation.values), "title": "As it learned", "note": ""}]
    maps += [
        {
            "picture": _map(session, explanation, one.values),
            "title": layer(one.layers[-1], len(one.layers) == 1),
            "note": f"{_number(one.rank_correlation)} {trust_panel.alike(one.rank_correlation)}".strip(),
        }
        for one in found
    ]
    return fill("map_shaken", maps=maps, sentence=outcome(found[-1]) if len(found) == found[-1].of else "")


def layer(name: str, first: bool) -> str:
    """A stage of layers in words."""
    if "x" not in name:
        return f"{'' if first else '+ '}the last layer"
    return f"{'' if first else '+ '}layers with maps of {name.replace('x', ' × ')}"


def outcome(last: Shaken) -> str:
    """What the last map says about the method."""
    if np.isnan(last.rank_correlation):
        return (
            "Nothing is left of the map: it is flat once all layers are shaken, so it did depend on what they learned."
        )
    if abs(last.rank_correlation) < LIKE_BEFORE:
        return "The map goes: what it showed did depend on what the network had learned."
    change = "stays much as it was" if last.rank_correlation > 0 else "turns into its opposite"
    return (
        f"The map {change}, although nothing that the network learned is left: on this face, it shows the picture's "
        "own shapes rather than what the network makes of them."
    )


def _map(session: Session, explanation: Explanation, values: np.ndarray) -> str:
    """A map over the face on a scale of its own: another library, or a network of random numbers, has other units."""
    shown = replace(explanation, values=values)
    return pictures.overlay(session, shown, scale.shared([shown]), ZOOM)


def _number(correlation: float) -> str:
    return "" if np.isnan(correlation) else f"{correlation:.2f}"
