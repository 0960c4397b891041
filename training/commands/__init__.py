"""The commands of `python -m training`: one file a command, one function of its name in it."""

from pathlib import Path
from typing import Annotated

import typer

from training import config as configs

Name = Annotated[str, typer.Argument(help=f"One of {', '.join(configs.NAMES)}.")]
Data = Annotated[Path, typer.Option(help="A data file or the folder that holds it, see docs/training.md.")]
Runs = Annotated[Path, typer.Option(help="Where checkpoints and logs of runs live.")]
Archive = Annotated[Path, typer.Option(help="Where the versions are that do not ship.")]
