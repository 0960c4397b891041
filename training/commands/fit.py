"""`fit`: models of a data set's columns, searched for, compared and explained."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ParameterError


def fit(
    dataset: Annotated[Path, typer.Argument(help="The data set's folder, see docs/glass-box.md.")],
    out: Annotated[Path, typer.Option(help="Where the search, figures, charts and the glass box land.")] = Path(
        "runs/fit"
    ),
    features: Annotated[str, typer.Option(help="geometry or embedding.")] = "geometry",
    label: Annotated[
        str, typer.Option(help="The column with the emotion; emotion learns the networks' answers.")
    ] = "label",
    group: Annotated[
        str, typer.Option(help="Faces of equal values here, and near duplicates, never stand on both sides of a split.")
    ] = "photo_sha256",
    models: Annotated[str, typer.Option(help="Which are tried, with commas between them; all if left out.")] = "",
    trials: Annotated[int, typer.Option(help="How many in the end, with those from before.", min=1)] = 16,
    seed: Annotated[int, typer.Option(help="Of folds, models and what is tried.")] = 0,
    version: Annotated[str, typer.Option(help="Of the glass box.")] = "1.0.0",
    mlflow: Annotated[str | None, typer.Option(help="A tracking server's address, or local.")] = None,
) -> None:
    """Search for models of a data set's columns, compare and explain them, and keep the readable one."""
    from training.dataset.candidates import GLASS_BOX, NAMES
    from training.dataset.table import FEATURES, GEOMETRY

    if features not in FEATURES:
        raise ParameterError("The features are unknown", repr(features)[:40], f"Use one of {', '.join(FEATURES)}")
    known = NAMES if features == GEOMETRY else tuple(name for name in NAMES if name != GLASS_BOX)
    names = tuple(filter(None, map(str.strip, models.split(",")))) or known
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(
            f"The name of a model for {features} is unknown", repr(unknown[0])[:40], f"Use one of {', '.join(known)}"
        )
    import numpy as np

    from models import dataset as datasets
    from training.dataset import finish, table

    found = datasets.read(dataset)
    faces = table.checked(table.read(found, features, label, group))
    sizes = np.bincount(faces.groups)
    typer.echo(f"{len(faces):,} faces in {np.count_nonzero(sizes):,} groups, {sizes.max():,} in the largest")
    finish.whole(faces, out, trials, names, seed, version, f"{dataset.name}, {len(faces)} faces", mlflow, typer.echo)
