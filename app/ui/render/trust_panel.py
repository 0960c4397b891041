"""The trust reading of a map as HTML: a badge, one sentence, and the numbers behind it."""

import math

from app import text
from app.ui.render.html import fill
from explain import figures
from explain.metrics import faithfulness
from explain.metrics.faithfulness import Curves
from explain.registry import METHODS
from explain.trust import Agreement, TrustResult

WAITING = fill("trust_waiting")
UNTESTED = fill("trust_untested")
BADGES = {"high": ("✓", "holds up"), "some": ("~", "holds in part"), "none": ("✕", "no better than chance")}
HOW = (
    "Parts of the face are hidden in the order of the map, what it marks most first, and shown again in the same "
    "order. In a true map the first makes the answer fall and the second makes it rise, faster than with random "
    "maps that are as smooth, and faster than with a round blob in the middle. Hidden places show the same face "
    "out of focus, or an average face: a face with hidden parts is none that the network has learned from, so "
    "neither way alone is enough."
)


def verdict(result: TrustResult) -> str:
    """The badge and the sentence."""
    mark, name = BADGES[result.verdict]
    return fill("trust_verdict", verdict=result.verdict, mark=mark, name=name, sentence=result.sentence)


def numbers(result: TrustResult) -> str:
    """What the verdict rests on, as tables."""
    curves = [
        {
            "hidden": figures.HIDDEN[one.fill],
            "gain": one.relevance_gain,
            "beaten": _beaten(one),
            "count": len(one.random_relevance_gain),
            "centre": one.centre_prior_gain,
        }
        for one in result.curves
    ]
    agreements = [
        _row("the same face, moved a little", result.stability, None),
        *(_row(f"by {METHODS[name].title}", *_both(one)) for name, one in result.between_methods.items()),
        *(_row(f"of {text.MODELS[name]}", *_both(one)) for name, one in result.between_models.items()),
    ]
    return fill("trust_numbers", how=HOW, curves=curves, agreements=agreements)


def alike(correlation: float) -> str:
    """A rank correlation in words."""
    if math.isnan(correlation):
        return "a flat map"
    if correlation >= 0.8:
        return "very alike"
    if correlation >= 0.5:
        return "alike"
    if correlation >= 0.2:
        return "a little alike"
    return "not alike" if correlation > -0.2 else "opposed"


def _both(agreement: Agreement) -> tuple[float, float]:
    return agreement.rank_correlation, agreement.overlap


def _row(name: str, correlation: float, overlap: float | None) -> dict[str, str]:
    number = "" if math.isnan(correlation) else f"{correlation:.2f}, "
    shared = "" if overlap is None or math.isnan(overlap) else text.share(overlap)
    return {"name": name, "order": number + alike(correlation), "overlap": shared}


def _beaten(curves: Curves) -> int:
    """How many of the random maps a map beats."""
    chance = curves.random_relevance_gain
    return round(faithfulness.share_beaten(curves.relevance_gain, chance) * len(chance))
