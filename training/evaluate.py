"""Measure the weights that ship, and write what was measured into their card."""

import dataclasses
from pathlib import Path

import numpy as np

from models import card as cards
from models import weights, zoo
from models.card import Card
from models.model import KeypointModel, restore
from training import data, metrics
from training.keypoint_data import fixed_faces


def evaluate(name: str, path: str | Path, shipped: str | Path = weights.SHIPPED) -> Card:
    """Measure one set of weights as the app would load it, and write its card.

    An emotion network's temperature is fitted on PublicTest, and its figures are those of
    PrivateTest, which nothing else looks at. The keypoint network is measured on people of the test
    part, and for comparing versions on those of the validation part, framed from five points that are
    as far off as a detector's.

    Args:
        name: of the weights.
        path: the data, see `training.data`.
        shipped: where the folder `<name>` of the weights is.

    Returns:
        The card with its new metrics and temperature.

    Raises:
        DataError: the data cannot be used.
        WeightsError: the weights cannot be used.
    """
    folder = Path(shipped) / name
    located = weights.Located(folder, "folder")
    card = weights.verify(folder)
    if name == "keypoints":
        network = restore(name, located, zoo.build, KeypointModel)
        splits = data.load_keypoints(path)
        figures = {}
        for split in ("validation", "test"):
            faces, true = fixed_faces(splits[split])
            figures[split] = metrics.keypoints(network.points(faces[..., 0]), true)
        card = dataclasses.replace(card, metrics=figures)
    else:
        model = restore(name, located, zoo.build)
        splits = data.load_emotions(path)
        answers = {}
        for split in ("PublicTest", "PrivateTest"):
            crops = splits[split].images.astype(np.float32) / 255
            answers[split] = model.logits(crops), model.logits(crops[:, :, ::-1])
        heat = metrics.temperature(answers["PublicTest"][0], splits["PublicTest"].labels)
        figures = {
            split: metrics.emotions(*answers[split], splits[split].labels, splits[split].majority, heat)
            for split in answers
        }
        card = dataclasses.replace(card, temperature=round(heat, 4), metrics=figures)
    cards.write(card, folder)
    return card
