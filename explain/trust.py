"""Is a map true? One reading, one word, one sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from explain import scale
from explain.base import Explanation, Target
from explain.methods import masking
from explain.metrics import agreement, faithfulness
from explain.metrics.faithfulness import Curves
from explain.metrics.stability import stability
from models.types import Face

if TYPE_CHECKING:
    from models.model import Model

BASELINES = ("blur", "mean face")
BEATEN = 0.95
"""The share of the random maps that a map must beat."""
STABLE = 0.5
"""The least rank correlation of a map that is called stable."""

VERDICTS = {"high": "high", "uneven": "some", "unstable": "some", "flat": "none", "chance": "none", "blob": "none"}
"""What `judge` finds, in a word."""
SENTENCES = {
    "high": "This map passes: hiding what it marks changes the answer clearly more than hiding as much elsewhere, "
    "and the map stays when the face moves a little.",
    "uneven": "This map passes in part: hiding what it marks changes the answer more than hiding as much elsewhere, "
    "but not with every way of hiding.",
    "unstable": "This map passes in part: hiding what it marks changes the answer more than hiding as much "
    "elsewhere, but the map changes when the face moves a little.",
    "flat": "This map is flat: it marks no place over another, so there is nothing to test.",
    "chance": "This map is not better than chance: hiding what it marks does not change the answer clearly more "
    "than hiding random places of the same size.",
    "blob": "This map is not better than chance: a plain blob in the middle of the picture, drawn without looking "
    "at the face, does as well.",
}


@dataclass(frozen=True)
class Agreement:
    """How far two maps of one face agree, see `explain.metrics.agreement`; nan where one is flat.

    Attributes:
        rank_correlation: -1..1.
        overlap: of what both mark most, 0..1, by chance 0.2.
    """

    rank_correlation: float
    overlap: float


@dataclass(frozen=True, eq=False)
class TrustResult:
    """How far a map can be trusted.

    Attributes:
        verdict: "high", "some" or "none"; "none" is told as "not better than chance".
        sentence: one plain sentence for a visitor.
        curves: one a fill, "blur" and "mean face"; empty for a flat map.
        stability: mean rank correlation with the maps of the same face shifted, scaled and slightly
            noisy, -1..1; nan for a flat map.
        between_methods: other method's name -> agreement with its map.
        between_models: other model's name -> agreement with its map.
        seconds: how long the reading took.
    """

    verdict: str
    sentence: str
    curves: tuple[Curves, ...]
    stability: float
    between_methods: dict[str, Agreement]
    between_models: dict[str, Agreement]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON; null stands for nan."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "curves": [one.to_json() for one in self.curves],
            "stability": _json(self.stability),
            "between_methods": {name: _agreement(one) for name, one in self.between_methods.items()},
            "between_models": {name: _agreement(one) for name, one in self.between_models.items()},
            "seconds": self.seconds,
        }


def read(
    model: "Model",
    face: Face,
    explanation: Explanation,
    *,
    other_methods: Sequence[Explanation] = (),
    other_models: Sequence[Explanation] = (),
    seed: int = 0,
) -> TrustResult:
    """Test an explanation; the same inputs give the same reading.

    All pictures of all curves go through the network in one batch. A flat map is not tested.

    Args:
        model: the model that is explained.
        face: the face that was explained, with its keypoints where the method needs regions.
        explanation: of this face and model.
        other_methods: other methods' explanations of the same face, model and target.
        other_models: the same method's explanations of the same face and target by other models.
        seed: of the random maps and of the disturbed faces.
    """
    started = perf_counter()
    found = curves(model, face, explanation, seed)
    mean_correlation = stability(model, face, explanation, seed) if found else float("nan")
    reason = judge(found, mean_correlation)
    return TrustResult(
        verdict=VERDICTS[reason],
        sentence=SENTENCES[reason],
        curves=found,
        stability=mean_correlation,
        between_methods={other.method: compare(explanation, other) for other in other_methods},
        between_models={other.model: compare(explanation, other) for other in other_models},
        seconds=perf_counter() - started,
    )


def curves(model: "Model", face: Face, explanation: Explanation, seed: int = 0) -> tuple[Curves, ...]:
    """The curves of a map, one a fill of `BASELINES`; none for a flat map. Arguments as for `read`."""
    if scale.is_flat(explanation.values):
        return ()
    return faithfulness.curves(
        lambda crops: score(model, crops, explanation.target),
        face.crop,
        explanation.values,
        {name: masking.baseline_picture(face.crop, name) for name in BASELINES},
        seed,
    )


def score(model: "Model", crops: np.ndarray, target: Target) -> np.ndarray:
    """The calibrated probability of a target, float64 (N,) in 0..1, for crops float32 (N, H, W).

    For one emotion against another it is the probability of the one where only these two are
    possible: the sigmoid of the difference of their logits over the temperature.
    """
    logits = model.logits(crops)
    if target.against is None:
        return model.probabilities(logits)[:, target.emotion].astype(np.float64)
    return 1 / (1 + np.exp(-(logits @ target.weights).astype(np.float64) / model.card.temperature))


def judge(curves: Sequence[Curves], mean_correlation: float) -> str:
    """Why a map is trusted or not, a key of `VERDICTS` and `SENTENCES`.

    The measure is the gain, insertion area less deletion area. The mean gain over the fills must lie
    above that of at least 95 % of the random maps (else "chance") and above the blob's (else
    "blob"). A map that passes is trusted in part where it fails the same test with one fill alone
    ("uneven") or its stability lies below 0.5 ("unstable"), else fully ("high").

    Args:
        curves: one a fill, all over the same random maps; none for a flat map.
        mean_correlation: the map's stability; nan counts as unstable.
    """
    if not curves:
        return "flat"
    relevance_gain = float(np.mean([one.relevance_gain for one in curves]))
    random_relevance_gain = np.mean([one.random_relevance_gain for one in curves], axis=0)
    if faithfulness.share_beaten(relevance_gain, random_relevance_gain) < BEATEN:
        return "chance"
    if relevance_gain <= np.mean([one.centre_prior_gain for one in curves]):
        return "blob"
    for one in curves:
        if (
            faithfulness.share_beaten(one.relevance_gain, one.random_relevance_gain) < BEATEN
            or one.relevance_gain <= one.centre_prior_gain
        ):
            return "uneven"
    return "high" if mean_correlation >= STABLE else "unstable"


def compare(one: Explanation, other: Explanation) -> Agreement:
    """How far the maps of two explanations agree."""
    return Agreement(agreement.rank_correlation(one.values, other.values), agreement.overlap(one.values, other.values))


def _agreement(one: Agreement) -> dict[str, Any]:
    return {"rank_correlation": _json(one.rank_correlation), "overlap": _json(one.overlap)}


def _json(value: float) -> float | None:
    return None if math.isnan(value) else value
