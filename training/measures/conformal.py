"""Calibrate conformal sets on one split, and measure on another what they hold."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from models import card as cards
from models import conformal, zoo
from models import ensemble as ensembles
from models import weight_store as weights
from models.conformal import COVERAGE, METHODS, Calibration
from models.errors import DataError
from models.model import restore
from models.types import EMOTIONS
from training import data

CALIBRATION, FINAL = "PublicTest", "PrivateTest"
FOLDS = 5
TOGETHER = "ensemble"


def fit(probabilities: np.ndarray, labels: np.ndarray, method: str, coverage: float = COVERAGE) -> Calibration:
    """A calibration on faces that were not trained on.

    Args:
        probabilities: float (N, 7), calibrated.
        labels: int (N,).
        method, coverage: see `models.conformal`.
    """
    found = conformal.scores(method, probabilities)[np.arange(len(labels)), labels]
    limit = conformal.threshold(found, coverage)
    rounded = limit if math.isinf(limit) else math.ceil(limit * 1e6) / 1e6  # upwards, so that no label is lost
    return Calibration(method, rounded, coverage)


def covered(calibration: Calibration, probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What the sets of a calibration hold.

    Args:
        calibration: of other faces.
        probabilities, labels: as for `fit`.

    Returns:
        faces; coverage, the share of sets with the label in them; size, how many labels a set has on average; sizes,
        how many sets have 1 to 7 labels; coverage_by_emotion, None where no face has that label.
    """
    sets = calibration.sets(probabilities)
    holds, sizes = sets[np.arange(len(labels)), labels], sets.sum(1)
    by_emotion = {
        emotion: round(float(holds[labels == index].mean()), 4) if (labels == index).any() else None
        for index, emotion in enumerate(EMOTIONS)
    }
    return {
        "faces": len(labels),
        "coverage": round(float(holds.mean()), 4),
        "size": round(float(sizes.mean()), 4),
        "sizes": np.bincount(sizes, minlength=len(EMOTIONS) + 1)[1:].tolist(),
        "coverage_by_emotion": by_emotion,
    }


def chosen(probabilities: np.ndarray, labels: np.ndarray, coverage: float = COVERAGE) -> tuple[str, dict[str, float]]:
    """The method with the smallest sets, and the mean size of each method's.

    Sizes are of faces that a calibration has not seen, every `FOLDS`-th face in turn, so that the choice costs no other
    faces.

    Args:
        probabilities, labels, coverage: as for `fit`.
    """
    turn = np.arange(len(labels)) % FOLDS
    sizes = {}
    for method in METHODS:
        sets = [
            fit(probabilities[turn != fold], labels[turn != fold], method, coverage).sets(probabilities[turn == fold])
            for fold in range(FOLDS)
        ]
        sizes[method] = round(float(np.concatenate(sets).sum(1).mean()), 4)
    return min(sizes, key=lambda method: sizes[method]), sizes


def figures(probabilities: dict[str, np.ndarray], labels: dict[str, np.ndarray]) -> dict[str, Any]:
    """What stands in a card: the calibration, and what it holds on other faces.

    Args:
        probabilities: float (N, 7) by split, of PublicTest and PrivateTest.
        labels: int (N,) by split.

    Returns:
        method, coverage, threshold (None where there are too few faces for one, so that every set holds all), the
        split and number of faces of the calibration, tried (mean set size by method), and `covered` of PrivateTest.
    """
    seen, right = probabilities[CALIBRATION], labels[CALIBRATION]
    method, tried = chosen(seen, right)
    made = fit(seen, right, method)
    return {
        "method": made.method,
        "coverage": made.coverage,
        "threshold": None if math.isinf(made.threshold) else made.threshold,
        "split": CALIBRATION,
        "faces": len(right),
        "tried": tried,
        FINAL: covered(made, probabilities[FINAL], labels[FINAL]),
    }


def write(name: str, path: str | Path, shipped: str | Path = weights.SHIPPED) -> dict[str, Any]:
    """Calibrate the sets of a shipped network, or of all as one, and write that alone into its card.

    Args:
        name: of an emotion network, or "ensemble", whose result goes into `ensemble.json`.
        path: the data, see `training.data`.
        shipped: where the folders of the weights are, measured before by `training.measures.evaluate`.

    Returns:
        `figures`.

    Raises:
        DataError: the data cannot be used, or the networks were not measured together.
        WeightsError: the weights cannot be used.
    """
    shipped = Path(shipped)
    splits = {split: found for split, found in data.load_emotions(path).items() if split in (CALIBRATION, FINAL)}
    labels = {split: found.labels for split, found in splits.items()}
    names = zoo.EMOTION_MODELS if name == TOGETHER else (name,)
    known = [weights.verify(shipped / each) for each in names]
    each = {each: _probabilities(each, shipped, splits) for each in names}
    if name != TOGETHER:
        found = figures(each[name], labels)
        [card] = known
        cards.write(dataclasses.replace(card, metrics=card.metrics | {conformal.KEY: found}), shipped / name)
        return found
    together = ensembles.read(shipped, known)
    if not together.metrics:
        raise DataError(
            "The networks were not measured together before their sets are calibrated",
            f"no {ensembles.FILE} of these weights",
            "Run: .venv/bin/python -m training evaluate ensemble --data DATA",
        )
    mean = {split: together.probabilities([found[split] for found in each.values()]) for split in splits}
    found = figures(mean, labels)
    ensembles.write(
        json.loads((shipped / ensembles.FILE).read_text(encoding="utf-8")) | {conformal.KEY: found}, shipped
    )
    return found


def _probabilities(name: str, shipped: Path, splits: dict[str, data.EmotionSplit]) -> dict[str, np.ndarray]:
    model = restore(name, weights.Located(shipped / name, "folder"), zoo.build)
    return {
        split: model.probabilities(model.logits(found.images.astype(np.float32) / 255))
        for split, found in splits.items()
    }
