"""Which measures of a face's geometry go along with which answer."""

import numpy as np


def with_answers(measures: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each measure with the probability of each emotion.

    It says what goes along with an answer, not what causes it.

    Args:
        measures: float (N, M), NaN where one could not be taken; a face counts for the measures that it has.
        probabilities: float (N, K).

    Returns:
        float64 (M, K), -1..1; NaN where a measure or a probability never changes.
    """
    found = np.full((measures.shape[1], probabilities.shape[1]), np.nan)
    for row, values in enumerate(measures.T):
        known = np.isfinite(values)
        if known.sum() < 2:
            continue
        x, y = values[known].astype(np.float64), probabilities[known].astype(np.float64)
        x, y = x - x.mean(), y - y.mean(0)
        size = np.sqrt((x @ x) * (y * y).sum(0))
        np.divide(x @ y, size, out=found[row], where=size > 0)
    return found
