"""Which files a data set consists of, and their hash."""

import hashlib
from pathlib import Path

from models.photo import is_clutter
from models.types import EMOTIONS

EMOTION_FILES = ("fer2013.parquet", "fer2013.csv", "icml_face_data.csv")
"""By the names under which they are known, the first one in a folder counts; the last is the competition's own."""


def emotion_file(path: Path) -> Path:
    """The data file in a folder, or the path itself."""
    known = (path / name for name in EMOTION_FILES)
    return next((file for file in known if file.is_file()), path)


def keypoint_file(path: str | Path) -> Path:
    """The file with keypoints in a folder, or the path itself."""
    path = Path(path)
    return path / "keypoints68.parquet" if path.is_dir() else path


def pictures(folder: Path) -> list[Path]:
    """The files in a folder by name, without what a file manager leaves there; none where there is no folder."""
    return sorted(path for path in folder.glob("*") if path.is_file() and not is_clutter(path))


def fingerprint(*paths: str | Path, keypoints: bool = False) -> str:
    """The sha256 of data, 64 hexadecimal digits.

    Of one file it is what `sha256sum FILE` prints. Of several (a folder of pictures, a csv
    with `fer2013new.csv`, or two sources) it is that of the lines `<sha256>  <path>` of all files in
    order, each path relative to its source.

    Args:
        paths: as for `load_emotions` or `load_keypoints`.
        keypoints: whether it is what `load_keypoints` reads there.
    """
    sources = [keypoint_file(path) if keypoints else Path(path) for path in paths]
    files = [(file, file.relative_to(root)) for root, found in map(_files, sources) for file in found]
    hashes = [(_sha256(file), name) for file, name in files]
    if len(hashes) == 1:
        return hashes[0][0]
    return hashlib.sha256("".join(f"{digest}  {name.as_posix()}\n" for digest, name in hashes).encode()).hexdigest()


def _files(path: Path) -> tuple[Path, list[Path]]:
    """A source's folder and all the files in it that are read."""
    path = emotion_file(path)
    if path.is_file():
        plus = path.with_name("fer2013new.csv")
        return path.parent, [path, plus] if path.suffix == ".csv" and plus.is_file() else [path]
    folders = sorted((*(path / "train").glob("*"), *(path / "test").glob("*")))
    return path, sorted(file for folder in folders if folder.name in EMOTIONS for file in pictures(folder))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
