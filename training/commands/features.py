"""`features`: measures and embeddings of the faces of a data set, as columns."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ParameterError

EMBEDDINGS = ("auto", "none", "resnet", "resnet50")


def features(
    dataset: Annotated[Path, typer.Argument(help="The data set's folder, see docs/glass-box.md.")],
    embedding: Annotated[
        str, typer.Option(help="resnet, resnet50 or none; left out, resnet where the data set holds crops.")
    ] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Keras Applications' weights for resnet50, without top.")] = None,
    again: Annotated[bool, typer.Option(help="Also where the columns are there already.")] = False,
) -> None:
    """Write twenty measures of the keypoints, and a network's embedding, into a data set."""
    if embedding not in EMBEDDINGS:
        raise ParameterError("The embedding is unknown", repr(embedding)[:40], f"Use one of {', '.join(EMBEDDINGS)}")
    if (embedding == "resnet50") != (weights is not None):
        raise ParameterError(
            "ResNet50 was named without its weights, or they without it",
            f"--embedding {embedding}, --weights {weights}",
            "Give both or neither",
        )
    from rich.progress import track

    from models import dataset as datasets
    from training.dataset import features as columns

    found = datasets.read(dataset)
    embed = {}
    if weights is not None:
        embed = {columns.IMAGENET: columns.imagenet(weights)}
    elif embedding == "resnet" or (embedding == "auto" and "crop" in found.schema("faces").names):
        embed = {columns.NETWORK: columns.residual()}
    steps = columns.write(found, embed, again)
    counts = list(track(steps, total=len(found.parts("faces")), description="parts"))
    typer.echo(
        f"{counts[-1][0] if counts else 0} faces in {dataset}: the measures{''.join(f', {name}' for name in embed)}"
    )
