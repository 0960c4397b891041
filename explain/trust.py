"""Does a map hold up? One reading, one word, one sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from explain import scale
from explain.base import Explanation, Target
from explain.methods import masking
from explain.metrics import agreement, faithfulness, imputation
from explain.metrics.faithfulness import Curves, Fill, OtherFaces
from explain.metrics.stability import stability
from explain.part_ranges import PartRanges
from models.types import Face

if TYPE_CHECKING:
    from models.model import Model

FILLS = ("blur", "mean face", "surroundings")
"""What hidden pixels show: the face out of focus, the average face in this face's greys, what lies around them."""
TEST = 2
"""Counted up whenever the figures of a table of many readings mean something else than before."""
BEATEN = 0.95
"""The share of the random maps, and of other faces' maps, that a map must beat."""
STABLE = 0.5
"""The least rank correlation of a map that is called stable."""

VERDICTS = {
    "high": "high",
    "uneven": "some",
    "unstable": "some",
    "alone": "some",
    "flat": "none",
    "blind": "none",
    "chance": "none",
    "centre": "none",
    "average": "none",
    "other faces": "none",
}
"""What `judge` finds, in a word."""
SENTENCES = {
    "high": "This map holds up: hiding what it marks changes the answer clearly more than hiding random places, the "
    "middle, or what the same method marks on other faces, each alone and on average, and the map stays when the face "
    "moves a little.",
    "uneven": "This map holds up in part: it beats random maps, the middle, other faces' maps and their average, but "
    "not with every way of hiding.",
    "unstable": "This map holds up in part: it beats random maps, the middle, other faces' maps and their average, but "
    "it changes when the face moves a little.",
    "alone": "This map holds up in part: it beats random maps and the middle, but was not compared with maps of other "
    "faces, because there are none for this question, this network and these settings.",
    "flat": "This map is flat: it marks no place over another, so there is nothing to test.",
    "blind": "This method's maps of this network stay much the same, or turn into their opposite, when all that the "
    "network learned is shuffled away, so none of them is said to hold up.",
    "chance": "This map is not shown to beat random maps: hiding what it marks does not change the answer clearly "
    "more than hiding random places of the same size.",
    "centre": "This map is no better than pointing at the middle: a blob drawn there without looking at the face does "
    "as well.",
    "average": "This map is no better than the average of the method's maps: what it marks on most faces, laid on this "
    "one, does as well.",
    "other faces": "This map is not shown to tell this face from another: what the same method marks on other faces "
    "does as well here.",
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


@dataclass(frozen=True)
class Comparison:
    """A map's symmetric relevance gain beside those of its controls, in log-odds, averaged over some fills.

    Attributes:
        relevance_gain: the map's.
        random_beaten: the share of the random maps and their negatives that it beats, 0..1.
        centre_prior_beaten: whether it beats a blob in the middle.
        average_map_beaten: whether it beats the average of other faces' maps; None where there are none.
        other_faces_beaten: the share of other faces' maps that it beats; nan where there are none.
        random_z, other_faces_z: how many standard deviations it lies above the mean of either; nan where there are none
            or all are alike.
    """

    relevance_gain: float
    random_beaten: float
    centre_prior_beaten: bool
    average_map_beaten: bool | None
    other_faces_beaten: float
    random_z: float
    other_faces_z: float

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON; null stands for nan."""
        return {name: _json(value) for name, value in vars(self).items()}


@dataclass(frozen=True, eq=False)
class TrustResult:
    """Which tests a map survives.

    Attributes:
        verdict: "high", "some" or "none"; "none" says that the map is not shown to hold up.
        reason: a key of `SENTENCES`.
        sentence: one plain sentence for a visitor.
        comparison: over all fills; None for a flat map.
        curves: one a fill of `FILLS` and score, see `explain.metrics.faithfulness.curves`; empty for a flat map.
        stability: mean rank correlation with the maps of the same face shifted, scaled and slightly
            noisy, -1..1; nan for a flat map.
        between_methods: other method's name -> agreement with its map.
        between_models: other model's name -> agreement with its map.
        seconds: how long the reading took.
        part_ranges: how far what each part of the face holds moves with what hides it and with chance; None where
            nothing else was tried.
    """

    verdict: str
    reason: str
    sentence: str
    comparison: Comparison | None
    curves: tuple[Curves, ...]
    stability: float
    between_methods: dict[str, Agreement]
    between_models: dict[str, Agreement]
    seconds: float
    part_ranges: PartRanges | None = None

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON; null stands for nan."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "sentence": self.sentence,
            "comparison": self.comparison and self.comparison.to_json(),
            "curves": [one.to_json() for one in self.curves],
            "stability": _json(self.stability),
            "between_methods": {name: _agreement(one) for name, one in self.between_methods.items()},
            "between_models": {name: _agreement(one) for name, one in self.between_models.items()},
            "seconds": self.seconds,
            "part_ranges": self.part_ranges and self.part_ranges.to_json(),
        }


def read(
    model: "Model",
    face: Face,
    explanation: Explanation,
    *,
    other_faces: OtherFaces | None = None,
    blind: bool = False,
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
        other_faces: maps of other faces by the same method and model, see `explain.control_maps`; None for none.
        blind: whether the method fails the randomisation test on this model, see `randomisation.passes`.
        other_methods: other methods' explanations of the same face, model and target.
        other_models: the same method's explanations of the same face and target by other models.
        seed: of the random maps and of the disturbed faces.
    """
    started = perf_counter()
    found = curves(model, face, explanation, other_faces, seed)
    mean_correlation = stability(model, face, explanation, seed) if found else float("nan")
    reason = judge(found, mean_correlation, blind)
    return TrustResult(
        verdict=VERDICTS[reason],
        reason=reason,
        sentence=SENTENCES[reason],
        comparison=compared(found) if found else None,
        curves=found,
        stability=mean_correlation,
        between_methods={other.method: compare(explanation, other) for other in other_methods},
        between_models={other.model: compare(explanation, other) for other in other_models},
        seconds=perf_counter() - started,
    )


def curves(
    model: "Model", face: Face, explanation: Explanation, other_faces: OtherFaces | None = None, seed: int = 0
) -> tuple[Curves, ...]:
    """The curves of a map, one a fill of `FILLS` and score; none for a flat map. Arguments as for `read`."""
    if scale.is_flat(explanation.values):
        return ()
    return faithfulness.curves(
        lambda crops: scores(model, crops, explanation.target),
        face.crop,
        explanation.values,
        {name: fill(face.crop, name) for name in FILLS},
        other_faces,
        seed,
    )


def fill(crop: np.ndarray, name: str) -> Fill:
    """What hidden pixels of a crop show, float32 (H, W) in 0..1, by a name of `FILLS`."""
    if name == "surroundings":
        return lambda hidden: imputation.impute(crop, hidden)
    shown = masking.mean_face_in_greys_of(crop) if name == "mean face" else masking.baseline_picture(crop, name)
    return lambda hidden: np.where(hidden, shown, crop)


def scores(model: "Model", crops: np.ndarray, target: Target) -> np.ndarray:
    """The log-odds and the calibrated probability of a target, float64 (2, N), for crops float32 (N, H, W).

    For one emotion against another it is the probability of the one where only these two are possible: its
    log-odds are the difference of their logits over the temperature.
    """
    logits = model.logits(crops).astype(np.float64) / model.card.temperature
    if target.against is None:
        log_odds = logits[:, target.emotion] - np.logaddexp.reduce(np.delete(logits, target.emotion, 1), axis=1)
    else:
        log_odds = logits @ target.weights
    return np.stack([log_odds, expit(log_odds)])


def compared(curves: Sequence[Curves]) -> Comparison:
    """A map beside its controls by the log-odds of some curves, averaged over their fills.

    Args:
        curves: one or more, all over the same controls; those of another score do not count.
    """
    deciding = [one for one in curves if one.score == faithfulness.SCORES[0]]
    gain, centre, average, chance, others = (
        np.mean([getattr(one, name) for one in deciding], axis=0)
        for name in ("relevance_gain", "centre_prior_gain", "average_map_gain", "random_gains", "other_faces_gains")
    )
    return Comparison(
        relevance_gain=float(gain),
        random_beaten=faithfulness.share_beaten(gain, chance),
        centre_prior_beaten=bool(gain > centre),
        average_map_beaten=None if np.isnan(average) else bool(gain > average),
        other_faces_beaten=faithfulness.share_beaten(gain, others),
        random_z=faithfulness.z_score_of_pairs(gain, chance),
        other_faces_z=faithfulness.z_score(gain, others),
    )


def judge(curves: Sequence[Curves], mean_correlation: float, blind: bool = False) -> str:
    """Why a map is said to hold up or not, a key of `VERDICTS` and `SENTENCES`.

    The measure is the symmetric relevance gain in log-odds, averaged over the fills. It must lie above that of
    at least 95 % of the random maps (else "chance"), above that of a blob in the middle (else "centre"), above that
    of the average of other faces' maps (else "average"), and above that of at least 95 % of other faces' maps
    (else "other faces"). A map that passes holds up in part where it fails
    one of these with one fill alone ("uneven"), where its stability lies below 0.5 ("unstable"), or where there
    are no maps of other faces ("alone"), else fully ("high"). A flat map is not tested ("flat"), and no map
    holds up whose method fails the randomisation test ("blind").

    Args:
        curves: one a fill and score, all over the same controls; none for a flat map.
        mean_correlation: the map's stability; nan counts as unstable.
        blind: whether the method fails the randomisation test.
    """
    if not curves:
        return "flat"
    if blind:
        return "blind"
    if failed := _failed(compared(curves)):
        return failed
    if any(_failed(compared([one])) for one in curves if one.score == faithfulness.SCORES[0]):
        return "uneven"
    if not mean_correlation >= STABLE:
        return "unstable"
    return "alone" if np.isnan(compared(curves).other_faces_beaten) else "high"


def _failed(found: Comparison) -> str:
    """The first control that a map is not shown to beat, a key of `VERDICTS`; "" for none."""
    if found.random_beaten < BEATEN:
        return "chance"
    if not found.centre_prior_beaten:
        return "centre"
    if found.average_map_beaten is False:
        return "average"
    return "other faces" if found.other_faces_beaten < BEATEN else ""


def compare(one: Explanation, other: Explanation) -> Agreement:
    """How far the maps of two explanations agree."""
    return Agreement(agreement.rank_correlation(one.values, other.values), agreement.overlap(one.values, other.values))


def _agreement(one: Agreement) -> dict[str, Any]:
    return {"rank_correlation": _json(one.rank_correlation), "overlap": _json(one.overlap)}


def _json(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
