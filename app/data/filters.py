"""Which faces of a dataset are looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from app.data.faces import MEAN, Faces
from models.errors import ParameterError, UnknownNameError
from models.types import EMOTIONS

AGREEMENT = ("", "agree", "differ")
"""All faces, those on which every network names the same emotion, and the others."""
UNLABELLED = "none"
"""The name of the label of faces that have none."""


@dataclass(frozen=True)
class Filters:
    """What a face must be like to be counted; "" and no range let every face through.

    Attributes:
        network: whose answers are looked at; one of `Faces.probabilities`.
        emotion: what that network names.
        label: of the face; `UNLABELLED` for those without.
        split: of the dataset.
        agreement: one of `AGREEMENT`.
        ranges: by measure, the least and the greatest value; None for no limit. A face whose measure could not be
            taken passes no limit.
    """

    network: str = MEAN
    emotion: str = ""
    label: str = ""
    split: str = ""
    agreement: str = ""
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


def chosen(faces: Faces, filters: Filters) -> np.ndarray:
    """Which faces pass, bool (N,).

    Raises:
        UnknownNameError: a network, split or measure that the dataset does not have, or an emotion that there is not.
        ParameterError: a range is no pair of numbers, or its low end lies above its high end.
    """
    _known("network", filters.network, faces.probabilities)
    passed = np.ones(len(faces), bool)
    if filters.emotion:
        _known("emotion", filters.emotion, EMOTIONS)
        passed &= faces.answers[filters.network] == EMOTIONS.index(filters.emotion)
    if filters.label:
        _known("label", filters.label, (*EMOTIONS, UNLABELLED))
        label = EMOTIONS.index(filters.label) if filters.label != UNLABELLED else -1
        passed &= faces.labels == label
    if filters.split:
        _known("split", filters.split, sorted(set(np.unique(faces.splits)) - {""}))
        passed &= faces.splits == filters.split
    _known("agreement", filters.agreement, AGREEMENT)
    if filters.agreement:
        passed &= faces.agree == (filters.agreement == "agree")
    for name, limits in filters.ranges.items():
        _known("measure", name, faces.measures)
        low, high = _limits(name, limits)
        values = faces.measures[name]
        if low is not None:
            passed &= values >= low
        if high is not None:
            passed &= values <= high
    return passed


def _limits(name: str, limits: object) -> tuple[float | None, float | None]:
    pair = tuple(limits) if isinstance(limits, list | tuple) else ()
    numbers = [each for each in pair if each is not None]
    plain = all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers)
    if len(pair) != 2 or not plain or numbers != sorted(numbers):
        raise ParameterError(
            f"The range of {name!r} is no pair of a low and a high end",
            repr(limits)[:60],
            "Send two numbers, the low end first; null for no limit",
        )
    return pair


def _known(kind: str, name: str, names: Iterable[str]) -> None:
    known = tuple(names)
    if name not in known:
        listed = ", ".join(each for each in known if each) or "none: the dataset has no such column"
        raise UnknownNameError(
            f"The name of the {kind} is unknown in this dataset", repr(name)[:40], f"Use one of {listed}"
        )
