"""`evaluate`: measure a version of weights."""

from typing import Annotated

import typer

from training import config as configs
from training.commands import Archive, Data, Name
from training.versions import ARCHIVE


def evaluate(
    name: Name,
    data: Data,
    version: Annotated[str, typer.Option(help="A version's number or a run's name; the latest if left out.")] = "",
    archive: Archive = ARCHIVE,
):
    """Measure a version, which may be the active one, and write the figures into its card."""
    from training.evaluate import evaluate as measure
    from training.versions import find

    chosen = find(configs.load(name).name, version, archive)
    typer.echo(f"{chosen}, in {chosen.folder}")
    figures = measure(chosen.name, data, chosen.folder.parent).metrics
    for split, values in figures.items():
        typer.echo(split)
        for key, value in values.items():
            if isinstance(value, int | float):
                typer.echo(f"  {key:40} {value}")
