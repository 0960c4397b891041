"""A dataset of faces: its schema, and how its folder is read and written.

    DATASET/
    ├── schema.json       the version, and every column with its type, unit and meaning
    ├── README.md         the data card
    ├── photos/PART.parquet   one row a photo
    ├── faces/PART.parquet    one row a face, largest first within a photo
    └── errors/PART.parquet   one row a photo that could not be read, with the reason

A part is a batch of photos with its three files of one name. The one in `photos` is written last: a part without it
was cut short, counts as absent, and is removed before more is written. All columns are flat, so that a table of
50,000 rows is filtered and added up without taking lists apart. Unknown values are null, never NaN.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from models.errors import DatasetError
from models.types import EMOTIONS, KEYPOINTS
from models.zoo import EMOTION_MODELS

FORMAT = "facewhy-dataset"
VERSION = 1
"""Of the schema: another number means that columns of this one were renamed, removed or have another meaning."""
SCHEMA_FILE, CARD_FILE = "schema.json", "README.md"
TABLES = ("photos", "faces", "errors")
FACE_HASH = "face_hash"
"""The column by which the same picture is known again after another cut or compression."""
POINTS = ("right_eye", "left_eye", "nose_tip", "right_mouth_corner", "left_mouth_corner")
"""The detector's five points in their order; left and right are the subject's own."""
MEAN = "mean"
GEOMETRY, KEYPOINT, POINT = "geometry_", "keypoint_", "point_"
"""What the names of such columns begin with."""
PART = re.compile(r"[\w-]+\.parquet")
READ_AGAIN = "Annotate the photos again, into another folder"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: of the column.
        type: Arrow's.
        description: what a value is.
        unit: of the values; "" where they have none.
        optional: whether a dataset may be without it.
    """

    name: str
    type: pa.DataType
    description: str
    unit: str = ""
    optional: bool = False

    @property
    def field(self) -> pa.Field:
        """The same for Arrow, with description and unit in its metadata."""
        return pa.field(self.name, self.type, metadata={"description": self.description, "unit": self.unit})


PX, SHARE = "pixels of the upright photo", "0..1"
TEXT, REAL, TEXTS = pa.string(), pa.float32(), pa.list_(pa.string())


def probability(who: str, emotion: str) -> str:
    """The name of the column with a probability: `who` is a network, or `mean` for all of them together."""
    return f"{who}_{emotion}"


def probabilities(who: str) -> list[str]:
    """The names of the seven columns with the probabilities of a network or of `mean`, in the order of `EMOTIONS`."""
    return [probability(who, emotion) for emotion in EMOTIONS]


