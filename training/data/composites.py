"""Average faces: the backgrounds of the explanations and one example picture an emotion.

    python -m training.data.composites --data PATH

About eight minutes on two cores. Every picture is the mean of a hundred training faces or more, none
of them twice, so that it shows no single person.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from models import detector, framing
from models.errors import DataError
from models.types import EMOTIONS, Face, Photo
from training import data

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
BACKGROUND = ROOT / "explain" / "methods" / "background.npz"
BORDER, ZOOM = 12, 4
"""Pixels around a training face, and how much it is then enlarged, for the detector."""
SIDE = 192
"""Side of an example picture in pixels."""
FACES = 160
"""How many faces make one example picture."""
AGREEMENT = 0.5
"""The least share of taggers that must name the emotion; the clearest faces come first."""
LEAST = 100
"""No picture is made of fewer faces."""
ALIKE = 0.85
"""Two faces whose pixels correlate more than this are taken for copies; FER2013 holds many."""
BACKGROUND_FACES = 3200
HALVINGS = 4
"""The background has two to this power pictures."""


def detection_pass(image: np.ndarray) -> tuple[np.ndarray, Face | None]:
    """A training face given a border and enlarged, uint8 (288, 288), and what the detector finds in that.

    Args:
        image: uint8 (48, 48), grey.
    """
    grey = cv2.copyMakeBorder(image, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
    grey = cv2.resize(grey, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    found = detector.find(Photo(np.repeat(grey[..., None], 3, 2)), limit=1)
    return grey, found[0] if found else None


def align(image: np.ndarray, side: int) -> np.ndarray | None:
    """A training face as the detector frames it.

    Args:
        image: uint8 (48, 48), grey.
        side: side of the result in pixels.

    Returns:
        float32 (side, side) in 0..1; None where no face is found.
    """
    grey, face = detection_pass(image)
    if face is None:
        return None
    factor = side / framing.CROP_SIDE
    matrix = face.to_crop * factor
    matrix[:, 2] += (factor - 1) / 2
    return framing.cut(grey, matrix, side)


def aligned(images: Iterable[np.ndarray], side: int) -> Iterator[np.ndarray]:
    """The images that show a findable face, aligned, float32 (side, side)."""
    return (face for image in images if (face := align(image, side)) is not None)


def distinct(faces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The faces of which no copy came before; a picture that occurs ten times would show in an average."""
    known = np.zeros((0, 24 * 24), np.float32)
    for face in faces:
        small = cv2.resize(face, (24, 24), interpolation=cv2.INTER_AREA).ravel()
        small = small - small.mean()
        small = small / max(float(np.linalg.norm(small)), 1e-6)
        if not len(known) or (known @ small).max() <= ALIKE:
            known = np.vstack([known, small])
            yield face


def clearest(split: data.EmotionSplit, emotion: int) -> np.ndarray:
    """Rows that most taggers gave the emotion, the most agreed on first, int64 (N,)."""
    share = split.votes[:, emotion] / np.maximum(split.votes.sum(1), 1)
    rows = np.flatnonzero((split.majority == emotion) & (share >= AGREEMENT))
    return rows[np.argsort(-share[rows], kind="stable")]


def composite(faces: np.ndarray) -> np.ndarray:
    """The mean of faces brought to the same brightness and contrast.

    Args:
        faces: float32 (N, H, W).

    Returns:
        uint8 (H, W); the darkest and the brightest hundredth of the mean are black and white.

    Raises:
        DataError: fewer faces than `LEAST`.
    """
    if len(faces) < LEAST:
        raise DataError("There are too few faces for an average", f"{len(faces)}", f"Give {LEAST} or more")
    centred = faces - faces.mean((1, 2), keepdims=True)
    mean = (centred / np.maximum(centred.std((1, 2), keepdims=True), 1e-3)).mean(0)
    low, high = np.percentile(mean, [1, 99])
    return np.clip((mean - low) / (high - low) * 255, 0, 255).round().astype(np.uint8)


def halves(faces: np.ndarray, times: int) -> list[np.ndarray]:
    """Groups of similar faces, all of about the same size.

    Each group is halved at the median along its first principal component, several times.

    Args:
        faces: float32 (N, H, W).
        times: how often; gives 2 ** times groups.

    Returns:
        Index arrays into `faces`.
    """
    groups = [np.arange(len(faces))]
    for _ in range(times):
        split = []
        for rows in groups:
            small = np.stack([cv2.resize(face, (12, 12), interpolation=cv2.INTER_AREA).ravel() for face in faces[rows]])
            _, _, axes = np.linalg.svd(small - small.mean(0), full_matrices=False)
            order = rows[np.argsort(small @ axes[0], kind="stable")]
            split += [order[: len(order) // 2], order[len(order) // 2 :]]
        groups = split
    return groups


def write_examples(split: data.EmotionSplit, folder: Path) -> dict[str, int]:
    """`composite_<emotion>.png` for every emotion; how many faces each is made of."""
    counts = {}
    for index, name in enumerate(EMOTIONS):
        found = distinct(aligned((split.images[row] for row in clearest(split, index)), SIDE))
        faces = np.stack([face for _, face in zip(range(FACES), found, strict=False)])
        cv2.imwrite(str(folder / f"composite_{name}.png"), composite(faces))
        counts[name] = len(faces)
    return counts


def write_background(split: data.EmotionSplit, path: Path, seed: int = 0) -> list[int]:
    """The uint8 arrays that `explain/methods/background.py` reads; how many faces each of its averages is made of.

    Raises:
        DataError: too few faces are found.
    """
    rows = np.random.default_rng(seed).permutation(len(split))[:BACKGROUND_FACES]
    faces = np.stack(list(distinct(aligned(split.images[rows], framing.CROP_SIDE))))
    groups = halves(faces, HALVINGS)
    if min(map(len, groups)) < LEAST:
        raise DataError(
            "There are too few faces for the averages",
            f"{len(faces)} for {len(groups)} averages",
            f"Give {LEAST} or more for each",
        )
    means = np.stack([faces[group].mean(0) for group in groups])
    np.savez_compressed(path, faces=_bytes(means), mean=_bytes(faces.mean(0)))
    return [len(group) for group in groups]


def _bytes(faces: np.ndarray) -> np.ndarray:
    return (faces * 255).round().astype(np.uint8)


def main() -> None:
    """Write the background and the example pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="fer2013.parquet, fer2013.csv with fer2013new.csv, or a folder")
    split = data.load_emotions(parser.parse_args().data)["Training"]
    print("examples, faces a picture:", write_examples(split, EXAMPLES))
    print("background, faces an average:", write_background(split, BACKGROUND))


if __name__ == "__main__":
    main()
