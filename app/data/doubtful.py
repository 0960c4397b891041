"""The faces worth a look: those a network cannot decide on, and those it is sure and wrong about."""

import numpy as np

from app.data.faces import Faces


def undecided(probabilities: np.ndarray) -> np.ndarray:
    """The entropy of probabilities (N, K) as a share of the greatest there is, (N,): 0 sure, 1 no idea at all."""
    logs = np.log(np.clip(probabilities, np.finfo(np.float32).tiny, 1))
    return np.asarray(-(probabilities * logs).sum(1) / np.log(probabilities.shape[1]))


def most_uncertain(faces: Faces, network: str, count: int) -> np.ndarray:
    """Places of the faces that a network is most undecided about, the most first; (M,), M at most `count`."""
    return np.argsort(-undecided(faces.probabilities[network]), kind="stable")[:count]


def most_confident_wrong(faces: Faces, network: str, count: int) -> np.ndarray:
    """Places of the labelled faces that a network misnames, those with its highest probability first; (M,)."""
    wrong = np.flatnonzero(faces.labelled & (faces.answers[network] != faces.labels))
    sure = faces.probabilities[network][wrong].max(1)
    return wrong[np.argsort(-sure, kind="stable")][:count]
