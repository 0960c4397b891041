"""What a network goes by over many faces: average maps and parts by emotion, and people's doubts beside its own.

Nothing here shows one face: a cell is an average over at least `LEAST` faces, or is left out.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.stats import entropy, spearmanr

from explain import registry
from explain.base import Target
from models import framing, regions, weight_store, zoo
from models.errors import ParameterError, UnknownNameError
from models.keypoints import FIVE
from models.model import Model, restore
from models.types import EMOTIONS, Face
from training import data
from training.measures.trust import as_face, draw, interval

FILE = "global.json"
"""Beside the card of the weights that were looked at."""
SPLIT = "PrivateTest"
METHOD = "shap_gradient"
"""One for all networks, so that their averages can be compared; the trust tables of cnn and resnet recommend it."""
LEAST = 30
"""Faces of a cell; fewer could show somebody."""
SIDE = 24
"""Of the average maps, which are smooth."""
GRADES = 100
"""Steps of a map from 0 to its strongest place."""
KINDS = ("all", "right", "wrong")


def measure(
    name: str,
    path: str | Path,
    shipped: str | Path = weight_store.SHIPPED,
    faces: int = 700,
    samples: int = 16,
    seed: int = 0,
    watch: Callable[[Sequence[np.ndarray]], Iterable[np.ndarray]] = lambda rows: rows,
) -> dict[str, Any]:
    """Look at one set of weights over many test faces, and write `global.json` beside its card.

    Each face is explained for the emotion that the network names. Its map is brought into the frame of the app's
    crops before maps are averaged, and its values are added up by part of the face before that.

    Args:
        name: of an emotion network's weights.
        path: the data, see `training.data`.
        shipped: where the folder `<name>` of the weights is.
        faces: how many of PrivateTest, all emotions alike as far as there are enough; 500 say enough.
        samples: blends a map, see `explain.methods.shap_gradient`; the noise of few averages out over faces.
        seed: of the faces, the blends and the resampling.
        watch: the faces as they come, such as `rich.progress.track`.

    Returns:
        sha256 and data_sha256, which it is of; split, faces, method, samples, seed, least, date; emotions: by the
        emotion that the network names, what `cells` returns; and people, what `ambiguity` returns.

    Raises:
        UnknownNameError: no such network.
        ParameterError: fewer faces than `LEAST`.
        DataError, WeightsError: the data or the weights cannot be used.
    """
    if name not in zoo.EMOTION_MODELS:
        raise UnknownNameError(
            "The name of the emotion network is unknown", repr(name)[:40], f"Use one of {', '.join(zoo.EMOTION_MODELS)}"
        )
    if faces < LEAST:
        raise ParameterError("The faces are too few for an average", f"{faces}", f"Give {LEAST} faces or more")
    folder = Path(shipped) / name
    card = weight_store.verify(folder)
    model = restore(name, weight_store.Located(folder, "folder"), zoo.build)
    split = data.load_emotions(path)[SPLIT]
    rows = draw(split.labels, faces, seed)
    maps, parts, answers, crops = looked(model, [split.images[row] for row in rows], samples, seed, watch)
    right = split.labels[rows] == answers
    found = {
        "sha256": card.sha256,
        "data_sha256": data.fingerprint(path),
        "split": SPLIT,
        "faces": len(rows),
        "method": METHOD,
        "samples": samples,
        "seed": seed,
        "least": LEAST,
        "date": date.today().isoformat(),
        "emotions": {
            emotion: cells(maps[named], parts[named], crops[named], right[named], seed)
            for index, emotion in enumerate(EMOTIONS)
            for named in [answers == index]
        },
        "people": ambiguity(
            model.probabilities(model.logits(split.images.astype(np.float32) / 255)), split.votes, split.labels
        ),
    }
    partial = folder / f"{FILE}.partial"
    partial.write_text(json.dumps(found, allow_nan=False, separators=(",", ":")) + "\n", encoding="utf-8")
    partial.replace(folder / FILE)
    return found


def looked(
    model: Model,
    images: Sequence[np.ndarray],
    samples: int,
    seed: int,
    watch: Callable[[Sequence[np.ndarray]], Iterable[np.ndarray]] = lambda rows: rows,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Maps and values of parts of faces, each for the emotion that the network names.

    Args:
        model: an emotion network.
        images: uint8 (48, 48) each.
        samples, seed, watch: see `measure`.

    Returns:
        Maps in the app's frame, float32 (N, 48, 48), and the faces in it, (N, 48, 48) in 0..1; sums by part, float64
        (N, 8), in logits; and the answers, int (N,).
    """
    maps, parts, answers, crops = [], [], [], []
    for index, image in enumerate(watch(images)):
        face = as_face(image)
        answer = int(model.logits(face.crop[None])[0].argmax())
        values = registry.explain(
            model, face, Target(answer), METHOD, {"samples": samples, "seed": (seed + index) % 10_000}
        ).values
        masks = regions.masks(face.crop_keypoints, face.crop.shape[0])
        parts.append([float(values[mask].sum()) for mask in masks])
        maps.append(framed(values, face))
        crops.append(framed(face.crop, face, cv2.BORDER_REPLICATE))
        answers.append(answer)
    return np.array(maps), np.array(parts), np.array(answers), np.array(crops)


