"""`evaluate`: measure what ships."""

import typer

from training import config as configs
from training.commands import Data, Name


def evaluate(name: Name, data: Data):
    """Measure the weights in models/weights and write the figures into their card."""
    from training.evaluate import evaluate as measure

    figures = measure(configs.load(name).name, data).metrics
    for split, values in figures.items():
        typer.echo(split)
        for key, value in values.items():
            if isinstance(value, int | float):
                typer.echo(f"  {key:40} {value}")
