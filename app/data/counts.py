"""How many faces, and which networks agree about them."""

from itertools import combinations

import numpy as np

from app.data.faces import NO_LABEL, Faces
from models.types import EMOTIONS

SEVEN = len(EMOTIONS)


def by_emotion(named: np.ndarray) -> list[int]:
    """How often each emotion is named: int8 (N,) -> seven counts; `NO_LABEL` counts nowhere."""
    return np.bincount(named[named != NO_LABEL], minlength=SEVEN).tolist()


def table(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """How often two answers meet, int64 (7, 7): the first down, the second across.

    Args:
        rows, columns: int8 (N,); a face without the one or the other counts nowhere.
    """
    both = (rows != NO_LABEL) & (columns != NO_LABEL)
    places = rows[both].astype(np.int64) * SEVEN + columns[both]
    return np.bincount(places, minlength=SEVEN * SEVEN).reshape(SEVEN, SEVEN)


def disagreement(faces: Faces) -> np.ndarray:
    """How often one network names the one emotion and another the other, int64 (7, 7), symmetric, the diagonal 0.

    Every pair of networks is counted on every face, so that a face with three answers counts three times.
    """
    found = np.zeros((SEVEN, SEVEN), np.int64)
    for first, second in combinations(faces.networks, 2):
        found += table(faces.answers[first], faces.answers[second])
    np.fill_diagonal(found, 0)
    return found + found.T


def kappa(first: np.ndarray, second: np.ndarray) -> float | None:
    """How far two answers agree beyond chance, -1..1: 0 as often as by chance, 1 always; None where chance does all.

    Source: Cohen 1960, doi 10.1177/001316446002000104.

    Args:
        first, second: int8 (N,), N at least 1.
    """
    shares = table(first, second) / len(first)
    chance = float(shares.sum(0) @ shares.sum(1))
    return None if chance == 1 else (float(shares.trace()) - chance) / (1 - chance)
