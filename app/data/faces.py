"""The faces of a dataset in memory, a column an array."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from models.types import EMOTIONS

MEAN = "mean"
"""What the networks say together, among their names."""
NO_LABEL = -1
"""Stands for the label of a face that has none."""


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces, each a place in arrays of one length N.

    Attributes:
        probabilities: by network, and by `MEAN`, float32 (N, 7) in the order of `EMOTIONS`.
        labels: int8 (N,), an index of `EMOTIONS`, `NO_LABEL` where nobody labelled the face.
        splits: str (N,), "" where the dataset has none.
        measures: by name, float32 (N,), NaN where the measure could not be taken; see `models.quality`.
        geometry: by name, float32 (N,), NaN likewise.
        photos: str (N,), the hash of the picture that the face was found in.
        numbers: int32 (N,), its number in that picture, counted from 0.
        rows: int64 (N,), its row in the dataset.
    """

    probabilities: Mapping[str, np.ndarray]
    labels: np.ndarray
    splits: np.ndarray
    measures: Mapping[str, np.ndarray]
    geometry: Mapping[str, np.ndarray]
    photos: np.ndarray
    numbers: np.ndarray
    rows: np.ndarray
    answers: Mapping[str, np.ndarray] = field(init=False)
    """By network, and by `MEAN`: what it names, int8 (N,)."""

    def __post_init__(self) -> None:
        named = {name: values.argmax(1).astype(np.int8) for name, values in self.probabilities.items()}
        object.__setattr__(self, "answers", named)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks without their mean."""
        return tuple(name for name in self.probabilities if name != MEAN)

    @property
    def labelled(self) -> np.ndarray:
        """Which faces have a label, bool (N,)."""
        return self.labels != NO_LABEL

    @property
    def agree(self) -> np.ndarray:
        """On which faces all networks name the same emotion, bool (N,)."""
        every = np.stack([self.answers[name] for name in self.networks])
        return (every == every[0]).all(0)

    def take(self, chosen: np.ndarray) -> "Faces":
        """Some of the faces.

        Args:
            chosen: bool (N,), or their places.
        """
        return replace(
            self,
            probabilities={name: values[chosen] for name, values in self.probabilities.items()},
            labels=self.labels[chosen],
            splits=self.splits[chosen],
            measures={name: values[chosen] for name, values in self.measures.items()},
            geometry={name: values[chosen] for name, values in self.geometry.items()},
            photos=self.photos[chosen],
            numbers=self.numbers[chosen],
            rows=self.rows[chosen],
        )


def emotion(index: int) -> str:
    """The name of a label or an answer; "" for `NO_LABEL`."""
    return "" if index == NO_LABEL else EMOTIONS[index]
