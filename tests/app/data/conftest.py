"""Small datasets, written as the app reads them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from app.data import reading
from app.data.faces import Faces
from models import dataset
from models.types import EMOTIONS
from models.zoo import EMOTION_MODELS


def sharp(*names: str, sure: float = 0.7) -> np.ndarray:
    """Probabilities, float32 (N, 7), whose highest is `sure` at the named emotions."""
    found = np.full((len(names), len(EMOTIONS)), (1 - sure) / 6, np.float32)
    found[np.arange(len(names)), [EMOTIONS.index(name) for name in names]] = sure
    return found


def faces(
    cnn: list[str],
    resnet: list[str],
    mean: list[str] | None = None,
    labels: list[str] | None = None,
    **measures: list[float],
) -> Faces:
    """Faces by what two networks and their mean name, and by their labels."""
    count = len(cnn)
    return Faces(
        {"cnn": sharp(*cnn), "resnet": sharp(*resnet), "mean": sharp(*(mean or cnn))},
        np.array([EMOTIONS.index(name) if name else -1 for name in labels or [""] * count], np.int8),
        np.array([""] * count),
        {name: np.array(values, np.float32) for name, values in measures.items()},
        {},
        np.array([f"{number:064x}" for number in range(count)]),
        np.zeros(count, np.int32),
        np.arange(count),
    )


def part(count: int, **columns: list | np.ndarray) -> pa.Table:
    """Rows of the table `faces`: all columns there must be, null but for those that are given."""
    more = [
        pa.field(name, pa.array(values).type if name != "embedding" else pa.list_(pa.float32()))
        for name, values in columns.items()
        if name not in dataset.schema("faces").names
    ]
    arranged = dataset.schema("faces", more)
    return pa.table(
        [
            pa.array(list(columns[field.name]) if field.name in columns else [None] * count, field.type)
            for field in arranged
        ],
        schema=arranged,
    )


def answers(who: str, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of what a network or the mean says."""
    return dict(zip(dataset.probabilities(who), probabilities.T, strict=True))


def write(folder: Path, *parts: pa.Table, facts: dict | None = None) -> Path:
    """A dataset of these faces, a photo each."""
    made = dataset.create(folder, facts or {})
    photos, errors = dataset.schema("photos"), dataset.schema("errors")
    for number, of_part in enumerate(parts):
        count = of_part.num_rows
        names = {"photo_sha256": of_part["photo_sha256"].combine_chunks()}
        columns = [names.get(field.name, pa.nulls(count, field.type)) for field in photos]
        tables = {"faces": of_part, "photos": pa.table(columns, schema=photos), "errors": errors.empty_table()}
        dataset.write_part(made, f"part-{number}", tables)
    dataset.describe(made)
    return folder


@pytest.fixture
def plain() -> Callable[..., pa.Table]:
    """plain(*emotions, labels, ...) -> rows on which all three networks and their mean name these emotions."""

    def rows(*emotions: str, labels: list[str | None] | None = None, **more) -> pa.Table:
        count = len(emotions)
        columns = {
            name: values for who in (*EMOTION_MODELS, "mean") for name, values in answers(who, sharp(*emotions)).items()
        }
        columns |= {f"{who}_version": ["1.0.0"] * count for who in EMOTION_MODELS}
        columns |= {"photo_sha256": [f"{number:064x}" for number in range(count)], "face": [0] * count}
        columns |= {"label": labels or [None] * count, "brightness": np.linspace(0.2, 0.8, count, dtype=np.float32)}
        return part(count, **columns | more)

    return rows


@pytest.fixture
def use(monkeypatch, tmp_path) -> Callable[..., Path]:
    """use(*parts) -> the folder of a dataset of them, which is now this server's."""

    def write_it(*parts: pa.Table, facts: dict | None = None) -> Path:
        folder = write(tmp_path / "dataset", *parts, facts=facts)
        monkeypatch.setenv(reading.VARIABLE, str(folder))
        return folder

    return write_it
