"""What the emotion networks answer as one: the mean of their calibrated probabilities, tempered once more."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models import conformal
from models.card import Card
from models.conformal import Calibration

FILE = "ensemble.json"
"""In the folder that holds the networks' folders: what they reach together, and on which weights it was measured."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ensemble:
    """Several networks as one.

    Attributes:
        temperature: what the logarithm of the mean probabilities is divided by; 1 where none was fitted.
        metrics: what was measured, by split; empty where nothing was.
        sets: what makes conformal sets of the mean; None where none were calibrated.
    """

    temperature: float = 1.0
    metrics: Mapping[str, Any] | None = None
    sets: Calibration | None = None

    def probabilities(self, each: Sequence[np.ndarray]) -> np.ndarray:
        """The mean of calibrated probabilities (..., 7), one array a network, sharpened by the temperature."""
        return tempered(np.mean(np.asarray(each, np.float64), axis=0), self.temperature)

    def likely(self, probabilities: np.ndarray) -> tuple[str, ...]:
        """The emotions in the conformal set of the mean's probabilities (7,); empty where none were calibrated."""
        return self.sets.likely(probabilities) if self.sets else ()


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (..., K) to the power of 1 / temperature, made to sum to 1 again, float32."""
    powers = np.asarray(probabilities, np.float64) ** (1 / temperature)
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


def read(folder: str | Path, cards: Sequence[Card]) -> Ensemble:
    """What was measured of networks together; a plain mean where nothing was, or where it was of other weights.

    Args:
        folder: that holds `ensemble.json`.
        cards: of the networks in use.
    """
    path = Path(folder) / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        measured = found["weights"]
        heat, figures = float(found.get("temperature", 1.0)), {k: v for k, v in found.items() if isinstance(v, dict)}
        result = Ensemble(heat, figures, conformal.read(found.get(conformal.KEY)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.info("The networks' mean is not calibrated: %s cannot be read (%s)", path.name, type(error).__name__)
        return Ensemble(metrics={})
    if measured != {card.name: card.sha256 for card in cards}:
        logger.info("The networks' mean is not calibrated: %s was measured on other weights", path.name)
        return Ensemble(metrics={})
    return result


def write(found: Mapping[str, Any], folder: str | Path) -> None:
    """Write what was measured of networks together into the folder that holds theirs, in one step."""
    partial = Path(folder) / f"{FILE}.partial"
    partial.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    partial.replace(Path(folder) / FILE)
