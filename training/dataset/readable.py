"""An Explainable Boosting Machine as the plain JSON that `models.glass_box` reads."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from models import geometry, glass_box
from models.errors import ParameterError
from models.types import EMOTIONS
from training.run import write

DIGITS = 6
"""Of scores in the file."""


def model_json(machine: Any, values: np.ndarray) -> str:
    """The text of a `model.json`.

    Each row of scores, and the intercepts, are moved so that their seven numbers sum to 0, see `models.glass_box`.

    Args:
        machine: a fitted `ExplainableBoostingClassifier` on the measures of `models.geometry`, without interactions.
        values: float (N, 20), the measures that it was fitted to.

    Raises:
        ParameterError: it has interactions, or does not know all emotions.
    """
    alone = [(index,) for index in range(len(geometry.NAMES))]
    if sorted(machine.term_features_) != alone or list(machine.classes_) != list(range(len(EMOTIONS))):
        received = f"terms {machine.term_features_}, classes {list(machine.classes_)}"
        raise ParameterError(
            "The machine is not one of single measures and seven emotions",
            received[:200],
            "Fit it without interactions",
        )
    scores = dict(zip([index for (index,) in machine.term_features_], machine.term_scores_, strict=True))
    both = np.concatenate([values, geometry.mirrored(values)]).astype(np.float64)
    low, typical, high = np.percentile(both, [1, 50, 99], axis=0)
    content = {
        "format": glass_box.FORMAT,
        "version": glass_box.VERSION,
        "emotions": EMOTIONS,
        "measures": geometry.NAMES,
        "intercept": _balanced(machine.intercept_),
        "typical": _rounded(typical),
        "low": _rounded(low),
        "high": _rounded(high),
        # the first row of the machine's own is for a missing value, the last for an unknown one
        "terms": [
            {"cuts": machine.bins_[index][0].tolist(), "scores": _balanced(scores[index][1:-1])} for (index,) in alone
        ],
    }
    return json.dumps(content, separators=(",", ":")) + "\n"


def save(folder: Path, text: str, **facts: Any) -> dict[str, Any]:
    """Write a model and its card into a folder.

    Args:
        folder: made where it is missing.
        text: of `model.json`.
        facts: version, temperature, metrics, and whatever else a card tells.

    Returns:
        The card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    card = {
        "name": glass_box.FOLDER,
        "title": glass_box.NAME,
        "date": date.today().isoformat(),
        **facts,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    glass_box.from_json(text, card)  # what cannot be read is not written
    write(folder / glass_box.MODEL_FILE, lambda path: path.write_text(text, encoding="utf-8"))
    said = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write(folder / glass_box.CARD_FILE, lambda path: path.write_text(said, encoding="utf-8"))
    return card


def _balanced(scores: np.ndarray) -> list[Any]:
    return _rounded(scores - np.mean(scores, axis=-1, keepdims=True))


def _rounded(numbers: np.ndarray) -> list[Any]:
    rounded: list[Any] = np.round(np.asarray(numbers, np.float64), DIGITS).tolist()
    return rounded
