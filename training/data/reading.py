"""FER2013 as Parquet, csv or folders, and faces with 68 landmarks, from disk."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from models.errors import DataError
from models.photo import is_clutter
from models.types import EMOTIONS
from training.data.checking import check_complete, numbers
from training.data.files import emotion_file, keypoint_file, pictures
from training.data.landmarks import corrected
from training.data.splits import SPLITS, EmotionSplit, KeypointSplit

if TYPE_CHECKING:
    import pyarrow

FER2013_ORDER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FERPLUS_COLUMNS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
SIDE = 48
UNREADABLE_LIMIT = 20


def told(what: str) -> None:
    """Say on standard output what was skipped."""
    print(f"skipped: {what}")


def load_emotions(
    path: str | Path, complete: bool = True, skipped: Callable[[str], None] = told
) -> dict[str, EmotionSplit]:
    """Labelled faces by split ("Training", "PublicTest", "PrivateTest").

    Args:
        path: `fer2013.parquet`; or the original `fer2013.csv` or `icml_face_data.csv` (with
            `fer2013new.csv` of FER+ beside it, its votes are used); or a folder `train/<emotion>/*`,
            `test/<emotion>/*`, where a tenth of `train` becomes "PublicTest". A folder that holds one
            of the files will do.
        complete: whether every emotion must occur in every split.
        skipped: called with what is left out and why: each picture that cannot be read, by its file
            and row, and each folder that is named after no emotion.

    Raises:
        DataError: something is missing or unreadable; the message names file and row, in a csv the
            line as an editor counts it.
    """
    path = emotion_file(Path(path))
    if path.is_dir():
        splits = _from_folders(path, complete, skipped)
    elif path.is_file():
        splits = _from_parquet(path, skipped) if path.suffix == ".parquet" else _from_csv(path)
    else:
        raise DataError("The training data were not found", str(path), "Give --data PATH")
    if complete:
        check_complete(splits, path.name)
    return splits


def _from_parquet(path: Path, skipped: Callable[[str], None]) -> dict[str, EmotionSplit]:
    votes = [f"votes_{FERPLUS_COLUMNS[emotion]}" for emotion in EMOTIONS]
    table = _read_parquet(path, ["usage", "label", "png"], votes)

    def where(row: int) -> str:
        return f"row {row}"

    labels = numbers(path, table["label"].to_pylist(), where)
    usage = _usage(path, table["usage"].to_pylist(), where)
    images, keep = _decode_all(
        ((f"{path.name}, {where(row)}", data) for row, data in enumerate(table["png"].to_pylist())),
        len(labels),
        skipped,
    )
    counts = _votes(path, table, votes) if votes[0] in table.column_names else _no_votes(len(labels))
    return _split(images, labels[keep], counts[keep], usage[keep])


def _read_parquet(path: Path, columns: list[str], together: Sequence[str] = ()) -> "pyarrow.Table":
    """A table of columns, and of those of `together` where the file has any of them."""
    import pyarrow
    import pyarrow.parquet

    try:
        present = pyarrow.parquet.read_schema(path).names
        columns = columns + [column for column in together if set(together) & set(present)]
        missing = [column for column in columns if column not in present]
        if missing:
            raise DataError(
                f"Columns are missing in {path.name}",
                f"no {', '.join(missing)}",
                f"Give a file with {', '.join(columns)}",
            )
        return pyarrow.parquet.read_table(path, columns=columns)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path.name} is not a readable Parquet file", str(error), "Download it again") from error


def _from_csv(path: Path) -> dict[str, EmotionSplit]:
    table = _read_csv(path, {"emotion", "pixels", "Usage"})

    def where(row: int) -> str:
        return f"line {_line(path, row)}"

    order = np.array([EMOTIONS.index(name) for name in FER2013_ORDER])
    labels = order[numbers(path, table["emotion"].to_pylist(), where)]
    usage = _usage(path, table["Usage"].to_pylist(), where)
    images = np.empty((len(table), SIDE, SIDE), np.uint8)
    for row, text in enumerate(table["pixels"].to_pylist()):
        try:
            images[row] = np.array(str(text).split(), np.uint8).reshape(SIDE, SIDE)
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"The pixels of a face in {path.name} could not be read",
                f"{where(row)}: {error}",
                f"Give every face {SIDE * SIDE} grey values from 0 to 255",
            ) from error
    plus = path.with_name("fer2013new.csv")
    if not plus.is_file():
        return _split(images, labels, _no_votes(len(labels)), usage)
    columns = [FERPLUS_COLUMNS[emotion] for emotion in EMOTIONS]
    ferplus = _read_csv(plus, set(columns))
    if len(ferplus) != len(table):
        raise DataError(
            f"{plus.name} and {path.name} differ in their numbers of rows",
            f"{len(ferplus)} and {len(table)} rows",
            "Use both files as they were published",
        )
    if "Usage" in ferplus.column_names and (_stripped(ferplus["Usage"].to_pylist()) != usage).any():
        raise DataError(
            f"The rows of {plus.name} are not in the order of {path.name}",
            "another column Usage",
            "Use both files as they were published",
        )
    return _split(images, labels, _votes(plus, ferplus, columns), usage)


def _read_csv(file: Path, required: set[str]) -> "pyarrow.Table":
    """A table whose columns have no spaces around their names; the competition's header has some."""
    import pyarrow
    from pyarrow import csv

    try:
        table = csv.read_csv(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file.name} is not a readable csv file", str(error), "Download it again") from error
    table = table.rename_columns([name.strip() for name in table.column_names])
    if missing := required - set(table.column_names):
        raise DataError(
            f"Columns are missing in {file.name}",
            f"no {', '.join(sorted(missing))}",
            "Use the csv file as the challenge published it",
        )
    return table


