"""From a run to a version of weights: float16 safetensors, a card, and the run's epochs."""

import dataclasses
import json
import shutil
from datetime import date
from importlib import import_module
from pathlib import Path

from models import framing, weights, zoo
from models.card import UNKNOWN, Input, Training
from models.errors import DataError, ParameterError
from models.types import EMOTIONS, KEYPOINTS
from training.config import Config
from training.train import network, read_log
from training.versions import ARCHIVE, Version, following, order, versions

EPOCHS = "training.json"
"""Beside the weights: a list of what `training.train` logged of each epoch."""

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


def export(
    config: Config,
    runs: str | Path = "runs",
    version: str = "",
    archive: str | Path = ARCHIVE,
    shipped: str | Path = weights.SHIPPED,
) -> Version:
    """Make the best epoch of a run a version in the archive, with a card that has no measurements yet.

    The version's folder appears with all its files or not at all. `training.json` in it holds the
    run's epochs, one object each.

    Args:
        config: what was trained, for a run that did not write down its own.
        runs: where run folders live.
        version: its number; empty counts the last part of the latest present one up.
        archive, shipped: see `training.versions`.

    Returns:
        The version; `training.evaluate` fills its card's metrics.

    Raises:
        DataError: there is no finished epoch to export, or what the run wrote down cannot be read.
        ParameterError: the version's number is no number, or is taken.
    """
    folder = Path(runs) / config.name
    log = read_log(folder)
    if not log:
        raise DataError("A run has at least one finished epoch", str(folder), f"Train {config.name} first")
    version = version or following(config.name, archive, shipped)
    order(version)
    if version in (taken := [known.number for known in versions(config.name, archive, shipped)]):
        raise ParameterError(f"A version of {config.name} has a number of its own", version, f"After {taken[-1]}")
    facts = _facts(folder)
    model = network(config)
    best_weights = folder / "best.weights.h5"
    try:
        model.load_weights(best_weights)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{best_weights} holds the weights of {config.name}", str(error).splitlines()[0], "Go on with the run"
        ) from error
    keypoints = config.name == "keypoints"
    best = min(log, key=lambda row: row["val_loss"]) if keypoints else max(log, key=lambda row: row["val_accuracy"])
    target = Path(archive) / version / config.name
    partial = target.with_name(f".{config.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        card = weights.save(
            model,
            partial,
            name=config.name,
            architecture=config.name,
            version=version,
            date=date.today().isoformat(),
            input=Input(side=framing.WIDE_SIDE if keypoints else framing.CROP_SIDE, channels=1, range=(0.0, 1.0)),
            labels=KEYPOINTS if keypoints else EMOTIONS,
            cam_layer=None if keypoints else import_module(zoo.ARCHITECTURES[config.name]).CAM_LAYER,
            temperature=1.0,
            metrics={},
            data=KEYPOINT_DATA if keypoints else EMOTION_DATA,
            training=Training(
                config=facts.get("config", dataclasses.asdict(config)) | {"best_epoch": best["epoch"]},
                epochs=len(log),
                hours=round(sum(row["seconds"] for row in log) / 3600, 2),
                run=folder.name,
                **{field: facts.get(field) or UNKNOWN for field in ("data_sha256", "git_commit", "backend")},
            ),
            licence="MIT",
            limits=KEYPOINT_LIMITS if keypoints else EMOTION_LIMITS,
        )
        (partial / EPOCHS).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Version(card, target, active=False)


def _facts(folder: Path) -> dict:
    """What a run wrote down when it began; empty for a run from before runs did."""
    path = folder / "run.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise DataError(f"{path} is JSON", str(error), "Remove it, and the card will say 'unknown'") from error
