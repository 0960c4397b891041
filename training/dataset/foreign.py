"""Annotators of others, whose columns stand beside ours: what they say is kept as they say it.

An annotator is a plain function. Those that are installed apart are imported when they are asked for the first time.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import cv2
import numpy as np

from models import framing
from models.dataset import REAL, SHARE, TEXT, Column
from models.errors import DatasetError, UnknownNameError
from models.types import EMOTIONS, Face, Photo

SIDE = 224
"""Pixels of the upright square in colours that an annotator is shown; it sees as far as our keypoint network."""

DEEPFACE = (
    *(Column(f"deepface_{name}", REAL, f"what DeepFace gives for {name}", SHARE, True) for name in EMOTIONS),
    Column("deepface_emotion", TEXT, "the dominant emotion by DeepFace", "", True),
    Column("deepface_age", REAL, "age as DeepFace guesses it from looks", "years", True),
    Column("deepface_woman", REAL, "what DeepFace gives for a woman, from looks", SHARE, True),
    Column("deepface_man", REAL, "what DeepFace gives for a man, from looks", SHARE, True),
    Column("deepface_gender", TEXT, "the larger of both, in DeepFace's word", "", True),
    Column("deepface_version", TEXT, "version of the package deepface", "", True),
)


def deepface(pictures: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """What DeepFace says of faces: emotion, age and gender, values by column.

    Args:
        pictures: uint8 (SIDE, SIDE, 3), RGB, one face each, upright.

    Raises:
        DatasetError: it is not installed.
    """
    try:
        package = import_module("deepface")
        analyze = import_module("deepface.DeepFace").analyze
    except ImportError as error:
        raise DatasetError(
            "DeepFace is not installed",
            str(error)[:80],
            "Install it: `uv pip install deepface` or `.venv/bin/python -m pip install deepface`",
        ) from error
    try:
        number = version("deepface")
    except PackageNotFoundError:
        number = str(getattr(package, "__version__", "unknown"))
    return [_deepface(analyze, picture) | {"deepface_version": number} for picture in pictures]


def _deepface(analyze: Callable[..., Any], picture: np.ndarray) -> dict[str, Any]:
    [said] = analyze(
        img_path=picture[..., ::-1],  # it takes arrays as OpenCV has them, blue first
        actions=("emotion", "age", "gender"),
        detector_backend="skip",  # the face is cut already
        enforce_detection=False,
        silent=True,
    )
    shares = {f"deepface_{name}": said["emotion"][name] / 100 for name in EMOTIONS}
    return shares | {
        "deepface_emotion": said["dominant_emotion"],
        "deepface_age": float(said["age"]),
        "deepface_woman": said["gender"]["Woman"] / 100,
        "deepface_man": said["gender"]["Man"] / 100,
        "deepface_gender": said["dominant_gender"],
    }


ANNOTATORS: dict[str, tuple[Callable[[Sequence[np.ndarray]], list[dict[str, Any]]], tuple[Column, ...]]] = {
    "deepface": (deepface, DEEPFACE)
}
"""By name, the function and its columns."""


class Foreign:
    """An annotator by name.

    Args:
        name: one of `ANNOTATORS`.

    Attributes:
        columns: that it fills.

    Raises:
        UnknownNameError: there is none of this name.
    """

    def __init__(self, name: str):
        if name not in ANNOTATORS:
            raise UnknownNameError("The annotator is unknown", repr(name)[:40], f"Use {', '.join(ANNOTATORS)}")
        self._annotate, self.columns = ANNOTATORS[name]

    def __call__(self, photo: Photo, faces: Sequence[Face]) -> list[dict[str, Any]]:
        """Its values by column, of each face of a photo."""
        return self._annotate([square(photo, face) for face in faces])


def square(photo: Photo, face: Face) -> np.ndarray:
    """A face in colours, upright, uint8 (SIDE, SIDE, 3), RGB."""
    zoom = SIDE / framing.WIDE_SIDE
    matrix = framing.widen(face.to_crop) * zoom
    matrix[:, 2] += (zoom - 1) / 2  # the centre of the first pixel is 0
    shape = framing.enlargement(matrix)
    pixels = photo.pixels
    if shape < 0.5:  # as `framing.cut` does: bilinear sampling alone would alias
        size = [max(1, round(side * 2 * shape)) for side in photo.size]
        factors = np.array([photo.size[0] / size[0], photo.size[1] / size[1]])
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        matrix[:, 2] += matrix[:, :2] @ (factors / 2 - 0.5)
        matrix[:, :2] = matrix[:, :2] * factors
    return cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
