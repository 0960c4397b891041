"""`together`: several networks side by side on an accelerator."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ParameterError
from training import config as configs
from training.commands import Data, Runs
from training.commands import train as command
from training.settings import changed

Names = Annotated[str, typer.Argument(help="Networks with commas between them, such as vgg16,resnet,cnn.")]


def together(
    names: Names,
    data: Data,
    runs: Runs = Path("runs"),
    teachers: Annotated[
        str | None, typer.Option(help="Who teaches: runs or shipped weights, such as a,b; or none: ''.")
    ] = None,
    distillation: command.Distillation = None,
    stages: command.Stages = None,
    epochs: command.Epochs = None,
    batch: command.Batch = None,
    augment: command.Augment = None,
    init: Annotated[str | None, typer.Option(help="`imagenet` starts vgg16 from ImageNet's convolutions.")] = None,
    init_file: command.InitFile = None,
    precision: command.Precision = "mixed_bfloat16",
    mlflow: command.Mlflow = None,
    tensorboard: command.Tensorboard = False,
    every: command.Every = None,
) -> None:
    """Train networks side by side on an accelerator: they see the same faces and have the same teachers."""
    named = [name.strip() for name in names.split(",") if name.strip()]
    if not named:
        raise ParameterError("No network was named", repr(names), "Write for example vgg16,resnet,cnn")
    if init not in (None, "imagenet") or (init and "vgg16" not in named):
        raise ParameterError(
            "The start was not found for these networks", f"--init {init} for {names}", "Use --init imagenet with vgg16"
        )
    command.check_file(init, init_file)
    networks = [
        changed(configs.load(name), stages, epochs, augment or (), teachers, distillation=distillation, batch=batch)
        for name in named
    ]
    first = [command.first(config, init if config.name == "vgg16" else None, init_file) for config in networks]
    command.together(networks, data, runs, precision, mlflow, tensorboard, every, [""] * len(named), first)
