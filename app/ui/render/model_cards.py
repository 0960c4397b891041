"""What is known about the models, as HTML."""

import re
from collections.abc import Mapping
from html import escape

from app import text
from app.serving.canary import AgreementCounter
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
LUCK = 0.05
"""The share of chance's own maps that are called better than chance, see `explain.metrics.faithfulness.PAIRS`."""
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
        reason = f'<p class="fw-small">{escape(pathless(status.note))}</p>' if status.note else ""
        return f'<article class="fw-card"><h3>{NAMES[name]}</h3><p>{STATES[status.state]}</p>{reason}</article>'
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limits)
    return (
        '<div class="fw-cards fw-facts">'
        f'<article class="fw-card"><h3>{NAMES[name]}</h3>{_list(facts(card, status, counter))}</article>'
        f'<article class="fw-card"><h3>What it cannot</h3><ul class="fw-limits">{limits}</ul>'
        f"<h3>How it came about</h3>{_list(origin(card))}</article></div>"
    )


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
        worst = max(losses, key=losses.get)
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
    support = found.get("support", {})
    head = "".join(f'<th scope="col">{title}</th>' for title in ("emotion", *columns.values(), "faces"))
    rows = "".join(
        f'<tr><th scope="row">{emotion}</th>'
        + "".join(f"<td>{text.share(found[key][emotion])}</td>" for key in columns)
        + f"<td>{support.get(emotion, '')}</td></tr>"
        for emotion in EMOTIONS
    )
    weakest = min(found["recall"], key=found["recall"].get)
    return (
        '<section class="fw-measured"><h3>Emotion by emotion</h3>'
        f"<p>Of the test faces labelled <b>{weakest}</b>, only {text.share(found['recall'][weakest])} are found: "
        "this is the emotion to believe it least about.</p>"
        f'<div class="fw-wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def trust(name: str, table: Mapping | None) -> str:
    """Which method's maps hold up on a model, from `trust.json`; says so where it was not measured."""
    title = "<h3>Which explanation can be trusted</h3>"
    if not table or not table["methods"]:
        return (
            f'<section class="fw-measured">{title}'
            "<p>Not measured for these weights yet. The Explain tab tests every single map.</p></section>"
        )
    rows = sorted(table["methods"].items(), key=lambda row: -_mean(row[1], "better_than_chance"))
    body = "".join(_trust_row(method, found) for method, found in rows)
    head = "".join(
        f'<th scope="col">{column}</th>'
        for column in ("method", "", "beats chance", "when hidden", "when shown", "steady", "sane", "time")
    )
    return (
        f'<section class="fw-measured">{title}<p>{_best(name, table, *rows[0])}</p>'
        f'<div class="fw-wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        "<details><summary>What the columns mean</summary><dl>"
        "<dt>beats chance</dt><dd>on how many faces the map does better than random maps and a blob in the middle</dd>"
        "<dt>when hidden</dt><dd>how much more the answer falls when what the map marks is hidden, than with random "
        "places; above 0 is good</dd>"
        "<dt>when shown</dt><dd>how much faster the answer comes back when what the map marks is shown first; above 0 "
        "is good</dd>"
        "<dt>steady</dt><dd>how alike the maps stay when the face moves a little, 1 is the same</dd>"
        "<dt>sane</dt><dd>how alike the maps of a network with random numbers are, near 0 is good: a map that stays "
        "the same does not show what was learned</dd>"
        "<dt>in brackets</dt><dd>where the value lies with 95\u00a0% confidence</dd></dl></details></section>"
    )


def _best(name: str, table: Mapping, method: str, found: Mapping) -> str:
    sure = found.get("better_than_chance")
    if not sure:
        return ""
    mean, low, high = (text.share(sure[key]) for key in ("mean", "low", "high"))
    first = table.get("default") or ""
    begins = "it" if first == method else f"<b>{_title(first)}</b>, because steady, sane and quick count as well"
    count = len(table["methods"])
    among = f" of the {count} methods measured" if count < len(METHODS) else ""
    return (
        f"On {NAMES[name]}, the maps of <b>{_title(method)}</b> hold up most often{among}: on {mean} of "
        f"{table.get('faces', 'the')} test faces they mark what the answer depends on better than chance "
        f"(between {low} and {high}, with 95\u00a0% confidence)."
        + (f" The tab Explain begins with {begins}." if first else "")
    )


def standing(found: Mapping) -> str:
    """A method on a model in a word: "holds up", "in part" or "no".

    It holds up when hiding and showing both beat random places beyond doubt (the interval lies above 0),
    it beats chance on more than half of the faces beyond doubt, and its maps change when the network's
    numbers are replaced by random ones; in part when one of hiding and showing does, and it beats chance
    beyond doubt more often than a map of chance's own would.
    """
    gains = [(found.get(key) or {}).get("low", 0) > 0 for key in ("deletion_gain", "insertion_gain")]
    often = (found.get("better_than_chance") or {}).get("low", 0)
    forgets = _forgets(found)
    if all(gains) and often > 0.5 and forgets is not None and forgets < randomisation.LIKE_BEFORE:
        return "holds up"
    return "in part" if any(gains) and often > LUCK else "no"


def _trust_row(method: str, found: Mapping) -> str:
    word, forgets = standing(found), _forgets(found)
    kind = {"holds up": "good", "in part": "fair", "no": "poor"}[word]
    cells = [
        _interval(found.get("better_than_chance"), text.share),
        _interval(found.get("deletion_gain"), lambda x: f"{x:+.2f}"),
        _interval(found.get("insertion_gain"), lambda x: f"{x:+.2f}"),
        _interval(found.get("stability"), lambda x: f"{x:.2f}"),
        "" if forgets is None else f"{forgets:.2f}",
        text.duration(found["seconds"]) if "seconds" in found else "",
    ]
    return (
        f'<tr><th scope="row">{_title(method)}</th><td><span class="fw-word fw-{kind}">{word}</span></td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _title(method: str) -> str:
    return METHODS[method].title if method in METHODS else escape(method)


def _mean(found: Mapping, key: str) -> float:
    return (found.get(key) or {}).get("mean", 0.0)


def _forgets(found: Mapping) -> float | None:
    """How alike the maps still are when all layers are random; None where that says nothing."""
    return ((found.get("sanity") or {}).get("correlation") or [None])[-1]


def _interval(found: Mapping | None, written) -> str:
    if not found:
        return ""
    return f"{written(found['mean'])} <small>[{written(found['low'])}, {written(found['high'])}]</small>"


def _list(rows: list[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{term}</dt><dd>{escape(str(value))}</dd>" for term, value in rows) + "</dl>"
