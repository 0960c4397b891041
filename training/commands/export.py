"""`export`: from a run to weights that ship."""

from pathlib import Path
from typing import Annotated

import typer

from training import config as configs
from training.commands import Name, Runs


def export(name: Name, runs: Runs = Path("runs"), version: Annotated[str, typer.Option()] = ""):
    """Write the best weights of a run to models/weights, as float16 safetensors with a card."""
    from training.export import export as write

    card = write(configs.load(name), runs, version=version)
    typer.echo(f"{name} {card.version}: {card.parameters:,} parameters")
