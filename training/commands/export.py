"""`export`: from a run to a version of weights."""

from pathlib import Path
from typing import Annotated

import typer

from training import config as configs
from training.commands import Archive, Name, Runs
from training.versions import ARCHIVE


def export(
    name: Name,
    runs: Runs = Path("runs"),
    archive: Archive = ARCHIVE,
    version: Annotated[str, typer.Option(help="Its number; the latest one counted up if left out.")] = "",
):
    """Make the best epoch of a run a version in the archive: float16 safetensors with a card."""
    from training.export import export as write

    made = write(configs.load(name), runs, version, archive)
    typer.echo(f"{made}: {made.card.parameters:,} parameters, in {made.folder}")
