"""What the visitor chooses: the model, the emotion and the method with its summary, page and parameters."""

from typing import Any

import gradio as gr

from app import pipeline, text
from app.ui import method_pages
from app.ui.render import html
from app.ui.tabs import SKIP
from app.ui.tabs.explain.results import Offered, Wanted
from explain.registry import METHODS


def turn_to(model: str, method: str, offered: Any = SKIP, chosen: Any = SKIP) -> tuple[Any, ...]:
    """The summary and the parameters of a method; its page is closed.

    Args:
        model, method: what is chosen.
        offered, chosen: see `Offered`; they stay as they are where the visitor has chosen.
    """
    view = Offered(offered, chosen, summarised(model, method), gr.Accordion(open=False))
    return (*view, *(gr.Group(visible=name == method) for name in METHODS))


def offer(model: str, method: str, offered: str) -> tuple[Any, ...]:
    """The method to begin with on a model, unless the visitor has chosen another one."""
    first = pipeline.recommended(model)
    if method != offered or method == first:
        return (*Offered(summary=summarised(model, method)), *[SKIP] * len(METHODS))
    return turn_to(model, first, first, first)


def open_with(wanted: str, model: str, method: str, offered: str) -> tuple[Any, ...]:
    """What the tab opens with: the network that the visitor chose on Predict, what it sees and its first method.

    A lesson also names the method and the emotion. Without such a choice, see `offer`.
    """
    if not wanted:
        return (*Wanted(), *offer(model, method, offered))
    name, asked, emotion = (*wanted.split(), "", "")[:3]
    first = pipeline.recommended(name)
    return (*Wanted("", name, emotion, ""), *turn_to(name, asked or first, first, asked or first))


def explained(method: str) -> str:
    """The page about a method."""
    return method_pages.method(method)


def summarised(model: str, method: str) -> str:
    """What a method shows, and how often that held up when it was tested on the model."""
    table = pipeline.trust_table(model) or {"methods": {}}
    found = table["methods"].get(method, {})
    tested = f"How often its maps of {text.MODELS[model]} pass the tests is not measured yet."
    if "beats_other_faces" in found:
        often, middle = (text.percent(found[key]["mean"]) for key in ("beats_other_faces", "beats_centre_prior"))
        faces = found.get("faces", table.get("faces", "test"))
        tested = (
            f"Tested with {text.MODELS[model]} on {faces} faces: hiding what its map marks "
            f"matters more than hiding what it marks on other faces on {often} of them, and more than hiding the "
            f"middle on {middle}."
        )
    return html.fill("method_summary", summary=METHODS[method].summary, tested=tested)
