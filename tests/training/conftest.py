"""Small made-up data in the published formats."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models import cnn
from models.types import EMOTIONS
from tests.training.short_cnn import short
from training.data import SPLITS
from training.data.reading import FERPLUS_COLUMNS


def made_up_face(label: int, index: int) -> np.ndarray:
    """A picture whose bright bar tells the label, uint8 (48, 48)."""
    face = np.random.default_rng((label, index)).integers(60, 120, (48, 48), dtype=np.uint8)
    face[6 * label : 6 * label + 6] = 250
    return face


def png(face: np.ndarray) -> bytes:
    return cv2.imencode(".png", face)[1].tobytes()


def made_up_rows() -> list[dict]:
    """Two faces an emotion and split; the second one's taggers all said "sad"."""
    made = []
    for usage in SPLITS:
        for label, emotion in enumerate(EMOTIONS):
            for index in range(2):
                votes = {f"votes_{column}": 0 for column in FERPLUS_COLUMNS.values()}
                votes[f"votes_{FERPLUS_COLUMNS['sad' if index else emotion]}"] = 10
                made.append({"usage": usage, "label": label, "png": png(made_up_face(label, index)), **votes})
    return made


def write_table(folder: Path, rows: list[dict]) -> Path:
    """The rows as the published file of faces in a folder."""
    import pyarrow
    import pyarrow.parquet

    path = folder / "fer2013.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def rows() -> list[dict]:
    return made_up_rows()


@pytest.fixture
def parquet(tmp_path, rows):
    return write_table(tmp_path, rows)


@pytest.fixture
def folders(tmp_path):
    """Ten faces an emotion in train/, two in test/, as picture files."""
    for part, count in (("train", 10), ("test", 2)):
        for label, name in enumerate(EMOTIONS):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                cv2.imwrite(str(folder / f"{index}.png"), cv2.resize(made_up_face(label, index), (60, 60)))
    return tmp_path


@pytest.fixture
def published(tmp_path):
    """A folder with two grey pictures of each of twenty people, landmark i at (2 i, 2 i + 1)."""
    import pyarrow
    import pyarrow.parquet

    jpeg = cv2.imencode(".jpg", np.full((100, 100, 3), 90, np.uint8))[1].tobytes()
    made = [
        {"person": f"person {i % 20:02}", "jpeg": jpeg, "landmarks68": np.arange(136.0).tolist()} for i in range(40)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(made), tmp_path / "keypoints68.parquet")
    return tmp_path


@pytest.fixture(scope="module")
def short_cnn():
    """The cnn has two of its eight convolutions, for tests of what goes on around the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cnn, "build", short)
        yield


@pytest.fixture(scope="module")
def eager():
    """TensorFlow computes step by step, for short trainings: to make graphs takes longer than the few steps in them.

    `test_on_device.py` and `test_resume.py` make them.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", autouse=True)
def full_precision():
    """Training computes as in a process of its own: a model that the app has loaded here switched bfloat16 on."""
    import tensorflow as tf

    from models import precision

    precision.prepare()  # once a process, so never in the midst of this
    option = "auto_mixed_precision_onednn_bfloat16"
    before = tf.config.optimizer.get_experimental_options().get(option, False)
    tf.config.optimizer.set_experimental_options({option: False})
    yield
    tf.config.optimizer.set_experimental_options({option: before})
