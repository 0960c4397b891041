"""Weights in other formats: written, compared with the Keras model, measured, noted in the card."""

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models import card as cards
from models import detector, photo, weight_store, zoo
from models.errors import DataError, ParameterError, UnknownNameError, WeightsMismatchError
from models.model import Model, restore
from training import data
from training.release import savedmodel, tflite
from training.release.versions import Version

FORMATS = {"savedmodel": ("savedmodel",), "tflite": tflite.KINDS, "all": ("savedmodel", *tflite.KINDS)}
FORMATS |= {kind: (kind,) for kind in tflite.KINDS}
"""What can be asked for, and the formats that this means."""
LIMITS = {"savedmodel": 1e-4, "float16": 0.02, "int8": 0.2}
"""How far a probability of an example face may be from the Keras model's."""
EXAMPLES = Path(__file__).parents[2] / "examples"
FILE = "exports.json"
REPRESENTATIVE = 300
"""Faces that show the converter which values occur."""
CHUNK = 256


def export(
    version: Version, to: str, out: str | Path, path: str | Path | None = None, examples: str | Path = EXAMPLES
) -> dict[str, dict[str, Any]]:
    """Write a version of an emotion model in other formats.

    `<out>/<name>/` gets a folder with a whole number for a name, which TensorFlow Serving loads as
    `--model_base_path=<out>/<name>`; `<name>-<version>-<kind>.tflite`; and `exports.json` with what
    was measured, which also goes into the version's card. A file appears when all of it was checked.

    Args:
        version: what to export.
        to: a key of `FORMATS`.
        out: where the folder `<name>` goes.
        path: the data, see `training.data`: PublicTest shows the int8 converter which values occur,
            and the accuracy is measured on PublicTest and PrivateTest. Without it nothing but the
            agreement with the Keras model is.
        examples: pictures of faces on which exports are compared with the Keras model.

    Returns:
        By format: file, bytes, sha256 (files only), max_difference (of a probability, on the faces of
        `examples`), same_answer (the share of them), faces, and with data accuracy by split.

    Raises:
        UnknownNameError: no such format, or the model is none of emotions.
        ParameterError: int8 without data.
        DataError: the data or the example pictures cannot be used.
        WeightsMismatchError: an export does not agree with the Keras model; nothing of it was written.
    """
    if to not in FORMATS:
        raise UnknownNameError("The name of the format is unknown", repr(to), f"Use one of {', '.join(FORMATS)}")
    if version.name not in zoo.EMOTION_MODELS:
        names = ", ".join(zoo.EMOTION_MODELS)
        raise UnknownNameError("The network cannot be exported to other formats", version.name, f"Use one of {names}")
    if path is None and "int8" in FORMATS[to]:
        raise ParameterError(
            "The int8 file could not be made without faces that show which values occur",
            "no data",
            "Give --data, or --to float16",
        )
    weight_store.verify(version.folder)
    model = restore(version.name, weight_store.Located(version.folder, "folder"), zoo.build)
    splits = {} if path is None else data.load_emotions(path)
    splits = {split: faces for split, faces in splits.items() if split != "Training"}
    faces = example_faces(examples)
    folder = Path(out) / version.name
    folder.mkdir(parents=True, exist_ok=True)
    working = folder / f".{os.getpid()}.new"
    working.mkdir()
    results = {}
    try:
        with savedmodel.exact():
            expected = keras_probabilities(model, faces)
            saved = savedmodel.write(model, working / str(savedmodel.number(version.number)))
            for kind in FORMATS[to]:
                if kind == "savedmodel":
                    made, run = saved, savedmodel.load(saved)
                else:
                    made = working / f"{version.name}-{version.number}-{kind}.tflite"
                    made.write_bytes(tflite.convert(saved, kind, _representative(splits.get("PublicTest"))))
                    run = tflite.load(made.read_bytes())
                results[kind] = _measured(made) | compared(kind, run(faces), expected) | _accuracy(run, splits)
                results[kind]["file"] = made.name
        for kind in FORMATS[to]:
            _move(working / results[kind]["file"], folder / results[kind]["file"])
    finally:
        shutil.rmtree(working, ignore_errors=True)
    _note(version, model, results, folder)
    return results


