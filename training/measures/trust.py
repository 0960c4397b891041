"""How often each method's maps hold up on a network: every method over many test faces, beside its controls."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from explain import control_maps, evidence, registry, scale, trust
from explain.base import Target
from explain.metrics import faithfulness, randomisation
from explain.metrics.agreement import rank_correlation
from explain.metrics.faithfulness import Curves
from explain.metrics.stability import stability
from models import framing, keypoints, regions, weight_store, zoo
from models.errors import DataError, ParameterError, UnknownNameError
from models.model import Model, restore
from models.types import EMOTIONS, Face, Photo
from training import data

FILE = "trust.json"
"""Beside the card of the weights that were measured."""
SPLIT = "PrivateTest"
CONTROL_SPLIT = "PublicTest"
"""Where the other faces come from."""
RANDOMISATION_FACES = 50
"""Faces of the randomisation test, which explains each of them once for every stage of layers."""
STABILITY_FACES = 50
"""Faces whose stability is measured, which takes three more maps of each."""
RESAMPLES = 2000
NORMAL = 1.96
"""Between minus and plus this lie 95 % of a normal distribution."""
TIMED_FACES = 9
"""Faces on which all methods are timed side by side."""
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
    again: bool = False,
) -> dict[str, Any]:
    """Measure methods on one set of weights as the app would load it; write `trust.json` and the control maps.

    Every map explains the network's own answer with the method's default parameters and gets the
    reading of `explain.trust`, beside the same method's maps of faces of PublicTest, which the app compares a
    visitor's map with as well. Written after each method: a row of as many faces stays, so that the same call
    goes on after a stop, and rows of methods that are not named stay as they are. What was measured for other
    weights, another temperature, other keypoint weights, data or seeds, or by an older test, is dropped. At the end
    new rows get their seconds, beside all the others: on the machine of the table's first rows, see `with_seconds`.

    Args:
        name: of an emotion network's weights.
        path: the data, see `training.data`.
        shipped: where the folder `<name>` of the weights is.
        faces: how many of PrivateTest, drawn by the seed, all emotions alike as far as there are enough.
        methods: keys of `registry.METHODS`; all that suit the network if left out.
        seed: of the faces, the random maps and the randomised layers.
        say: called with a line for people as things get done.
        watch: the faces as they come, such as `rich.progress.track`, which shows a bar.
        again: measure the methods anew where they have a row of as many faces, too.

    Returns:
        The table: test (`explain.trust.TEST`), split, control_faces, control_split, seed, sha256, temperature,
        keypoints_sha256 and data_sha256, which it is of; date, the default method by these figures, and by method the
        row of `of_method` with `faces`, how many it is of, `average_shares` of `controls`, and the median `seconds` of
        a map.

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
    splits = data.load_emotions(path)
    rows, others = (
        [splits[split].images[row] for row in draw(splits[split].labels, count, seed)]
        for split, count in ((SPLIT, faces), (CONTROL_SPLIT, control_maps.FACES))
    )
    of = {
        "split": SPLIT,
        "test": trust.TEST,
        "control_faces": len(others),
        "control_split": CONTROL_SPLIT,
        "seed": seed,
        "sha256": card.sha256,
        "temperature": card.temperature,
        "keypoints_sha256": zoo.keypoint_model().card.sha256,
        "data_sha256": data.fingerprint(path),
    }
    table = _begun(folder, of)
    reasons = registry.suitable(model)
    measured = table["methods"]
    asked = [
        method
        for method in methods or registry.METHODS
        if again or measured.get(method, {}).get("faces") != len(rows) or "average_shares" not in measured[method]
    ]
    for method in filter(reasons.get, asked):
        say(f"{method}: left out. {reasons[method]}")
    asked = [method for method in asked if not reasons[method]]
    wanted = [method for method in asked if again or measured.get(method, {}).get("faces") != len(rows)]
    unseen = [as_face(image) for image in others] if asked else []
    seen = [as_face(image) for image in rows] if wanted else []
    maps = control_maps.read(folder, card.sha256) if measured else {}
    for method in asked:
        ranks, shares = controls(model, unseen, method)
        if method not in wanted:
            measured[method]["average_shares"] = shares
            _write(table, folder)
            continue
        maps[method] = ranks
        control_maps.write(folder, maps, card.sha256)
        found = of_method(model, seen, method, maps[method], seed, watch)
        measured[method] = found = {"faces": len(rows), **found, "average_shares": shares}
        table |= {"date": date.today().isoformat(), "default": default_method(table)}
        _write(table, folder)
        say(
            f"{method}: beats random maps on {found['beats_random']['mean']:.0%}, the middle on "
            f"{found['beats_centre_prior']['mean']:.0%}, other faces' maps on {found['beats_other_faces']['mean']:.0%} "
            f"of {len(rows)} faces"
        )
    if any("seconds" not in row for row in measured.values()):
        with_seconds(measured, timed(model, [as_face(image) for image in rows[:TIMED_FACES]], list(measured)))
        table["default"] = default_method(table)
        _write(table, folder)
    return table