def xy(prefix: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """The names of the columns with x and y of named points."""
    return [(f"{prefix}{name}_x", f"{prefix}{name}_y") for name in names]


def _places(prefix: str, names: Sequence[str], of: str) -> list[Column]:
    words = [name.replace("_", " ") for name in names]
    return [
        Column(column, REAL, f"{axis} of the {word}, {of}", PX)
        for word, pair in zip(words, xy(prefix, names), strict=True)
        for axis, column in zip("xy", pair, strict=True)
    ]


def _answers(who: str, of: str) -> list[Column]:
    return [
        *(Column(probability(who, each), REAL, f"calibrated probability of {each}, {of}", SHARE) for each in EMOTIONS),
        Column(f"{who}_emotion", TEXT, f"the most probable emotion, {of}"),
        Column(f"{who}_version", TEXT, f"version of the weights, {of}"),
    ]


_PHOTO = [
    Column("source", TEXT, "where the photo came from: a path or address, with its row or member after #"),
    Column("photo_sha256", TEXT, "sha256 of the picture file's bytes, 64 hexadecimal digits"),
    Column("photo_width", pa.int32(), "width of the photo, upright and at most 2,048 pixels on its longer side", "px"),
    Column("photo_height", pa.int32(), "height of the same", "px"),
    Column("photo_turned", pa.int16(), "by how much it was turned after what its file says of itself", "° clockwise"),
]
_KNOWN = [
    Column("label", TEXT, "the emotion that the source names; null where it names none"),
    Column("split", TEXT, "the part of its data set that the source names, such as PrivateTest; null where none"),
]

PHOTOS = (
    *_PHOTO,
    Column("faces", pa.int32(), "how many faces were found"),
    Column("emotion", TEXT, "the dominant emotion of the largest face; null where there is no face"),
    Column("confidence", REAL, "its probability", SHARE),
    Column("captions", TEXTS, "what the source says of the photo in words; null where nothing"),
    *_KNOWN,
)
FACES = (
    *_PHOTO,
    Column("face", pa.int16(), "which face of the photo, 0 for the largest"),
    *(Column(f"box_{side}", REAL, f"{side} of the detector's box", PX) for side in ("left", "top", "right", "bottom")),
    Column("score", REAL, "the detector's confidence; null where the whole picture was taken as the face", SHARE),
    *_places(POINT, POINTS, "the detector's; null where no detector looked"),
    *_places(KEYPOINT, KEYPOINTS, "the keypoint network's; left and right are the subject's own"),
    Column("roll", REAL, "how far the face leans, by eyes and mouth", "° clockwise"),
    Column("yaw", REAL, "about how far it is turned to its own left, by the nose's offset, see models.pose", "°"),
    Column("size", REAL, "side of the square that the networks see; theirs has 48", PX),
    Column("brightness", REAL, "mean of the face, 0 black to 1 white", SHARE),
    Column("contrast", REAL, "standard deviation of the face's brightness", SHARE),
    Column("sharpness", REAL, "standard deviation of the face's Laplacian at 48 pixels", "contrast"),
    Column("inside", REAL, "share of the square that lies inside the photo", SHARE),
    Column("keypoints_outside", pa.int16(), "keypoints that lie outside the photo"),
    Column("disagreement", REAL, "mean distance between the detector's points and the same keypoints", "eye distance"),
    Column("warnings", TEXTS, "what makes the answer unreliable, of models.quality.WARNINGS"),
    *(column for name in EMOTION_MODELS for column in _answers(name, f"of the network {name}; null where not used")),
    *_answers(MEAN, "of the networks' calibrated mean"),
    Column("emotion", TEXT, "the dominant emotion: that of the networks' mean"),
    Column("confidence", REAL, "its probability", SHARE),
    Column("agreement", REAL, "share of the networks whose own most probable emotion is the dominant one", SHARE),
    Column("conformal_set", TEXTS, "emotions that a conformal prediction leaves possible; null where not computed"),
    *_KNOWN,
    Column("crop", pa.binary(), "the face as the networks see it, grey PNG of 48 × 48 pixels", optional=True),
    Column(
        FACE_HASH, pa.uint64(), "64 bits of the face's low frequencies; near equal for near equal pictures", "", True
    ),
    Column("embedding", pa.list_(REAL), "what a network says before its logits, a fixed length a dataset", "", True),
    Column("embedding_x", REAL, "first axis of a projection of the embeddings to a plane", "", True),
    Column("embedding_y", REAL, "second axis of the same", "", True),
)
ERRORS = (
    Column("source", TEXT, "as in photos"),
    Column("photo_sha256", TEXT, "as in photos; null where the file's bytes did not come"),
    Column("error", TEXT, "the kind, such as UnreadablePhoto"),
    Column("reason", TEXT, "what happened, what was received and what to do, in a sentence each"),
)
COLUMNS: dict[str, tuple[Column, ...]] = {"photos": PHOTOS, "faces": FACES, "errors": ERRORS}


def column(table: str, name: str) -> Column:
    """A column of the schema by name.

    Raises:
        DatasetError: the schema has none of this name.
    """
    for each in COLUMNS[table]:
        if each.name == name:
            return each
    raise DatasetError(f"No such column was found in the table {table!r}", repr(name), "Use one that schema.json lists")


def schema(table: str, more: Iterable[pa.Field] = ()) -> pa.Schema:
    """Arrow's schema of a table: every column that no dataset is without, then `more`, each as `Column.field` makes it.

    Columns of the features begin with `GEOMETRY`, those of a foreign annotator with its name; an `embedding` is a
    fixed-size list of float16 or float32.
    """
    return pa.schema([*(each.field for each in COLUMNS[table] if not each.optional), *more])


def check(table: str, found: pa.Schema, where: str | Path = "the table") -> None:
    """See that a schema has every column that it cannot be without, each of its type.

    Args:
        table: one of `TABLES`.
        found: to be checked; more columns than those of `schema` are right.
        where: what has this schema, for the message.

    Raises:
        DatasetError: a column is missing or has another type.
    """
    names = set(found.names)
    missing = [each.name for each in COLUMNS[table] if not each.optional and each.name not in names]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise DatasetError(f"Columns are missing in {where}", ", ".join(missing[:4]) + more, READ_AGAIN)
    for each in COLUMNS[table]:
        if each.name == "embedding" or each.name not in names:
            continue
        if (kind := found.field(each.name).type) != each.type:
            raise DatasetError(
                f"The column {each.name!r} in {where} is not of the type {each.type}", str(kind), READ_AGAIN
            )


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset that was written by this version.

    Attributes:
        folder: its own.
        facts: what schema.json says beside columns, such as where the photos came from.
    """

    folder: Path
    facts: Mapping[str, Any]

    def parts(self, table: str) -> list[Path]:
        """The files of a table, of whole parts alone, in the order in which they were written."""
        names = [path.name for path in sorted((self.folder / "photos").glob("*.parquet")) if PART.fullmatch(path.name)]
        return [path for name in names if (path := self.folder / table / name).is_file()]

    @cached_property
    def rows(self) -> dict[str, int]:
        """How many rows each table has, by what its files say of themselves."""
        return {table: sum(_footer(path).num_rows for path in self.parts(table)) for table in TABLES}

    def schema(self, table: str) -> pa.Schema:
        """All columns of a table; a part that lacks an optional one has null there.

        Raises:
            DatasetError: a file cannot be read, or does not have the columns of the schema.
        """
        found, before = schema(table), None
        for path in self.parts(table):
            of_part = _footer(path).schema.to_arrow_schema()
            if before is None or not of_part.equals(before):  # most parts are like the one before
                check(table, of_part, path)
                found = _together(found, of_part, path)
            before = of_part
        return found

    def read(self, table: str, columns: Sequence[str] | None = None, filter: Any = None) -> pa.Table:
        """A table, or some of its columns, in the order in which it was written.

        Args:
            table: one of `TABLES`.
            columns: by name; all if left out.
            filter: of rows, an expression of `pyarrow.dataset`.

        Raises:
            DatasetError: a file cannot be read, or a column is missing.
        """
        found = self.schema(table)
        if missing := sorted(set(columns or ()) - set(found.names)):
            features = any(name.startswith((GEOMETRY, "embedding")) for name in missing)
            advice = "Run `.venv/bin/python -m training features` on the dataset" if features else READ_AGAIN
            raise DatasetError(
                f"Columns are missing in the table {table!r} of {self.folder}", ", ".join(missing[:4]), advice
            )
        paths = list(map(str, self.parts(table)))
        try:
            scanned = pyarrow.dataset.dataset(paths, schema=found, format="parquet") if paths else found.empty_table()
            if isinstance(scanned, pa.Table):
                return scanned.select(columns) if columns is not None else scanned
            return scanned.to_table(columns=columns, filter=filter)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.folder / table, error) from error


def read(folder: str | Path) -> Dataset:
    """The dataset in a folder; no table is read yet.

    Raises:
        DatasetError: there is none, its schema.json cannot be read, or it is of another version.
    """
    folder = Path(folder).expanduser()
    path = folder / SCHEMA_FILE
    if not path.is_file():
        raise DatasetError(
            "No dataset was found in the folder",
            f"{folder} without {SCHEMA_FILE}" if folder.is_dir() else f"no folder {folder}",
            "Write one with `.venv/bin/python -m training annotate`",
        )
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        kind, version = facts.pop("format"), facts.pop("version")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DatasetError(f"{path} could not be read", f"{type(error).__name__}: {error}", READ_AGAIN) from error
    if (kind, version) != (FORMAT, VERSION):
        raise DatasetError(
            f"The dataset in {folder} was written in another version",
            f"{kind} {version} where this FaceWhy reads {FORMAT} {VERSION}",
            f"Use the FaceWhy that wrote it, or: {READ_AGAIN.lower()}",
        )
    if absent := [table for table in TABLES if not (folder / table).is_dir()]:
        raise DatasetError(f"Folders of the dataset {folder} are missing", ", ".join(absent), READ_AGAIN)
    return Dataset(folder, {name: value for name, value in facts.items() if name not in ("emotions", "tables")})


def create(folder: str | Path, facts: Mapping[str, Any] | None = None) -> Dataset:
    """Make a folder a dataset without rows; one that is there keeps its rows and takes the new facts.

    Args:
        folder: made where it is missing.
        facts: about the dataset as plain JSON, for its schema.json.

    Raises:
        DatasetError: what is there is a dataset of another version.
        OSError: the folder cannot be written.
    """
    folder = Path(folder).expanduser()
    if (folder / SCHEMA_FILE).is_file():
        read(folder)
    for table in TABLES:
        (folder / table).mkdir(parents=True, exist_ok=True)
    made = Dataset(folder, dict(facts or {}))
    describe(made)
    return made


def describe(dataset: Dataset) -> None:
    """Write schema.json anew: facts, and the columns that the parts have now.

    Raises:
        DatasetError, OSError: a part cannot be read, or the file not be written.
    """
    tables = {table: described(dataset, table) for table in TABLES}
    content = {"format": FORMAT, "version": VERSION, **dataset.facts, "emotions": EMOTIONS, "tables": tables}
    write_text(dataset.folder / SCHEMA_FILE, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_part(dataset: Dataset, part: str, tables: Mapping[str, pa.Table]) -> None:
    """Write a part, or replace one; after a stop at any moment it is whole or absent.

    Args:
        dataset: to write to.
        part: its name, word characters and dashes.
        tables: one each of `TABLES`, with at least the columns of `schema`.

    Raises:
        DatasetError: a column is missing or has another type.
        OSError: the disk refuses.
    """
    for table in TABLES:
        check(table, tables[table].schema, f"the table {table!r}")
    for table in ("faces", "errors", "photos"):  # the last one makes the part count
        write_table(dataset.folder / table / f"{part}.parquet", tables[table])


def write_table(path: Path, table: pa.Table) -> None:
    """Write a file of a part beside its place, and then put it there at once.

    Raises:
        OSError: the disk refuses.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        pq.write_table(table, partial, compression="zstd")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """The same for a text file."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def clean(dataset: Dataset) -> list[Path]:
    """Remove what a stop has left: files of parts that are not whole, and what was never put in its place."""
    whole = {path.name for path in dataset.parts("photos")}
    left = [path for table in TABLES for path in (dataset.folder / table).glob("*") if path.name not in whole]
    left += dataset.folder.glob("*.partial")
    for path in left:
        path.unlink()
    return left


def described(dataset: Dataset, table: str) -> list[dict[str, str]]:
    """Name, type, unit and description of the columns that a table has now, as plain JSON.

    Raises:
        DatasetError: a part cannot be read.
    """
    return [_described(table, field) for field in dataset.schema(table)]


def _described(table: str, field: pa.Field) -> dict[str, str]:
    known = {each.name: each for each in COLUMNS[table]}.get(field.name)
    said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    description, unit = (known.description, known.unit) if known else ("", "")
    return {
        "name": field.name,
        "type": str(field.type),
        "unit": said.get("unit", unit),
        "description": said.get("description", description),
    }


def _together(found: pa.Schema, other: pa.Schema, path: Path) -> pa.Schema:
    try:
        return pa.unify_schemas([found, other])
    except pa.ArrowException as error:
        raise DatasetError(f"{path} does not have the types of other parts", str(error), READ_AGAIN) from error


def _footer(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DatasetError:
    reason = str(error).splitlines()[0][:120]
    return DatasetError(f"{path} could not be read", reason, "Remove this part and annotate again: the rest is kept")