def example_faces(folder: str | Path = EXAMPLES) -> np.ndarray:
    """The faces in a folder of pictures as the app cuts them out, float32 (N, 48, 48, 1) in 0..1.

    Raises:
        DataError: no face in it.
    """
    pictures = sorted(path for path in Path(folder).glob("*") if path.suffix in (".jpg", ".png"))
    crops = [face.crop for picture in pictures for face in detector.find(photo.read(picture))]
    if not crops:
        raise DataError(
            "No faces were found to compare the exports on",
            f"none in {folder}",
            "Give a folder of .jpg or .png pictures with faces",
        )
    return np.stack(crops).astype(np.float32)[..., None]


def keras_probabilities(model: Model, faces: np.ndarray) -> np.ndarray:
    """What the Keras model answers in float32, (N, 48, 48, 1) -> (N, 7)."""
    parts = [faces[i : i + CHUNK] for i in range(0, len(faces), CHUNK)]
    return model.probabilities(np.concatenate([model.network(part, training=False).numpy() for part in parts]))


def compared(kind: str, found: np.ndarray, expected: np.ndarray) -> dict[str, Any]:
    """How far the answers of an export are from the Keras model's.

    Args:
        kind: a key of `LIMITS`.
        found, expected: float (N, 7), probabilities.

    Returns:
        max_difference, same_answer (the share of faces with the same top emotion), faces.

    Raises:
        WeightsMismatchError: a probability is further off than `LIMITS` allows, or is no number.
    """
    difference = np.abs(found - expected).max()
    if not difference <= LIMITS[kind]:
        raise WeightsMismatchError(
            f"The {kind} export differs too much from the Keras model's probabilities",
            f"{difference:.4f} off, beyond the limit of {LIMITS[kind]:g}",
            "Choose another format",
        )
    return {
        "max_difference": float(f"{difference:.2g}"),
        "same_answer": round(float((found.argmax(1) == expected.argmax(1)).mean()), 4),
        "faces": len(found),
    }


def _representative(split: data.EmotionSplit | None) -> np.ndarray | None:
    if split is None:
        return None
    rows = np.random.default_rng(0).permutation(len(split))[:REPRESENTATIVE]
    return _pixels(split.images[rows])


def _pixels(images: np.ndarray) -> np.ndarray:
    return images[..., None].astype(np.float32) / 255


def _accuracy(run: Callable[[np.ndarray], np.ndarray], splits: dict[str, data.EmotionSplit]) -> dict[str, Any]:
    found = {}
    for name, split in splits.items():
        parts = [run(_pixels(split.images[i : i + CHUNK])).argmax(1) for i in range(0, len(split), CHUNK)]
        found[name] = round(float((np.concatenate(parts) == split.labels).mean()), 4)
    return {"accuracy": found} if found else {}


def _measured(made: Path) -> dict[str, Any]:
    if made.is_dir():
        return {"bytes": sum(path.stat().st_size for path in made.rglob("*") if path.is_file())}
    return {"bytes": made.stat().st_size, "sha256": hashlib.sha256(made.read_bytes()).hexdigest()}


def _move(made: Path, target: Path) -> None:
    if target.is_dir():
        old = made.with_name(f"{made.name}.old")
        target.rename(old)
    made.rename(target)


def _note(version: Version, model: Model, results: dict[str, Any], folder: Path) -> None:
    """Write `exports.json`, and the figures into the card as it is now, beside those of other formats."""
    card = cards.read(version.folder)
    same = (card.sha256, card.temperature) == (model.card.sha256, model.card.temperature)
    kept = card.exports if same else {}
    card = dataclasses.replace(card, exports=kept | results)
    cards.write(card, version.folder)
    facts = {
        "name": card.name,
        "version": card.version,
        "weights_sha256": card.sha256,
        "temperature": model.card.temperature,
        "input": {"name": savedmodel.INPUT, "shape": [None, 48, 48, 1], "dtype": "float32", "range": [0, 1]},
        "output": {"name": savedmodel.OUTPUT, "shape": [None, len(card.labels)], "dtype": "float32"},
        "labels": card.labels,
        "formats": {kind: made for kind, made in card.exports.items() if (folder / made["file"]).exists()},
    }
    beside = folder / f"{FILE}.partial"
    beside.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    beside.replace(folder / FILE)
