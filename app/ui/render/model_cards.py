"""What is known about the models, as HTML."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from app import text
from app.serving.canary import AgreementCounter
from app.ui.render.html import fill
from explain import figures
from explain.metrics import randomisation
from explain.registry import METHODS
from models import zoo
from models.card import UNKNOWN, Card
from models.types import EMOTIONS
from models.zoo import Status

NAMES = text.MODELS | {zoo.KEYPOINT_MODEL: "Keypoints"}
SOURCES = {
    "folder": "the folder that this server was pointed to",
    "hub": "the Hugging Face Hub, downloaded at this start",
    "cache": "the Hugging Face Hub, downloaded before",
    "shipped": "the copy that comes with FaceWhy",
}
STATES = {
    "waiting": "Waiting to be loaded.",
    "loading": "Being loaded.",
    "failed": "Not available.",
}
RESULTS = {
    "accuracy": ("Right on FER2013", "{} of the test faces"),
    "accuracy_ferplus": ("Right on FER+", "{} of the test faces"),
    "calibration_error": ("Calibration error", "{}: how far its stated sureness is off"),
    "nme": ("Mean error", "{} of the distance between the eyes"),
    "failure_rate": ("Failed", "{} of the faces, with a mean error above 10\u00a0%"),
}
"""What is shown of a card's metrics, and how."""
DISTURBANCES = {
    "blur": "a slight blur",
    "noise": "slight noise",
    "brightness": "darker or brighter light",
    "contrast": "less or more contrast",
    "jpeg": "strong JPEG compression",
    "shrink": "a face of only 24 pixels",
    "rotation": "a turn by 20 degrees",
    "shift": "a shift by a tenth",
}
"""What the moderate strength of each of `training.measures.robustness` means to people."""
FORMATS = {
    "savedmodel": "TensorFlow SavedModel",
    "float16": "TensorFlow Lite, float16",
    "int8": "TensorFlow Lite, int8",
}


def described(name: str, status: Status, card: Card | None = None, counter: AgreementCounter | None = None) -> str:
    """One model: what it reaches, where it is from, what it cannot; `counter` is of its challenger, if it has one."""
    if card is None:
        note = pathless(status.note)
        return fill("model_card", name=NAMES[name], state=STATES[status.state], note=note, facts=None)
    rows = {"facts": facts(card, status, counter), "limits": card.limits, "origin": origin(card)}
    return fill("model_card", name=NAMES[name], **rows)


def pathless(note: str) -> str:
    """A note without the folders of the server."""
    return re.sub(r"(?<![\w:/])/(?:[^\s'\"/]+/)+", "…/", note)


def facts(card: Card, status: Status, counter: AgreementCounter | None = None) -> list[tuple[str, str]]:
    """What a model reaches and where it was taken from, as terms and descriptions."""
    revision = [("Revision", status.revision[:12])] if status.revision else []
    note = [("Note", pathless(status.note))] if status.note else []
    return [
        *measured(card),
        ("Weights from", SOURCES.get(status.source, status.source)),
        *revision,
        *note,
        ("Version", f"{card.version}, {card.date}"),
        *([("Challenger", challenged(counter))] if counter else []),
        ("Size", f"{card.parameters / 1e6:.1f} million numbers"),
        *exported(card),
        ("Licence", card.licence),
        ("Loaded in", text.duration(status.seconds)),
    ]


def challenged(counter: AgreementCounter) -> str:
    """How a challenger has done so far, in a line."""
    so_far = f"agrees on {counter.agreed} of {counter.faces}" if counter.faces else "none so far"
    return f"{counter.version} answers {100 * counter.share:g}\u00a0% of the faces: {so_far}"


def origin(card: Card) -> list[tuple[str, str]]:
    """How a set of weights was made, as terms and descriptions; what is unknown is left out."""
    known = [
        ("Code", f"commit {card.training.git_commit[:12]}", card.training.git_commit),
        ("Data file", f"sha256 {card.training.data_sha256[:12]}…", card.training.data_sha256),
    ]
    return [
        ("Trained on", "; ".join(card.data)),
        *([("First weights", card.training.config["start"])] if "start" in card.training.config else []),
        ("Training", f"{card.training.epochs} epochs, {card.training.hours:g} hours"),
        *((term, written) for term, written, value in known if value != UNKNOWN),
        ("Weights file", f"sha256 {card.sha256[:12]}…"),
    ]


def measured(card: Card) -> list[tuple[str, str]]:
    """The results on faces that the model was neither trained nor chosen on, as far as the card has them."""
    found = card.metrics.get("PrivateTest") or card.metrics.get("test") or {}
    rows = [
        (title, told.format(text.share(found[name], 1))) for name, (title, told) in RESULTS.items() if name in found
    ]
    losses = card.metrics.get("robustness", {}).get("moderate_loss") or {}
    if losses:
        worst = max(losses, key=losses.__getitem__)
        how = DISTURBANCES.get(worst, worst)
        rows.append(("When disturbed", f"at most {100 * losses[worst]:.1f} points fewer are right: with {how}"))
    return rows


def exported(card: Card) -> list[tuple[str, str]]:
    """What other formats weigh, and how often they are right on the same test faces."""
    told = []
    for kind, found in card.exports.items():
        right = found.get("accuracy", {}).get("PrivateTest")
        accuracy = f", right on {text.share(right, 1)}" if right is not None else ""
        told.append(f"{FORMATS.get(kind, kind)} ({found['bytes'] / 1e6:.1f} MB{accuracy})")
    return [("Exported as", "; ".join(told))] if told else []


