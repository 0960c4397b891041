"""Contact sheets: faces with the keypoints that the network reads from them, to be looked at.

FER2013 has no keypoints to measure against. Sheets show whether the network, trained on frames of
videos, is of use on its crops, and on faces that are disturbed as `training.measures.robustness` does.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from models import detector, framing, photo, zoo
from models.errors import DataError
from models.types import EMOTIONS, KEYPOINTS, Face
from training import data
from training.data.keypoint_data import fixed_faces
from training.measures import robustness
from training.measures.trust import as_face

TILE = 96
"""Side of a face on a sheet, in pixels."""
COLOURS = {"eyebrow": (60, 170, 255), "eye": (255, 190, 60), "nose": (120, 220, 90), "mouth": (220, 120, 255)}
"""Of the dots, by the part in a keypoint's name; blue, green, red."""
CONDITIONS: dict[str, tuple[str, float] | None] = {
    "48 px": None,
    "24 px": ("shrink", 24),
    "noise": ("noise", 0.05),
    "blur": ("blur", 1.5),
    "20 degrees": ("rotation", 20),
    "dark": ("brightness", -0.4),
}
"""How the examples are disturbed, one row each."""


def tile(face: np.ndarray, points: np.ndarray, true: np.ndarray | None = None) -> np.ndarray:
    """A face with its keypoints.

    Args:
        face: float32 (S, S) in 0..1.
        points: float (15, 2), in pixels of the face; dots.
        true: the same, as labelled; small white crosses.

    Returns:
        uint8 (TILE, TILE, 3), BGR.
    """
    zoom = TILE / face.shape[0]
    grey = cv2.resize(face.astype(np.float32), (TILE, TILE), interpolation=cv2.INTER_CUBIC)
    picture = np.repeat((np.clip(grey, 0, 1) * 255).astype(np.uint8)[..., None], 3, 2)

    def place(point: np.ndarray) -> tuple[int, int]:
        x, y = (int(round(16 * ((value + 0.5) * zoom - 0.5))) for value in point)
        return x, y

    for name, point in zip(KEYPOINTS, points, strict=True):
        colour = next(colour for part, colour in COLOURS.items() if part in name)
        cv2.circle(picture, place(point), 16 * 2, (0, 0, 0), 2, cv2.LINE_AA, 4)
        cv2.circle(picture, place(point), 16 * 2, colour, -1, cv2.LINE_AA, 4)
    for point in () if true is None else true:
        x, y = place(point)
        for dx, dy in ((40, 0), (0, 40)):
            cv2.line(picture, (x - dx, y - dy), (x + dx, y + dy), (255, 255, 255), 1, cv2.LINE_AA, 4)
    return picture


def _as_read(face: Face) -> np.ndarray:
    """The tile of a face that `as_face` made."""
    return tile(face.crop, cast(np.ndarray, face.keypoints))


def together(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Tiles in rows, the last one filled up with white; uint8 (rows * TILE, columns * TILE, 3)."""
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * TILE, columns * TILE, 3), 255, np.uint8)
    for index, one in enumerate(tiles):
        top, left = index // columns * TILE, index % columns * TILE
        sheet[top : top + TILE, left : left + TILE] = one
    return sheet


def of_emotions(split: data.EmotionSplit, count: int = 70, seed: int = 0) -> np.ndarray:
    """A sheet of FER2013 crops as they are, a column an emotion."""
    rng = np.random.default_rng(seed)
    each = max(1, count // len(EMOTIONS))
    columns = [rng.permutation(np.flatnonzero(split.labels == label))[:each] for label in range(len(EMOTIONS))]
    rows = [row for group in zip(*columns, strict=False) for row in group]
    faces = [as_face(split.images[row]) for row in rows]
    return together([_as_read(face) for face in faces], len(EMOTIONS))


def of_people(split: data.KeypointSplit, count: int = 70, seed: int = 0) -> np.ndarray:
    """A sheet of people with labels, each person once before anybody twice; crosses are the labels."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(split))
    _, first = np.unique(split.people[order], return_index=True)
    rows = np.concatenate([order[np.sort(first)], np.delete(order, first)])[:count]
    some = data.KeypointSplit([split.images[r] for r in rows], split.keypoints[rows], split.people[rows])
    crops, true = fixed_faces(some)
    scale = framing.WIDE_SIDE - 1
    found = zoo.keypoint_model().points(crops[..., 0])
    tiles = [tile(c, p * scale, t * scale) for c, p, t in zip(crops[..., 0], found, true, strict=True)]
    return together(tiles, 10)


def of_examples(folder: str | Path, seed: int = 0) -> np.ndarray:
    """A sheet of the largest face in each example picture, cut to 48 px as FER2013 is, a row a condition.

    Raises:
        DataError: no face in the folder.
    """
    pictures = sorted(path for path in Path(folder).glob("*") if path.suffix in (".jpg", ".png"))
    found = [face.crop for path in pictures for face in detector.find(photo.read(path), limit=1)]
    if not found:
        raise DataError(
            "No faces were found for the sheet",
            f"none in {folder}",
            "Give a folder of .jpg or .png pictures with faces",
        )
    crops, tiles = np.stack(found), []
    for how in CONDITIONS.values():
        spoilt = crops if how is None else robustness.disturbed(crops, *how, seed=seed)
        faces = [as_face((crop * 255).round().astype(np.uint8)) for crop in spoilt]
        tiles += [_as_read(face) for face in faces]
    return together(tiles, len(crops))


def save(sheet: np.ndarray, path: str | Path, quality: int = 50) -> Path:
    """Write a sheet as JPEG; its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
    return path
