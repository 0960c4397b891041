"""Embeddings drawn on a plane."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import numpy as np

MOST = 5_000
"""Faces that a map shows; of more, so many are drawn by chance."""
METHODS = ("pca", "umap")
STORED = "stored"
"""The name of a projection that was computed when the dataset was written."""
SEED = 0


def available() -> tuple[str, ...]:
    """The methods that can be used here: UMAP needs the package umap-learn."""
    return METHODS if find_spec("umap") else METHODS[:1]


def sample(total: int, most: int = MOST) -> np.ndarray:
    """Places of at most `most` of `total` faces, rising; the same ones every time."""
    if total <= most:
        return np.arange(total)
    return np.sort(np.random.default_rng(SEED).choice(total, most, replace=False))


@dataclass(frozen=True, eq=False)
class Axes:
    """Two principal components.

    Attributes:
        mean: of the embeddings, float64 (D,).
        loadings: float64 (D, 2), each of length 1.
        explained: the share of the variance that each of them holds.
    """

    mean: np.ndarray
    loadings: np.ndarray
    explained: tuple[float, float]

    def place(self, embeddings: np.ndarray) -> np.ndarray:
        """Where embeddings (N, D) lie, float32 (N, 2)."""
        return ((embeddings - self.mean) @ self.loadings).astype(np.float32)


def pca(embeddings: np.ndarray) -> Axes:
    """The two principal components of embeddings.

    The sign of a component, which is arbitrary, makes its largest loading positive.

    Source: Pearson 1901, doi 10.1080/14786440109462720.

    Args:
        embeddings: float (N, D), D at least 2.
    """
    mean = embeddings.mean(0, dtype=np.float64)
    centred = embeddings - mean
    values, vectors = np.linalg.eigh(centred.T @ centred)
    loadings = vectors[:, :-3:-1]
    loadings = loadings * np.sign(loadings[np.abs(loadings).argmax(0), [0, 1]])
    total = float(values.sum()) or 1.0
    return Axes(mean, loadings, (float(values[-1]) / total, float(values[-2]) / total))


def umap(embeddings: np.ndarray) -> np.ndarray:
    """UMAP with its defaults and a fixed seed, float32 (N, 2); needs umap-learn, see `available`.

    Source: McInnes et al. 2018, arXiv 1802.03426.
    """
    return np.asarray(import_module("umap").UMAP(random_state=SEED).fit_transform(embeddings), np.float32)
