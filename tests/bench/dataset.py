"""The tab Data over a large dataset: how long its first view takes, and the next one with a filter."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from tests.bench.timing import Row

FACES, PART = 50_000, 4096
NOISE = 0.01
"""By which each copy of a face's keypoints is shifted, as a share of its size, so that no two are the same."""
UNFILTERED = ("mean", "", "", "", "", *[None] * 8)
FILTERED = ("mean", "happy", *UNFILTERED[2:])


def rows(models: list, turns: int) -> Iterator[Row]:
    """A view from the files, as after a start, and one of the faces that are named happy, from memory."""
    from app.data import reading
    from app.ui.tabs import data

    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get(reading.VARIABLE)
        os.environ[reading.VARIABLE] = str(write(Path(folder) / "dataset", FACES))
        try:
            first, next_one = [], []
            for _ in range(turns + 1):
                reading._opened = None
                first.append(seconds_of(data, UNFILTERED))
                next_one.append(seconds_of(data, FILTERED))
        finally:
            reading._opened = None
            os.environ.pop(reading.VARIABLE)
            if before is not None:
                os.environ[reading.VARIABLE] = before
    yield Row(f"tab Data: first view of {FACES:,} faces", median(first[1:]), 1, "s")
    yield Row(f"tab Data: the same with a filter, of {FACES:,}", median(next_one[1:]), 1, "s")


def seconds_of(data, asked: tuple) -> float:
    """How long the tab's own handler takes.

    Raises:
        RuntimeError: it showed a sentence in place of the dataset.
    """
    started = time.perf_counter()
    told = data.show(None, "answer", "pca", "happy", *asked)
    taken = time.perf_counter() - started
    if told.shown is None:
        raise RuntimeError(told.notice)
    return taken


def write(folder: Path, faces: int) -> Path:
    """A dataset of so many faces: those that ship, as often as it takes, each copy with other keypoints and photos."""
    from app.data import reading
    from models import dataset

    shipped = dataset.read(reading.SHIPPED)
    tables = {name: shipped.read(name) for name in dataset.TABLES}
    random, made = np.random.default_rng(0), dataset.create(folder, shipped.facts)
    count = tables["faces"].num_rows
    for number, start in enumerate(range(0, faces, PART)):
        places = np.arange(start, min(start + PART, faces))
        part = {name: table.take(pa.array(places % count)) for name, table in tables.items() if table.num_rows}
        part["faces"] = shaken(part["faces"], random)
        digests = pa.array([f"{place:064x}" for place in places])
        for name in ("photos", "faces"):
            index = part[name].column_names.index("photo_sha256")
            part[name] = part[name].set_column(index, part[name].schema.field(index), digests)
        dataset.write_part(made, f"part-{number:05d}", {"errors": tables["errors"].slice(0, 0), **part})
    dataset.describe(made)
    return folder


def shaken(faces: pa.Table, random: np.random.Generator) -> pa.Table:
    """The same faces with their keypoints shifted a little, each by its own."""
    from models import dataset

    for index, name in enumerate(faces.column_names):
        if name.startswith(dataset.KEYPOINT):
            values = faces[name].to_numpy()
            moved = values + random.normal(0, NOISE * 48, len(values)).astype(np.float32)
            faces = faces.set_column(index, faces.schema.field(index), pa.array(moved, pa.float32()))
    return faces