def _line(path: Path, row: int) -> int:
    """The number of a row's line in a csv, 1 for the first; lines without anything hold no row."""
    with open(path, encoding="utf-8", errors="replace") as file:
        full = (number for number, line in enumerate(file, 1) if line.rstrip("\n"))
        return next(itertools.islice(full, row + 1, None), row + 2)  # the header is the first of them


def _stripped(written: Sequence[Any]) -> np.ndarray:
    return np.array([str(value).strip() for value in written])


def _usage(path: Path, written: Sequence[Any], where: Callable[[int], str]) -> np.ndarray:
    """The split of every face, of `SPLITS`."""
    usage = _stripped(written)
    if len(wrong := np.flatnonzero(~np.isin(usage, SPLITS))):
        raise DataError(
            f"The usage of a face in {path.name} is unknown",
            f"{str(usage[wrong[0]])[:20]!r} in {where(int(wrong[0]))}",
            f"Use one of {', '.join(SPLITS)}",
        )
    return usage


def _votes(path: Path, table: "pyarrow.Table", columns: Sequence[str]) -> np.ndarray:
    """FER+'s votes, float32 (N, 7); an empty one counts as none."""
    import pyarrow

    try:
        return np.stack([table[column].cast("float32").fill_null(0).to_numpy() for column in columns], 1)
    except pyarrow.ArrowException as error:
        raise DataError(
            f"A vote in {path.name} could not be read as a number", str(error), "Download it again"
        ) from error


def _no_votes(count: int) -> np.ndarray:
    return np.zeros((count, len(EMOTIONS)), np.float32)


def _from_folders(root: Path, complete: bool, skipped: Callable[[str], None]) -> dict[str, EmotionSplit]:
    names, labels, usage, files = sorted(EMOTIONS), [], [], []
    for part, split in (("train", "Training"), ("test", "PrivateTest")):
        for folder in sorted((root / part).glob("*")):
            if folder.is_dir() and folder.name not in EMOTIONS and not is_clutter(folder):
                skipped(f"{part}/{folder.name}, a folder that is not named after an emotion")
        for name in names:
            found = pictures(root / part / name)
            if not found and complete:
                raise DataError(
                    "The data folder lacks fer2013.parquet, fer2013.csv, or pictures of an emotion",
                    f"nothing in {part}/{name} of {root.name}",
                    f"Name the folders in train/ and test/ {', '.join(names)}",
                )
            files += found
            labels += [EMOTIONS.index(name)] * len(found)
            held_out = split == "Training"
            usage += ["PublicTest" if held_out and i % 10 == 9 else split for i in range(len(found))]
    if not files:
        raise DataError(
            "No pictures were found in the data folder",
            f"none in train/ of {root.name}",
            f"Name the folders in train/ {', '.join(names)}",
        )
    images, keep = _decode_all(((str(p.relative_to(root)), p.read_bytes()) for p in files), len(files), skipped)
    return _split(images, np.array(labels)[keep], _no_votes(len(keep)), np.array(usage)[keep])


