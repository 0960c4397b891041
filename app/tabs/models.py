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


def build(shared: Shared) -> None:
    """The tab's components and events."""
    cards = gr.HTML(show, elem_id="models")
    gr.on([shared.tab.select], show, None, cards, api_visibility="private", show_progress="hidden")


def show() -> str:
    """A card a model, as far as it is loaded."""
    found = zoo.loaded()
    return '<div class="fw-cards">' + "".join(described(name, found[name]) for name in NAMES) + "</div>"


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
        ("Weights from", SOURCES.get(status.source, status.source)),
        *revision,
        *note,
        ("Version", f"{card.version}, {card.date}"),
        ("Size", f"{card.parameters / 1e6:.1f} million numbers"),
        *((name.replace("_", " ").capitalize(), shown(value)) for name, value in card.metrics.items()),
        ("Trained on", "; ".join(card.data)),
        ("Licence", card.licence),
        ("Loaded in", words.duration(status.seconds)),
    ]


def shown(value) -> str:
    """A metric as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(part)}" for name, part in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)
