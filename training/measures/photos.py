"""Real photos with labels: what the networks answer on the way that a visitor's photo takes.

A folder holds the pictures and `labels.csv` with the columns `file` and `label`: one of the seven emotions, or
`noface` for a picture without a human face. Other columns are not read. Nothing of the photos is kept but counts.
"""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models import detector, keypoints, photo
from models.errors import DataError, PhotoError
from models.model import Model
from models.types import EMOTIONS, Face

LABELS = "labels.csv"
NO_FACE = "noface"


@dataclass(frozen=True)
class Labelled:
    """A picture and what it shows: one of `EMOTIONS`, or `NO_FACE`."""

    path: Path
    label: str


def read(folder: str | Path) -> list[Labelled]:
    """The labelled pictures of a folder.

    Raises:
        DataError: the folder or its list is missing, or a line names a picture or a label that is not there.
    """
    path = Path(folder) / LABELS
    if not path.is_file():
        raise DataError(
            f"There is no {LABELS} in the folder of photos", str(folder), "Write one with the columns file and label"
        )
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if missing := {"file", "label"} - set(rows.fieldnames or ()):
            raise DataError(f"{LABELS} lacks a column", ", ".join(sorted(missing)), "Begin it with: file,label")
        found = []
        for row in rows:
            where, label = f"line {rows.line_num} of {LABELS}", row["label"] or ""
            if label not in (*EMOTIONS, NO_FACE):
                raise DataError(
                    f"The label in {where} is unknown", repr(label), f"Use {', '.join(EMOTIONS)} or {NO_FACE}"
                )
            if not (picture := path.parent / (row["file"] or "")).is_file():
                raise DataError(
                    f"The picture of {where} is missing", repr(row["file"]), "Correct the line or take it out"
                )
            found.append(Labelled(picture, label))
    if not found:
        raise DataError(f"{LABELS} lists no picture", str(path), "Give a line to each picture")
    return found


def largest_face(picture: Path) -> Face | None:
    """The largest face of a picture with its keypoints, as the page finds it; None where there is none.

    Raises:
        DataError: the picture cannot be read.
    """
    try:
        seen = photo.read(picture)
    except PhotoError as error:
        raise DataError(
            f"The picture {picture.name} could not be read", str(error), f"Take it out of {LABELS}"
        ) from error
    faces = keypoints.read(detector.find(seen, limit=1), seen)
    return faces[0] if faces else None


def measure(models: Mapping[str, Model], folder: str | Path) -> dict[str, Any]:
    """What networks answer to real photos, and what their calibrated mean answers.

    Args:
        models: emotion networks by name.
        folder: see `read`.

    Returns:
        photos (with a face), found (share of them in which a face was found), without_face,
        reported_without_face (in how many of those a face was reported), support (photos by emotion), sha256 (of
        the list and the pictures); and by name of the network, also `mean` of several: accuracy (of all photos with a
        face; one not found counts as wrong) and recall by emotion.

    Raises:
        DataError: the photos cannot be used.
    """
    labelled = read(folder)
    people = [each for each in labelled if each.label != NO_FACE]
    others = [each for each in labelled if each.label == NO_FACE]
    if not people:
        raise DataError("No photo shows a face", f"{len(others)} labelled {NO_FACE}", "Label photos with emotions")
    faces = [largest_face(each.path) for each in people]
    labels = np.array([EMOTIONS.index(each.label) for each in people])
    seen = np.array([face is not None for face in faces])
    crops = np.stack([face.crop for face in faces if face is not None]) if seen.any() else np.zeros((0, 48, 48))
    answers = {name: model.probabilities(model.logits(crops)) for name, model in models.items()}
    if len(answers) > 1:
        answers["mean"] = np.mean(list(answers.values()), axis=0)
    result = {
        "photos": len(people),
        "found": round(float(seen.mean()), 4),
        "without_face": len(others),
        "reported_without_face": sum(largest_face(each.path) is not None for each in others),
        "support": {emotion: int((labels == index).sum()) for index, emotion in enumerate(EMOTIONS)},
        "sha256": _fingerprint(labelled),
    }
    for name, probabilities in answers.items():
        right = np.zeros(len(people), bool)
        right[seen] = probabilities.argmax(1) == labels[seen]
        present = [index for index in range(len(EMOTIONS)) if (labels == index).any()]
        recall = {EMOTIONS[index]: round(float(right[labels == index].mean()), 4) for index in present}
        result[name] = {"accuracy": round(float(right.mean()), 4), "recall": recall}
    return result


def _fingerprint(labelled: list[Labelled]) -> str:
    """The sha256 of all labels and pictures, in the order of the list."""
    made = hashlib.sha256()
    for each in labelled:
        made.update(f"{each.label} {hashlib.sha256(each.path.read_bytes()).hexdigest()}\n".encode())
    return made.hexdigest()
