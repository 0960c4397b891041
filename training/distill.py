"""What trained networks answer, as a target for another (Hinton et al. 2015, arXiv 1503.02531)."""

import hashlib
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax

from models import weight_store as weights
from models import zoo
from models.errors import DataError
from models.model import options
from models.types import EMOTIONS
from training import run
from training.config import NAMES
from training.networks import network as untrained

ANSWERS = "answers"
"""The folder in `runs` where teachers' answers are kept."""
SHIFT = 2
"""Pixels of 48 by which a face is moved."""
MOVED = ((0, 0), (SHIFT, 0), (-SHIFT, 0), (0, SHIFT), (0, -SHIFT))
"""Pixels down and to the right."""


def teacher(name: str, runs: str | Path = "runs", shipped: str | Path = weights.SHIPPED) -> keras.Model:
    """A trained network for faces of any side, which ends in logits.

    Args:
        name: of weights that ship, or a run's folder, as a path or as its name in `runs`.
        runs: where run folders live.
        shipped: where the folders of the weights that ship are.

    Raises:
        WeightsError: weights that ship are missing or cannot be used.
        DataError: there is no such run with a best epoch, or its weights are not those of its network.
        RunError: the run's record is damaged.
    """
    if name in NAMES:
        folder = Path(shipped) / name
        network = zoo.build(name, side=None, **options(weights.verify(folder)))
        weights.load_into(network, folder / weights.FILE)
        return network
    folder = _run(name, runs)
    network = untrained(run.config(run.read_record(folder) or {}, folder))
    try:
        network.load_weights(folder / run.BEST)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"The weights of a teacher could not be read from {folder / run.BEST}",
            str(error).splitlines()[0],
            "Go on with its run",
        ) from error
    return network


def digest(name: str, runs: str | Path = "runs", shipped: str | Path = weights.SHIPPED) -> str:
    """The sha256 of a teacher's weights, see `teacher`."""
    if name in NAMES:
        return weights.verify(Path(shipped) / name).sha256
    with open(_run(name, runs) / run.BEST, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(name: str, runs: str | Path) -> Path:
    for folder in (Path(name), Path(runs) / name):
        if (folder / run.BEST).is_file():
            return folder
    raise DataError(
        "There is no such teacher: neither shipped weights nor a run's folder with its best epoch",
        repr(name),
        f"Train it first, see docs/training.md, or use one of {', '.join(NAMES[:-1])}",
    )


def answers(
    teachers: tuple[str, ...],
    images: np.ndarray,
    shipped: str | Path = weights.SHIPPED,
    runs: str | Path = "runs",
) -> np.ndarray:
    """The averaged answer of some networks to faces, their mirror images, and both moved by `SHIFT` to each side.

    Each network is asked once about the same faces; what it answers is kept in `runs`/answers.

    Args:
        teachers: see `teacher`.
        images: uint8 (N, 48, 48), grey.
        shipped, runs: see `teacher`.

    Returns:
        float32 (N, 7), each row summing to 1; uncalibrated (temperature 1), as the network was trained,
        and computed in Keras' present precision.

    Raises:
        WeightsError, DataError: see `teacher`.
        RunError: likewise, or the answers cannot be written.
    """
    return np.stack([_kept(name, images, shipped, runs) for name in teachers]).mean(axis=0)


def _kept(name: str, images: np.ndarray, shipped: str | Path, runs: str | Path) -> np.ndarray:
    precision = keras.config.dtype_policy().name
    asked = [digest(name, runs, shipped), hashlib.sha256(images.tobytes()).hexdigest(), precision, str(SHIFT)]
    path = Path(runs) / ANSWERS / f"{hashlib.sha256(' '.join(asked).encode()).hexdigest()}.npy"
    with suppress(OSError, ValueError, EOFError):
        kept = np.load(path)
        if kept.shape == (len(images), len(EMOTIONS)):
            return kept
    answered = _answer(teacher(name, runs, shipped), images)
    path.parent.mkdir(parents=True, exist_ok=True)

    def put(beside: Path) -> None:
        with beside.open("wb") as file:
            np.save(file, answered)

    run.write(path, put, answered.nbytes)
    return answered


def _answer(network: keras.Model, images: np.ndarray) -> np.ndarray:
    total = np.zeros((len(images), len(EMOTIONS)), np.float32)
    for start in range(0, len(images), 2048):
        crops = images[start : start + 2048, ..., None].astype(np.float32) / 255
        for down, right in MOVED:
            moved = shifted(crops, down, right)
            for view in (moved, moved[:, :, ::-1]):
                logits = network.predict(view, batch_size=256, verbose=0)
                total[start : start + 2048] += softmax(logits, axis=1) / (2 * len(MOVED))
    return total


def shifted(faces: np.ndarray, down: int, right: int) -> np.ndarray:
    """Faces moved in their frame; what comes in at an edge is the edge's row or column again.

    Args:
        faces: (N, H, W, C).
        down, right: pixels.
    """
    height, width = faces.shape[1:3]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return faces[:, rows[:, None], columns]
