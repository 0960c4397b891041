"""What photos a source holds, in portions, and the photos of a portion one after another.

Pictures in folders, tables of Parquet with a column of pictures, and the tar files of WebDataset. A portion is small
and can be sent to another process, which reads it there.
"""

import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from models import photo
from models.errors import DataError
from models.types import EMOTIONS
from training.dataset import storage
from training.dataset.captions import Captions
from training.dataset.storage import Place

PORTION = 32
"""Picture files in a portion."""
ROWS = 64
"""Rows of a table that are held at once."""
PICTURE_COLUMNS = ("image", "img", "picture", "photo", "png", "jpeg", "jpg", "bytes", "data")
CAPTION_COLUMNS = ("caption", "captions", "text", "sentence", "sentences", "alt_caption", "description")
LABEL_COLUMNS = ("label", "labels", "emotion", "expression")
SPLIT_COLUMNS = ("split", "usage")
MEANT = {
    **{name: name for name in EMOTIONS},
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""Other words for the emotions."""
TABLE, TAR = (".parquet",), (".tar", ".tgz", ".gz")


@dataclass(frozen=True)
class Picture:
    """A picture that is still to be read.

    Attributes:
        source: what it is called in the dataset.
        load: gives its bytes; raises OSError where they do not come.
        captions, label, split: what the source says of it; None where nothing.
    """

    source: str
    load: Callable[[], bytes]
    captions: list[str] | None = None
    label: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Portion:
    """Some of a source's photos.

    Attributes:
        kind: "photos" for files of pictures, "table" for a row group of Parquet, "tar" for a tar file.
        place: of the file, or of any one of the files.
        files: paths of pictures.
        group, first: the row group, and the number of its first row in the file.
        column: the table's column with the pictures.
        count: how many photos; 0 where that is not known before.
        skip: names of photos that are done.
        absolute: where the working directory of this machine's paths is.
        captions: of files of pictures, by their names without folders.
    """

    kind: Literal["photos", "table", "tar"]
    place: Place
    files: tuple[str, ...] = ()
    group: int = 0
    first: int = 0
    column: str = ""
    count: int = 0
    skip: frozenset[str] = frozenset()
    absolute: str = ""
    captions: Captions = field(default_factory=dict)

    def at(self, path: str) -> Place:
        """Where a path of the portion is, from whatever directory it is read."""
        if self.place.scheme:
            return self.place.at(path)
        return Place("", os.path.join(self.absolute, path))


def portions(sources: Sequence[str], column: str = "", captions: Captions | None = None) -> list[Portion]:
    """What several sources hold.

    Args:
        sources: folders, files or patterns, see `storage.files`, on this machine or in a store.
        column: of the pictures in tables; looked for where it is not named.
        captions: of files of pictures, see `captions.read`.

    Raises:
        DataError: a source is not there, cannot be read, or holds no picture.
    """
    found: list[Portion] = []
    for source in sources:
        where = storage.place(source)
        names = [name for name in storage.files(where) if not _is_clutter(name)]
        here = list(_portions(where, names, column))
        if not here:
            raise DataError(
                "No picture, Parquet table or tar file was found at the source",
                f"{source!r} with {len(names)} other files" if names else f"{source!r}, which is empty",
                "Give a folder that holds some",
            )
        found += here
    return [replace(portion, captions=_own(portion, captions)) for portion in found] if captions else found


def _own(portion: Portion, captions: Captions) -> Captions:
    """Of all captions, those of a portion's files: no more travels to another process."""
    names = (PurePosixPath(path).name for path in portion.files)
    return {name: captions[name] for name in names if name in captions}


def without(portion: Portion, done: frozenset[str]) -> Portion | None:
    """The portion less what is done; None where nothing is left."""
    if not done:
        return portion
    if portion.kind == "photos":
        files = tuple(path for path in portion.files if portion.place.at(path).name not in done)
        return replace(portion, files=files, count=len(files)) if files else None
    prefix = f"{portion.place.name}#"
    skip = frozenset(name for name in done if name.startswith(prefix))
    if portion.kind == "table":
        rows = range(portion.first, portion.first + portion.count)
        skip = frozenset(name for row in rows if (name := f"{prefix}{row}") in skip)
        if len(skip) == portion.count:
            return None
        return replace(portion, skip=skip)
    return replace(portion, skip=skip)


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name)
    return parts.name.startswith(".") or parts.name.lower() in photo.CLUTTER


