"""Which method's maps can be trusted on a network: every method over many test faces."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from explain import registry, trust
from explain.base import Target
from explain.metrics import randomisation
from explain.metrics.faithfulness import Curves
from explain.metrics.stability import stability
from models import framing, keypoints, weight_store, zoo
from models.errors import DataError, ParameterError, UnknownNameError
from models.model import Model, restore
from models.types import EMOTIONS, Face, Photo
from training import data

FILE = "trust.json"
"""Beside the card of the weights that were measured."""
SPLIT = "PrivateTest"
RANDOMISATION_FACES = 8
"""Faces of the sanity check, which explains each of them once for every stage of layers."""
STABILITY_FACES = 50
"""Faces whose stability is measured, which takes three more maps of each."""
RESAMPLES = 2000
NORMAL = 1.96
"""Between minus and plus this lie 95 % of a normal distribution."""
QUICK = 1.0
"""Seconds that the default method may take, so that the page answers while one looks at it."""


def measure(
    name: str,
    path: str | Path,
    shipped: str | Path = weight_store.SHIPPED,
    faces: int = 200,
    methods: Sequence[str] = (),
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
    watch: Callable[[Sequence[Face], str], Iterable[Face]] = lambda faces, method: faces,
) -> dict[str, Any]:
    """Measure methods on one set of weights as the app would load it, and write `trust.json`.

    Every map explains the network's own answer with the method's default parameters and gets the
    reading of `explain.trust`. Written after each method: what is measured for the same weights,
    temperature, keypoint weights and faces stays, and the same call goes on after a stop. Anything else
    in the file is replaced.

    Args:
        name: of an emotion network's weights.
        path: the data, see `training.data`.
        shipped: where the folder `<name>` of the weights is.
        faces: how many of PrivateTest, drawn by the seed, all emotions alike as far as there are enough.
        methods: keys of `registry.METHODS`; all that suit the network if left out.
        seed: of the faces, the random maps and the randomised layers.
        say: called with a line for people as things get done.
        watch: the faces as they come, such as `rich.progress.track`, which shows a bar.

    Returns:
        The table: faces, split, seed, sha256, temperature, keypoints_sha256 and data_sha256, which it is
        of; date, the default method by these figures, and by method
        deletion_gain, insertion_gain, better_than_chance and stability, each with mean, low and high (95 %
        confidence), sanity, and the median seconds of a map. stability is None where all maps are flat.

    Raises:
        DataError: the data cannot be used.
        UnknownNameError: no such network or method.
        ParameterError: fewer faces than two.
        WeightsError: the weights cannot be used.
    """
    if name not in zoo.EMOTION_MODELS:
        raise UnknownNameError("The name of the emotion network is unknown", repr(name), _choose(zoo.EMOTION_MODELS))
    if faces < 2:
        raise ParameterError("The faces are too few for a confidence interval", f"{faces}", "Give two faces or more")
    for method in methods:
        registry.find(method)
    folder = Path(shipped) / name
    card = weight_store.verify(folder)
    model = restore(name, weight_store.Located(folder, "folder"), zoo.build)
    split = data.load_emotions(path)[SPLIT]
    rows = draw(split.labels, faces, seed)
    of = {
        "faces": len(rows),
        "split": SPLIT,
        "seed": seed,
        "sha256": card.sha256,
        "temperature": card.temperature,
        "keypoints_sha256": zoo.keypoint_model().card.sha256,
        "data_sha256": data.fingerprint(path),
    }
    table = _begun(folder, of)
    reasons = registry.suitable(model)
    wanted = [method for method in methods or registry.METHODS if method not in table["methods"]]
    for method in filter(reasons.get, wanted):
        say(f"{method}: left out. {reasons[method]}")
    wanted = [method for method in wanted if not reasons[method]]
    seen = [as_face(split.images[row]) for row in rows] if wanted else []
    for method in wanted:
        table["methods"][method] = found = of_method(model, seen, method, seed, watch)
        table |= {"date": date.today().isoformat(), "default": default_method(table)}
        _write(table, folder)
        say(f"{method}: better than chance on {found['better_than_chance']['mean']:.0%} of {len(rows)} faces")
    return table


def of_method(
    model: Model,
    faces: Sequence[Face],
    method: str,
    seed: int = 0,
    watch: Callable[[Sequence[Face], str], Iterable[Face]] = lambda faces, method: faces,
) -> dict[str, Any]:
    """One method's row of the table, see `measure`.

    Args:
        model: an emotion network.
        faces: two or more, with their keypoints.
        method: a key of `registry.METHODS`.
        seed: of the random maps, the randomised layers and the resampling.
        watch: see `measure`.
    """
    answers = model.logits(np.stack([face.crop for face in faces])).argmax(1)
    targets = [Target(int(answer)) for answer in answers]
    registry.explain(model, faces[0], targets[0], method)  # compiles, which is not the method's time
    curves, stabilities, seconds = [], [], []
    for index, (face, target) in enumerate(zip(watch(faces, method), targets, strict=True)):
        explanation = registry.explain(model, face, target, method)
        seconds.append(explanation.seconds)
        curves.append(trust.curves(model, face, explanation, seed + index))
        if index < STABILITY_FACES:
            stabilities.append(stability(model, face, explanation, seed + index))
    few = slice(RANDOMISATION_FACES)
    forgets = randomisation.cascade(model, faces[few], targets[few], method, seed=seed).to_json()
    return summary(curves, stabilities, seed) | {
        "sanity": _rounded(forgets),
        "seconds": round(float(np.median(seconds)), 4),
    }


def summary(curves: Sequence[Sequence[Curves]], stabilities: Sequence[float], seed: int = 0) -> dict[str, Any]:
    """Means over faces with their 95 % confidence intervals.

    A gain is how much better a map's area is than the mean of its random maps, averaged over the
    fills; a flat map gains nothing, and its stability does not count.

    Args:
        curves: of each face, one a fill; none for a flat map.
        stabilities: stability of faces, nan for a flat map.
        seed: of the resampling.
    """

    def gain(better: Callable[[Curves], float]) -> list[float]:
        return [float(np.mean([better(one) for one in of_face])) if of_face else 0.0 for of_face in curves]

    values = {
        "deletion_gain": gain(lambda one: one.random_deletion.mean() - one.deletion_auc),
        "insertion_gain": gain(lambda one: one.insertion_auc - one.random_insertion.mean()),
        "stability": [value for value in stabilities if not np.isnan(value)],
    }
    better = sum(map(_better, curves))
    return {key: interval(found, seed) for key, found in values.items()} | {
        "better_than_chance": share(better, len(curves))
    }


def interval(values: Sequence[float], seed: int = 0) -> dict[str, float] | None:
    """The mean with its 95 % confidence interval, by resampling (Efron 1979, the percentile bootstrap).

    Returns:
        mean, low and high; None for no values.
    """
    if not len(values):
        return None
    found = np.asarray(values, np.float64)
    draws = np.random.default_rng(seed).integers(len(found), size=(RESAMPLES, len(found)))
    low, high = np.percentile(found[draws].mean(1), [2.5, 97.5])
    return _rounded({"mean": float(found.mean()), "low": float(low), "high": float(high)})


def share(count: int, of: int) -> dict[str, float]:
    """A share with its 95 % confidence interval (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    Resampling would call 0 of 4 certain; this does not.

    Returns:
        mean, low and high.
    """
    centre, spread = count + NORMAL**2 / 2, NORMAL * np.sqrt(count * (of - count) / of + NORMAL**2 / 4)
    low, high = ((centre + side * spread) / (of + NORMAL**2) for side in (-1, 1))
    return _rounded({"mean": count / of, "low": float(max(low, 0)), "high": float(min(high, 1))})


def default_method(table: Mapping[str, Any]) -> str:
    """The method that should be a network's default because of its table.

    Of the methods that pass the sanity check (`explain.metrics.randomisation`), are stable on average
    (`explain.trust.STABLE`) and take a second at most, the fastest of those that beat chance about
    as often as the best of them: the upper end of their interval reaches the best one's mean. Where no
    method does all three, all take part.

    Args:
        table: of `measure`, with one method or more.

    Raises:
        DataError: nothing was measured.
    """
    rows = table.get("methods", {})
    if not rows:
        raise DataError(
            "No method was measured to choose a default from",
            "none",
            "Run: .venv/bin/python -m training trust NAME",
        )
    fit = {name: row for name, row in rows.items() if _fit(row)} or rows
    best = max(row["better_than_chance"]["mean"] for row in fit.values())
    close = [name for name, row in fit.items() if row["better_than_chance"]["high"] >= best]
    return min(close, key=lambda name: fit[name]["seconds"])


def draw(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Rows of faces, all emotions alike as far as there are enough of each, int64 (count,) or fewer.

    The first rows are balanced, too.

    Args:
        labels: int (N,), indices into `EMOTIONS`.
        count: how many; no more than there are.
        seed: chooses them.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.zeros(len(labels), int)
    for emotion in range(len(EMOTIONS)):
        mine = order[labels[order] == emotion]
        turn[mine] = np.arange(len(mine))
    return order[np.argsort(turn[order], kind="stable")][:count]


def as_face(image: np.ndarray) -> Face:
    """A training face as it is, uint8 (48, 48), with the keypoints that the network reads from it."""
    to_crop = np.eye(2, 3, dtype=np.float32)
    side = np.float32(framing.CROP_SIDE)
    face = Face(
        box=np.array([0, 0, side, side], np.float32),
        score=1.0,
        points=None,
        to_crop=to_crop,
        crop=image.astype(np.float32) / 255,
        wide_crop=framing.cut(image, framing.widen(to_crop), framing.WIDE_SIDE),
    )
    return keypoints.read([face], Photo(np.repeat(image[..., None], 3, 2)))[0]


def _better(curves: Sequence[Curves]) -> bool:
    """Whether a map is called better than chance, which does not depend on its stability."""
    return trust.VERDICTS[trust.judge(curves, float("nan"))] != "none"


def _fit(row: Mapping[str, Any]) -> bool:
    forgets = row["sanity"]["correlation"][-1]
    stable = row["stability"]
    return (
        forgets is not None
        and forgets < randomisation.LIKE_BEFORE
        and stable is not None
        and stable["mean"] >= trust.STABLE
        and row["seconds"] <= QUICK
    )


def _begun(folder: Path, of: dict[str, Any]) -> dict[str, Any]:
    """The table in a folder if it is of the same faces and weights, else an empty one."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    same = isinstance(found, dict) and all(found.get(key) == value for key, value in of.items())
    return found if same and isinstance(found.get("methods"), dict) else of | {"date": "", "default": "", "methods": {}}


def _write(table: dict[str, Any], folder: Path) -> None:
    partial = folder / f"{FILE}.partial"
    partial.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(folder / FILE)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def _choose(names: Sequence[str]) -> str:
    return f"Use one of {', '.join(names)}"
