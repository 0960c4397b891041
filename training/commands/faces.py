"""`faces`: what is measured of FER2013's test faces, as the dataset that the tab Data shows."""

from pathlib import Path
from typing import Annotated

import typer

from training.commands import Data

Out = Annotated[Path, typer.Option(help="The dataset's folder; the one that ships if left out.")]
SHIPPED = Path(__file__).parents[2] / "examples" / "dataset"


def faces(data: Data, out: Out = SHIPPED) -> None:
    """Measure FER2013's test faces with the weights that ship, and write the dataset of the tab Data: no picture."""
    from training.release import test_faces

    made = test_faces.write(data, out, say=typer.echo)
    size = sum(path.stat().st_size for path in made.folder.rglob("*") if path.is_file())
    typer.echo(f"{made.rows['faces']} faces, {size / 1e6:.2f} MB, in {made.folder}")
