"""A small data set of drawn faces, whose emotions differ by where their points lie."""

import cv2
import numpy as np
import pyarrow as pa
import pytest

from models import dataset
from models.types import EMOTIONS, KEYPOINTS
from tests.mean_face import MEAN_KEYPOINTS

SPLITS = {"Training": 18, "PublicTest": 6, "PrivateTest": 6}
"""Faces an emotion."""


def row(points: np.ndarray, **values) -> dict:
    """A face as a row: its keypoints, and whatever else is known."""
    places = dataset.xy("keypoint_", KEYPOINTS)
    pairs = zip(places, points, strict=True)
    return {name: float(value) for pair, point in pairs for name, value in zip(pair, point, strict=True)} | values


def part(rows: list[dict], crops: bool = False, hashes: bool = False) -> dict[str, pa.Table]:
    """The tables of a part with these faces."""
    names = {"crop": crops, dataset.FACE_HASH: hashes}
    more = [dataset.column("faces", name).field for name, wanted in names.items() if wanted]
    photos = [{"source": f"{index}.png"} for index in range(len(rows))]
    return {
        "photos": pa.Table.from_pylist(photos, dataset.schema("photos")),
        "faces": pa.Table.from_pylist(rows, dataset.schema("faces", more)),
        "errors": pa.Table.from_pylist([], dataset.schema("errors")),
    }


@pytest.fixture(scope="session")
def rows() -> list[dict]:
    """Faces of all emotions in all splits; two faces of a photo follow each other."""
    random = np.random.default_rng(0)
    own = random.normal(0, 1.2, (len(EMOTIONS), len(KEYPOINTS), 2))
    found = []
    for split, count in SPLITS.items():
        for label, emotion in enumerate(EMOTIONS):
            for index in range(count):
                points = MEAN_KEYPOINTS + own[label] + random.normal(0, 0.6, own[label].shape)
                crop = cv2.imencode(".png", random.integers(0, 255, (48, 48)).astype(np.uint8))[1].tobytes()
                photo = f"{split}-{emotion}-{index // 2}"
                found.append(row(points, label=emotion, split=split, photo_sha256=photo, crop=crop))
    return found


@pytest.fixture
def made(tmp_path, rows) -> dataset.Dataset:
    """The data set in two parts, without crops."""
    made = dataset.create(tmp_path / "faces")
    without = [{key: value for key, value in each.items() if key != "crop"} for each in rows]
    dataset.write_part(made, "part-0", part(without[:100]))
    dataset.write_part(made, "part-1", part(without[100:]))
    return made
