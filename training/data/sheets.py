"""Contact sheets of training data, for the eyes of whoever trains; they never enter the repository."""

from pathlib import Path

import cv2
import numpy as np

from models import framing
from models.errors import ParameterError
from models.types import EMOTIONS
from training.data import EmotionSplit, KeypointSplit
from training.data.duplicates import Pair

ROOT = Path(__file__).resolve().parents[2]
ZOOM = 2
COLUMNS = 14


def output_folder(path: str | Path) -> Path:
    """A folder for pictures of people, made where it is missing.

    Raises:
        ParameterError: it lies inside the repository.
    """
    folder = Path(path).expanduser().resolve()
    if folder.is_relative_to(ROOT):
        raise ParameterError(
            "The folder for pictures of training faces was refused, for it lies in the repository",
            str(path),
            "Give --out a folder outside the repository",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def emotions(split: EmotionSplit, seed: int = 0) -> np.ndarray:
    """Some faces of each emotion, a row an emotion with its name before it, uint8 (H, W)."""
    rng = np.random.default_rng(seed)
    rows = []
    for label, name in enumerate(EMOTIONS):
        of = np.flatnonzero(split.labels == label)
        chosen = rng.choice(of, min(COLUMNS, len(of)), replace=False)
        rows.append(_row(_caption(name), split.images[chosen]))
    return _zoomed(np.vstack(rows))


def keypoints(split: KeypointSplit, seed: int = 0, rows: int = 5) -> np.ndarray:
    """Some faces as the network is shown them, with their keypoints as dots, uint8 (H, W)."""
    from training.data.keypoint_data import detector_points, framed

    rng = np.random.default_rng(seed)
    side, tiles = framing.WIDE_SIDE, []
    for index in rng.choice(len(split), min(rows * COLUMNS // 2, len(split)), replace=False):
        crop, points = framed(split.images[index], split.keypoints[index], detector_points(split.keypoints[index]))
        tile = cv2.resize((crop * 255).astype(np.uint8), (side * ZOOM, side * ZOOM))
        for x, y in points * (side - 1) * ZOOM:
            cv2.circle(tile, (round(float(x)), round(float(y))), 2, 255, -1)
        tiles.append(tile)
    width = COLUMNS // 2
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % width)
    return np.vstack([np.hstack(tiles[start : start + width]) for start in range(0, len(tiles), width)])


def duplicates(splits: dict[str, EmotionSplit], pairs: list[Pair], rows: int = 6) -> np.ndarray:
    """The least alike of some pairs, one face above the other, uint8 (H, W)."""
    tiles = [
        np.vstack([splits[pair.split].images[pair.row], splits[pair.other].images[pair.other_row]])
        for pair in pairs[-rows * COLUMNS :]
    ]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    return _zoomed(np.vstack([np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]))


def write(picture: np.ndarray, path: Path) -> Path:
    """Write a sheet as PNG; its path."""
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return path


def _row(caption: np.ndarray, images: np.ndarray) -> np.ndarray:
    missing = np.zeros((COLUMNS - len(images), *caption.shape[:1], caption.shape[0]), np.uint8)
    return np.hstack([caption, *images, *missing])


def _caption(text: str) -> np.ndarray:
    box = np.zeros((48, 72), np.uint8)
    cv2.putText(box, text, (4, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1, cv2.LINE_AA)
    return box


def _zoomed(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_NEAREST)
