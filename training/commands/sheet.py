"""`sheet`: faces with the keypoints that the network reads from them, to be looked at."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import ParameterError

COUNT = 70
"""Faces on a sheet of a data set, unless another number is given."""


def sheet(
    data: Annotated[
        Path | None, typer.Option(help="The folder of both data sets; the example pictures if left out.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where the sheets go; those of --data show people: a folder outside the repository.")
    ] = Path("runs"),
    count: Annotated[int | None, typer.Option(help="Faces on a sheet of --data; 70 if left out.", min=7)] = None,
    seed: Annotated[int, typer.Option(help="Which faces.")] = 0,
) -> None:
    """Draw contact sheets of keypoints: on FER2013's PublicTest and on people never seen, or on the examples."""
    from training import data as training_data
    from training.data.sheets import output_folder
    from training.measures import keypoint_sheet as sheets

    if data is None and count is not None:
        raise ParameterError("--count was given without --data", f"--count {count}", "Leave it out, or add --data DATA")
    if data is None:
        examples = Path(__file__).parents[2] / "examples"
        made = {"keypoints.jpg": sheets.of_examples(examples, seed)}
    else:
        out, count = output_folder(out), count or COUNT
        made = {
            "keypoints-fer2013.jpg": sheets.of_emotions(training_data.load_emotions(data)["PublicTest"], count, seed),
            "keypoints-people.jpg": sheets.of_people(training_data.load_keypoints(data)["test"], count, seed),
        }
    for name, picture in made.items():
        typer.echo(sheets.save(picture, out / name))
