"""`trust`: how often the explanations of a network hold up."""

import sys
from functools import partial
from typing import Annotated

import typer

from models.weight_store import SHIPPED
from training.commands import Archive, Data
from training.release.versions import ARCHIVE


def trust(
    name: Annotated[str, typer.Argument(help="One of cnn, resnet, vgg16.")],
    data: Data,
    faces: Annotated[int, typer.Option(help="Test faces, all emotions alike as far as there are enough.", min=2)] = 200,
    method: Annotated[list[str] | None, typer.Option(help="A method's name, may be repeated; all if left out.")] = None,
    again: Annotated[bool, typer.Option(help="Also where there is a row of as many faces.")] = False,
    seed: Annotated[int, typer.Option(help="Of the faces and of everything drawn by chance.")] = 0,
    version: Annotated[str, typer.Option(help="A version's number; the active one if left out.")] = "",
    archive: Archive = ARCHIVE,
) -> None:
    """Test every method's maps over many faces; write trust.json and the maps of other faces beside the card.

    The same command goes on after a stop. Rows of methods that are not named stay as they are.
    """
    from rich.progress import track

    from training.measures.trust import default_method, measure
    from training.release.versions import find

    folder = find(name, version, archive, SHIPPED).folder.parent if version else SHIPPED
    watch = partial(track, transient=True, disable=not sys.stdout.isatty())
    table = measure(name, data, folder, faces, tuple(method or ()), seed, typer.echo, watch, again)
    if table["methods"]:
        typer.echo(f"Table: {folder / name / 'trust.json'}. Default by its figures: {default_method(table)}.")
