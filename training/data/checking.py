"""Refusing data that would silently be something else."""

from pathlib import Path

import numpy as np

from models.errors import DataError
from models.types import EMOTIONS
from training.data.splits import EmotionSplit


def check_labels(path: Path, labels: np.ndarray) -> None:
    """Refuse labels that name no emotion.

    Raises:
        DataError: names the row.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= len(EMOTIONS)))
    if len(wrong):
        raise DataError(
            f"The label of a row of {path.name} is unknown",
            f"{labels[wrong[0]]} in row {wrong[0]}",
            f"Give every row a label from 0 to {len(EMOTIONS) - 1}",
        )


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
