"""`evaluate`: measure a version of weights, or the emotion networks together."""

from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import ParameterError
from models.weight_store import SHIPPED
from models.zoo import KEYPOINT_MODEL
from training import config as configs
from training.commands import Archive, Data
from training.release.versions import ARCHIVE

TOGETHER = "ensemble"


def evaluate(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(configs.NAMES)}, or {TOGETHER}.")],
    data: Data,
    version: Annotated[str, typer.Option(help="A version's number or a run's name; the latest if left out.")] = "",
    archive: Archive = ARCHIVE,
    photos: Annotated[Path | None, typer.Option(help="Also on photos: a folder with labels.csv (file,label).")] = None,
    robustness: Annotated[bool, typer.Option(help="Also on disturbed faces, which takes most of the time.")] = True,
) -> None:
    """Measure a version, which may be the active one: figures into its card, charts beside it.

    `ensemble` measures the active emotion networks, their calibrated probabilities averaged.
    """
    from training.measures import report
    from training.measures.evaluate import ensemble
    from training.measures.evaluate import evaluate as measure
    from training.release.versions import find

    pointless: dict[str, dict[str, object]] = {
        TOGETHER: {"--version": version, "--archive": archive != ARCHIVE, "--no-robustness": not robustness},
        KEYPOINT_MODEL: {"--photos": photos, "--no-robustness": not robustness},
    }
    if given := [option for option, value in pointless.get(name, {}).items() if value]:
        raise ParameterError(
            f"The measurement of {name} was given options that change nothing", ", ".join(given), "Leave it out"
        )
    if name == TOGETHER:
        _tell(ensemble(data, SHIPPED, photos))
        return
    chosen = find(configs.load(name).name, version, archive, SHIPPED)
    typer.echo(f"{chosen}, in {chosen.folder}")
    card = measure(chosen.name, data, chosen.folder.parent, robustness, photos, typer.echo)
    _tell(card.metrics)
    missing = report.write(chosen.folder, report.figures(card, report.read_epochs(chosen.folder)))
    typer.echo(f"Charts are in {chosen.folder / report.FOLDER}. {missing}")


def _tell(figures: dict[str, Any]) -> None:
    for split, values in figures.items():
        if not isinstance(values, dict):
            continue
        typer.echo(split)
        for key, value in values.items():
            if isinstance(value, dict) and "recall" in value:
                typer.echo(f"  {key:40} {value['accuracy']}  {value['recall']}")
            elif isinstance(value, int | float):
                typer.echo(f"  {key:40} {value}")