def _decode_all(
    items: Iterable[tuple[str, bytes | None]], count: int, skipped: Callable[[str], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures uint8 (M, 48, 48) and which of the items they are; a few unreadable ones are named and skipped."""
    images, bad = np.empty((count, SIDE, SIDE), np.uint8), 0
    keep: list[int] = []
    for index, (where, data) in enumerate(items):
        image = cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None:
            skipped(f"{where}, not a readable picture")
            bad += 1
            if bad > UNREADABLE_LIMIT:
                raise DataError(
                    f"More than {UNREADABLE_LIMIT} pictures are unreadable",
                    f"the latest is {where}",
                    "Download the data again",
                )
            continue
        if image.shape != (SIDE, SIDE):
            image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        images[len(keep)] = image
        keep.append(index)
    return images[: len(keep)], np.array(keep, int)


def _split(images: np.ndarray, labels: np.ndarray, votes: np.ndarray, usage: np.ndarray) -> dict[str, EmotionSplit]:
    rows = {name: np.flatnonzero(usage == name) for name in SPLITS}
    return {name: EmotionSplit(images[of], labels[of].astype(np.int64), votes[of]) for name, of in rows.items()}


LANDMARKS68 = {
    "left_eye_center": range(42, 48),
    "right_eye_center": range(36, 42),
    "left_eye_inner_corner": (42,),
    "left_eye_outer_corner": (45,),
    "right_eye_inner_corner": (39,),
    "right_eye_outer_corner": (36,),
    "left_eyebrow_inner_end": (22,),
    "left_eyebrow_outer_end": (26,),
    "right_eyebrow_inner_end": (21,),
    "right_eyebrow_outer_end": (17,),
    "nose_tip": (30,),
    "mouth_left_corner": (54,),
    "mouth_right_corner": (48,),
    "mouth_center_top_lip": (51,),
    "mouth_center_bottom_lip": (57,),
}
"""How each of the 15 keypoints follows from the 68 landmarks of iBUG: the mean of these."""


def load_keypoints(path: str | Path) -> dict[str, KeypointSplit]:
    """Faces with 15 keypoints by split, no person in more than one.

    The published split shares its people, so people are dealt out anew, in the order of their
    names: of every ten one goes to "test", one to "validation", eight to "train".

    The published landmarks lie a little to the right of what they mark, in all splits alike; see
    `training.data.landmarks`, which moves them back.

    Args:
        path: `keypoints68.parquet` or a folder that holds it.

    Raises:
        DataError: something is missing or unreadable; the message names file and row.
    """
    path = keypoint_file(path)
    if not path.is_file():
        raise DataError("The keypoint data were not found", str(path), "Give --data PATH")
    table = _read_parquet(path, ["person", "jpeg", "landmarks68"])
    named, marked = table["person"].to_pylist(), table["landmarks68"].to_pylist()
    for row, (name, numbers_of_row) in enumerate(zip(named, marked, strict=True)):
        if name is None or numbers_of_row is None or len(numbers_of_row) != 136 or None in numbers_of_row:
            raise DataError(
                f"The person or the landmarks of a face in {path.name} are missing",
                f"row {row}",
                "Give every face a name and 136 numbers",
            )
    people = np.array(named)
    order = {name: index for index, name in enumerate(sorted(set(people.tolist())))}
    fold = np.array([order[name] % 10 for name in people])
    landmarks = np.array(marked, np.float32).reshape(len(people), 68, 2)
    keypoints = corrected(np.stack([landmarks[:, list(which)].mean(1) for which in LANDMARKS68.values()], 1))
    images = []
    for row, data in enumerate(table["jpeg"].to_pylist()):
        image = cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise DataError(
                f"The picture of a row of {path.name} could not be read", f"row {row}", "Make the file again"
            )
        images.append(image)

    def part(rows: np.ndarray) -> KeypointSplit:
        return KeypointSplit([images[row] for row in rows], keypoints[rows], people[rows])

    chosen = {"train": fold < 8, "validation": fold == 8, "test": fold == 9}
    return {name: part(np.flatnonzero(rows)) for name, rows in chosen.items()}
