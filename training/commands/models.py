"""`models`: which versions there are, and which of them ships."""

from typing import Annotated

import typer

from models.weight_store import SHIPPED
from training import config as configs
from training.commands import Archive, Name
from training.release import versions
from training.release.versions import ARCHIVE, Version

models = typer.Typer(name="models", no_args_is_help=True, help="List versions, promote one, roll back.")
Wanted = Annotated[str, typer.Argument(help="A version's number or a run's name; the latest version if left out.")]


@models.command("list")
def show(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(configs.NAMES)}; all if left out.")] = "",
    archive: Archive = ARCHIVE,
) -> None:
    """List the versions of a model, or of all of them."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Model", "Version", "", "Date", "Validation", "Data", "Commit", "Weights", box=None, pad_edge=False)
    for each in (configs.load(name).name,) if name else configs.NAMES:
        for version in versions.versions(each, archive, SHIPPED):
            table.add_row(*_row(version))
    Console().print(table)


@models.command()
def promote(
    name: Name,
    version: Wanted = "",
    force: Annotated[bool, typer.Option("--force", help="Also one that is worse or cannot be compared.")] = False,
    archive: Archive = ARCHIVE,
) -> None:
    """Make a version the one that ships; the one before it stays in the archive."""
    typer.echo(f"{versions.promote(configs.load(name).name, version, force, archive, SHIPPED)} is active")


@models.command()
def rollback(name: Name, archive: Archive = ARCHIVE) -> None:
    """Make the version active again that was so before the last promotion."""
    typer.echo(f"{versions.rollback(configs.load(name).name, archive, SHIPPED)} is active")


def _row(version: Version) -> tuple[str, ...]:
    card = version.card
    figure = versions.validation(card)[1]
    return (
        card.name,
        card.version,
        "active" if version.active else "",
        card.date,
        "not measured" if figure is None else f"{abs(figure):.2%}",
        card.training.data_sha256[:8],
        card.training.git_commit[:8],
        card.sha256[:8],
    )