def with_seconds(rows: dict[str, dict[str, Any]], today: Mapping[str, float]) -> None:
    """Give rows without seconds theirs: what the map takes on the machine on which the others were timed.

    How much slower the others are today, in the median, is taken out; so the default does not hang on which machine
    measured the last row, nor on what else it did.

    Args:
        rows: of a table, by method; what is there stays.
        today: of `timed`, of all of them.
    """
    slower = [today[method] / row["seconds"] for method, row in rows.items() if "seconds" in row]
    factor = float(np.median(slower)) if slower else 1.0
    for method, row in rows.items():
        row.setdefault("seconds", round(today[method] / factor, 4))


def timed(model: Model, faces: Sequence[Face], methods: Sequence[str]) -> dict[str, float]:
    """The median seconds of a map by method, each face explained by every method before the next face comes.

    What else the machine does then slows all of them alike.
    """
    answers = model.logits(np.stack([face.crop for face in faces])).argmax(1)
    seconds: dict[str, list[float]] = {method: [] for method in methods}
    for method in methods:
        registry.explain(model, faces[0], Target(int(answers[0])), method)  # compiles, which is not the method's time
    for face, answer in zip(faces, answers, strict=True):
        for method in methods:
            seconds[method].append(registry.explain(model, face, Target(int(answer)), method).seconds)
    return {method: round(float(np.median(found)), 4) for method, found in seconds.items()}


def controls(model: Model, faces: Sequence[Face], method: str) -> tuple[np.ndarray, dict[str, Any]]:
    """A method's maps of some faces, each for the network's own answer.

    Returns:
        uint16 (B, 48, 48) of `control_maps.ranked`; and the mean shares of each part of the face in them, which a map
        that knows nothing of a face would have as well: supporting and opposing, by region, 0..1.
    """
    answers = model.logits(np.stack([face.crop for face in faces])).argmax(1)
    maps = [
        registry.explain(model, face, Target(int(answer)), method).values
        for face, answer in zip(faces, answers, strict=True)
    ]
    parts = [
        evidence.by_region(values, regions.masks(face.crop_keypoints, len(values)))
        for values, face in zip(maps, faces, strict=True)
        if not scale.is_flat(values)
    ]
    shares = {
        side: {
            region: float(np.mean([getattr(items[index], f"share_{side}") for items in parts])) if parts else 0.0
            for index, region in enumerate(regions.REGIONS)
        }
        for side in ("supporting", "opposing")
    }
    ranks = [control_maps.ranked(values, face) for values, face in zip(maps, faces, strict=True)]
    return np.stack(ranks), _rounded(shares)


def of_method(
    model: Model,
    faces: Sequence[Face],
    method: str,
    maps: np.ndarray,
    seed: int = 0,
    watch: Callable[[Sequence[Face], str], Iterable[Face]] = lambda faces, method: faces,
) -> dict[str, Any]:
    """One method's row of the table, see `measure`.

    Args:
        model: an emotion network.
        faces: two or more, with their keypoints.
        method: a key of `registry.METHODS`.
        maps: its maps of other faces, of `controls`.
        seed: of the random maps, the choice among the maps of other faces, the randomised layers and the resampling.
        watch: see `measure`.

    Returns:
        What `summary` returns; stability, with mean, low and high (95 % confidence), None where all maps are flat;
        sanity: the randomisation test's layers and mean correlations, low and high of the last one, shared, the upper
        end of the interval of its mean square, and between_faces, the mean correlation of maps of two faces, which a
        map that is the same for all faces would have at 1.
    """
    answers = model.logits(np.stack([face.crop for face in faces])).argmax(1)
    targets = [Target(int(answer)) for answer in answers]
    curves, stabilities, values = [], [], []
    for index, (face, target) in enumerate(zip(watch(faces, method), targets, strict=True)):
        explanation = registry.explain(model, face, target, method)
        values.append(explanation.values)
        chosen = control_maps.compared(maps, face, seed + index)
        curves.append(trust.curves(model, face, explanation, chosen, seed + index))
        if index < STABILITY_FACES:
            stabilities.append(stability(model, face, explanation, seed + index))
    few = slice(RANDOMISATION_FACES)
    test = randomisation.cascade(model, faces[few], targets[few], method, seed=seed)
    last, shared = interval(test.of_faces.tolist(), seed), interval((test.of_faces**2).tolist(), seed)
    apart = [rank_correlation(one, other) for one, other in zip(values[few], values[few][1:], strict=False)]
    between = interval([value for value in apart if not np.isnan(value)], seed)
    return summary(curves, seed) | {
        "stability": interval([value for value in stabilities if not np.isnan(value)], seed),
        "sanity": _rounded(test.to_json())
        | {key: last and last[key] for key in ("low", "high")}
        | {"shared": shared and shared["high"]}
        | {"between_faces": between and between["mean"]},
    }


