"""Small made-up data in the published formats."""

import cv2
import numpy as np
import pytest

from models.types import EMOTIONS
from training.data import FERPLUS_COLUMNS, SPLITS


def made_up_face(label: int, index: int) -> np.ndarray:
    """A picture whose bright bar tells the label, uint8 (48, 48)."""
    face = np.random.default_rng((label, index)).integers(60, 120, (48, 48), dtype=np.uint8)
    face[6 * label : 6 * label + 6] = 250
    return face


def png(face: np.ndarray) -> bytes:
    return cv2.imencode(".png", face)[1].tobytes()


@pytest.fixture
def rows() -> list[dict]:
    """Two faces an emotion and split; the second one's taggers all said "sad"."""
    made = []
    for usage in SPLITS:
        for label, emotion in enumerate(EMOTIONS):
            for index in range(2):
                votes = {f"votes_{column}": 0 for column in FERPLUS_COLUMNS.values()}
                votes[f"votes_{FERPLUS_COLUMNS['sad' if index else emotion]}"] = 10
                made.append({"usage": usage, "label": label, "png": png(made_up_face(label, index)), **votes})
    return made


@pytest.fixture
def parquet(tmp_path, rows):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "fer2013.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path
