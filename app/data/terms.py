"""What the glass box adds up over many faces: the SHAP values of its terms, exactly.

Its score of an emotion is a sum of one term a measure, without interactions. There the interventional Shapley value of
a measure is its term at the face's value less the mean of the term over the background, whichever way the measures go
together (Lundberg and Lee 2017, arXiv 1705.07874, corollary 1; Štrumbelj and Kononenko 2014,
doi 10.1007/s10115-013-0679-x). A term is a table of few rows, so that counting the faces of each row tells
everything about all of them.
"""

from dataclasses import dataclass

import numpy as np

from app.data.projection import sample
from models.glass_box import GlassBox

DRAWN = 200
"""Faces that are drawn one by one; of more, so many are drawn by chance."""
UNKNOWN = -1
"""Stands for every row of a face that a measure is missing of."""


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of a glass box over faces.

    Attributes:
        box: the model.
        faces: how many have all twenty measures.
        background: over how many faces the means are taken.
        means: float64 (20, 7), of each term over the background, for each emotion.
        counts: by measure, int64 (B,): faces in each row of its table.
        values: float32 (S, 20), the measures of those faces that are drawn.
    """

    box: GlassBox
    faces: int
    background: int
    means: np.ndarray
    counts: tuple[np.ndarray, ...]
    values: np.ndarray

    @property
    def strengths(self) -> np.ndarray:
        """The mean absolute SHAP value of each measure for each emotion's score, float64 (20, 7)."""
        found = [
            count @ np.abs(term.scores - mean)
            for count, term, mean in zip(self.counts, self.box.terms, self.means, strict=True)
        ]
        return np.asarray(found) / max(1, self.faces)

    @property
    def drawn(self) -> np.ndarray:
        """The SHAP values of the faces that are drawn, float64 (S, 20, 7)."""
        return self.box.contributions(self.values) - self.means

    def steps(self, measure: int, emotion: int) -> list[tuple[float | None, float | None, int, float]]:
        """One measure's SHAP values for one emotion, all of them: where a row of its table begins and ends (None at the
        ends), how many faces are in it, and their SHAP value."""
        term = self.box.terms[measure]
        ends = [None, *term.cuts.tolist(), None]
        values = term.scores[:, emotion] - self.means[measure, emotion]
        return list(zip(ends[:-1], ends[1:], self.counts[measure].tolist(), values.tolist(), strict=True))


def rows(box: GlassBox, values: np.ndarray) -> np.ndarray:
    """Which row of each term's table holds, int16 (N, 20); `UNKNOWN` throughout where a measure is missing.

    Args:
        box: the model.
        values: float (N, 20), NaN where a measure could not be taken.
    """
    found = np.full(values.shape, UNKNOWN, np.int16)
    known = np.isfinite(values).all(1)
    found[known] = box.rows(values[known])
    return found


def of(box: GlassBox, everyone: np.ndarray, values: np.ndarray, passed: np.ndarray) -> Terms | None:
    """The terms over some faces, against the mean of all.

    Args:
        box: the model.
        everyone: int16 (N, 20), see `rows`: of all faces, which are the background.
        values: float (N, 20), their measures.
        passed: bool (N,), which faces are told of.

    Returns:
        None where no face that passed has all measures.
    """
    known = everyone[:, 0] != UNKNOWN
    some = np.flatnonzero(known & passed)
    if not len(some):
        return None
    background = _counts(box, everyone[known])
    means = [count @ term.scores / count.sum() for count, term in zip(background, box.terms, strict=True)]
    return Terms(
        box,
        len(some),
        int(known.sum()),
        np.asarray(means),
        _counts(box, everyone[some]),
        np.asarray(values[some[sample(len(some), DRAWN)]], np.float32),
    )


def _counts(box: GlassBox, places: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.bincount(places[:, term.measure], minlength=len(term.scores)) for term in box.terms)
