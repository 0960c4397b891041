"""The trust reading of a map as HTML: a badge, one sentence, and the numbers behind it."""

import math

import numpy as np

from app import text
from app.ui.render.html import fill
from explain import figures
from explain.metrics import faithfulness
from explain.metrics.faithfulness import Curves
from explain.registry import METHODS
from explain.trust import Agreement, TrustResult

WAITING = fill("trust_waiting")
UNTESTED = fill("trust_untested")
DECIDING = faithfulness.SCORES[0]
BADGES = {"high": ("✓", "holds up"), "some": ("~", "holds up in part"), "none": ("✕", "not shown to hold up")}
HOW = (
    "Parts of the face are hidden in the order of the map, what it marks most first, and shown again in the same "
    "order. With a map that holds up the first makes the answer fall and the second makes it rise. Three controls "
    "say how little would do as well: random maps that are as smooth, a blob in the middle, and the same method's "
    "maps of other faces. Hidden places show the same face out of focus, an average face in the same greys, or what "
    "lies around them: a face with hidden parts is none that the network has learned from, so no way alone is enough."
)
MANY = (
    "Each map is a test of its own: of twenty maps that mark nothing in particular, about one beats the random maps by "
    "luck, and of twenty maps of some other face, about one beats those of the others. Whoever looks at "
    f"all {len(METHODS)} methods and keeps the best has tested {len(METHODS)} times."
)


def verdict(result: TrustResult) -> str:
    """The badge and the sentence."""
    mark, name = BADGES[result.verdict]
    return fill("trust_verdict", verdict=result.verdict, mark=mark, name=name, sentence=result.sentence)


def numbers(result: TrustResult) -> str:
    """What the verdict rests on, as tables."""
    rows = [_gains(f"hidden: {figures.HIDDEN[one.fill]}", one) for one in result.curves if one.score == DECIDING]
    found = result.comparison
    agreements = [
        _row("the same face, moved a little", result.stability, None),
        *(_row(f"by {METHODS[name].title}", *_both(one)) for name, one in result.between_methods.items()),
        *(_row(f"of {text.MODELS[name]}", *_both(one)) for name, one in result.between_models.items()),
    ]
    probability = [(figures.HIDDEN[one.fill], one.relevance_gain) for one in result.curves if one.score != DECIDING]
    scores = {"random maps": found.random_z, "other faces' maps": found.other_faces_z} if found else {}
    return fill(
        "trust_numbers",
        how=HOW,
        many=MANY,
        rows=rows,
        scores={name: score for name, score in scores.items() if not math.isnan(score)},
        probability=probability,
        agreements=agreements,
    )


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


def _gains(name: str, curves: Curves) -> dict[str, str | float]:
    """A map's gain with one fill, and how many of its controls it beats."""
    gain, random, others = curves.relevance_gain, curves.random_gains, curves.other_faces_gains
    return {
        "name": name,
        "gain": gain,
        "random": _beaten(gain, random),
        "centre": curves.centre_prior_gain,
        "others": _beaten(gain, others) if len(others) else "",
    }


def _beaten(gain: float, gains: np.ndarray) -> str:
    return f"{int((gain > gains).sum())} of {len(gains)}"
