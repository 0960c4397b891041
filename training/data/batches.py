"""Emotion faces in batches, two of them mixed where a recipe says so."""

import keras
import numpy as np

from models.errors import DataError
from training import data
from training.config import Config
from training.data import augmentation as augment


class EmotionBatches(keras.utils.PyDataset):
    """Disturbed faces and their targets; the same seed and epoch give the same batches.

    Yields float32 (B, side, side, 1) in 0..1 and float32 (B, 7).
    """

    def __init__(self, split: data.EmotionSplit, targets: np.ndarray, config: Config, epoch: int):
        super().__init__()
        if len(split) < config.batch:
            raise DataError(
                "There are too few faces to fill a batch",
                f"{len(split)} faces for batches of {config.batch}",
                "Give a smaller --batch, or more data",
            )
        self.images, self.targets = split.images, targets
        self.config, self.epoch, self.side = config, epoch, config.side(epoch)
        rng = np.random.default_rng((config.seed, epoch))
        self.order = rng.permutation(len(split))
        if config.balance:
            self.order = rng.choice(len(split), len(split), p=chances(split.labels, config.balance))

    def __len__(self) -> int:
        return len(self.order) // self.config.batch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.config.seed, self.epoch, index))
        rows = self.order[index * self.config.batch : (index + 1) * self.config.batch]
        faces = [augment.face(rng, self.config.augmentation, self.images[row], self.side) for row in rows]
        return mixed(rng, self.config.mixup, np.stack(faces)[..., None], self.targets[rows])


def mixed(
    rng: np.random.Generator, strength: float, faces: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each face mixed with another of its batch, and its target with the other's in the same shares.

    Args:
        rng: where the randomness comes from.
        strength: both parameters of the beta distribution of the shares; 0 mixes nothing.
        faces: float32 (B, side, side, 1).
        targets: float (B, 7).

    Returns:
        faces and targets as they came; a face keeps the larger share of itself.

    Source: Zhang et al. 2017, arXiv 1710.09412.
    """
    if not strength:
        return faces, targets
    share = rng.beta(strength, strength, len(faces)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(len(faces))
    own, rest = share[:, None, None, None], 1 - share[:, None, None, None]
    return faces * own + faces[other] * rest, targets * share[:, None] + targets[other] * (1 - share)[:, None]


def chances(labels: np.ndarray, balance: float) -> np.ndarray:
    """How likely each face is drawn, by how rare its label is.

    Args:
        labels: int (N,).
        balance: 0 makes all faces as likely, 1 all labels.

    Returns:
        float64 (N,), sum 1, in proportion to (faces of the label) ** -balance.
    """
    chance = np.bincount(labels).astype(float)[labels] ** -balance
    return chance / chance.sum()
