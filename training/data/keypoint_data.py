"""Keypoint faces in batches: framed as the app frames them, then disturbed."""

import cv2
import keras
import numpy as np

from models import framing
from models.types import KEYPOINTS
from training import data
from training.config import Config
from training.data import augmentation

MIRROR = np.array(
    [KEYPOINTS.index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in KEYPOINTS]
)
"""The keypoint that each becomes when the face is mirrored."""

DETECTOR_ERROR = 0.05
"""Standard deviation of the detector's five points, as a share of the distance between the eyes."""


def detector_points(keypoints: np.ndarray) -> np.ndarray:
    """The five points a detector would give, from 15 keypoints: float32 (15, 2) -> (5, 2)."""
    which = ["right_eye_center", "left_eye_center", "nose_tip", "mouth_right_corner", "mouth_left_corner"]
    return keypoints[[KEYPOINTS.index(name) for name in which]]


def framed(
    image: np.ndarray, keypoints: np.ndarray, points: np.ndarray, more: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A wide crop and the keypoints in it as shares of its side.

    Args:
        image: uint8 (H, W), grey.
        keypoints: float32 (15, 2) in pixels of the image.
        points: float32 (5, 2), where the detector would put its points.
        more: float64 (2, 3), a further map from the wide crop onto itself.

    Returns:
        float32 (96, 96) in 0..1 and float32 (15, 2).
    """
    matrix = framing.widen(framing.frame(points)).astype(np.float64)
    if more is not None:
        matrix = (np.vstack([more, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]]))[:2]
    crop = framing.cut(image, matrix, framing.WIDE_SIDE)
    return crop, (framing.apply(matrix, keypoints) / (framing.WIDE_SIDE - 1)).astype(np.float32)


class KeypointBatches(keras.utils.PyDataset):
    """Disturbed faces with their keypoints; the same seed and epoch give the same batches.

    Yields float32 (B, 96, 96, 1) in 0..1 and float32 (B, 15, 2) as shares of the crop's side.
    """

    def __init__(self, split: data.KeypointSplit, config: Config, epoch: int):
        super().__init__()
        self.split, self.config, self.epoch = split, config, epoch
        self.order = np.random.default_rng((config.seed, epoch)).permutation(len(split))

    def __len__(self) -> int:
        return len(self.order) // self.config.batch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.config.seed, self.epoch, index))
        rows = self.order[index * self.config.batch : (index + 1) * self.config.batch]
        crops, targets = zip(*(self._one(rng, row) for row in rows), strict=True)
        return np.stack(crops)[..., None], np.stack(targets)

    def _one(self, rng: np.random.Generator, row: int) -> tuple[np.ndarray, np.ndarray]:
        strength, side = self.config.augmentation, framing.WIDE_SIDE
        image, keypoints = self.split.images[row], self.split.keypoints[row]
        points = detector_points(keypoints)
        between = np.hypot(*(points[1] - points[0]))
        points = points + rng.normal(0, DETECTOR_ERROR * between, points.shape)
        more = augmentation.affine(rng, strength, side, side)
        crop, target = framed(image, keypoints, points, more)
        if np.linalg.det(more[:, :2]) < 0:
            target = target[MIRROR]
        if rng.random() < 0.3:  # a face far away: few pixels, enlarged
            small = int(rng.integers(28, 72))
            crop = cv2.resize(cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA), (side, side))
        return augmentation.light(rng, strength, crop), target


def fixed_faces(
    split: data.KeypointSplit, marks: np.ndarray | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A split framed from detector-like points, undisturbed otherwise, for measuring.

    Args:
        split: the faces, and the keypoints that they are framed by.
        marks: float (N, 15, 2), other keypoints of the same pictures to return; the split's own if None.
        seed: of the detector's errors.

    Returns:
        float32 (N, 96, 96, 1) in 0..1 and float32 (N, 15, 2) as shares of the crop's side.
    """
    rng = np.random.default_rng(seed)
    crops, targets = [], []
    marks = split.keypoints if marks is None else marks
    for image, keypoints, mark in zip(split.images, split.keypoints, marks, strict=True):
        points = detector_points(keypoints)
        between = np.hypot(*(points[1] - points[0]))
        crop, target = framed(image, mark, points + rng.normal(0, DETECTOR_ERROR * between, points.shape))
        crops.append(crop)
        targets.append(target)
    return np.stack(crops)[..., None], np.stack(targets)