def _portions(where: Place, names: list[str], column: str) -> Iterator[Portion]:
    pictures = picture_endings()
    absolute = "" if where.scheme else os.getcwd()
    files = [name for name in names if storage.ending(name) in pictures]
    for start in range(0, len(files), PORTION):
        some = tuple(files[start : start + PORTION])
        yield Portion("photos", where.at(some[0]), some, count=len(some), absolute=absolute)
    for name in names:
        if storage.ending(name) in TABLE:
            yield from _groups(where.at(name), column, absolute)
        elif storage.ending(name) in TAR and (storage.ending(name) != ".gz" or name.lower().endswith(".tar.gz")):
            yield Portion("tar", where.at(name), absolute=absolute)


def picture_endings() -> frozenset[str]:
    """The endings of files that FaceWhy reads as pictures."""
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in photo.FORMATS)


def _groups(where: Place, column: str, absolute: str) -> Iterator[Portion]:
    with opened(where) as file:
        column = column or picture_column(file.schema_arrow, where)
        if column not in file.schema_arrow.names:
            raise DataError(
                f"A column is missing in {where.name}",
                f"{column!r} where it has {', '.join(file.schema_arrow.names)}"[:160],
                "Give another --column",
            )
        first = 0
        for group in range(file.metadata.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            if count:
                yield Portion("table", where, (), group, first, column, count, absolute=absolute)
            first += count


def opened(where: Place) -> pq.ParquetFile:
    """A Parquet file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return pq.ParquetFile(where.system.open_input_file(where.plain))
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(f"{where.name} could not be read as Parquet", reason, "Download it again") from error
    except OSError as error:
        raise storage.failed(where, error) from error


def picture_column(schema: pa.Schema, where: Place) -> str:
    """The name of a table's column with pictures: bytes, or the Hub's {bytes, path}.

    Raises:
        DataError: there is none, or several of which none has a usual name.
    """
    fitting = [field.name for field in schema if _holds_bytes(field.type)]
    for name in PICTURE_COLUMNS:
        if name in fitting:
            return name
    if len(fitting) == 1:
        return fitting[0]
    raise DataError(
        f"The column with pictures was not found in {where.name}",
        f"columns {', '.join(schema.names)}"[:160],
        "Name it with --column",
    )


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def read(portion: Portion) -> Iterator[Picture]:
    """The pictures of a portion that are not done, in their order.

    Where a table or a tar file cannot be read any further, the last one stands for it: its name is that of the file,
    and loading it raises what happened.
    """
    reader = {"photos": _files, "table": _rows, "tar": _members}[portion.kind]
    try:
        yield from (picture for picture in reader(portion) if picture.source not in portion.skip)
    except (DataError, pa.ArrowException, OSError) as error:
        yield Picture(portion.place.name, partial(_raise, error))


def _raise(error: Exception) -> bytes:
    raise error


def _files(portion: Portion) -> Iterator[Picture]:
    for path in portion.files:
        label, split = _folders(path)
        load = partial(storage.load, portion.at(path))
        captions = portion.captions.get(PurePosixPath(path).name)
        yield Picture(portion.place.at(path).name, load, captions, label, split)


def _folders(path: str) -> tuple[str | None, str | None]:
    """Label and split of a picture in a folder with an emotion's name, such as train/happy/1.jpg."""
    *_, split, folder, _ = ("", "", *PurePosixPath(path).parts)
    label = emotion(folder)
    return (label, split or None) if label in EMOTIONS else (None, None)


def emotion(word: str) -> str:
    """One of `EMOTIONS` where a word means it; else the word itself."""
    return MEANT.get(word.strip().lower(), word)


def _rows(portion: Portion) -> Iterator[Picture]:
    prefix = portion.place.name
    with opened(portion.at(portion.place.plain)) as file:
        names, schema = class_names(file.schema_arrow), file.schema_arrow
        captions = [name for name in schema.names if _is_one_of(name, CAPTION_COLUMNS)]
        label = next((name for name in LABEL_COLUMNS if name in schema.names), None)
        split = next((name for name in SPLIT_COLUMNS if name in schema.names), None)
        wanted = [portion.column, *captions, *filter(None, (label, split))]
        row = portion.first
        for batch in file.iter_batches(ROWS, row_groups=[portion.group], columns=wanted):
            for values in batch.to_pylist():
                data = values[portion.column]
                data = data.get("bytes") if isinstance(data, dict) else data
                yield Picture(
                    f"{prefix}#{row}",
                    partial(_given, data),
                    sentences(values[name] for name in captions),
                    label_of(values[label], names.get(label, EMOTIONS)) if label else None,
                    _word(values[split], names.get(split, ())) if split else None,
                )
                row += 1


def _is_one_of(name: str, known: Sequence[str]) -> bool:
    """Whether a column has one of these names, also with a number behind it, such as caption_0."""
    return name.lower().rstrip("0123456789").rstrip("_") in known


def _given(data: bytes | None) -> bytes:
    return data or b""


def class_names(schema: pa.Schema) -> dict[str, Sequence[str]]:
    """The names of classes by column, where the Hub's `datasets` has written them into a table."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return {name: tuple(kind["names"]) for name, kind in features.items() if "names" in kind}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def label_of(value: Any, names: Sequence[str]) -> str | None:
    """A label in words: a number is one of `names`, and words that mean an emotion are it."""
    word = _word(value, names)
    return None if word is None else emotion(word)


def _word(value: Any, names: Sequence[str]) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    return str(value)


def sentences(values: Iterable[Any]) -> list[str] | None:
    """All texts of some values, each a text or a list of texts; None where there is none."""
    found: list[str] = []
    for value in values:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Sequence):
            found += [str(each) for each in value if each]
    return found or None


def _members(portion: Portion) -> Iterator[Picture]:
    where, pictures = portion.at(portion.place.plain), picture_endings()
    with where.system.open_input_stream(where.plain, compression=None) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|*") as tar:
                for sample in _samples(tar):
                    yield from _of_sample(portion.place.name, sample, pictures)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise DataError("The tar file could not be read to its end", str(error), "Download it again") from error


def _samples(tar: tarfile.TarFile) -> Iterator[dict[str, bytes]]:
    """The files of each sample by name: neighbours whose names are the same up to the first dot."""
    sample: dict[str, bytes] = {}
    key = None
    for member in tar:
        if not member.isfile() or _is_clutter(member.name):
            continue
        folder, _, name = member.name.rpartition("/")
        if (own := (folder, name.partition(".")[0])) != key:
            if sample:
                yield sample
            key, sample = own, {}
        if member.size <= photo.MAX_BYTES + 1:
            sample[member.name] = tar.extractfile(member).read()  # type: ignore[union-attr]  # it is a file
        else:
            sample[member.name] = bytes(photo.MAX_BYTES + 1)  # refused later, without its bytes held here
    if sample:
        yield sample


def _of_sample(tar: str, sample: dict[str, bytes], pictures: frozenset[str]) -> Iterator[Picture]:
    told: dict[str, Any] = {}
    for name, data in sample.items():
        match storage.ending(name):
            case ".txt" | ".caption":
                told["caption"] = data.decode(errors="replace").strip()
            case ".cls":
                text = data.decode(errors="replace").strip()
                told["label"] = int(text) if text.isdigit() else text
            case ".json":
                told |= _object(data)
    captions = sentences(value for name, value in told.items() if _is_one_of(name, CAPTION_COLUMNS))
    label = next((told[name] for name in LABEL_COLUMNS if name in told), None)
    split = next((told[name] for name in SPLIT_COLUMNS if name in told), None)
    for name, data in sample.items():
        if storage.ending(name) in pictures:
            told_label = label_of(label, EMOTIONS)
            yield Picture(f"{tar}#{name}", partial(_given, data), captions, told_label, _word(split, ()))


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
