"""`global`: what a network goes by over many faces."""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
import typer

from models.weight_store import SHIPPED
from training.commands import Data


def global_view(
    name: Annotated[str, typer.Argument(help="One of cnn, resnet, vgg16.")],
    data: Data,
    faces: Annotated[
        int, typer.Option(help="Test faces, all emotions alike as far as there are enough.", min=30)
    ] = 700,
    samples: Annotated[int, typer.Option(help="Blends a map of SHAP by gradients.", min=16, max=256)] = 16,
    seed: Annotated[int, typer.Option(help="Of the faces and of everything drawn by chance.")] = 0,
) -> None:
    """Average the maps of many test faces by emotion, beside people's votes; write global.json beside the card."""
    from rich.progress import track

    from training.measures.global_view import FILE, KINDS, measure

    def watch(rows: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
        return track(rows, "Explaining", transient=True, disable=not sys.stdout.isatty())

    found = measure(name, data, SHIPPED, faces, samples, seed, watch)
    for emotion, cells in found["emotions"].items():
        counts = ", ".join(f"{kind} {cells[kind]['faces']}" for kind in KINDS)
        left_out = [kind for kind in KINDS if "map" not in cells[kind]]
        note = f"; left out for want of faces: {', '.join(left_out)}" if left_out else ""
        typer.echo(f"{emotion:10} {counts}{note}")
    doubt = found["people"]["entropy_correlation"]
    if doubt is not None:
        typer.echo(f"Unsure where people disagree: rank correlation of entropies {doubt:.2f}")
    typer.echo(f"{SHIPPED / name / FILE}")
