"""Disturbing training faces, as a visitor's camera would."""

import cv2
import numpy as np

from training.config import Augmentation


def affine(rng: np.random.Generator, strength: Augmentation, source: int, side: int) -> np.ndarray:
    """A random map from a square of `source` pixels to one of `side` pixels.

    Args:
        rng: where the randomness comes from.
        strength: ranges of rotation, scale, shift and flip.
        source: side of the picture that is read.
        side: side of the picture that is made.

    Returns:
        float64 (2, 3), from pixels of the source to pixels of the result.
    """
    angle = np.deg2rad(rng.uniform(-strength.rotation, strength.rotation))
    zoom = side / source * (1 + rng.uniform(-strength.scale, strength.scale))
    shift = rng.uniform(-strength.shift, strength.shift, 2) * side
    mirror = -1.0 if strength.flip and rng.random() < 0.5 else 1.0
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag([mirror, 1.0])
    centre = np.full(2, (source - 1) / 2)
    return np.column_stack([turn, (side - 1) / 2 + shift - turn @ centre])


def light(rng: np.random.Generator, strength: Augmentation, face: np.ndarray) -> np.ndarray:
    """The face under other light and on another camera.

    Args:
        rng: where the randomness comes from.
        strength: ranges of contrast, brightness, noise, blur and the chance of erasing.
        face: float32 (H, W) in 0..1.

    Returns:
        float32 (H, W) in 0..1.
    """
    side = face.shape[0]
    if strength.blur:
        sigma = rng.uniform(0, strength.blur)
        if sigma > 0.2:
            face = cv2.GaussianBlur(face, (0, 0), sigma)
    mean = face.mean()
    gain = 1 + rng.uniform(-strength.contrast, strength.contrast)
    face = (face - mean) * gain + mean + rng.uniform(-strength.brightness, strength.brightness)
    if strength.noise:
        face = face + rng.normal(0, rng.uniform(0, strength.noise), face.shape)
    if strength.erase and rng.random() < strength.erase:
        height, width = (rng.uniform(0.1, 0.4, 2) * side).astype(int)
        top, left = rng.integers(0, side - height), rng.integers(0, side - width)
        face = face.copy()
        face[top : top + height, left : left + width] = mean
    return np.clip(face, 0, 1).astype(np.float32)


def face(rng: np.random.Generator, strength: Augmentation, image: np.ndarray, side: int) -> np.ndarray:
    """A uint8 (S, S) picture disturbed: float32 (side, side) in 0..1."""
    matrix = affine(rng, strength, image.shape[0], side)
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return light(rng, strength, warped.astype(np.float32) / 255)
