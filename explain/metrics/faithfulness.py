"""Does hiding what a map marks change the answer? Deletion and insertion beside four controls.

The controls ask how little would do as well: random maps as smooth as this one, a blob in the middle, the
same method's maps of other faces, and the average of those.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

SHARES = (1 / 24, 1 / 8, 1 / 3, 2 / 3, 7 / 8, 23 / 24)
"""How much of the face is hidden at the inner points of a curve; the same seen from either end."""
PAIRS = 9
"""Random maps, each beside its own negative: a map that is one of chance's beats all 18 in 5 % of the cases."""
TIES = 12.0
"""Pixels of one value are taken nearest to the marked ones first: in the order of the map blurred by this many."""
SCORES = ("log-odds", "probability")
"""In which unit answers are compared; the first decides."""

Fill = Callable[[np.ndarray], np.ndarray]
"""What is hidden in each picture, bool (N, H, W) -> the pictures, float32 (N, H, W)."""


@dataclass(frozen=True, eq=False)
class OtherFaces:
    """The same method's maps of other faces, laid on the face under test; the highest value is marked most.

    Attributes:
        maps: float64 (B, H, W), each of one face.
        average: float64 (H, W), what the method marks on most faces.
    """

    maps: np.ndarray
    average: np.ndarray


@dataclass(frozen=True, eq=False)
class Curves:
    """What hiding and showing pixels in the order of a map does, with one fill and one score.

    The symmetric relevance gain of a map is its insertion area less its deletion area: showing what it marks
    most is hiding what it marks least, so this is the area between hiding in one order and in the other
    (Blücher et al. 2024, "Decoupling pixel flipping and occlusion strategy for consistent XAI benchmarks",
    arXiv 2401.06654). It is in the units of the score, and 0 on average for a map of chance.

    Attributes:
        fill: what hidden pixels show.
        score: one of `SCORES`.
        shares: float64 (K,), from 0 to 1: how much of the face is hidden, or shown.
        deletion: float64 (K,), the score after hiding the share that the map marks most: one that holds up falls fast.
        insertion: float64 (K,), the score when only that share is shown: one that holds up rises fast.
        random_deletion, random_insertion: float64 (K,), the means over the random maps and their negatives.
        centre_prior_deletion, centre_prior_insertion: float64 (K,), of a blob in the middle.
        average_map_deletion, average_map_insertion: float64 (K,), of the average of other faces' maps; nan without any.
        other_faces_deletion, other_faces_insertion: float64 (K,), the means over other faces' maps; nan without any.
        relevance_gain: the map's.
        random_gains: float64 (2 P,), of the random maps and then of their negatives, which have the opposite gains.
        centre_prior_gain: of the blob.
        average_map_gain: of the average of other faces' maps; nan without any.
        other_faces_gains: float64 (B,), of other faces' maps.
    """

    fill: str
    score: str
    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    centre_prior_deletion: np.ndarray
    centre_prior_insertion: np.ndarray
    average_map_deletion: np.ndarray
    average_map_insertion: np.ndarray
    other_faces_deletion: np.ndarray
    other_faces_insertion: np.ndarray
    relevance_gain: float
    random_gains: np.ndarray
    centre_prior_gain: float
    average_map_gain: float
    other_faces_gains: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """All fields as plain numbers and lists; null stands for nan."""
        return {name: _plain(value) for name, value in vars(self).items()}


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
    scores: Callable[[np.ndarray], np.ndarray],
    crop: np.ndarray,
    values: np.ndarray,
    fills: Mapping[str, Fill],
    other_faces: OtherFaces | None = None,
    seed: int = 0,
    shares: tuple[float, ...] = SHARES,
    pairs: int = PAIRS,
) -> tuple[Curves, ...]:
    """Deletion and insertion curves of a map, random maps, a blob in the middle, other faces' maps and their average.

    Source: Petsiuk et al. 2018, "RISE", arXiv 1806.07421, section 4.3. Known criticism: a picture with
    hidden pixels is none the network was trained on, so that part of the fall is surprise (Hooker
    et al. 2019, arXiv 1806.10758): the controls suffer it as well, and there is more than one
    fill. The areas depend on fill and step and rank methods differently from face to face (Tomsett
    et al. 2020, arXiv 1912.01451): so they are only compared within one face, one fill and the same steps.

    Args:
        scores: float32 (N, H, W) crops -> float64 (2, N), a row for each of `SCORES`; called once, with all pictures
            of all curves.
        crop: float32 (H, W) in 0..1.
        values: float (H, W), the map, raw; not flat.
        fills: by name.
        other_faces: the same method's maps of other faces; None for none.
        seed: of the random maps.
        shares: of the inner points, rising, the same seen from either end.
        pairs: how many random maps there are, each beside its own negative.

    Returns:
        One Curves a fill and score: the first score's fills, then the second's.
    """
    others = () if other_faces is None else (other_faces.average, *other_faces.maps)
    chance = random_maps(values, pairs, seed)
    places = np.stack([order(one) for one in (values, centre_prior(*values.shape), *chance, *others)])
    half = [round(share * crop.size) for share in shares[: (len(shares) + 1) // 2]]
    edges = half + [crop.size - edge for edge in reversed(half[: len(shares) // 2])]
    first = (places[:, None] < np.array(edges)[:, None, None]).reshape(-1, *crop.shape)
    everything = np.ones((1, *crop.shape), bool)
    hidden = np.concatenate([everything, first, ~first])
    pictures = [crop[None], *(fill(hidden) for fill in fills.values())]
    found = np.asarray(scores(np.concatenate(pictures).astype(np.float32)), np.float64)
    points = np.array([0, *edges, crop.size]) / crop.size
    return tuple(
        _curves(fill, score, points, row[0], part, pairs)
        for score, row in zip(SCORES, found, strict=True)
        for fill, part in zip(fills, np.split(row[1:], len(fills)), strict=True)
    )


def _curves(fill: str, score: str, shares: np.ndarray, whole: float, scores: np.ndarray, pairs: int) -> Curves:
    """Curves of one fill from the scores of the fill alone, of all deletions, and of all insertions."""
    none, inner = scores[0], scores[1:].reshape(2, -1, len(shares) - 2)
    deletion, insertion = (
        np.pad(part, ((0, 0), (1, 1)), constant_values=((0, 0), ends))
        for part, ends in zip(inner, ((whole, none), (none, whole)), strict=True)
    )
    gains = np.trapezoid(insertion, shares) - np.trapezoid(deletion, shares)
    chance, average, others = slice(2, 2 + pairs), slice(2 + pairs, 3 + pairs), slice(3 + pairs, None)
    # the negative of a random map: its deletion runs through the insertion's pictures backwards
    random_deletion = np.concatenate([deletion[chance], insertion[chance, ::-1]])
    random_insertion = np.concatenate([insertion[chance], deletion[chance, ::-1]])
    return Curves(
        fill=fill,
        score=score,
        shares=shares,
        deletion=deletion[0],
        insertion=insertion[0],
        random_deletion=random_deletion.mean(0),
        random_insertion=random_insertion.mean(0),
        centre_prior_deletion=deletion[1],
        centre_prior_insertion=insertion[1],
        average_map_deletion=_mean(deletion[average]),
        average_map_insertion=_mean(insertion[average]),
        other_faces_deletion=_mean(deletion[others]),
        other_faces_insertion=_mean(insertion[others]),
        relevance_gain=float(gains[0]),
        random_gains=np.concatenate([gains[chance], -gains[chance]]),
        centre_prior_gain=float(gains[1]),
        average_map_gain=float(_mean(gains[average, None])[0]),
        other_faces_gains=gains[others],
    )


def share_beaten(relevance_gain: float, gains: np.ndarray) -> float:
    """The share of some maps whose gain a gain lies above, 0..1; nan for none."""
    return float(np.mean(relevance_gain > gains)) if len(gains) else float("nan")


def z_score(relevance_gain: float, gains: np.ndarray) -> float:
    """How many standard deviations a gain lies above the mean of some maps' gains; nan for fewer than two."""
    spread = gains.std(ddof=1) if len(gains) > 1 else 0.0
    return float((relevance_gain - gains.mean()) / spread) if spread > 0 else float("nan")


def z_score_of_pairs(relevance_gain: float, gains: np.ndarray) -> float:
    """How many standard deviations a gain lies above 0, the mean of maps and their negatives; nan where all gain 0.

    Args:
        relevance_gain: of the map.
        gains: float64 (2 P,), of maps and of their negatives: P numbers, whose mean is known.
    """
    spread = np.sqrt(np.mean(gains**2)) if len(gains) else 0.0
    return float(relevance_gain / spread) if spread > 0 else float("nan")


def _mean(rows: np.ndarray) -> np.ndarray:
    return rows.mean(0) if len(rows) else np.full(rows.shape[1], np.nan)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    return None if isinstance(value, float) and np.isnan(value) else value
