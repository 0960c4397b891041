"""What is known about each model: its source, what it reaches, its licence and its limits."""

from html import escape

import gradio as gr

from app import words
from app.tabs import Shared
from models import zoo
from models.card import Card
from models.zoo import Status

TITLE = "Models"
NAMES = words.MODELS | {zoo.KEYPOINT_MODEL: "Keypoints"}
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
    "accuracy": ("Right on FER2013", lambda share: f"{share:.1%} of the test faces"),
    "accuracy_ferplus": ("Right on FER+", lambda share: f"{share:.1%} of the test faces"),
    "calibration_error": ("Calibration error", lambda share: f"{share:.1%}: how far its stated sureness is off"),
    "nme": ("Mean error", lambda share: f"{share:.1%} of the distance between the eyes"),
}
"""What is shown of a card's metrics, and how."""


def build(shared: Shared) -> None:
    """The tab's components and events."""
    cards = gr.HTML(elem_id="models")
    shared.tab.select(show, None, cards, api_visibility="private", show_progress="hidden")


def show() -> str:
    """A card a model, as far as it is loaded."""
    found = zoo.loaded()
    return '<div class="fw-cards fw-facts">' + "".join(described(name, found[name]) for name in NAMES) + "</div>"


def described(name: str, status: Status) -> str:
    """One model's card."""
    if status.state != "ready":
        reason = f'<p class="fw-small">{escape(status.note)}</p>' if status.note else ""
        return f'<article class="fw-card"><h3>{NAMES[name]}</h3><p>{STATES[status.state]}</p>{reason}</article>'
    model = zoo.keypoint_model() if name == zoo.KEYPOINT_MODEL else zoo.load(name)
    rows = "".join(f"<dt>{term}</dt><dd>{escape(str(value))}</dd>" for term, value in facts(model.card, status))
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in model.card.limits)
    return (
        f'<article class="fw-card"><h3>{NAMES[name]}</h3><dl>{rows}</dl>'
        f"<details><summary>Known limits</summary><ul>{limits}</ul></details></article>"
    )


def facts(card: Card, status: Status) -> list[tuple[str, str]]:
    """What a card says, as terms and descriptions."""
    revision = [("Revision", status.revision[:12])] if status.revision else []
    note = [("Note", status.note)] if status.note else []
    return [
        *measured(card),
        ("Weights from", SOURCES.get(status.source, status.source)),
        *revision,
        *note,
        ("Version", f"{card.version}, {card.date}"),
        ("Size", f"{card.parameters / 1e6:.1f} million numbers"),
        ("Trained on", "; ".join(card.data)),
        ("Licence", card.licence),
        ("Loaded in", words.duration(status.seconds)),
    ]


def measured(card: Card) -> list[tuple[str, str]]:
    """The results on faces that the model was neither trained nor chosen on, as far as the card has them."""
    found = card.metrics.get("PrivateTest") or card.metrics.get("test") or {}
    return [(title, written(found[name])) for name, (title, written) in RESULTS.items() if name in found]
