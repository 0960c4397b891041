"""The example faces whose parts the Lab puts into another face, each read when it is first asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from app import pipeline
from explain.lab.apply import SourceFace
from models import photo

EXAMPLES = Path(__file__).parents[1] / "examples"


@cache
def paths() -> dict[str, Path]:
    """The pictures of one face each, by name."""
    found = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))
    return {path.stem: path for path in found if not path.stem.startswith("group")}


def display_name(name: str) -> str:
    """A face's name for people."""
    return name.replace("composite_", "average ").replace("_", " ")


@cache
def _read(name: str) -> SourceFace:
    face = pipeline.faces_in(photo.read(paths()[name]), whole_picture=True)[0]
    return SourceFace(face.crop, face.crop_keypoints)


class SourceFaces(Mapping):
    """All source faces by name; only those that are asked for are read."""

    def __getitem__(self, name: str) -> SourceFace:
        if name not in paths():
            raise KeyError(name)
        return _read(name)

    def __contains__(self, name: object) -> bool:
        return name in paths()

    def __iter__(self) -> Iterator[str]:
        return iter(paths())

    def __len__(self) -> int:
        return len(paths())


SOURCE_FACES = SourceFaces()
