"""`export`: from a run to a version of weights, and from a version to other formats."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ParameterError
from models.weight_store import SHIPPED
from training import config as configs
from training.commands import Archive, Name, Runs
from training.release import versions
from training.release.versions import ARCHIVE


def export(
    name: Name,
    runs: Runs = Path("runs"),
    run: Annotated[str, typer.Option(help="The run's folder in --runs, if it has another name than the model.")] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(help="What the run was trained on, if not what the recipes are; one line a source."),
    ] = None,
    archive: Archive = ARCHIVE,
    version: Annotated[
        str,
        typer.Option(help="Its number, else the latest counted up; with --to, which one, else the active."),
    ] = "",
    to: Annotated[
        str,
        typer.Option(help="savedmodel, float16, int8, tflite (the latter two) or all: a version in another format."),
    ] = "",
    out: Annotated[Path | None, typer.Option(help="With --to: where its files go.")] = None,
    data: Annotated[Path | None, typer.Option(help="With --to: faces to measure on, and for int8 to adapt to.")] = None,
) -> None:
    """Make the best epoch of a run a version in the archive; or, with --to, write a version in another format."""
    name = configs.load(name).name
    if to:
        if run or source:
            raise ParameterError(
                "--run or --source was given with --to, which writes a version and reads no run",
                f"--to {to}",
                "Leave them out, or leave out --to",
            )
        _formats(name, version, archive, to, out, data)
        return
    if out or data:
        raise ParameterError("--out or --data was given without --to", "no --to", "Add --to all")
    from training.release.export import export as write

    made = write(name, runs, version, archive, SHIPPED, run, source or ())
    if (runs / (run or name) / "mlflow.json").is_file():
        from training.tracking import add_version

        add_version(runs / (run or name), made.folder, made.number)
    typer.echo(f"{made}: {made.card.parameters:,} parameters, in {made.folder}")


def _formats(name: str, number: str, archive: Path, to: str, out: Path | None, data: Path | None) -> None:
    from training.release.formats import export as write

    if out is None:
        raise ParameterError("The folder for the exported files is missing", "no --out", "Add --out DIR")
    chosen = (None if number else versions.active(name, SHIPPED)) or versions.find(name, number, archive, SHIPPED)
    typer.echo(f"{chosen}, in {chosen.folder}")
    for kind, found in write(chosen, to, out, data).items():
        typer.echo(f"{kind:10} {found['bytes'] / 1e6:7.2f} MB  {out / name / found['file']}")
        typer.echo(f"  probabilities off by {found['max_difference']:g} at most on {found['faces']} example faces")
        for split, accuracy in found.get("accuracy", {}).items():
            typer.echo(f"  accuracy on {split}: {accuracy:.2%}")
