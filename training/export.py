"""From a run to weights that ship: float16 safetensors and a card."""

import dataclasses
from datetime import date
from importlib import import_module
from pathlib import Path

from models import card as cards
from models import framing, weights, zoo
from models.card import Card, Input, Training
from models.errors import DataError, WeightsNotFoundError
from models.types import EMOTIONS, KEYPOINTS
from training.config import Config
from training.train import network, read_log

EMOTION_DATA = (
    "FER2013, split Training, 28,560 faces (Goodfellow et al. 2013, arXiv 1307.0414)",
    "FER+ votes of ten taggers for the same faces (Barsoum et al. 2016, arXiv 1608.01041)",
)
KEYPOINT_DATA = ("68 landmarks on 3,393 frames of YouTube Faces (Wolf et al. 2011), people of the training part",)
EMOTION_LIMITS = (
    "It reads posed and searched-for expressions of still faces, not what a person feels.",
    "FER2013 was gathered by web search: adults, actors and lighter skin are over-represented, and its "
    "labels are noisy; people agree with them on about 65 % of the faces.",
    "Disgust has the fewest training faces by far.",
    "Nothing was measured by age, gender or skin colour, because the data names none.",
)
KEYPOINT_LIMITS = (
    "Trained on public figures in front of cameras; children and heavily covered faces are rare.",
    "A point that is hidden is placed where it would most likely be.",
)


def export(config: Config, runs: str | Path = "runs", shipped: str | Path = weights.SHIPPED, version: str = "") -> Card:
    """Write the best weights of a run, with a card that has no measurements yet.

    Args:
        config: what was trained.
        runs: where run folders live.
        shipped: where the folder `<name>` of the weights goes.
        version: of the weights; empty counts the last number of the present version up.

    Returns:
        The card; `training.evaluate` fills its metrics.

    Raises:
        DataError: there is no finished epoch to export.
    """
    folder = Path(runs) / config.name
    log = read_log(folder)
    if not log:
        raise DataError("A run has at least one finished epoch", str(folder), f"Train {config.name} first")
    model = network(config)
    model.load_weights(folder / "best.weights.h5")
    keypoints = config.name == "keypoints"
    best = min(log, key=lambda row: row["val_loss"]) if keypoints else max(log, key=lambda row: row["val_accuracy"])
    return weights.save(
        model,
        Path(shipped) / config.name,
        name=config.name,
        architecture=config.name,
        version=version or _next_version(Path(shipped) / config.name),
        date=date.today().isoformat(),
        input=Input(side=framing.WIDE_SIDE if keypoints else framing.CROP_SIDE, channels=1, range=(0.0, 1.0)),
        labels=KEYPOINTS if keypoints else EMOTIONS,
        cam_layer=None if keypoints else import_module(zoo.ARCHITECTURES[config.name]).CAM_LAYER,
        temperature=1.0,
        metrics={},
        data=KEYPOINT_DATA if keypoints else EMOTION_DATA,
        training=Training(
            config=dataclasses.asdict(config) | {"best_epoch": best["epoch"]},
            epochs=len(log),
            hours=round(sum(row["seconds"] for row in log) / 3600, 2),
        ),
        licence="MIT",
        limits=KEYPOINT_LIMITS if keypoints else EMOTION_LIMITS,
    )


def _next_version(folder: Path) -> str:
    try:
        present = cards.read(folder).version
    except WeightsNotFoundError:
        return "1.0.0"
    major, minor, patch = present.split(".")
    return f"{major}.{minor}.{int(patch) + 1}"
