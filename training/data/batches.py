"""Emotion faces in batches."""

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

    def __getitem__(self, index: int):
        rng = np.random.default_rng((self.config.seed, self.epoch, index))
        rows = self.order[index * self.config.batch : (index + 1) * self.config.batch]
        faces = [augment.face(rng, self.config.augmentation, self.images[row], self.side) for row in rows]
        return np.stack(faces)[..., None], self.targets[rows]


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
