"""The trust reading of a map as HTML: a badge, one sentence, and the numbers behind it."""

import math
from collections.abc import Mapping

from app import text
from explain import figures
from explain.metrics import faithfulness
from explain.metrics.faithfulness import Curves
from explain.registry import METHODS
from explain.trust import Agreement, TrustResult

WAITING = '<p class="fw-trust fw-small" role="status">Testing whether this map is true…</p>'
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
    return (
        f'<div class="fw-trust fw-{result.verdict}" role="status"><span class="fw-badge"><b aria-hidden="true">{mark}'
        f"</b> Tested: {name}</span><p>{result.sentence}</p></div>"
    )


def numbers(result: TrustResult) -> str:
    """What the verdict rests on, as tables."""
    parts = [f'<p class="fw-small">{HOW}</p>']
    if result.curves:
        rows = "".join(
            f'<tr><th scope="row">hidden: {figures.HIDDEN[one.fill]}</th><td>{one.relevance_gain:+.2f}</td>'
            f"<td>{_beaten(one)} of {len(one.random_relevance_gain)}</td><td>{one.centre_prior_gain:+.2f}</td></tr>"
            for one in result.curves
        )
        parts.append(
            "<table class='fw-numbers'><caption>Gain: the mean answer while showing, less that while hiding</caption>"
            '<thead><tr><th></th><th scope="col">this map</th><th scope="col">random maps beaten</th>'
            f'<th scope="col">blob</th></tr></thead><tbody>{rows}</tbody></table>'
        )
    methods = {METHODS[name].title: one for name, one in result.between_methods.items()}
    models = {text.MODELS[name]: one for name, one in result.between_models.items()}
    parts.append(_agreements(result.stability, methods, models))
    return "".join(parts)


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


def _agreements(stability: float, methods: Mapping[str, Agreement], models: Mapping[str, Agreement]) -> str:
    rows = [_row("the same face, moved a little", stability, None)]
    rows += [_row(f"by {title}", one.rank_correlation, one.overlap) for title, one in methods.items()]
    rows += [_row(f"of {title}", one.rank_correlation, one.overlap) for title, one in models.items()]
    return (
        "<table class='fw-numbers'><caption>This map beside other maps</caption><thead><tr><th></th>"
        '<th scope="col">same order of places</th><th scope="col">same strongest fifth</th></tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table><p class="fw-small">The first number is a rank correlation: 1 is the '
        "same order, 0 no order in common. The second is how much of the strongest fifth both share, "
        "by chance 20\u00a0%.</p>"
    )


def _row(name: str, correlation: float, overlap: float | None) -> str:
    shared = "" if overlap is None or math.isnan(overlap) else text.share(overlap)
    number = "" if math.isnan(correlation) else f"{correlation:.2f}, "
    return f'<tr><th scope="row">{name}</th><td>{number}{alike(correlation)}</td><td>{shared}</td></tr>'


def _beaten(curves: Curves) -> int:
    """How many of the random maps a map beats."""
    chance = curves.random_relevance_gain
    return round(faithfulness.share_beaten(curves.relevance_gain, chance) * len(chance))
