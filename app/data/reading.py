"""The dataset of this server: which one it is, and its columns in memory."""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.data.faces import MEAN, NO_LABEL, Faces
from models import dataset, geometry
from models.dataset import Dataset
from models.errors import DatasetError
from models.types import EMOTIONS, KEYPOINTS
from models.zoo import EMOTION_MODELS

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).parents[2] / "examples" / "dataset"
"""Measures of FER2013's test faces without their pictures, see `docs/data-tab.md`."""
VARIABLE = "FACEWHY_DATASET"
MEASURES = ("brightness", "contrast", "sharpness", "size", "yaw", "roll", "disagreement")
"""The columns of a face that can be filtered and that accuracy is told by; see `models.dataset`."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A dataset whose faces are in memory.

    Attributes:
        source: where the rest of it lies.
        state: changes whenever its files do, see `_state`.
        faces: those that the networks' mean has an answer for.
        versions: of the weights, by network.
        photos, errors: how many pictures were read, and how many could not be.
        crops: whether it holds pictures of the faces.
        embeddings: whether it holds what a network says before its logits.
        plane: where the faces lie on a plane, float32 (N, 2), as its embeddings were projected when it was written;
            None where they were not.
    """

    source: Dataset
    state: tuple[int, ...]
    faces: Faces
    versions: Mapping[str, str]
    photos: int
    errors: int
    crops: bool
    embeddings: bool
    plane: np.ndarray | None

    @cached_property
    def _starts(self) -> np.ndarray:
        """The first row of each file, and the end of the last."""
        counts = [pq.read_metadata(path).num_rows for path in self.source.parts("faces")]
        return np.concatenate([[0], np.cumsum(counts)])

    def embedding(self) -> np.ndarray:
        """What a network says of each of `faces` before its logits, float (N, D).

        Raises:
            DatasetError: a file cannot be read, or a face has none.
        """
        found = _table(self.source, ["embedding"])["embedding"].take(pa.array(self.faces.rows))
        lists = found.combine_chunks()
        if lists.null_count or not len(lists):
            raise DatasetError(
                "Embeddings are missing for some faces of the dataset",
                f"{lists.null_count} of {len(lists)}",
                "Run `.venv/bin/python -m training features` on the dataset",
            )
        return lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), -1)

    def crop(self, row: int) -> bytes | None:
        """The picture of a face as a PNG, by its row; None where the dataset has none."""
        if not self.crops:
            return None
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        path = self.source.parts("faces")[part]
        if "crop" not in pq.read_schema(path).names:
            return None
        found = pq.read_table(path, columns=["crop"])["crop"][row - int(self._starts[part])].as_py()
        return found if found is None else bytes(found)


def folder() -> Path:
    """The folder that the operator named, else the one that ships; a visitor never names one."""
    return Path(os.environ.get(VARIABLE, "").strip() or SHIPPED).expanduser()


_opened: Opened | None = None
_lock = threading.Lock()


def current() -> Opened:
    """This server's dataset; read again where its files have changed.

    Raises:
        DatasetError: there is none, it is of another version, or something in it is missing; without the folder's
            path, which is the operator's and goes to the log.
    """
    global _opened
    where = folder()
    with _lock:
        try:
            state = _state(where)
            if _opened is None or (_opened.source.folder, _opened.state) != (where, state):
                _opened = opened(where, state)
            return _opened
        except DatasetError as error:
            log.warning("%s", error)
            error.happened, error.received, error.advice = (
                each.replace(str(where), VARIABLE) for each in (error.happened, error.received, error.advice)
            )
            raise


def opened(where: Path, state: tuple[int, ...] = ()) -> Opened:
    """The dataset of a folder, its faces in memory.

    Raises:
        DatasetError: see `models.dataset.read`; or it has no face.
    """
    source = dataset.read(where)
    present = set(source.schema("faces").names)
    named = [column for column in geometry.COLUMNS if column in present]
    points = [] if named else [name for pair in dataset.xy(dataset.KEYPOINT, KEYPOINTS) for name in pair]
    answers = {who: dataset.probabilities(who) for who in (*EMOTION_MODELS, MEAN)}
    plane = [name for name in ("embedding_x", "embedding_y") if name in present]
    columns = [*MEASURES, "label", "split", "photo_sha256", "face", *named, *points, *plane]
    columns += [name for names in answers.values() for name in names]
    columns += [f"{who}_version" for who in EMOTION_MODELS]
    table = _table(source, columns)
    rows = np.flatnonzero(table[answers[MEAN][0]].is_valid().to_numpy())
    if not len(rows):
        raise DatasetError(
            "No face with an answer was found in the dataset",
            f"{table.num_rows} faces",
            "Annotate photos with faces, with the networks of FaceWhy",
        )
    table = table if len(rows) == table.num_rows else table.take(pa.array(rows))
    asked = {who: names for who, names in answers.items() if not table[names[0]].null_count}
    faces = Faces(
        probabilities={who: _stacked(table, names) for who, names in asked.items()},
        labels=_index(table["label"], EMOTIONS),
        splits=np.asarray(table["split"].fill_null("").to_numpy(), str),
        measures={name: _floats(table, name) for name in MEASURES if table[name].null_count < len(table)},
        geometry=_geometry(table, named, points),
        photos=table["photo_sha256"].to_numpy(),
        numbers=table["face"].to_numpy(),
        rows=rows,
    )
    return Opened(
        source,
        state,
        faces,
        {who: _listed(table[f"{who}_version"]) for who in faces.networks},
        source.rows["photos"],
        source.rows["errors"],
        "crop" in present,
        "embedding" in present,
        _stacked(table, plane) if len(plane) == 2 else None,
    )


def _state(where: Path) -> tuple[int, ...]:
    """When the schema and the folders of a dataset were last written to; every file is put in its place by a rename."""
    paths = (where / dataset.SCHEMA_FILE, *(where / table for table in dataset.TABLES))
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _table(source: Dataset, columns: Sequence[str]) -> pa.Table:
    return source.read("faces", columns)


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table[name].to_numpy(), np.float32)


def _stacked(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    return np.stack([_floats(table, name) for name in names], 1)


def _geometry(table: pa.Table, named: Sequence[str], points: Sequence[str]) -> dict[str, np.ndarray]:
    """The geometry of faces by name, from its columns, or from those of keypoints where the features were not computed.

    A measure that no face has is left out.
    """
    if named:
        found = {name.removeprefix(geometry.PREFIX): _floats(table, name) for name in named}
        return {name: values for name, values in found.items() if np.isfinite(values).any()}
    coordinates = _stacked(table, points)
    known = np.isfinite(coordinates).all(1)
    if not known.any():
        return {}
    measured = np.full((len(coordinates), len(geometry.NAMES)), np.nan, np.float32)
    measured[known] = geometry.measure(coordinates[known].reshape(-1, len(KEYPOINTS), 2))
    return dict(zip(geometry.NAMES, measured.T, strict=True))


def _index(column: pa.ChunkedArray, names: Sequence[str]) -> np.ndarray:
    places = pc.index_in(column, value_set=pa.array(names)).fill_null(NO_LABEL)
    return places.to_numpy().astype(np.int8)


def _listed(column: pa.ChunkedArray) -> str:
    return ", ".join(sorted(filter(None, column.unique().to_pylist())))
