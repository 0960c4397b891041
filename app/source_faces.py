"""The example faces whose parts the Lab puts into another face, each read when it is first asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from app import pipeline
from explain.lab.apply import SourceFace
from explain.lab.steps import BASELINES, Experiment
from models import photo
from models.errors import UnknownNameError

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


class SourceFaces(Mapping[str, SourceFace]):
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


def names_in(experiment: Experiment) -> set[str]:
    """The example faces that an experiment shows parts of; none is read.

    Raises:
        UnknownNameError: there is no such face.
    """
    named = {getattr(step, "donor", "") or getattr(step, "fill", BASELINES[0]) for step in experiment.steps}
    names = named - set(BASELINES)
    for name in sorted(names - set(SOURCE_FACES)):
        raise UnknownNameError(
            "The name of the example face is unknown", repr(name), f"Use one of {', '.join(SOURCE_FACES)}"
        )
    return names


def shown_by(experiment: Experiment) -> dict[str, SourceFace]:
    """The example faces that an experiment shows parts of, by name.

    Raises:
        UnknownNameError: there is no such face.
    """
    return {name: SOURCE_FACES[name] for name in names_in(experiment)}
