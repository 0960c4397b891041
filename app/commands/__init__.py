"""The commands of `python -m app`: one file a command, one function of its name in it."""

from enum import StrEnum
from typing import Annotated

import typer


class Degrees(StrEnum):
    """By how much a photo can be turned, clockwise."""

    none = "0"
    right = "90"
    over = "180"
    left = "270"


Turn = Annotated[
    Degrees | None,
    typer.Option(
        help="Turn the photo so many degrees clockwise; if left out, only where its faces lie or stand on their heads."
    ),
]
WholePicture = Annotated[
    bool, typer.Option("--whole-picture", help="Take the whole picture as the face where none is found.")
]


def degrees(turn: Degrees | None) -> int | None:
    """A turn as the pipeline takes it."""
    return None if turn is None else int(turn.value)
