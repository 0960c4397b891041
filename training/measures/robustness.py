"""How much an emotion network loses when the picture gets worse.

The disturbances are those of Hendrycks and Dietterich (arXiv 1903.12261) that a webcam or a phone
makes, at strengths that suit a 48x48 crop. They are applied to a crop that is already cut: a face that
is turned or shifted shows its reflected border where the app would show more of the photo, so for
these two the loss is an upper bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from models.errors import ParameterError


@dataclass(frozen=True)
class Disturbance:
    """One way to spoil faces.

    Attributes:
        label: what people call it, with the unit of its strength.
        strengths: that are measured, rising.
        moderate: those of them that a usable model must bear.
        none: the strength that changes nothing.
        apply: (faces float32 (N, S, S) in 0..1, strength, generator) -> the same, spoilt, in any range.
    """

    label: str
    strengths: tuple[float, ...]
    moderate: tuple[float, ...]
    none: float
    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def blur(faces: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """A Gaussian blur; sigma in pixels."""
    return _each(faces, lambda face: cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101))


def noise(faces: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Independent Gaussian noise in every pixel; its standard deviation in units of the grey range."""
    return faces + rng.normal(0, deviation, faces.shape).astype(np.float32)


def brightness(faces: np.ndarray, offset: float, rng: np.random.Generator) -> np.ndarray:
    """An offset for every pixel, in units of the grey range."""
    return faces + np.float32(offset)


def contrast(faces: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """Every pixel's distance from the face's mean times a factor."""
    mean = faces.mean((1, 2), keepdims=True)
    return (faces - mean) * np.float32(factor) + mean


def jpeg(faces: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    """Through a JPEG file of that quality, 1 to 100."""

    def through(face: np.ndarray) -> np.ndarray:
        code = cv2.imencode(".jpg", (face * 255).round().astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.float32) / 255

    return _each(faces, through)


def shrink(faces: np.ndarray, side: float, rng: np.random.Generator) -> np.ndarray:
    """Averaged down to a side in pixels and enlarged again, as a face far away is."""
    size, full = (int(side), int(side)), faces.shape[1:]
    return _each(
        faces,
        lambda face: cv2.resize(
            cv2.resize(face, size, interpolation=cv2.INTER_AREA), full, interpolation=cv2.INTER_LINEAR
        ),
    )


def rotation(faces: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Turned about the middle, each face to the one or the other side."""
    middle = ((faces.shape[2] - 1) / 2, (faces.shape[1] - 1) / 2)
    sides = rng.choice([-1.0, 1.0], len(faces))
    return _warped(faces, [cv2.getRotationMatrix2D(middle, side * degrees, 1.0) for side in sides])


def shift(faces: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Moved by a share of the side, both across and down, each face in one of four directions."""
    moves = rng.choice([-1.0, 1.0], (len(faces), 2)) * share * faces.shape[1]
    return _warped(faces, [np.array([[1, 0, x], [0, 1, y]]) for x, y in moves])


DISTURBANCES = {
    "blur": Disturbance("Blur (pixels)", (0.5, 1.0, 1.5, 2.0), (1.0,), 0, blur),
    "noise": Disturbance("Noise (of grey range)", (0.025, 0.05, 0.1, 0.15), (0.05,), 0, noise),
    "brightness": Disturbance("Light (of grey range)", (-0.4, -0.2, 0.2, 0.4), (-0.2, 0.2), 0, brightness),
    "contrast": Disturbance("Contrast (factor)", (0.3, 0.6, 1.4, 1.8), (0.6, 1.4), 1, contrast),
    "jpeg": Disturbance("JPEG (quality)", (8, 15, 30, 60), (30,), 100, jpeg),
    "shrink": Disturbance("Small face (pixels)", (12, 16, 24, 32), (24,), 48, shrink),
    "rotation": Disturbance("Turned (degrees)", (10, 20, 30, 40), (20,), 0, rotation),
    "shift": Disturbance("Shifted (of the side)", (0.05, 0.1, 0.15, 0.2), (0.1,), 0, shift),
}


def disturbed(faces: np.ndarray, name: str, strength: float, seed: int = 0) -> np.ndarray:
    """Spoilt faces; the same arguments give the same faces.

    Args:
        faces: float32 (N, S, S) in 0..1.
        name: a key of `DISTURBANCES`.
        strength: in its unit.
        seed: of the noise and the directions.

    Returns:
        float32 (N, S, S) in 0..1.

    Raises:
        ParameterError: there is no such disturbance.
    """
    if name not in DISTURBANCES:
        raise ParameterError(
            "The name of the disturbance is unknown", repr(name), f"Use one of {', '.join(DISTURBANCES)}"
        )
    spoilt = DISTURBANCES[name].apply(faces, strength, np.random.default_rng(seed))
    return np.clip(spoilt, 0, 1).astype(np.float32)


def measure(
    logits: Callable[[np.ndarray], np.ndarray],
    faces: np.ndarray,
    labels: np.ndarray,
    seed: int = 0,
    report: Callable[[str, float, float], None] = lambda name, strength, accuracy: None,
) -> dict[str, Any]:
    """The accuracy on faces that are spoilt in every way and strength.

    Args:
        logits: of faces, such as `Model.logits`.
        faces: float32 (N, S, S) in 0..1.
        labels: int (N,).
        seed: see `disturbed`.
        report: called with name, strength and accuracy as soon as one is known.

    Returns:
        faces and accuracy (undisturbed); curves, by disturbance the measured strength and accuracy, with
        the undisturbed point among them; moderate_loss, by disturbance the accuracy lost at its
        moderate strength, the worse one where there are two; worst_moderate_loss.
    """

    def share(of: np.ndarray) -> float:
        return round(float((logits(of).argmax(1) == labels).mean()), 4)

    clean = share(faces)
    curves, losses = {}, {}
    for name, disturbance in DISTURBANCES.items():
        found = {disturbance.none: clean}
        for strength in disturbance.strengths:
            found[strength] = share(disturbed(faces, name, strength, seed))
            report(name, strength, found[strength])
        curves[name] = {"strength": sorted(found), "accuracy": [found[strength] for strength in sorted(found)]}
        losses[name] = round(clean - min(found[strength] for strength in disturbance.moderate), 4)
    return {
        "faces": len(labels),
        "accuracy": clean,
        "curves": curves,
        "moderate_loss": losses,
        "worst_moderate_loss": max(losses.values()),
    }


def _each(faces: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.stack([change(np.ascontiguousarray(face, np.float32)) for face in faces])


def _warped(faces: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    size = faces.shape[2], faces.shape[1]
    turned = [
        cv2.warpAffine(face, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        for face, matrix in zip(faces, matrices, strict=True)
    ]
    return np.stack(turned)
