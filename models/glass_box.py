"""A model that a person can read: each emotion's score is a sum of one number a measure of the face's geometry.

It is a generalized additive model (Lou et al. 2012, "Intelligible models for classification and regression") as the
Explainable Boosting Machine fits it (Nori et al. 2019, arXiv 1909.09223), without interactions. What ships is plain
JSON, and no library that fits models is needed to read it: the score of an emotion is its intercept plus what stands in
the table of each measure at the face's value. So its reasons are no estimate; they are the model.

A number that is added to all seven scores changes no probability, and so no score has a meaning alone. The tables are
written so that the seven numbers of a row sum to 0: a contribution says how far a measure moves one emotion against
the average of all seven (as Zhang et al. 2019, arXiv 1810.09092, ask of additive models of many classes).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from models import geometry
from models.errors import ParameterError, WeightsMismatchError, WeightsNotFoundError
from models.types import EMOTIONS, Answered
from models.weight_store import SHIPPED

NAME = "glass box"
FOLDER = "geometry"
MODEL_FILE, CARD_FILE = "model.json", "card.json"
FORMAT, VERSION = "facewhy-glass-box", 1
ADVICE = "Fit it again with `.venv/bin/python -m training fit`"
LARGEST = 2**22
"""Bytes that a file may have; the one that ships has a hundredth of it."""


@dataclass(frozen=True, eq=False)
class Term:
    """What one measure says.

    Attributes:
        measure: its place in `geometry.MEASURES`.
        cuts: float64 (B - 1,), rising; the first row holds for values below the first cut, and a cut belongs to the
            row above it.
        scores: float64 (B, 7), what is added to the score of each emotion; each row sums to 0.
    """

    measure: int
    cuts: np.ndarray
    scores: np.ndarray

    def row(self, values: np.ndarray) -> np.ndarray:
        """The rows of the table that hold for values (...) of its measure, int64 (...)."""
        return np.asarray(np.searchsorted(self.cuts, values, side="right"))

    def at(self, values: np.ndarray) -> np.ndarray:
        """What it adds at values (...) of its measure, float64 (..., 7)."""
        return np.asarray(self.scores[self.row(values)])


@dataclass(frozen=True, eq=False)
class Reading(Answered):
    """What the model says of a face, and why.

    Attributes:
        values: float32 (20,), the measures.
        contributions: float64 (20, 7), what each adds to each emotion's score.
        scores: float64 (7,), the intercepts plus all contributions.
        probabilities: float32 (7,), the softmax of the scores over the temperature; sum 1.
    """

    values: np.ndarray
    contributions: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray

    def strongest(self, emotion: int | None = None, count: int = 3) -> list[int]:
        """The places of the measures that move an emotion's score most, up or down, the strongest first.

        Args:
            emotion: None for the most probable one.
            count: how many at most; those that add nothing are left out.
        """
        of = self.contributions[:, self.top if emotion is None else emotion]
        order = np.argsort(-np.abs(of), kind="stable")
        return [int(index) for index in order[:count] if of[index]]


@dataclass(frozen=True, eq=False)
class GlassBox:
    """The model.

    Attributes:
        terms: one a measure, in the order of `geometry.MEASURES`.
        intercept: float64 (7,), sums to 0.
        typical: float64 (20,), the median of each measure over the faces that it was fitted to.
        low, high: float64 (20,), between which 98 % of them lie.
        card: what is known about it, plain JSON.
    """

    terms: tuple[Term, ...]
    intercept: np.ndarray
    typical: np.ndarray
    low: np.ndarray
    high: np.ndarray
    card: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Of the model, such as "1.0.0"."""
        return str(self.card["version"])

    def contributions(self, values: np.ndarray) -> np.ndarray:
        """What each measure adds to each emotion's score.

        Args:
            values: float (..., 20), see `geometry.measure`.

        Returns:
            float64 (..., 20, 7).

        Raises:
            ParameterError: values of another shape, or not finite.
        """
        rows = self.rows(values)
        return np.stack([term.scores[rows[..., term.measure]] for term in self.terms], axis=-2)

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Which row of each measure's table holds, int64 (..., 20); takes and raises what `contributions` does."""
        # single precision, as measures are: a cut is met by the same faces in whatever precision they come
        values = np.asarray(values, np.float32).astype(np.float64)
        if values.shape[-1:] != (len(self.terms),) or not np.isfinite(values).all():
            received = f"shape {values.shape}, {np.isfinite(values).sum()} of {values.size} numbers finite"
            raise ParameterError(
                "The measures of the face are not twenty numbers", received, "Read its keypoints again"
            )
        return np.stack([term.row(values[..., term.measure]) for term in self.terms], axis=-1)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """The softmax of scores (..., 7) over the card's temperature, float32 (..., 7)."""
        return softmax(scores / self.card["temperature"], axis=-1).astype(np.float32)

    def read(self, values: np.ndarray) -> Reading:
        """What the model says of a face, and why.

        Args:
            values: float (20,), see `geometry.measure`.

        Raises:
            ParameterError: see `contributions`.
        """
        contributions = self.contributions(values)
        scores = self.intercept + contributions.sum(0)
        return Reading(np.asarray(values, np.float32), contributions, scores, self.probabilities(scores))


