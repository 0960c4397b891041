"""`predict`: what the networks see in the faces of photos."""

import csv
import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from app.commands import Turn, WholePicture, degrees
from models.errors import EmptyPhotoError, ParameterError
from models.types import EMOTIONS
from models.zoo import EMOTION_MODELS

Model = StrEnum("Model", ["mean", *EMOTION_MODELS])  # type: ignore[misc]  # the checker reads no table
MEAN = Model("mean")
COLUMNS = (
    *("file", "turned", "face", "left", "top", "right", "bottom", "score"),
    *("model", "version", "emotion", "confidence"),
    *EMOTIONS,
    "likely",
    "warnings",
    "error",
)
"""Of the csv: coordinates are pixels of the photo as it was turned, probabilities lie in 0..1, `likely` are the labels
that stay possible, `warnings` are of `models.quality.WARNINGS`."""
LONGEST = 10_000
"""Characters of a line where no terminal breaks it."""


def predict(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO…|FOLDER", help="Picture files, or folders of them.")],
    model: Annotated[
        Model, typer.Option(help="Who is asked; mean is the calibrated mean of all three.", case_sensitive=False)
    ] = MEAN,
    whole_picture: WholePicture = False,
    turn: Turn = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answers as those of POST /predict, instead of a table.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A line a face with all probabilities, instead of a table.")
    ] = False,
) -> None:
    """What the networks see in every face of photos.

    Exit code 1 where a photo could not be read or no face was found in it; the others are answered all the same.
    """
    if as_json and as_csv:
        raise ParameterError("Two forms of the answer were asked for", "--json and --csv", "Leave one of them out")
    answering = watched(found(photos), model=model.value, whole_picture=whole_picture, turn=degrees(turn))
    answers = write_csv(answering, sys.stdout) if as_csv else list(answering)
    if as_json:
        print(json.dumps({"results": answers}, indent=2, ensure_ascii=False))
    elif not as_csv:
        write_table(answers, by_itself=turn is None)
    for note in filter(None, dict.fromkeys(missing(answer) for answer in answers)):
        typer.echo(note, err=True)
    if any("error" in answer for answer in answers):
        raise typer.Exit(1)


def found(paths: list[Path]) -> list[Path]:
    """The files that are asked for: a folder stands for the pictures in it by name, or for itself where it has none."""
    from models import photo

    files = []
    for path in paths:
        files += (path.is_dir() and photo.in_folder(path)) or [path]
    return files


def watched(files: list[Path], **values: Any) -> Iterator[dict[str, Any]]:
    """An answer a file, see `answer`, with a bar on a terminal.

    Args:
        files: of pictures.
        values: fields of `requests.PredictRequest` by name.
    """
    from rich.console import Console
    from rich.progress import track

    from app.api import requests, validation
    from app.serving import canary, engines
    from models import precision

    canary.canaries()
    precision.bfloat16()
    engines.current()
    request = validation.read(requests.PredictRequest, {"image": "", **values})
    bar = Console(stderr=True)
    for path in track(files, "Reading", console=bar, transient=True, disable=not bar.is_terminal):
        yield {"file": str(path).encode(errors="replace").decode()} | answer(path, request)


def answer(path: Path, request: Any) -> dict[str, Any]:
    """What the API answers about a photo: `answers.PredictResponse`, or `errors.ErrorResponse` where it fails."""
    from app.api import endpoints, errors
    from models import photo

    try:
        if path.is_dir():
            raise EmptyPhotoError(
                "No picture was found in the folder", repr(path.name), "Give a folder that holds some"
            )
        return endpoints.ENDPOINTS["predict"].answer(photo.read(path), request)
    except Exception as error:
        return dict(errors.body_of(error))


def rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """One a face, by `COLUMNS`; or one with the error."""
    if "error" in answer:
        return [{"file": answer["file"], "error": sentence(answer)}]
    lines = []
    for index, face in enumerate(answer["faces"]):
        of_model = face["predictions"][0]
        told = {key: of_model[key] for key in ("model", "version", "emotion", "confidence")}
        place = face["box"] | {"score": face["score"]}
        about = {"file": answer["file"], "turned": answer["turned"], "face": index}
        warnings = {"warnings": " ".join(face["quality"]["warnings"])}
        likely = {"likely": " ".join(of_model["likely"])}
        lines.append(about | place | told | of_model["probabilities"] | likely | warnings)
    return lines


def sentence(answer: dict[str, Any]) -> str:
    """What went wrong with a file, and what to do."""
    return f"{answer['error']['message']} {answer['error']['advice']}".strip()


def missing(answer: dict[str, Any]) -> str:
    """Which models could not be asked, of an answer's note; that it is a guess is said of its face."""
    from app import text

    return str(answer.get("note", "")).removeprefix(" ".join(text.GUESS)).strip()


def write_csv(answers: Iterator[dict[str, Any]], file: TextIO) -> list[dict[str, Any]]:
    """Write a line a face as soon as it is known, and return all answers."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    kept = []
    for answer in answers:
        writer.writerows(rows(answer))
        file.flush()
        kept.append(answer)
    return kept


def write_table(answers: list[dict[str, Any]], by_itself: bool) -> None:
    """Print a line a face; in a pipe, it is never broken. What there is to say of a file goes to the standard error.

    Args:
        answers: with their files.
        by_itself: whether photos that were turned were so without being asked for.
    """
    from rich.console import Console
    from rich.table import Table

    from app import text

    table = Table("File", "Face", "Emotion", "Sure", "Or", "Possible", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for line in [line for answer in answers if "error" not in answer for line in rows(answer)]:
        second = sorted(EMOTIONS, key=line.__getitem__, reverse=True)[1]
        sure, other = text.percent(line["confidence"]), f"{second} {text.percent(line[second])}"
        possible = line["likely"].replace(" ", ", ")
        table.add_row(line["file"], str(line["face"]), line["emotion"], sure, other, possible)
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = LONGEST
    if table.rows:
        console.print(table)
    for answer in answers:
        if "error" in answer:
            typer.echo(f"{answer['file']}: {sentence(answer)}", err=True)
            continue
        if by_itself and (said := text.turned(answer["turned"])):
            typer.echo(f"{answer['file']}: {said}", err=True)
        for index, face in enumerate(answer["faces"]):
            if said := face["quality"]["note"]:
                which = f", face {index}" if len(answer["faces"]) > 1 else ""
                typer.echo(f"{answer['file']}{which}: {said}", err=True)
