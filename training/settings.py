"""Settings of a run as they are written in a shell."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from models.errors import ParameterError
from training.config import Augmentation, Config


def changed(
    config: Config,
    stages: str | None = None,
    epochs: int | None = None,
    augment: Sequence[str] = (),
    teachers: str | None = None,
    **settings: Any,
) -> Config:
    """A configuration with some settings changed.

    Args:
        config: the one to start from.
        stages: such as "12x32,8x48": epochs and side of each stage.
        epochs: so many at the last stage's side, instead of the stages.
        augment: such as "rotation=10", one an item.
        teachers: names with commas between them; none and no distillation is distillation 0.
        **settings: other fields of `Config`; None leaves a field as it is.

    Raises:
        ParameterError: a setting cannot be read or lies outside its range.
    """
    if stages and epochs:
        raise ParameterError(
            "The epochs were given twice", f"--stages {stages} and --epochs {epochs}", "Give only one of them"
        )
    changes = {name: value for name, value in settings.items() if value is not None}
    if stages:
        changes["stages"] = _stages(stages)
    if epochs:
        changes["stages"] = ((epochs, config.stages[-1][1]),)
    if augment:
        changes["augmentation"] = _augmentation(config.augmentation, augment)
    if teachers is not None:
        changes["teachers"] = tuple(name.strip() for name in teachers.split(",") if name.strip())
        if not changes["teachers"]:
            changes.setdefault("distillation", 0.0)
    return dataclasses.replace(config, **changes)


def _stages(text: str) -> tuple[tuple[int, int], ...]:
    try:
        return tuple((int(epochs), int(side)) for epochs, side in (part.split("x") for part in text.split(",")))
    except ValueError as error:
        raise ParameterError(
            "--stages could not be read", repr(text), "Write EPOCHSxSIDE with commas between them, such as 12x32,8x48"
        ) from error


def _augmentation(augmentation: Augmentation, changes: Sequence[str]) -> Augmentation:
    kinds = {field.name: field.type for field in dataclasses.fields(Augmentation)}
    values: dict[str, Any] = {}
    for change in changes:
        name, _, text = change.partition("=")
        try:
            values[name] = {"yes": True, "no": False}[text] if kinds[name] is bool else float(text)
        except (KeyError, ValueError) as error:
            raise ParameterError(
                "The disturbance could not be read",
                repr(change),
                f"Write flip=yes, flip=no or NAME=NUMBER with one of {', '.join(kinds)}",
            ) from error
    return dataclasses.replace(augmentation, **values)
