"""Refusing data that would silently be something else."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import DataError
from models.types import EMOTIONS
from training.data.splits import EmotionSplit


def numbers(path: Path, written: Sequence[Any], where: Callable[[int], str]) -> np.ndarray:
    """Labels as they are written in a column as numbers, int64 (N,).

    Args:
        path: of the file, for the message.
        written: whole numbers or text; None where nothing is written.
        where: a place in the file by its index in `written`, for the message.

    Raises:
        DataError: one is missing, no number, or names no emotion; the message says where.
    """
    labels = np.full(len(written), -1, np.int64)
    for index, label in enumerate(written):
        empty = label is None or not str(label).strip()
        try:
            number = -1.0 if empty else float(str(label))
        except ValueError:
            number = -1.0
        labels[index] = number if number in range(len(EMOTIONS)) else -1
        if labels[index] < 0:
            raise DataError(
                f"A label is missing in {path.name}" if empty else f"The label of a face in {path.name} is unknown",
                f"nothing in {where(index)}" if empty else f"{str(label)[:20]!r} in {where(index)}",
                f"Give every face a label from 0 to {len(EMOTIONS) - 1}",
            )
    return labels


def check_complete(splits: dict[str, EmotionSplit], source: str) -> None:
    """Refuse splits in one of which an emotion does not occur.

    Raises:
        DataError: names the split and the emotion.
    """
    for name, split in splits.items():
        present = np.bincount(split.labels, minlength=len(EMOTIONS))
        if not present.all():
            raise DataError(
                f"An emotion is missing in the split {name} of {source}",
                f"no face labelled {EMOTIONS[int(present.argmin())]}",
                "Give data with faces of every emotion",
            )