@cache
def shipped() -> GlassBox:
    """The one that ships; raises as `load`."""
    return load(SHIPPED / FOLDER)


def load(folder: str | Path) -> GlassBox:
    """The model in a folder, with its card.

    Raises:
        WeightsNotFoundError: a file is missing.
        WeightsMismatchError: a file is not what it should be; the message names what is wrong.
    """
    folder = Path(folder)
    text = _text(folder / MODEL_FILE)
    card = _object(_text(folder / CARD_FILE), folder / CARD_FILE)
    if (digest := hashlib.sha256(text).hexdigest()) != card.get("sha256"):
        raise WeightsMismatchError(f"{folder / MODEL_FILE} is not the file that its card describes", digest, ADVICE)
    return from_json(text, card, str(folder / MODEL_FILE))


def from_json(text: str | bytes, card: Mapping[str, Any], source: str = MODEL_FILE) -> GlassBox:
    """A model from the text of a `model.json` and what its card says.

    Raises:
        WeightsMismatchError: see `load`.
    """
    found = _object(text, source)
    _same(source, "format and version", [found.get("format"), found.get("version")], [FORMAT, VERSION])
    _same(source, "emotions", found.get("emotions"), list(EMOTIONS))
    _same(source, "measures", found.get("measures"), list(geometry.NAMES))
    count, classes = len(geometry.NAMES), len(EMOTIONS)
    terms = found.get("terms")
    if not isinstance(terms, list) or len(terms) != count or not all(isinstance(term, dict) for term in terms):
        raise WeightsMismatchError(f"{source} does not hold a table a measure", repr(terms)[:60], ADVICE)
    made = []
    for index, (name, term) in enumerate(zip(geometry.NAMES, terms, strict=True)):
        cuts = _numbers(source, f"cuts of {name}", term.get("cuts"), (None,))
        if (np.diff(cuts) <= 0).any():
            raise WeightsMismatchError(f"{source}: the cuts of {name} do not rise", str(cuts[:8].tolist()), ADVICE)
        made.append(
            Term(index, cuts, _numbers(source, f"scores of {name}", term.get("scores"), (len(cuts) + 1, classes)))
        )
    temperature, version = card.get("temperature"), card.get("version")
    if not isinstance(temperature, int | float) or isinstance(temperature, bool) or not 0 < temperature < np.inf:
        raise WeightsMismatchError(
            "The temperature on the glass box's card is not a number above 0", repr(temperature), ADVICE
        )
    if not isinstance(version, str) or not isinstance(card.get("metrics"), dict):
        raise WeightsMismatchError(
            "The version or the metrics are missing on the glass box's card", repr(version), ADVICE
        )
    numbers = {key: _numbers(source, key, found.get(key), (count,)) for key in ("typical", "low", "high")}
    if not (numbers["low"] < numbers["high"]).all():
        raise WeightsMismatchError(
            f"The range of a measure is missing in {source}", "a low that is not below its high", ADVICE
        )
    return GlassBox(
        tuple(made), _numbers(source, "intercept", found.get("intercept"), (classes,)), card=card, **numbers
    )


def _text(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise WeightsMismatchError(f"{path} is too large for a glass box", f"{path.stat().st_size} bytes", ADVICE)
        return path.read_bytes()
    except OSError as error:
        raise WeightsNotFoundError(
            f"The file {path.name} of the glass box could not be read", f"{path} ({error.strerror})", ADVICE
        ) from error


def _object(text: str | bytes, source: str | Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsMismatchError(f"{source} is not valid JSON", str(error)[:100], ADVICE) from error
    if not isinstance(found, dict):
        raise WeightsMismatchError(f"{source} is not a JSON object", type(found).__name__, ADVICE)
    return found


def _same(source: str, what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise WeightsMismatchError(f"{source} was written for other {what}", repr(found)[:100], ADVICE)


def _numbers(source: str, what: str, found: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Finite numbers of a shape, in which None stands for any length."""
    try:
        numbers = np.asarray(found if isinstance(found, list) else None, np.float64)
    except (TypeError, ValueError) as error:
        raise WeightsMismatchError(f"{source}: {what} are not numbers", str(error)[:100], ADVICE) from error
    fits = len(numbers.shape) == len(shape) and all(
        want in (None, have) for want, have in zip(shape, numbers.shape, strict=True)
    )
    if not fits or not np.isfinite(numbers).all():
        raise WeightsMismatchError(
            f"{source}: {what} are not finite numbers of the shape {shape}", f"shape {numbers.shape}", ADVICE
        )
    return numbers
