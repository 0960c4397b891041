"""Does hiding what a map marks change the answer? Deletion and insertion against chance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

STEPS = 6
"""A curve has a point at every sixth of the face."""
PAIRS = 9
"""Random maps, each beside its own negative: a map that is one of chance's beats all 18 in 5 % of the cases."""
TIES = 12.0
"""Pixels of one value are taken nearest to the marked ones first: in the order of the map blurred by this many."""


@dataclass(frozen=True, eq=False)
class Curves:
    """What hiding and showing pixels in the order of a map does, with one fill for what is hidden.

    Scores are probabilities of the target, 0..1; areas under the curves (AUC) are, too. The negative
    of a random map is a random map, and its insertion pictures are the first one's deletion pictures,
    so that both lists of random areas hold the same numbers in another order.

    Attributes:
        fill: what hidden pixels show, see `masking.baseline_picture`.
        shares: float64 (K,), from 0 to 1: how much of the face is hidden, or shown.
        deletion: float64 (K,), the score after hiding the share that the map marks most: a true map's falls fast.
        insertion: float64 (K,), the score when only that share is shown: a true map's rises fast.
        deletion_auc, insertion_auc: the areas under them; low and high ones are good.
        random_deletion, random_insertion: float64 (R,), the same areas for random maps.
        blob_deletion, blob_insertion: for a round blob in the middle of the crop.
        random_deletion_curve, random_insertion_curve: float64 (K,), the means over the random maps.
        blob_deletion_curve, blob_insertion_curve: float64 (K,).
    """

    fill: str
    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    deletion_auc: float
    insertion_auc: float
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    blob_deletion: float
    blob_insertion: float
    random_deletion_curve: np.ndarray
    random_insertion_curve: np.ndarray
    blob_deletion_curve: np.ndarray
    blob_insertion_curve: np.ndarray

    @property
    def relevance_gain(self) -> float:
        """The map's insertion area less its deletion area, -1..1."""
        return self.insertion_auc - self.deletion_auc

    @property
    def random_relevance_gain(self) -> np.ndarray:
        """The same of the random maps, float64 (R,), symmetric about 0."""
        return self.random_insertion - self.random_deletion

    @property
    def centre_prior_gain(self) -> float:
        """The same of the centre prior."""
        return self.blob_insertion - self.blob_deletion

    def to_json(self) -> dict[str, Any]:
        """All fields as plain numbers and lists."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}


def order(values: np.ndarray) -> np.ndarray:
    """Each pixel's place when the highest value comes first, int64 (H, W), 0 for the first.

    What speaks against the target comes last. Equal values, such as the zeros of a map that shows
    only one side, come in the order of the blurred map: a plateau is neither hidden line by line
    nor in speckles.
    """
    smooth = cv2.GaussianBlur(values.astype(np.float32), (0, 0), TIES, borderType=cv2.BORDER_REFLECT)
    places = np.empty(values.size, np.int64)
    places[np.lexsort((-smooth.ravel(), -values.ravel()))] = np.arange(values.size)
    return places.reshape(values.shape)


def centre_prior(height: int, width: int) -> np.ndarray:
    """A round blob in the middle, float64 (H, W), highest there: what marks a face without looking at it."""
    y, x = np.mgrid[:height, :width]
    return -((2 * y - height + 1.0) ** 2 + (2 * x - width + 1.0) ** 2)


def random_maps(values: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Maps that know nothing of the face but are as smooth as the given one, float64 (count, H, W).

    Noise filtered to the map's own mix of scales: its power spectrum, averaged over all directions.
    Speckled maps are compared with speckle and blobs with blobs; against white noise every blob
    would win. The map is mirrored at its borders first, so that a difference between left and right
    makes no edge.

    Args:
        values: float (H, W).
        count: how many.
        seed: the same seed gives the same maps.
    """
    height, width = values.shape
    mirrored = np.pad(values.astype(np.float64), ((0, height), (0, width)), mode="symmetric")
    power = np.abs(np.fft.fft2(mirrored - mirrored.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(2 * height)[:, None], np.fft.fftfreq(2 * width))
    ring = np.round(frequency * 2 * max(height, width)).astype(int)
    mean_power = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    noise = np.fft.fft2(np.random.default_rng(seed).normal(size=(count, *mirrored.shape)))
    return np.fft.ifft2(noise * np.sqrt(mean_power)[ring]).real[:, :height, :width]


def curves(
    score: Callable[[np.ndarray], np.ndarray],
    crop: np.ndarray,
    values: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    seed: int = 0,
    steps: int = STEPS,
    pairs: int = PAIRS,
) -> tuple[Curves, ...]:
    """Deletion and insertion curves of a map, of random maps and of a centre prior, a blob in the middle.

    Source: Petsiuk et al. 2018, "RISE", arXiv 1806.07421, section 4.3. Known criticism: a picture with
    hidden pixels is none the network was trained on, so that part of the fall is surprise (Hooker
    et al. 2019, arXiv 1806.10758): the random maps suffer it as well, and there is more than one
    fill. The areas depend on fill and step and rank methods differently from face to face (Tomsett
    et al. 2020, arXiv 1912.01451): so they are only compared within one face, one fill and one step.

    Args:
        score: float32 (N, H, W) crops -> (N,) scores; called once, with all pictures of all curves.
        crop: float32 (H, W) in 0..1.
        values: float (H, W), the map, raw; not flat.
        baselines: name -> float32 (H, W), what hidden pixels show.
        seed: of the random maps.
        steps: how many parts a curve has.
        pairs: how many random maps there are, each beside its own negative.

    Returns:
        One Curves a fill.
    """
    chance = random_maps(values, pairs, seed)
    places = np.stack([order(one) for one in (values, centre_prior(*values.shape), *chance)])
    edges = [round(step * crop.size / steps) for step in range(1, steps // 2 + 1)]
    edges += [crop.size - round(step * crop.size / steps) for step in range((steps - 1) // 2, 0, -1)]
    first = places[:, None] < np.array(edges)[:, None, None]  # (maps, inner steps, H, W)
    pictures = [crop[None]]
    for hidden in baselines.values():
        pictures += [hidden[None], np.where(first, hidden, crop).reshape(-1, *crop.shape)]
        pictures += [np.where(first, crop, hidden).reshape(-1, *crop.shape)]
    scores = np.asarray(score(np.concatenate(pictures)), np.float64)
    shares = np.array([0, *edges, crop.size]) / crop.size
    whole, per_baseline = scores[0], np.split(scores[1:], len(baselines))
    return tuple(_curves(name, shares, whole, found) for name, found in zip(baselines, per_baseline, strict=True))


def _curves(fill: str, shares: np.ndarray, whole: float, scores: np.ndarray) -> Curves:
    """Curves of one fill from the scores of the fill alone, of all deletions, and of all insertions."""
    none, inner = scores[0], scores[1:].reshape(2, -1, len(shares) - 2)
    deletion, insertion = (
        np.pad(part, ((0, 0), (1, 1)), constant_values=((0, 0), ends))
        for part, ends in zip(inner, ((whole, none), (none, whole)), strict=True)
    )
    deleted, inserted = (np.trapezoid(part, shares) for part in (deletion, insertion))
    # the negative of a random map: its deletion runs through the insertion's pictures backwards
    random_deletion = np.concatenate([deletion[2:], insertion[2:, ::-1]])
    random_insertion = np.concatenate([insertion[2:], deletion[2:, ::-1]])
    return Curves(
        fill=fill,
        shares=shares,
        deletion=deletion[0],
        insertion=insertion[0],
        deletion_auc=float(deleted[0]),
        insertion_auc=float(inserted[0]),
        random_deletion=np.trapezoid(random_deletion, shares),
        random_insertion=np.trapezoid(random_insertion, shares),
        blob_deletion=float(deleted[1]),
        blob_insertion=float(inserted[1]),
        random_deletion_curve=random_deletion.mean(0),
        random_insertion_curve=random_insertion.mean(0),
        blob_deletion_curve=deletion[1],
        blob_insertion_curve=insertion[1],
    )


def share_beaten(relevance_gain: float, random_relevance_gain: np.ndarray) -> float:
    """The share of the random maps that a gain lies above, 0..1."""
    return float(np.mean(relevance_gain > random_relevance_gain))
