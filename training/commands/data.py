"""`data`: fetch training data, check it, look at it."""

from collections.abc import Mapping, Sized
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from models.errors import ParameterError
from training.commands import Data

data = typer.Typer(name="data", no_args_is_help=True, help="Fetch training data, check it, look at it.")

SHOW = 10
"""How many duplicates are listed, unless another number is given."""
BRANCH = "main"
"""What is fetched from the Hub, unless another revision is named."""


class Kind(StrEnum):
    """What the faces are labelled with."""

    emotions = "emotions"
    keypoints = "keypoints"


class Source(StrEnum):
    """Where data comes from."""

    hub = "hub"
    kaggle = "kaggle"


Of = Annotated[Kind, typer.Option(help="What the faces are labelled with.")]


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The data set, such as someone/fer2013.")],
    source: Annotated[Source, typer.Option("--from", help="The Hugging Face Hub, or Kaggle.")],
    out: Annotated[Path, typer.Option(help="The folder for its files.")],
    revision: Annotated[str, typer.Option(help="Branch, tag or commit on the Hub.")] = BRANCH,
) -> None:
    """Fetch a data set into a folder."""
    if source is Source.kaggle and revision != BRANCH:
        raise ParameterError(
            "--revision was given without --from hub", f"--revision {revision}", "Leave it out, or fetch from the Hub"
        )
    from training.data.fetch import from_hub, from_kaggle

    folder = from_hub(name, out, revision) if source is Source.hub else from_kaggle(name, out)
    typer.echo(f"{name} is in {folder}; next: .venv/bin/python -m training data check --data {folder}")


@data.command()
def check(data: Data, kind: Of = Kind.emotions) -> None:
    """Read all of the data; exit code 1 where anything is wrong with it."""
    from training import data as sets

    bad: list[str] = []
    splits: Mapping[str, Sized]
    if kind is Kind.emotions:
        splits = sets.load_emotions(data, skipped=bad.append)
    else:
        splits = sets.load_keypoints(data)
    for what in bad:
        typer.echo(f"left out: {what}")
    faces = ", ".join(f"{name} {len(split):,}" for name, split in splits.items())
    typer.echo(f"{faces} faces; sha256 {sets.fingerprint(data, keypoints=kind is Kind.keypoints)}")
    if bad:
        typer.echo(f"{len(bad)} pictures or folders cannot be used; a training skips them")
        raise typer.Exit(1)


@data.command()
def summary(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder for contact sheets, outside the repository.")],
    kind: Of = Kind.emotions,
    show: Annotated[
        int | None, typer.Option(help="How many duplicates to list, for emotions; 10 if left out.", min=0)
    ] = None,
) -> None:
    """Count the faces, draw contact sheets, and report photos that stand in two splits."""
    from training.data import sheets

    if show is not None and kind is Kind.keypoints:
        raise ParameterError(
            "--show was given for keypoints, whose people stand in one split each", f"--show {show}", "Leave it out"
        )
    folder = sheets.output_folder(out)
    if kind is Kind.emotions:
        _emotions(data, folder, SHOW if show is None else show)
    else:
        _keypoints(data, folder)


def _emotions(path: Path, folder: Path, show: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from models.types import EMOTIONS
    from training import data as sets
    from training.data import duplicates, sheets

    console = Console()
    splits = sets.load_emotions(path)
    table = Table("Faces", *splits, box=None, pad_edge=False)
    for label, emotion in enumerate(EMOTIONS):
        table.add_row(emotion, *(f"{(split.labels == label).sum():,}" for split in splits.values()))
    table.add_row("all", *(f"{len(split):,}" for split in splits.values()))
    table.add_row("with FER+ votes", *(f"{(split.votes.sum(1) > 0).mean():.1%}" for split in splits.values()))
    for name, split in splits.items():
        console.print(f"{sheets.write(sheets.emotions(split), folder / f'{name}.png')}", highlight=False)
    console.print(table)

    pairs = duplicates.across(splits)
    table = Table("The same photo in", "and in", "equal", "nearly", "of its faces", box=None, pad_edge=False)
    for one, two in sorted({(pair.split, pair.other) for pair in pairs}):
        these = [pair for pair in pairs if (pair.split, pair.other) == (one, two)]
        exact = sum(pair.exact for pair in these)
        share = len({pair.other_row for pair in these}) / len(splits[two])
        table.add_row(one, two, f"{exact:,}", f"{len(these) - exact:,}", f"{share:.1%}")
    if not pairs:
        console.print("No photo stands in two splits.")
        return
    console.print(table)
    for pair in pairs[:show]:
        labels = (splits[pair.split].labels[pair.row], splits[pair.other].labels[pair.other_row])
        first, second = (EMOTIONS[label] for label in labels)
        console.print(
            f"{pair.split} {pair.row} ({first}) and {pair.other} {pair.other_row} ({second}): {pair.likeness:.3f}",
            highlight=False,
        )
    console.print(f"{sheets.write(sheets.duplicates(splits, pairs), folder / 'duplicates.png')}", highlight=False)


def _keypoints(path: Path, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from training import data as sets
    from training.data import sheets

    console = Console()
    table = Table("Split", "Faces", "People", box=None, pad_edge=False)
    for name, split in sets.load_keypoints(path).items():
        table.add_row(name, f"{len(split):,}", f"{len(set(split.people.tolist())):,}")
        console.print(f"{sheets.write(sheets.keypoints(split), folder / f'{name}.png')}", highlight=False)
    console.print(table)
