"""`tune`: a search for better settings."""

from pathlib import Path
from typing import Annotated

import typer

from training import config as configs
from training.commands import Data, Name, Runs
from training.commands.train import Precision, use
from training.settings import changed


def tune(
    name: Name,
    data: Data,
    runs: Runs = Path("runs"),
    trials: Annotated[int, typer.Option(help="How many in the end, with those from before.", min=1)] = 20,
    stages: Annotated[str | None, typer.Option(help="Epochs and side of a trial, such as 3x32.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is tried.")] = 0,
    precision: Precision = "mixed_bfloat16",
) -> None:
    """Try learning rates, strengths of the disturbance and widths in short trials."""
    use(precision)
    import keras
    from rich.console import Console
    from rich.table import Table

    from training.data import fingerprint
    from training.train import train
    from training.tune import tune as search

    config = configs.load(name)
    config = changed(config, stages or f"3x{config.stages[0][1]}", teachers="", distillation=0.0)

    def short(config: configs.Config, folder: Path, name: str, callbacks: list[keras.callbacks.Callback]) -> None:
        train(config, data, folder, name=name, callbacks=callbacks)

    digest = fingerprint(data, keypoints=name == "keypoints")
    study = search(config, short, trials, digest, runs, seed)
    table = Table("Trial", "State", "Epochs", "Value", "Settings", box=None, pad_edge=False)
    sign = 1 if study.direction.name == "MINIMIZE" else -1
    for trial in sorted(study.trials, key=lambda trial: (trial.value is None, sign * (trial.value or 0))):
        values = ", ".join(f"{key} {value:.3g}" for key, value in trial.params.items())
        figure = "" if trial.value is None else f"{trial.value:.4f}"
        table.add_row(str(trial.number), trial.state.name.lower(), str(len(trial.intermediate_values)), figure, values)
    Console().print(table)
    typer.echo(f"{runs / f'{name}-tune'}: study.db, best.json, and a folder a trial")
