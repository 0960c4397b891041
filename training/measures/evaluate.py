"""Measure weights, and write what was measured into their card."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models import card as cards
from models import ensemble as together
from models import weight_store as weights
from models import zoo
from models.card import Card
from models.conformal import KEY
from models.errors import DataError
from models.model import KeypointModel, Model, restore
from training import data
from training.data import landmarks
from training.data.keypoint_data import fixed_faces
from training.measures import conformal, metrics, photos, robustness
from training.measures.crops import ten_crops

CHOOSING, FINAL = "PublicTest", "PrivateTest"
"""The split that a temperature is fitted on, and the one that figures come from."""
PHOTOS = "photos"
"""The metrics that come from real photos, see `training.measures.photos`."""


def evaluate(
    name: str,
    path: str | Path,
    shipped: str | Path = weights.SHIPPED,
    disturb: bool = False,
    pictures: str | Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Card:
    """Measure one set of weights as the app would load it, and write its card.

    An emotion network's temperature is fitted on PublicTest, and its figures are those of
    PrivateTest, which nothing else looks at; so are its conformal sets. The keypoint network is measured on people
    of the test part, and for comparing versions on those of the validation part, framed from five points that are
    as far off as a detector's; also with the test part's labels as published, see `training.data.landmarks`.

    Args:
        name: of the weights.
        path: the data, see `training.data`.
        shipped: where the folder `<name>` of the weights is.
        disturb: whether an emotion network is also measured on disturbed faces, which takes some nine
            times as long. Without, what was measured before of the same weights stays in the card.
        pictures: a folder of labelled photos that an emotion network is measured on as well, see
            `training.measures.photos`. Without, what was measured before of the same weights stays in the card.
        say: called with a line for people about each disturbance.

    Returns:
        The card with its new metrics and temperature. The metrics hold the sha256 of the data; exports that have
        another temperature are no longer in it.

    Raises:
        DataError: the data cannot be used.
        WeightsError: the weights cannot be used.
    """
    folder = Path(shipped) / name
    card = weights.verify(folder)
    if name == zoo.KEYPOINT_MODEL:
        figures, heat = _of_keypoints(folder, path), card.temperature
    else:
        model = restore(name, weights.Located(folder, "folder"), zoo.build)
        splits = data.load_emotions(path)
        answers = {split: _answers(model, splits[split]) for split in (CHOOSING, FINAL)}
        heat = round(metrics.temperature(answers[CHOOSING][0], splits[CHOOSING].labels), 4)
        figures = {
            split: metrics.emotions(
                *answers[split][:2], splits[split].labels, splits[split].majority, heat, answers[split][2]
            )
            for split in answers
        }
        calibrated = dataclasses.replace(model, card=dataclasses.replace(card, temperature=heat))
        if pictures is not None:
            figures[PHOTOS] = photos.measure({name: calibrated}, pictures)
        elif PHOTOS in card.metrics:
            figures[PHOTOS] = card.metrics[PHOTOS]
        if disturb:
            figures["robustness"] = {"split": FINAL} | robustness.measure(
                model.logits,
                _crops(splits[FINAL]),
                splits[FINAL].labels,
                report=lambda kind, strength, right: say(f"{kind} {strength:g}: {right:.2%}"),
            )
        elif "robustness" in card.metrics:
            figures["robustness"] = card.metrics["robustness"]
        probable = {split: calibrated.probabilities(logits) for split, (logits, _, _) in answers.items()}
        figures[KEY] = conformal.figures(probable, {split: splits[split].labels for split in answers})
    figures["data_sha256"] = data.fingerprint(path, keypoints=name == zoo.KEYPOINT_MODEL)
    exports = card.exports if heat == card.temperature else {}
    card = dataclasses.replace(card, temperature=heat, metrics=figures, exports=exports)
    cards.write(card, folder)
    return card


def ensemble(
    path: str | Path, shipped: str | Path = weights.SHIPPED, pictures: str | Path | None = None
) -> dict[str, Any]:
    """Measure the emotion networks together: their calibrated probabilities are averaged.

    The mean is less sure than it should be, so it gets a temperature of its own, fitted on PublicTest.

    Args:
        path: the data, see `training.data`.
        shipped: where the folders of the weights are, each measured before by `evaluate`, which fits
            the temperatures.
        pictures: a folder of labelled photos to measure on as well, see `training.measures.photos`.

    Returns:
        weights (sha256 by name), temperature, data_sha256, `metrics.emotions` of PublicTest and PrivateTest, and the
        calibration of conformal sets, see `training.measures.conformal`; also
        written to `<shipped>/ensemble.json`.

    Raises:
        DataError: the data cannot be used, or a network was not measured.
        WeightsError: the weights cannot be used.
    """
    shipped = Path(shipped)
    splits = data.load_emotions(path)
    found: dict[str, Any] = {"weights": {}, "temperature": 1.0, "data_sha256": data.fingerprint(path)}
    models: list[Model] = []
    for name in zoo.EMOTION_MODELS:
        card = weights.verify(shipped / name)
        if CHOOSING not in card.metrics:
            raise DataError(
                "The networks were not all measured alone before they are measured together",
                f"{name} without figures",
                f"Run: .venv/bin/python -m training evaluate {name} --data DATA",
            )
        found["weights"][name] = card.sha256
        models.append(restore(name, weights.Located(shipped / name, "folder"), zoo.build))
    probabilities = {}
    for split in (CHOOSING, FINAL):
        answers = [_answers(model, splits[split]) for model in models]
        mean = [
            metrics.together(
                [(each[view], model.card.temperature) for each, model in zip(answers, models, strict=True)]
            )
            for view in range(3)
        ]
        if split == CHOOSING:
            found["temperature"] = round(metrics.temperature(mean[0], splits[split].labels), 4)
        found[split] = metrics.emotions(
            mean[0], mean[1], splits[split].labels, splits[split].majority, found["temperature"], mean[2]
        )
        probabilities[split] = [model.probabilities(each[0]) for each, model in zip(answers, models, strict=True)]
    if pictures is not None:
        found[PHOTOS] = photos.measure({model.name: model for model in models}, pictures)
    whole = together.Ensemble(found["temperature"])
    calibrated = {split: whole.probabilities(each) for split, each in probabilities.items()}
    found[KEY] = conformal.figures(calibrated, {split: splits[split].labels for split in calibrated})
    together.write(found, shipped)
    return found


def _of_keypoints(folder: Path, path: str | Path) -> dict[str, Any]:
    network = restore(zoo.KEYPOINT_MODEL, weights.Located(folder, "folder"), zoo.build, KeypointModel)
    splits = data.load_keypoints(path)
    figures = {}
    for split in ("validation", "test"):
        faces, true = fixed_faces(splits[split])
        points = network.points(faces[..., 0])
        figures[split] = metrics.keypoints(points, true)
    published = fixed_faces(splits["test"], landmarks.as_published(splits["test"].keypoints))[1]
    return figures | {"test_as_published": metrics.keypoints(points, published)}


def _crops(split: data.EmotionSplit) -> np.ndarray:
    return split.images.astype(np.float32) / 255


def _answers(model: Model, split: data.EmotionSplit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits (N, 7) of the faces and of their mirror images, and (10, N, 7) of ten crops of each."""
    crops = _crops(split)
    views = ten_crops(crops)
    return model.logits(crops), model.logits(crops[:, :, ::-1]), np.stack([model.logits(view) for view in views])