def emotions(card: Card) -> str:
    """A table of how each emotion is read; empty where it was not measured."""
    found = card.metrics.get("PrivateTest", {})
    columns = {
        "recall": "found",
        "precision": "right when named",
        "f1": "both (F1)",
    }
    columns = {key: title for key, title in columns.items() if key in found}
    if not columns:
        return ""
    held = card.metrics.get("conformal", {}).get("PrivateTest", {}).get("coverage_by_emotion", {})
    if all(isinstance(held.get(emotion), float) for emotion in EMOTIONS):
        found, columns = found | {"held": held}, columns | {"held": "in the list"}
    support, weakest = found.get("support", {}), min(found["recall"], key=found["recall"].get)
    rows = [(emotion, [found[key][emotion] for key in columns], support.get(emotion, "")) for emotion in EMOTIONS]
    heads = ["emotion", *columns.values(), "faces"]
    return fill(
        "model_emotions",
        weakest=weakest,
        found=found["recall"][weakest],
        heads=heads,
        rows=rows,
        listed="held" in columns,
    )


def trust(name: str, table: Mapping[str, Any] | None) -> str:
    """Which method's maps hold up on a model, from `trust.json`; says so where it was not measured."""
    if not table or not table["methods"]:
        return fill("model_trust", rows=[])
    ranked = sorted(table["methods"].items(), key=lambda row: -_mean(row[1], "relevance_gain"))
    first = table.get("default")
    return fill(
        "model_trust",
        name=NAMES[name],
        best=_best(table, *ranked[0]),
        faces=_faces(table, ranked[0][1]) or "the",
        first=_title(first) if first else "",
        rows=[_trust_row(method, found, _faces(table, found)) for method, found in ranked],
        missing=text.listed([entry.title for key, entry in METHODS.items() if key not in table["methods"]]),
        fills=[_fill_row(method, found) for method, found in ranked if found.get("by_fill")],
        hidden=["all ways together", *figures.HIDDEN.values()],
    )


def _best(table: Mapping[str, Any], method: str, found: Mapping[str, Any]) -> dict[str, Any] | None:
    sure, count = found.get("relevance_gain"), len(table["methods"])
    among = count if count < len(METHODS) else 0
    often = found.get("beats_all")
    return {"title": _title(method), "among": among, "often": often, **sure} if sure and often else None


def standing(found: Mapping[str, Any]) -> str:
    """A method on a model in a word: "holds up", "in part" or "no".

    It holds up when its maps gain more than other faces' maps, than their average and than a blob in the middle beyond
    doubt (the intervals lie above 0) and beat all four controls on more than half of the faces; in part when they gain
    more than other faces' maps and than their average beyond doubt. A method that fails the randomisation test does
    neither.
    """
    others, average, centre = (
        (found.get(f"less_{name}") or {}).get("low", 0) for name in ("other_faces", "average_map", "centre_prior")
    )
    if not _forgets(found) or min(others, average) <= 0:
        return "no"
    often = (found.get("beats_all") or {}).get("mean", 0)
    return "holds up" if centre > 0 and often > 0.5 else "in part"


def _faces(table: Mapping[str, Any], found: Mapping[str, Any]) -> int | None:
    """Of how many faces a row is; in older tables all rows are of as many."""
    faces: int | None = found.get("faces", table.get("faces"))
    return faces


def _trust_row(method: str, found: Mapping[str, Any], faces: int | None) -> dict[str, Any]:
    word, test = standing(found), found.get("sanity") or {}
    last = {"mean": (test.get("correlation") or [None])[-1], "low": test.get("low"), "high": test.get("high")}
    gain, correlation = (lambda x: f"{x:+z.2f}"), (lambda x: f"{x:z.2f}")
    cells = [
        _interval(found.get("relevance_gain"), gain),
        _interval(found.get("less_centre_prior"), gain),
        *(
            _interval(found.get(f"beats_{name}"), text.share)
            for name in ("other_faces", "average_map", "centre_prior", "random", "all")
        ),
        _interval(found.get("stability"), correlation),
        _interval(last if None not in last.values() else None, correlation),
        [text.duration(found["seconds"])] if "seconds" in found else [],
    ]
    kind = {"holds up": "good", "in part": "fair", "no": "poor"}[word]
    return {"title": _title(method), "faces": faces, "word": word, "kind": kind, "cells": cells}


def _fill_row(method: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """How much more a method's maps gain than other faces' maps, with all ways of hiding together and each alone."""
    values = [found, *(found["by_fill"].get(name) or {} for name in figures.HIDDEN)]
    return {
        "title": _title(method),
        "cells": [_interval(value.get("less_other_faces"), lambda x: f"{x:+z.2f}") for value in values],
    }


def _title(method: str) -> str:
    return METHODS[method].title if method in METHODS else method


def _mean(found: Mapping[str, Any], key: str) -> float:
    return (found.get(key) or {}).get("mean", 0.0)


def _forgets(found: Mapping[str, Any]) -> bool:
    """Whether a method passes the randomisation test; not where it was not made."""
    return randomisation.passed(found.get("sanity") or {}) is True


def _interval(found: Mapping[str, Any] | None, written: Callable[[float], str]) -> list[str]:
    """A mean and the ends of its interval."""
    return [written(found[key]) for key in ("mean", "low", "high")] if found else []
