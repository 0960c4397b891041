"""Hidden pixels as their surroundings would have them: noisy linear imputation."""

import cv2
import numpy as np

NOISE = 0.01
"""Standard deviation in units of the grey range, as published: a hidden place is no smoother than a picture is."""
STEPS = 24
"""Of conjugate gradients: pixels are then off by .02 of the grey range at most (root mean square), see the tests."""
SMALLEST = 3
"""The side of the coarsest guess."""
TOGETHER = 64
"""Pictures that are solved in one go: with some 9 KB a picture and five such arrays, what a core's cache holds."""
NEIGHBOURS = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]], np.float32)
"""The weight of each pixel's neighbours."""


def impute(crop: np.ndarray, hidden: np.ndarray, seed: int = 0) -> np.ndarray:
    """The crop with each hidden pixel at the weighted mean of its eight neighbours, hidden ones among them.

    Direct neighbours count twice as much as diagonal ones. That is a system of linear equations, solved by
    conjugate gradients from a coarse guess; a little noise is added to what was hidden. Why: with a fixed fill the
    shape of the hidden place itself tells the network something; smooth surroundings tell it less. Source: Rong et
    al. 2022, "A consistent and efficient evaluation strategy for attribution methods" (ROAD), arXiv 2202.00449,
    section 4.3.

    Args:
        crop: float32 (H, W) in 0..1.
        hidden: bool (N, H, W), what each picture hides.
        seed: of the noise, which is the same for all pictures.

    Returns:
        float32 (N, H, W) in 0..1. A picture that hides everything shows the crop's mean grey, with noise.
    """
    known = ~hidden
    values = np.where(known, crop, 0).astype(np.float32)
    solved = _solved(_guess(values, known, float(crop.mean())), hidden)
    noise = np.random.default_rng(seed).normal(0, NOISE, crop.shape)
    return np.where(known, crop, np.clip(solved + noise, 0, 1)).astype(np.float32)


def _guess(values: np.ndarray, known: np.ndarray, mean: float) -> np.ndarray:
    """Every hidden pixel as the mean of the smallest block around it that has a known one, float32 (N, H, W)."""
    count, height, width = values.shape
    if min(height, width) <= SMALLEST or height % 2 or width % 2:
        number = known.sum((1, 2))
        guess = np.where(number, values.sum((1, 2)) / np.maximum(number, 1), mean)[:, None, None]
        return np.where(known, values, guess).astype(np.float32)
    blocks = (count, height // 2, 2, width // 2, 2)
    number = known.reshape(blocks).sum((2, 4))
    coarse = _guess(values.reshape(blocks).sum((2, 4)) / np.maximum(number, 1), number > 0, mean)
    guess = np.stack([cv2.resize(one, (width, height)) for one in coarse.astype(np.float32)])
    return np.where(known, values, guess)


def _solved(pictures: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The pictures with hidden pixels at the mean of their neighbours, from a guess, float32 (N, H, W).

    Some are solved together, as many as the processor's cache holds, below each other with a row of zeros between.
    """
    free = hidden & ~np.all(hidden, axis=(1, 2), keepdims=True)
    groups = [slice(start, start + TOGETHER) for start in range(0, len(pictures), TOGETHER)]
    below = ((0, 0), (0, 1), (0, 0))
    return np.concatenate(
        [_conjugate_gradients(np.pad(pictures[rows], below), np.pad(free[rows], below))[:, :-1] for rows in groups]
    )


def _conjugate_gradients(pictures: np.ndarray, free: np.ndarray) -> np.ndarray:
    """A few steps towards pictures whose free pixels lie at the mean of their neighbours, float32 (N, H + 1, W).

    Args:
        pictures: float32, the guess; the last row of each is zero.
        free: bool, the pixels that may change.
    """
    weight = np.zeros_like(pictures[0])
    weight[:-1] = _neighbours(np.ones_like(pictures[:1, :-1]))

    def pushed(values: np.ndarray) -> np.ndarray:
        return (weight * values - _neighbours(values)) * free

    rest = -pushed(pictures)
    way, size = rest.copy(), _products(rest, rest)
    for _ in range(STEPS):
        push = pushed(way)
        length = (size / np.maximum(_products(way, push), 1e-12))[:, None, None]
        pictures = pictures + length * way
        rest -= length * push
        before, size = size, _products(rest, rest)
        way *= (size / np.maximum(before, 1e-12))[:, None, None]
        way += rest
    return pictures


def _neighbours(pictures: np.ndarray) -> np.ndarray:
    """The sum of each pixel's neighbours, direct ones twice; what lies beyond the border counts nothing.

    Args:
        pictures: float32 (N, H, W), below each other; a row of zeros keeps them apart.
    """
    column = pictures.reshape(-1, pictures.shape[2])
    return cv2.filter2D(column, -1, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT).reshape(pictures.shape)


def _products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The inner product of each two pictures, float32 (N,)."""
    found: np.ndarray = np.einsum("nhw,nhw->n", one, other)
    return found
