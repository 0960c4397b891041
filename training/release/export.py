"""From a run to a version of weights: float16 safetensors, a card, and the run's epochs."""

import json
import shutil
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from models import framing, weight_store, zoo
from models.card import UNKNOWN, Input, Training
from models.errors import DataError, ParameterError
from models.types import EMOTIONS, KEYPOINTS
from training import config as configs
from training import imagenet
from training import run as run_folder
from training.networks import network
from training.release.versions import ARCHIVE, Version, following, order, versions

EPOCHS = "training.json"
"""Beside the weights: a list of what `training.train` logged of each epoch."""

KNOWN_DATA = {
    "4430ee1d555faac9a99b70da566aa7ea93b5fb2fec457d310a3bb60364ab1fbb": (
        "FER2013, split Training, 28,560 faces (Goodfellow et al. 2013, arXiv 1307.0414)",
        "FER+ votes of ten taggers for the same faces (Barsoum et al. 2016, arXiv 1608.01041)",
    ),
    "5902e2e1314ea8ea0e65fcaf5d9bc6b8ad01c22b4c7f2d0529f9a2c82418d97e": (
        "68 landmarks on 3,393 frames of YouTube Faces (Wolf et al. 2011), people of the training part",
    ),
}
"""What a card says of the data with a sha256, unless it is told."""
UNNAMED = ("Data of your own; `.venv/bin/python -m training export --source` names it.",)
EMOTION_LIMITS = (
    "It reads posed and searched-for expressions of still faces, not what a person feels.",
    (
        "FER2013 was gathered by web search: adults, actors and lighter skin are over-represented, and its "
        "labels are noisy; people agree with them on about 65 % of the faces."
    ),
    "Disgust has the fewest training faces by far.",
    "Nothing was measured by age, gender or skin colour, because the data names none.",
)
KEYPOINT_LIMITS = (
    "Trained on public figures in front of cameras; children and heavily covered faces are rare.",
    "A point that is hidden is placed where it would most likely be.",
)


def export(
    name: str,
    runs: str | Path = "runs",
    version: str = "",
    archive: str | Path = ARCHIVE,
    shipped: str | Path = weight_store.SHIPPED,
    run: str = "",
    sources: Sequence[str] = (),
) -> Version:
    """Make the best epoch of a run a version in the archive, with a card that has no measurements yet.

    The version's folder appears with all its files or not at all. `training.json` in it holds the
    run's epochs, one object each.

    Args:
        name: of the model, one of `config.NAMES`.
        runs: where run folders live.
        version: its number; empty counts the last part of the latest present one up.
        archive, shipped: see `training.release.versions`.
        run: the run's folder in `runs`; empty for the one that has the model's name.
        sources: what it was trained on, one line a source; if empty, see `KNOWN_DATA`. Where the run began with
            ImageNet's weights, the card credits them after these lines.

    Returns:
        The version; `training.measures.evaluate` fills its card's metrics.

    Raises:
        DataError: there is no finished epoch to export, or the run is another model's.
        RunError: what the run wrote down cannot be read.
        ParameterError: the version's number is no number, or is taken.
        UnknownNameError: there is no such model.
    """
    folder = Path(runs) / (run or name)
    log = run_folder.read_log(folder)
    if not log:
        raise DataError("No epoch of the run is finished", str(folder), f"Train {name} first")
    began = run_folder.read_record(folder) or {}
    config = run_folder.config(began, folder) if "config" in began else configs.load(name)
    if config.name != name:
        raise DataError(
            f"{folder} is not a run of {name}", f"one of {config.name}", f"Export {config.name}, or name --run"
        )
    version = version or following(name, archive, shipped)
    order(version)
    if version in (taken := [known.number for known in versions(name, archive, shipped)]):
        raise ParameterError(f"The version of {name} exists already", version, f"Give a number above {taken[-1]}")
    model = network(config)
    best_weights = folder / "best.weights.h5"
    try:
        model.load_weights(best_weights)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{best_weights} does not hold the weights of {name}", str(error).splitlines()[0], "Go on with the run"
        ) from error
    keypoints = name == zoo.KEYPOINT_MODEL
    best = min(log, key=lambda row: row["val_loss"]) if keypoints else max(log, key=lambda row: row["val_accuracy"])
    target = Path(archive) / version / name
    partial = target.with_name(f".{name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        card = weight_store.save(
            model,
            partial,
            name=name,
            architecture=name,
            version=version,
            date=date.today().isoformat(),
            input=Input(side=framing.WIDE_SIDE if keypoints else framing.CROP_SIDE, channels=1, range=(0.0, 1.0)),
            labels=KEYPOINTS if keypoints else EMOTIONS,
            cam_layer=None if keypoints else import_module(zoo.ARCHITECTURES[name]).CAM_LAYER,
            temperature=1.0,
            metrics={},
            data=(tuple(sources) or KNOWN_DATA.get(began.get("data_sha256", "")) or UNNAMED) + _credit(name, began),
            training=Training(
                config=run_folder.plain(config)
                | {key: began[key] for key in ("start", "precision") if key in began}
                | {"best_epoch": best["epoch"]}
                | ({"taught_by": began["teachers"]} if began.get("teachers") else {}),
                epochs=log[-1]["epoch"] + 1,
                hours=round(sum(row["seconds"] for row in log) / 3600, 2),
                run=folder.name,
                **{field: began.get(field) or UNKNOWN for field in ("data_sha256", "git_commit", "backend")},
            ),
            licence="MIT",
            limits=KEYPOINT_LIMITS if keypoints else EMOTION_LIMITS,
        )
        (partial / EPOCHS).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Version(card, target, active=False)


def _credit(name: str, began: dict[str, Any]) -> tuple[str, ...]:
    """Whose weights a run began with, at once or by way of weights that shipped, where they were ImageNet's."""
    return (imagenet.CREDITS[name],) if "ImageNet" in began.get("start", "") else ()
