"""`retrain`: more data for weights that are trained."""

from pathlib import Path
from typing import Annotated

import typer

from training.commands import Data, Name, Runs
from training.commands.train import Batch, Mlflow, Precision, Tensorboard, run
from training.settings import changed


def retrain(
    name: Name,
    data: Data,
    data_old: Annotated[
        Path | None, typer.Option(help="What it was trained on; then the new data may lack some emotions.")
    ] = None,
    runs: Runs = Path("runs"),
    epochs: Annotated[int | None, typer.Option(help="Epochs; 5 if left out.", min=1)] = None,
    batch: Batch = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak of the schedule; a tenth of the first training's.")
    ] = None,
    fer2013_share: Annotated[float | None, typer.Option(help="Weight of FER2013's label beside FER+.")] = None,
    balance: Annotated[float | None, typer.Option(help="0 shows every face once, 1 every emotion as often.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the order and the disturbance.")] = None,
    precision: Precision = "mixed_bfloat16",
    mlflow: Mlflow = None,
    tensorboard: Tensorboard = False,
) -> None:
    """Train the weights that ship on more data, in a run of its own: runs/NAME-retrain."""
    from training.retrain import start

    begun = start(name)
    config = changed(
        begun.config,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        fer2013_share=fer2013_share,
        balance=balance,
        seed=seed,
    )
    more = {"init": begun.arrays, "start": begun.source, "old": data_old}
    run(config, data, runs, precision, mlflow, tensorboard, f"{name}-retrain", **more)
