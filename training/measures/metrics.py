"""Numbers that say how good a network is; each takes arrays and returns floats."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from models.types import EMOTIONS, KEYPOINTS

BINS = 15
"""Into how many equal parts confidences 0..1 are sorted (Guo et al. 2017 use as many)."""
FAILURE = 0.1
"""A face fails whose mean keypoint error is above this share of the inter-ocular distance."""


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that makes held-out answers most likely (Guo et al. 2017, arXiv 1706.04599).

    Args:
        logits: float (N, K).
        labels: int (N,).

    Returns:
        What to divide logits by before the softmax, between 0.2 and 5.
    """

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded").x))


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """Confidence against accuracy (Guo et al. 2017, figure 1), equal-width bins.

    Args:
        probabilities: float (N, K), rows summing to 1.
        labels: int (N,).
        bins: how many bins the confidences 0..1 are sorted into; a bin holds its upper end.

    Returns:
        faces, confidence and accuracy, a list of `bins` each: how many faces fall into the bin, how sure
        the network is of them on average, and how many it has right; None where the bin is empty.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    members = [which == b for b in range(bins)]
    return {
        "faces": [int(inside.sum()) for inside in members],
        "confidence": [round(float(confidence[inside].mean()), 4) if inside.any() else None for inside in members],
        "accuracy": [round(float(right[inside].mean()), 4) if inside.any() else None for inside in members],
    }


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error (Guo et al. 2017, equation 3), equal-width bins.

    It depends on the number of bins and is biased upwards on few faces (Kumar et al. 2019,
    arXiv 1909.10155).

    Args:
        probabilities: float (N, K), rows summing to 1.
        labels: int (N,).
        bins: how many bins the confidences 0..1 are sorted into.

    Returns:
        The mean gap between confidence and accuracy, 0..1, weighted by the faces in each bin.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(which, right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def emotions(
    logits: np.ndarray,
    flipped: np.ndarray,
    labels: np.ndarray,
    majority: np.ndarray,
    heat: float,
    crops: np.ndarray | None = None,
) -> dict[str, Any]:
    """All figures of an emotion network on one split.

    Args:
        logits: float (N, 7) for the faces.
        flipped: float (N, 7) for the mirrored faces.
        labels: int (N,), the original labels.
        majority: int (N,), the FER+ majority, -1 where there is none.
        heat: the temperature from other faces.
        crops: float (C, N, 7) for several crops of each face, see `training.measures.crops`.

    Returns:
        faces, accuracy, accuracy_with_flip, accuracy_ten_crops (probabilities of the crops averaged, where there
        are some), accuracy_ferplus (right by the FER+ majority, where there is
        one), macro_f1; precision, recall, f1 and support (faces with that label) by emotion;
        calibration_error and reliability, both also `_unscaled` (at temperature 1); confusion (rows are
        labels, columns answers). Shares are rounded to four places.
    """
    answers = logits.argmax(1)
    both = softmax(logits, axis=1) + softmax(flipped, axis=1)
    voted = majority >= 0
    names = range(len(EMOTIONS))
    precision, recall, f1, support = precision_recall_fscore_support(labels, answers, labels=names, zero_division=0)
    scaled, unscaled = softmax(logits / heat, axis=1), softmax(logits, axis=1)
    result = {
        "faces": len(labels),
        "accuracy": float((answers == labels).mean()),
        "accuracy_with_flip": float((both.argmax(1) == labels).mean()),
        **({} if crops is None else {"accuracy_ten_crops": _of_crops(crops, labels)}),
        "macro_f1": float(f1.mean()),
        "precision": _by_name(EMOTIONS, precision),
        "recall": _by_name(EMOTIONS, recall),
        "f1": _by_name(EMOTIONS, f1),
        "support": dict(zip(EMOTIONS, support.tolist(), strict=True)),
        "calibration_error": calibration_error(scaled, labels),
        "calibration_error_unscaled": calibration_error(unscaled, labels),
        "reliability": reliability(scaled, labels),
        "reliability_unscaled": reliability(unscaled, labels),
        "confusion": confusion_matrix(labels, answers, labels=names).tolist(),
    }
    if voted.any():
        result["accuracy_ferplus"] = float((answers[voted] == majority[voted]).mean())
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}


def _of_crops(crops: np.ndarray, labels: np.ndarray) -> float:
    return float((softmax(crops, axis=2).mean(0).argmax(1) == labels).mean())


def together(answers: list[tuple[np.ndarray, float]]) -> np.ndarray:
    """What several networks answer as one: the mean of their calibrated probabilities.

    Args:
        answers: logits float (..., K) and temperature, one pair a network.

    Returns:
        float64 (..., K): the logarithms of these probabilities, which are logits at temperature 1.
    """
    return np.log(np.mean([softmax(logits / heat, axis=-1) for logits, heat in answers], axis=0))


def keypoints(found: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    """All figures of the keypoint network on one split.

    Args:
        found: float (N, 15, 2), in any unit.
        true: float (N, 15, 2), in the same unit.

    Returns:
        faces; nme, the mean distance over the inter-ocular distance, which is that of the outer
        corners of the eyes (300-W, Sagonas et al. 2013); nme_pupils, over the distance of the eyes'
        centres, which is about 0.7 of the former; failure_rate, the share of faces whose mean is
        above `FAILURE` of the inter-ocular distance; nme_by_point; cumulative, the share of faces
        (`share`) whose mean is at most as large as each of some errors (`error`).
    """
    distances = np.linalg.norm(found - true, axis=2)

    def relative(one: str, other: str) -> np.ndarray:
        between = np.linalg.norm(true[:, KEYPOINTS.index(one)] - true[:, KEYPOINTS.index(other)], axis=1)
        return distances / between[:, None]

    errors = relative("left_eye_outer_corner", "right_eye_outer_corner")
    steps = np.linspace(0, 0.15, 31)
    return {
        "faces": len(true),
        "nme": round(float(errors.mean()), 4),
        "nme_pupils": round(float(relative("left_eye_center", "right_eye_center").mean()), 4),
        "failure_rate": round(float((errors.mean(1) > FAILURE).mean()), 4),
        "nme_by_point": _by_name(KEYPOINTS, errors.mean(0)),
        "cumulative": {
            "error": [round(float(step), 4) for step in steps],
            "share": [round(float((errors.mean(1) <= step).mean()), 4) for step in steps],
        },
    }


def _by_name(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}
