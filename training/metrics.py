"""Numbers that say how good a network is; each takes arrays and returns floats."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from models.types import EMOTIONS, KEYPOINTS


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


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """The expected calibration error (Guo et al. 2017, equation 3), equal-width bins.

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
    gaps = [
        abs(right[which == b].mean() - confidence[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def emotions(logits: np.ndarray, flipped: np.ndarray, labels: np.ndarray, majority: np.ndarray, heat: float) -> dict:
    """All figures of an emotion network on one split.

    Args:
        logits: float (N, 7) for the faces.
        flipped: float (N, 7) for the mirrored faces.
        labels: int (N,), the original labels.
        majority: int (N,), the FER+ majority, -1 where there is none.
        heat: the temperature from other faces.

    Returns:
        faces, accuracy, accuracy_with_flip, accuracy_ferplus, macro_f1, recall by emotion,
        calibration_error, calibration_error_unscaled (at temperature 1), and confusion (rows are labels,
        columns answers).
    """
    answers = logits.argmax(1)
    both = softmax(logits, axis=1) + softmax(flipped, axis=1)
    voted = majority >= 0
    names = range(len(EMOTIONS))
    recall = recall_score(labels, answers, labels=names, average=None, zero_division=0)
    result = {
        "faces": len(labels),
        "accuracy": float((answers == labels).mean()),
        "accuracy_with_flip": float((both.argmax(1) == labels).mean()),
        "macro_f1": float(f1_score(labels, answers, labels=names, average="macro", zero_division=0)),
        "recall": {name: round(float(value), 4) for name, value in zip(EMOTIONS, recall, strict=True)},
        "calibration_error": calibration_error(softmax(logits / heat, axis=1), labels),
        "calibration_error_unscaled": calibration_error(softmax(logits, axis=1), labels),
        "confusion": confusion_matrix(labels, answers, labels=names).tolist(),
    }
    if voted.any():
        result["accuracy_ferplus"] = float((answers[voted] == majority[voted]).mean())
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}


def keypoints(found: np.ndarray, true: np.ndarray) -> dict:
    """All figures of the keypoint network on one split.

    Args:
        found: float (N, 15, 2), in any unit.
        true: float (N, 15, 2), in the same unit.

    Returns:
        faces; nme, the mean distance over the inter-ocular distance, which is that of the outer
        corners of the eyes (300-W, Sagonas et al. 2013); nme_pupils, over the distance of the eyes'
        centres, which is about 0.7 of the former; failure_rate, the share of faces whose mean is
        above 0.1 of the inter-ocular distance; nme_by_point.
    """
    distances = np.linalg.norm(found - true, axis=2)

    def relative(one: str, other: str) -> np.ndarray:
        between = np.linalg.norm(true[:, KEYPOINTS.index(one)] - true[:, KEYPOINTS.index(other)], axis=1)
        return distances / between[:, None]

    errors = relative("left_eye_outer_corner", "right_eye_outer_corner")
    return {
        "faces": len(true),
        "nme": round(float(errors.mean()), 4),
        "nme_pupils": round(float(relative("left_eye_center", "right_eye_center").mean()), 4),
        "failure_rate": round(float((errors.mean(1) > 0.1).mean()), 4),
        "nme_by_point": {name: round(float(v), 4) for name, v in zip(KEYPOINTS, errors.mean(0), strict=True)},
    }
