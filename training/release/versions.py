"""Versions of weights: which there are, which one is active, and how that changes.

The active version of a model is the one that ships, in `models/weights/<name>/`. The others are in an
archive, in `<archive>/<version>/<name>/`, with the same files. So the folder of a version number can
be given to FACEWHY_WEIGHTS_DIR, to look at weights in the app before they are promoted.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from models import card as cards
from models import weight_store
from models.card import Card
from models.errors import ParameterError, UnknownNameError, WeightsError, WeightsMismatchError, WeightsNotFoundError

ARCHIVE = Path("runs/versions")
HISTORY = "history.json"
"""In the archive: model -> the versions that were active before, the latest last."""


@dataclass(frozen=True)
class Version:
    """One set of weights of a model.

    Attributes:
        card: its facts.
        folder: its files; the last part is the model's name.
        active: whether it is the one that ships.
    """

    card: Card
    folder: Path
    active: bool

    @property
    def name(self) -> str:
        """Of the model."""
        return self.card.name

    @property
    def number(self) -> str:
        """Such as "1.0.2"."""
        return self.card.version

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


def order(number: str) -> tuple[int, ...]:
    """What version numbers are sorted by: "1.0.10" comes after "1.0.9".

    Raises:
        ParameterError: not three whole numbers with points between them.
    """
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", number):
        raise ParameterError(
            "The number of the version could not be read", repr(number), "Write three whole numbers like 1.0.2"
        )
    return tuple(map(int, number.split(".")))


def versions(name: str, archive: str | Path = ARCHIVE, shipped: str | Path = weight_store.SHIPPED) -> list[Version]:
    """All versions of a model, the oldest first; one that is active and in the archive counts once, as active.

    Args:
        name: of the model.
        archive: holds `<version>/<name>/`.
        shipped: holds `<name>/`.

    Raises:
        WeightsMismatchError: a card cannot be read, or names another model or version than its folder.
    """
    found = {}
    for folder in sorted(Path(archive).glob(f"[0-9]*/{name}")):
        card = cards.read(folder)
        if (card.name, card.version) != (name, folder.parent.name):
            raise WeightsMismatchError(
                f"{folder} does not hold the version {folder.parent.name} of {name}",
                f"{card.name} {card.version}",
                "Move the folder to where its card says",
            )
        found[card.version] = Version(card, folder, active=False)
    if (current := active(name, shipped)) is not None:
        found[current.number] = current
    return sorted(found.values(), key=lambda version: order(version.number))


def active(name: str, shipped: str | Path = weight_store.SHIPPED) -> Version | None:
    """The version of a model that ships; None where there is none."""
    folder = Path(shipped) / name
    return Version(cards.read(folder), folder, active=True) if (folder / cards.FILE).is_file() else None


def find(
    name: str, wanted: str = "", archive: str | Path = ARCHIVE, shipped: str | Path = weight_store.SHIPPED
) -> Version:
    """One version of a model.

    Args:
        name: of the model.
        wanted: a version's number, or the name of a run, which means the latest version made from
            it; empty means the latest of all.
        archive, shipped: see `versions`.

    Raises:
        UnknownNameError: there is no such version.
        WeightsMismatchError: see `versions`.
    """
    present = versions(name, archive, shipped)
    fitting = [v for v in present if wanted in ("", v.number)] or [v for v in present if v.card.training.run == wanted]
    if not fitting:
        numbers = ", ".join(version.number for version in present)
        raise UnknownNameError(
            f"No version of {name} has this number or run" if wanted else f"There is no version of {name}",
            repr(wanted) if wanted else "none at all",
            f"Use one of {numbers}" if present else f"Make one with: .venv/bin/python -m training export {name}",
        )
    return fitting[-1]


def following(name: str, archive: str | Path = ARCHIVE, shipped: str | Path = weight_store.SHIPPED) -> str:
    """The number of the next version: the last part of the latest one counted up, "1.0.0" for the first."""
    present = versions(name, archive, shipped)
    if not present:
        return "1.0.0"
    major, minor, patch = order(present[-1].number)
    return f"{major}.{minor}.{patch + 1}"


def validation(card: Card) -> tuple[str, float | None]:
    """The figure that versions are compared by, and its name; the higher the better.

    The accuracy on PublicTest; for keypoints the mean error on the validation people, negated. None
    where it was not measured.
    """
    if "PublicTest" in card.metrics or card.cam_layer is not None:
        return "accuracy on PublicTest", card.metrics.get("PublicTest", {}).get("accuracy")
    error = card.metrics.get("validation", {}).get("nme")
    return "mean error on the validation people", None if error is None else -error


def promote(
    name: str,
    wanted: str = "",
    force: bool = False,
    archive: str | Path = ARCHIVE,
    shipped: str | Path = weight_store.SHIPPED,
) -> Version:
    """Make a version the active one; the one it replaces is kept in the archive.

    Args:
        name: of the model.
        wanted: see `find`.
        force: also when the version is worse than the active one, or cannot be compared with it.
        archive, shipped: see `versions`.

    Returns:
        The version, now active; nothing was changed if it was active already.

    Raises:
        UnknownNameError: there is no such version.
        WeightsMismatchError: its files are not what its card says, or another version of the same
            number is in the archive.
        WeightsError: it is worse than the active one by `validation`, one of the two was not measured, or they are not
            known to have been measured on the same data.
    """
    archive, shipped = Path(archive), Path(shipped)
    _recover(shipped / name)
    version = find(name, wanted, archive, shipped)
    if version.active:
        return version
    weight_store.verify(version.folder)
    current = active(name, shipped)
    if not force:
        _check_better(version, current)
    if current is not None:
        _keep(current, archive)
        _write_history(archive, name, [*_history(archive, name), current.number])
    _replace(version.folder, shipped / name)
    return Version(cards.read(shipped / name), shipped / name, active=True)


def rollback(name: str, archive: str | Path = ARCHIVE, shipped: str | Path = weight_store.SHIPPED) -> Version:
    """Make the version active that was active before, byte for byte; again, and it is the one before that.

    Args:
        name: of the model.
        archive, shipped: see `versions`.

    Returns:
        The version, now active. The one that it replaces is kept in the archive.

    Raises:
        WeightsNotFoundError: no other version was active before, or it is no longer in the archive.
        WeightsMismatchError: see `promote`.
    """
    archive, shipped = Path(archive), Path(shipped)
    _recover(shipped / name)
    current = active(name, shipped)
    earlier = _history(archive, name)
    while earlier and current is not None and earlier[-1] == current.number:
        earlier.pop()  # a promotion that was stopped before it changed anything
    if not earlier:
        raise WeightsNotFoundError(
            f"{name} could not be rolled back to the version before a promotion",
            f"none was promoted with the archive {archive}",
            "Give the archive's folder with --archive",
        )
    folder = archive / earlier[-1] / name
    weight_store.verify(folder)
    if current is not None:
        _keep(current, archive)
    _replace(folder, shipped / name)
    _write_history(archive, name, earlier[:-1])
    return Version(cards.read(shipped / name), shipped / name, active=True)


def _check_better(version: Version, current: Version | None) -> None:
    what, figure = validation(version.card)
    if figure is None:
        raise WeightsError(
            "The version was not measured before its promotion",
            f"{version} without {what}",
            f"Measure it with: .venv/bin/python -m training evaluate {version.name} "
            f"--version {version.number} --data DATA",
        )
    if current is None:
        return
    before = validation(current.card)[1]
    if before is None:
        raise WeightsError(
            "The active version was not measured",
            f"the active {current} without {what}",
            f"Measure it with: .venv/bin/python -m training evaluate {current.name} "
            f"--version {current.number} --data DATA",
        )
    one, other = (card.metrics.get("data_sha256") for card in (version.card, current.card))
    if one is None or other is None:
        raise WeightsError(
            "It is not known whether the versions were measured on the same data",
            f"no sha256 of the data for {version if one is None else f'the active {current}'}",
            "Measure it again, or add --force",
        )
    if one != other:
        raise WeightsError(
            "The versions were not measured on the same data",
            f"{version} and the active {current.number}, on different data",
            "Measure one of them again, or add --force",
        )
    if figure < before:
        raise WeightsError(
            f"The promotion was refused, for the {what} would be worse",
            f"{abs(figure):.2%} for {version}, and {abs(before):.2%} for the active {current.number}",
            "Keep the active one, or add --force",
        )


def _keep(version: Version, archive: Path) -> None:
    """Copy the active version into the archive, over its earlier copy there, whose card may be older."""
    target = archive / version.number / version.name
    if target.is_dir() and cards.read(target).sha256 != version.card.sha256:
        raise WeightsMismatchError(
            f"The version {version.number} of {version.name} is already in the archive with other weights",
            str(target),
            "Move that folder away, or give another --archive",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(version.folder, target)


def _replace(source: Path, target: Path) -> None:
    """Copy a folder over another, in two renames; `_recover` mends a stop between them."""
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    _recover(target)
    shutil.copytree(source, new)
    weight_store.verify(new)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _recover(target: Path) -> None:
    """Put back what a stopped `_replace` had moved aside, and remove what it left."""
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    if old.is_dir() and not target.exists():
        old.rename(target)
    for folder in (new, old):
        if folder.is_dir():
            shutil.rmtree(folder)


def _history(archive: Path, name: str) -> list[str]:
    return _all_history(archive).get(name, [])


def _all_history(archive: Path) -> dict[str, list[str]]:
    path = archive / HISTORY
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise WeightsMismatchError(f"{path} is not valid JSON", str(error), "Correct it, or remove it") from error


def _write_history(archive: Path, name: str, earlier: list[str]) -> None:
    path = archive / HISTORY
    beside = path.with_name(f"{HISTORY}.partial")
    beside.write_text(json.dumps(_all_history(archive) | {name: earlier}, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
