"""`train`: a run from its first epoch, or from where it stopped."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import ParameterError, UnknownNameError
from training import config as configs
from training.commands import Data, Name, Runs
from training.settings import changed

Stages = Annotated[str | None, typer.Option(help="Epochs and side of each stage, such as 12x32,8x48.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs at the last stage's side instead of the stages.", min=1)]
Batch = Annotated[int | None, typer.Option(help="Faces a step.")]
Distillation = Annotated[float | None, typer.Option(help="Weight of the teachers' answers.")]
Augment = Annotated[list[str] | None, typer.Option(help="A disturbance, such as rotation=10; may be repeated.")]
InitFile = Annotated[Path | None, typer.Option(help="ImageNet's, a .safetensors or .h5 file; else fetched.")]
Precision = Annotated[str, typer.Option(help="mixed_bfloat16, or float32.")]
Mlflow = Annotated[
    str | None, typer.Option(help="Track with MLflow: a server's URI, or `local` for a database in the runs.")
]
Every = Annotated[
    int | None, typer.Option(help="Epochs between two checkpoints on the accelerator; 10 if left out.", min=1)
]
Tensorboard = Annotated[bool, typer.Option("--tensorboard", help="Write the figures for TensorBoard into the run.")]


def train(
    name: Name,
    data: Data,
    runs: Runs = Path("runs"),
    stages: Stages = None,
    epochs: Epochs = None,
    batch: Batch = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd, adam, or adamw.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Of the learning rate: one-cycle, or plateau.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak of the schedule.")] = None,
    warmup: Annotated[float | None, typer.Option(help="Share of the run until the peak.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better one; 0 never.")
    ] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Decay of kernels.")] = None,
    fer2013_share: Annotated[float | None, typer.Option(help="Weight of FER2013's label beside FER+.")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="Share of the target spread over all emotions.")] = None,
    balance: Annotated[float | None, typer.Option(help="0 shows every face once, 1 every emotion as often.")] = None,
    mixup: Annotated[
        float | None, typer.Option(help="How far two faces and their targets are mixed; 0 mixes none.")
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="How much of the averaged weights a step keeps; 0 averages none.")
    ] = None,
    layer_decay: Annotated[
        float | None, typer.Option(help="Factor on the learning rate a block below the logits.")
    ] = None,
    teachers: Annotated[
        str | None, typer.Option(help="Who teaches: shipped weights or runs, such as resnet,runs/vgg16; or none: ''.")
    ] = None,
    distillation: Distillation = None,
    dropout: Annotated[float | None, typer.Option(help="Share of the pooled features that is dropped.")] = None,
    width: Annotated[float | None, typer.Option(help="Factor on the filters of every convolution.")] = None,
    augment: Augment = None,
    seed: Annotated[int | None, typer.Option(help="Of the first weights, the order and the disturbance.")] = None,
    init: Annotated[
        str | None,
        typer.Option(help="`imagenet` starts from ImageNet's convolutions, `shipped` from the shipped weights."),
    ] = None,
    init_file: InitFile = None,
    precision: Precision = "mixed_bfloat16",
    mlflow: Mlflow = None,
    tensorboard: Tensorboard = False,
    folder: Annotated[str, typer.Option("--run", help="The run's folder in --runs; the model's if left out.")] = "",
    teacher: Annotated[
        bool, typer.Option("--teacher", help="The recipe of a teacher; its run is NAME-teacher.")
    ] = False,
    on_device: Annotated[bool, typer.Option("--on-device", help="All of it on the accelerator, with JAX.")] = False,
    every: Every = None,
) -> None:
    """Train a network, or go on with a run that was stopped."""
    if init not in (None, "imagenet", "shipped"):
        raise UnknownNameError(
            "--init names an unknown start", repr(init), "Use --init imagenet or --init shipped, or leave it out"
        )
    config = changed(
        configs.load(name, teacher),
        stages,
        epochs,
        augment or (),
        teachers,
        batch=batch,
        optimizer=optimizer,
        schedule=schedule,
        learning_rate=learning_rate,
        warmup=warmup,
        patience=patience,
        weight_decay=weight_decay,
        fer2013_share=fer2013_share,
        label_smoothing=label_smoothing,
        balance=balance,
        mixup=mixup,
        ema=ema,
        layer_decay=layer_decay,
        distillation=distillation,
        dropout=dropout,
        width=width,
        seed=seed,
    )
    if every and not on_device:
        raise ParameterError(
            "--every was given without --on-device", f"--every {every}", "Leave it out, or add --on-device"
        )
    check_file(init, init_file)
    folder = folder or (f"{name}-teacher" if teacher else "")
    more = first(config, init, init_file)
    if on_device:
        together([config], data, runs, precision, mlflow, tensorboard, every, [folder], [more])
    else:
        run(config, data, runs, precision, mlflow, tensorboard, folder, **more)


def check_file(init: str | None, file: Path | None) -> None:
    """Refuse a file of first weights that no start would read."""
    if file is not None and init != "imagenet":
        raise ParameterError(
            "--init-file was given without --init imagenet",
            f"--init-file {file}",
            "Leave it out, or add --init imagenet",
        )


def first(config: configs.Config, init: str | None, file: Path | None) -> dict[str, Any]:
    """The first weights of a run, as `training.train.train` takes them; nothing for random ones."""
    if init is None:
        return {}
    if init == "shipped":
        from training.retrain import start

        begun = start(config.name)
        _fits(config, begun.config.width)
        return {"init": begun.arrays, "start": begun.source}
    from training import imagenet

    _fits(config, 1)
    source = imagenet.read(config.name, file)
    first = partial(imagenet.first_weights, config.name, source)
    return {"init": first, "start": f"ImageNet, sha256 {source.sha256}"}


def _fits(config: configs.Config, width: float) -> None:
    if config.width != width:
        raise ParameterError(
            f"The first weights do not fit: they are of a network of width {width:g}",
            f"--width {config.width:g}",
            f"Use --width {width:g}",
        )


def run(
    config: configs.Config,
    data: Path,
    runs: Path,
    precision: str,
    mlflow: str | None = None,
    tensorboard: bool = False,
    name: str = "",
    **more: Any,
) -> None:
    """Train as a command does: in a precision, told to MLflow and TensorBoard where that was asked, ended by a line."""
    use(precision)
    from training.train import train as start

    folder = runs / (name or config.name)
    told = _told(folder, mlflow, tensorboard)
    start(config, data, runs, name=name, callbacks=told, **more)
    _end(config.name, folder, told)


def together(
    networks: list[configs.Config],
    data: Path,
    runs: Path,
    precision: str,
    mlflow: str | None,
    tensorboard: bool,
    every: int | None,
    names: list[str],
    first: list[dict[str, Any]],
) -> None:
    """Train on the accelerator as a command does.

    Args:
        networks, names, first: of each network its configuration, its run's folder (the model's where empty), and its
            first weights.
        data, runs, precision, mlflow, tensorboard: as for `run`.
        every: epochs between two checkpoints.
    """
    use(precision)
    from training import together as device

    folders = [runs / (name or config.name) for name, config in zip(names, networks, strict=True)]
    told = [_told(folder, mlflow, tensorboard) for folder in folders]
    learners = [
        device.Learner(config, **weights, name=name, callbacks=callbacks)
        for config, name, weights, callbacks in zip(networks, names, first, told, strict=True)
    ]
    device.together(learners, data, runs, every or device.EVERY)
    for config, folder, callbacks in zip(networks, folders, told, strict=True):
        _end(config.name, folder, callbacks)


def use(precision: str) -> None:
    """Let Keras compute in a precision; raises `UnknownNameError` where there is no such one."""
    if precision not in ("mixed_bfloat16", "float32"):
        raise UnknownNameError("--precision names an unknown policy", repr(precision), "Use mixed_bfloat16 or float32")
    import keras

    keras.config.set_dtype_policy(precision)


def _told(folder: Path, mlflow: str | None, tensorboard: bool) -> list[Any]:
    """Who is told of a run's epochs."""
    told = []
    if mlflow is not None:
        from training.tracking import Tracking

        told.append(Tracking(mlflow, folder))
    if tensorboard:
        from training.tensorboard import TensorBoard

        told.append(TensorBoard(folder))
    return told


def _end(name: str, folder: Path, told: list[Any]) -> None:
    for each in told:
        if hasattr(each, "finish"):
            typer.echo(f"version {each.finish(name)} in MLflow at {each.uri}")
    typer.echo(f"{folder}: best.weights.h5, the state after the last epoch, log.json, run.json")
