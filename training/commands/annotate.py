"""`annotate`: photos in, a dataset of faces out."""

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training.dataset.annotate import Progress

LINE_S = 60.0
"""Seconds between two lines where there is no terminal."""


class Foreign(StrEnum):
    """Annotators of others."""

    deepface = "deepface"


def annotate(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help="A folder, a pattern, a Parquet table or a tar file; on this machine, or at gs://, s3:// or hf://.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DATASET", help="The dataset's folder; what is in it stays.")],
    aligned: Annotated[
        bool, typer.Option("--aligned", help="Every picture is a face that is cut already, as FER2013's are.")
    ] = False,
    as_they_lie: Annotated[
        bool, typer.Option("--as-they-lie", help="Don't look whether a photo lies on its side where no face fits.")
    ] = False,
    crops: Annotated[
        bool, typer.Option("--crops", help="Keep each face as the networks see it, 48 pixels, grey.")
    ] = False,
    annotator: Annotated[
        Foreign | None, typer.Option(help="Also keep what this one says of each face, where it is installed.")
    ] = None,
    column: Annotated[str, typer.Option(help="The column of pictures in a table; looked for if left out.")] = "",
    captions: Annotated[
        str, typer.Option(metavar="FILE", help="Captions of pictures in folders, as Flickr30k's .token or a csv.")
    ] = "",
    workers: Annotated[int, typer.Option(help="Processes with the models, on Ray; 0 for this one alone.", min=0)] = 0,
    address: Annotated[str, typer.Option(help="Of a Ray cluster that runs already, such as auto.")] = "",
    max_errors: Annotated[int, typer.Option(help="More unreadable photos than this stop the run.", min=0)] = 100,
) -> None:
    """Find the faces of photos, and write what the networks read in each of them into a dataset.

    The same command goes on after a stop, whatever stopped it.
    """
    from rich.console import Console

    from models import tensorflow_import
    from training.dataset.annotate import annotate as run
    from training.dataset.annotator import Options

    tensorflow_import.prepare()
    options = Options(aligned, as_they_lie, crops, annotator.value if annotator else "")
    console = Console(soft_wrap=True)
    with Bar(console) as bar:
        progress = run(
            source,
            out,
            options,
            workers=workers,
            address=address,
            max_errors=max_errors,
            column=column,
            captions=captions,
            watch=bar.show,
        )
    before = f" ({progress.before:,} were there before)" if progress.before else ""
    found = f"{progress.photos:,} photos with {progress.faces:,} faces, {progress.errors:,} unreadable"
    console.print(f"{found}{before}: {rate(progress)}. {out}/README.md says what it holds.", highlight=False)


def rate(progress: "Progress") -> str:
    """Photos a second, in words."""
    return f"{progress.done / max(progress.seconds, 1e-9):.1f} photos a second"


class Bar:
    """How far an annotation is: a bar with rate and time left on a terminal, a line a minute elsewhere.

    Args:
        console: where to.
    """

    def __init__(self, console: "Console"):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.console, self.told = console, time.monotonic()
        self.bar = Progress(
            TextColumn("Reading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[errors]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("", total=None, rate="", errors="")

    def __enter__(self) -> "Bar":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def show(self, progress: "Progress") -> None:
        """Show how far it is."""
        errors = f"{progress.errors:,} unreadable" if progress.errors else ""
        self.bar.update(self.task, completed=progress.done, total=progress.total, rate=rate(progress), errors=errors)
        if not self.console.is_terminal and time.monotonic() - self.told >= LINE_S:
            self.told = time.monotonic()
            of = f" of {progress.total:,}" if progress.total else ""
            left = f", {remaining(progress)} left" if progress.total else ""
            self.console.print(f"{progress.done:,}{of} photos, {rate(progress)}{left}", highlight=False)
            self.console.file.flush()


def remaining(progress: "Progress") -> str:
    """The time that is left at the rate so far, such as 1:02:03."""
    seconds = round(((progress.total or 0) - progress.done) * progress.seconds / max(progress.done, 1))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