def summary(curves: Sequence[Sequence[Curves]], seed: int = 0) -> dict[str, Any]:
    """Means over faces with their 95 % confidence intervals.

    Args:
        curves: of each face, as `explain.trust.curves` returns them; none for a flat map, which gains nothing and
            beats nothing.
        seed: of the resampling.

    Returns:
        relevance_gain in log-odds and relevance_gain_probability; less_other_faces, less_average_map and
        less_centre_prior, how much more a map gains in log-odds than other faces' maps do on average, than their
        average does, and than a blob in the middle; the shares beats_random, beats_centre_prior, beats_average_map,
        beats_other_faces and beats_all; each with mean, low and high. by_fill: relevance_gain, less_other_faces and
        beats_other_faces with each fill alone. of_faces: relevance_gain of each face, for comparisons between methods
        on the same faces.
    """
    log_odds, probability = (
        [[one for one in of_face if one.score == score] for of_face in curves] for score in faithfulness.SCORES
    )
    fills = [one.fill for one in next((of_face for of_face in log_odds if of_face), [])]
    gains = _means(log_odds, lambda one: one.relevance_gain)
    found = [trust.compared(of_face) if of_face else None for of_face in log_odds]
    beaten = {
        "beats_random": [one is not None and one.random_beaten >= trust.BEATEN for one in found],
        "beats_centre_prior": [one is not None and one.centre_prior_beaten for one in found],
        "beats_average_map": [one is not None and one.average_map_beaten is True for one in found],
        "beats_other_faces": [one is not None and one.other_faces_beaten >= trust.BEATEN for one in found],
    }
    beaten["beats_all"] = [all(each) for each in zip(*beaten.values(), strict=True)]
    return {
        "relevance_gain": interval(gains, seed),
        "relevance_gain_probability": interval(_means(probability, lambda one: one.relevance_gain), seed),
        "less_other_faces": interval(_means(log_odds, _less_other), seed),
        "less_average_map": interval(_means(log_odds, lambda one: one.relevance_gain - one.average_map_gain), seed),
        "less_centre_prior": interval(_means(log_odds, lambda one: one.relevance_gain - one.centre_prior_gain), seed),
        **{key: share(sum(each), len(each)) for key, each in beaten.items()},
        "by_fill": {
            fill: _of_fill([[one for one in of_face if one.fill == fill] for of_face in log_odds], seed)
            for fill in fills
        },
        "of_faces": [round(value, 3) for value in gains],
    }


def _of_fill(curves: Sequence[Sequence[Curves]], seed: int) -> dict[str, Any]:
    """A part of `summary` over the curves with one fill."""
    beaten = [bool(of_face) and trust.compared(of_face).other_faces_beaten >= trust.BEATEN for of_face in curves]
    return {
        "relevance_gain": interval(_means(curves, lambda one: one.relevance_gain), seed),
        "less_other_faces": interval(_means(curves, _less_other), seed),
        "beats_other_faces": share(sum(beaten), len(beaten)),
    }


def _means(curves: Sequence[Sequence[Curves]], value: Callable[[Curves], float]) -> list[float]:
    """Of each face, the mean over its curves; 0 for a flat map."""
    return [float(np.mean([value(one) for one in of_face])) if of_face else 0.0 for of_face in curves]


def _less_other(curves: Curves) -> float:
    return float(curves.relevance_gain - curves.other_faces_gains.mean())


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

    Of the methods that pass the randomisation test (`explain.metrics.randomisation`), are stable on average
    (`explain.trust.STABLE`) and take a second at most, the fastest of those that are not shown to be worse than the
    best on the same faces; a row not timed yet counts as slow. The best gains most; another is worse where the interval
    of the paired differences lies above 0. All gains of a face are over the same fills and steps, so that no control is
    needed between methods, and none favours those whose control is weak: speckle of another face gains nothing, its
    blobs much. Rows of fewer faces are of the first of them, and only those count that all rows have. Where no method
    does all three, all take part.

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
    common = min(len(row["of_faces"]) for row in fit.values())
    gains = {name: row["of_faces"][:common] for name, row in fit.items()}
    best = max(gains, key=lambda name: float(np.mean(gains[name])))
    close = [name for name in fit if not _worse(gains[name], gains[best])]
    return min(close, key=lambda name: fit[name].get("seconds", math.inf))


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


def _worse(gains: Sequence[float], best: Sequence[float]) -> bool:
    """Whether a method gains less than the best on the same faces beyond doubt."""
    found = interval(np.subtract(best, gains).tolist())
    return found is not None and found["low"] > 0


def _fit(row: Mapping[str, Any]) -> bool:
    stable = row["stability"]
    return (
        randomisation.passed(row["sanity"]) is True
        and stable is not None
        and stable["mean"] >= trust.STABLE
        and row.get("seconds", math.inf) <= QUICK
    )


def _begun(folder: Path, of: dict[str, Any]) -> dict[str, Any]:
    """The table in a folder if it is of the same weights and data, else an empty one."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    same = isinstance(found, dict) and all(found.get(key) == value for key, value in of.items())
    if not same or not isinstance(found.get("methods"), dict):
        return of | {"date": "", "default": "", "methods": {}}
    faces = found.pop("faces", None)  # of all rows, in tables before each row had its own
    return found | {"methods": {name: {"faces": faces} | row for name, row in found["methods"].items()}}


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
