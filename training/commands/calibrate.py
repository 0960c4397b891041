"""`calibrate`: lift the emotions that a network overlooks, without training."""

from typing import Annotated

import typer

from models.weight_store import SHIPPED
from training import config as configs
from training.commands import Archive, Data, Name
from training.release.versions import ARCHIVE


def calibrate(
    name: Name,
    data: Data,
    version: Annotated[str, typer.Option(help="A version's number or a run's name; the latest if left out.")] = "",
    balance: Annotated[
        float | None, typer.Option(help="Make a version corrected with this, 0 to 1; only try if left out.")
    ] = None,
    archive: Archive = ARCHIVE,
) -> None:
    """Try offsets for each emotion by cross-validation within PublicTest, or make a version that has them."""
    from rich.console import Console
    from rich.table import Table

    from training.measures import calibrate as correction
    from training.release.versions import find

    chosen = find(configs.load(name).name, version, archive, SHIPPED)
    if balance is not None:
        made = correction.apply(chosen, data, balance, archive, SHIPPED)
        typer.echo(f"{made}, in {made.folder}: measure it with .venv/bin/python -m training evaluate {name}")
        return
    table = Table(f"{chosen}", "Accuracy", "Macro F1", "Lowest recall", box=None, pad_edge=False)
    for kind, found in correction.tried(chosen, data).items():
        table.add_row(kind, *(f"{value:.2%}" for value in found.values()))
    Console().print(table)
