"""`explain`: why a network says what it says about a face, as files to take home."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands import Turn, WholePicture, degrees
from models.errors import ParameterError
from models.types import EMOTIONS
from models.zoo import EMOTION_MODELS

if TYPE_CHECKING:
    from app.pipeline import Detections
    from app.reporting import Report

Model = StrEnum("Model", EMOTION_MODELS)  # type: ignore[misc]  # the checker reads no table
FIRST = Model("cnn")
Emotion = StrEnum("Emotion", EMOTIONS)  # type: ignore[misc]  # the checker reads no table


def explain(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A picture file.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the report goes; made where it is not there.")],
    model: Annotated[Model, typer.Option(help="Which network.", case_sensitive=False)] = FIRST,
    emotion: Annotated[
        Emotion | None,
        typer.Option(help="What is explained; what the network names if left out.", case_sensitive=False),
    ] = None,
    against: Annotated[
        Emotion | None, typer.Option(help="The emotion it is set against.", case_sensitive=False)
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="METHOD", help="A method of explanation, see docs/methods; the recommended one if left out."
        ),
    ] = "",
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the method; may be repeated.")
    ] = None,
    face: Annotated[int, typer.Option(help="Which face, counted from the largest, which is 0.", min=0)] = 0,
    whole_picture: WholePicture = False,
    turn: Turn = None,
    version: Annotated[str, typer.Option(help="A version of the network; the active one if left out.")] = "",
    without_photo: Annotated[
        bool, typer.Option("--without-photo", help="Leave every pixel of the photo out of the report.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a report that is there.")] = False,
) -> None:
    """Why a network says what it says about a face: a report to print, the map, its numbers as csv and JSON."""
    from app import reporting, text

    if not force:
        reporting.refuse_to_replace(out)
    chosen = {"emotion": emotion or "", "against": against or "", "method": method.strip().lower()}
    found = chosen_face(photo, face, whole_picture, degrees(turn))
    made = computed(found, model.value, version, parameters(param or []), **chosen)
    if without_photo:
        made = made.without_photo()
    files = reporting.write(out, reporting.every(made))
    turned = "" if turn else text.turned(found.photo.turned)
    for sentence in filter(None, (turned, f"{made.title}.", made.doubts, made.weak, *made.sentences, made.verdict)):
        typer.echo(sentence)
    typer.echo(f"In {out}: {', '.join(path.name for path in files)}")


def chosen_face(path: Path, face: int, whole_picture: bool, turn: int | None) -> "Detections":
    """A photo and one of its faces.

    Raises:
        what `models.photo.read` and `app.pipeline` raise.
    """
    from app import pipeline
    from app.serving import canary, engines
    from models import photo, precision

    canary.canaries()
    precision.bfloat16()
    engines.current()
    return pipeline.some(pipeline.detections(photo.read(path), turn, whole_picture)).pick(face)


def computed(
    found: "Detections", model: str, version: str, params: dict[str, Any], emotion: str, against: str, method: str
) -> "Report":
    """A report on the face, on the same way as POST /api/v1/trust.

    Raises:
        what `app.pipeline` raises.
    """
    from app import pipeline, reporting

    [face] = found.faces
    made = pipeline.explained(face, model, version, emotion, against, method, params)
    return reporting.report(found.photo, face, made.prediction, made.explanation, made.tested())


def parameters(written: list[str]) -> dict[str, Any]:
    """Parameters by name, of "samples=32" and the like.

    Raises:
        ParameterError: one has no "=".
    """
    values = {}
    for each in written:
        name, sign, value = each.partition("=")
        if not sign:
            raise ParameterError("--param could not be read", repr(each)[:60], "Write it like samples=32")
        try:
            values[name.strip()] = json.loads(value)
        except ValueError:
            values[name.strip()] = value.strip()
    return values