def framed(values: np.ndarray, face: Face, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
    """A map of a face in the frame of the app's crops, aligned by its keypoints, float32 (48, 48)."""
    matrix = framing.frame(face.crop_keypoints[list(FIVE)])
    return cv2.warpAffine(values, matrix, values.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=border)


def cells(maps: np.ndarray, parts: np.ndarray, crops: np.ndarray, right: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """What an emotion's faces have in common: all of them, those named rightly, and those named wrongly.

    Args:
        maps, crops: float (N, 48, 48).
        parts: float (N, 8).
        right: bool (N,).
        seed: of the resampling.

    Returns:
        By `KINDS`: faces, how many; and where there are `LEAST` or more the average map, whole numbers (SIDE, SIDE)
        from -100 to 100 in units of `unit` a pixel, and by region the mean sum with its 95 % interval; the average
        face, whole numbers (48, 48) from 0 to 255, of all alone. Right and wrong are left out together, else the
        smaller one would be all less the other.
    """
    chosen = {"all": np.ones(len(right), bool), "right": right, "wrong": ~right}
    split = min(right.sum(), (~right).sum()) >= LEAST
    found: dict[str, Any] = {}
    for kind, rows in chosen.items():
        found[kind] = {"faces": int(rows.sum())}
        if rows.sum() >= LEAST and (kind == "all" or split):
            found[kind] |= _average(maps[rows], parts[rows], seed)
    if "map" in found["all"]:
        found["all"]["face"] = np.round(255 * crops.mean(0)).clip(0, 255).astype(int).tolist()
    return found


def ambiguity(probabilities: np.ndarray, votes: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """How people and a network spread their answers over the emotions.

    Args:
        probabilities: float (N, 7), the network's.
        votes: int (N, 7), how many of ten FER+ taggers named each; faces with none of these are not counted.
        labels: int (N,), FER2013's.

    Returns:
        faces; by_label: for each of FER2013's labels with `LEAST` faces or more, the mean share of votes and the mean
        probability of each emotion; and entropy_correlation, Spearman's rank correlation over faces between the
        entropies of votes and of probabilities: whether the network is unsure where people disagree, None where
        either is the same for all faces.
    """
    voted = votes.sum(1) > 0
    shares = votes[voted] / votes[voted].sum(1, keepdims=True)
    said, labels = probabilities[voted], labels[voted]
    by_label = {}
    for index, emotion in enumerate(EMOTIONS):
        rows = labels == index
        if rows.sum() >= LEAST:
            by_label[emotion] = {
                "faces": int(rows.sum()),
                "people": shares[rows].mean(0).round(4).tolist(),
                "network": said[rows].mean(0).astype(float).round(4).tolist(),
            }
    doubts = [entropy(values, axis=1) for values in (shares, said.astype(np.float64))] if voted.any() else []
    varied = doubts and all(np.ptp(values) > 0 for values in doubts)
    return {
        "faces": int(voted.sum()),
        "by_label": by_label,
        "entropy_correlation": round(float(spearmanr(*doubts).statistic), 4) if varied else None,
    }


def _average(maps: np.ndarray, parts: np.ndarray, seed: int) -> dict[str, Any]:
    small = cv2.resize(maps.mean(0).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    unit = float(np.abs(small).max()) / GRADES
    return {
        "map": np.round(small / unit if unit else small).astype(int).tolist(),
        "unit": float(f"{unit:.4g}"),
        "parts": {
            region: interval(values.tolist(), seed) for region, values in zip(regions.REGIONS, parts.T, strict=True)
        },
    }
