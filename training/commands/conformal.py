"""`conformal`: calibrate the sets of labels that stay possible for a face."""

from typing import Annotated

import typer

from models.errors import UnknownNameError
from models.weight_store import SHIPPED
from models.zoo import EMOTION_MODELS
from training.commands import Data

NAMES = (*EMOTION_MODELS, "ensemble")


def conformal(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")],
    data: Data,
) -> None:
    """Calibrate conformal sets on PublicTest, measure them on PrivateTest, and write that alone into the card.

    `ensemble` is the mean of the active networks; `evaluate` calibrates the sets of what it measures as well.
    """
    from training.measures.conformal import FINAL, write

    if name not in NAMES:
        raise UnknownNameError("The name of the network is unknown", repr(name)[:40], f"Use one of {', '.join(NAMES)}")
    found = write(name, data, SHIPPED)
    tried = ", ".join(f"{method} {size:.2f}" for method, size in found["tried"].items())
    typer.echo(f"Mean set size by method, within PublicTest: {tried}; {found['method']} is kept")
    held = found[FINAL]
    typer.echo(f"PrivateTest: {held['coverage']:.2%} of the sets hold the label, {held['size']:.2f} labels on average")
    for emotion, share in held["coverage_by_emotion"].items():
        typer.echo(f"  {emotion:10} {'no face' if share is None else f'{share:.2%}'}")
