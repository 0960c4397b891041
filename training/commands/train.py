"""`train`: a run from its first epoch, or from where it stopped."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from models.errors import UnknownNameError
from training import config as configs
from training.commands import Data, Name, Runs


def train(
    name: Name,
    data: Data,
    runs: Runs = Path("runs"),
    epochs: Annotated[int, typer.Option(help="Epochs at the last stage's side instead of the stages.", min=1)] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak of the one-cycle schedule.", min=1e-6)] = None,
    fer2013_share: Annotated[float, typer.Option(help="Weight of FER2013's label beside FER+.", min=0, max=1)] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights, the order and the disturbance.")] = None,
    init: Annotated[str, typer.Option(help="`imagenet` starts from Keras Applications' kernels.")] = None,
    init_file: Annotated[Path, typer.Option(help="Those kernels as a file instead of from the network.")] = None,
    precision: Annotated[str, typer.Option(help="mixed_bfloat16, or float32.")] = "mixed_bfloat16",
):
    """Train a network, or go on with a run that was stopped."""
    import keras

    from training import imagenet
    from training.train import train as run

    if init not in (None, "imagenet"):
        raise UnknownNameError("--init names a known start", repr(init), "Use --init imagenet, or leave it out")
    if precision not in ("mixed_bfloat16", "float32"):
        raise UnknownNameError("--precision names a policy", repr(precision), "Use mixed_bfloat16 or float32")
    config = configs.load(name)
    changes = {"learning_rate": learning_rate, "fer2013_share": fer2013_share, "seed": seed}
    changes["stages"] = ((epochs, config.stages[-1][1]),) if epochs else None
    config = dataclasses.replace(config, **{key: value for key, value in changes.items() if value is not None})
    start = imagenet.kernels(name, init_file) if init else None
    keras.config.set_dtype_policy(precision)
    typer.echo(f"{run(config, data, runs, start)}: best.weights.h5, last.weights.h5, log.json")
