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
    "order. With a map that holds up the first makes the answer fall and the second makes it rise. Four controls "
    "say how little would do as well: random maps that are as smooth (nine, and their nine negatives), a blob in the "
    "middle, the same method's maps of other faces, laid on this one by its eyes and mouth, and the average of those. "
    "Hidden places show the same face out of focus, an average face in the same greys, or what "
    "lies around them: a face with hidden parts is none that the network has learned from, so no way alone is enough."
)
UNSIGNED = (
    "This method marks where the answer reacts, up or down alike. The test asks more than such a map claims: whether "
    "the answer falls when what it marks is hidden."
)
MANY = (
    "Each map is a test of its own: of twenty maps that mark nothing in particular, about one beats the random maps by "
    "luck, and of twenty maps of some other face, about one beats those of the others. Whoever looks at "
    f"all {len(METHODS)} methods and keeps the best has tested {len(METHODS)} times."
)


def verdict(result: TrustResult) -> str:
    """The badge and the sentence, and by how much the map beats its controls."""
    mark, name = BADGES[result.verdict]
    return fill(
        "trust_verdict",
        verdict=result.verdict,
        mark=mark,
        name=name,
        sentence=result.sentence,
        scores=_scores(result),
        methods=len(METHODS),
    )


def numbers(result: TrustResult, signed: bool = True) -> str:
    """What the verdict rests on, as tables.

    Args:
        result: the reading.
        signed: whether the map tells what speaks for its target from what speaks against it.
    """
    rows = [_gains(f"hidden: {figures.HIDDEN[one.fill]}", one) for one in result.curves if one.score == DECIDING]
    agreements = [
        _row("the same face, moved a little", result.stability, None),
        *(_row(f"by {METHODS[name].title}", *_both(one)) for name, one in result.between_methods.items()),
        *(_row(f"of {text.MODELS[name]}", *_both(one)) for name, one in result.between_models.items()),
    ]
    probability = [(figures.HIDDEN[one.fill], one.relevance_gain) for one in result.curves if one.score != DECIDING]
    return fill(
        "trust_numbers",
        how=HOW if signed else f"{HOW} {UNSIGNED}",
        many=MANY,
        rows=rows,
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


def _scores(result: TrustResult) -> dict[str, float]:
    """How many standard deviations the map gains more than the controls that have a spread."""
    found = result.comparison
    scores = {"random maps": found.random_z, "other faces' maps": found.other_faces_z} if found else {}
    return {name: score for name, score in scores.items() if not math.isnan(score)}


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
        "average": curves.average_map_gain if len(others) else "",
        "others": _beaten(gain, others) if len(others) else "",
    }


def _beaten(gain: float, gains: np.ndarray) -> str:
    return f"{int((gain > gains).sum())} of {len(gains)}"
