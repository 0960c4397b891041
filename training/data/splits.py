"""Labelled faces and faces with keypoints, in splits."""

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from models.types import EMOTIONS

SPLITS = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True, eq=False)
class EmotionSplit:
    """One split of labelled faces.

    Attributes:
        images: uint8 (N, 48, 48), grey.
        labels: int64 (N,), the original label as an index into `EMOTIONS`.
        votes: float32 (N, 7), FER+ votes for the seven emotions; a row of zeros where there are none.
    """

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def targets(self, fer2013_share: float, smoothing: float = 0.0) -> np.ndarray:
        """The distribution to learn, float32 (N, 7), each row summing to 1.

        Args:
            fer2013_share: weight of the original label; the rest goes to the FER+ votes. Faces
                without votes keep the original label alone.
            smoothing: share spread evenly over the emotions (Szegedy et al., arXiv 1512.00567).
        """
        original = np.eye(len(EMOTIONS), dtype=np.float32)[self.labels]
        total = self.votes.sum(1, keepdims=True)
        voted = np.divide(self.votes, total, out=original.copy(), where=total > 0)
        mixed = fer2013_share * original + (1 - fer2013_share) * voted
        return ((1 - smoothing) * mixed + smoothing / len(EMOTIONS)).astype(np.float32)

    @property
    def majority(self) -> np.ndarray:
        """The FER+ majority among the seven emotions, int64 (N,); -1 where there is no single one."""
        best = self.votes.max(1)
        unique = (self.votes == best[:, None]).sum(1) == 1
        return np.where((best > 0) & unique, self.votes.argmax(1), -1)


@dataclass(frozen=True, eq=False)
class KeypointSplit:
    """One split of faces with landmarks.

    Attributes:
        images: list of uint8 (H, W), grey.
        keypoints: float32 (N, 15, 2), x and y in pixels of each image, in the order of `KEYPOINTS`.
        people: (N,) the name of the person in each.
    """

    images: list[np.ndarray]
    keypoints: np.ndarray
    people: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


Split = TypeVar("Split", EmotionSplit, KeypointSplit)


def join(one: dict[str, Split], other: dict[str, Split]) -> dict[str, Split]:
    """Two sets of faces of one kind as one, split by split, the faces of the first coming first."""

    def both(a: Split, b: Split) -> Split:
        pairs = [(getattr(a, each.name), getattr(b, each.name)) for each in fields(a)]
        joined: list[Any] = [x + y if isinstance(x, list) else np.concatenate([x, y]) for x, y in pairs]
        return type(a)(*joined)

    return {name: both(one[name], other[name]) for name in one}
