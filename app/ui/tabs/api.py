"""How a program asks what the page asks: short programs to copy, and where everything is described."""

import gradio as gr

from app.ui import scripts
from app.ui.render.html import fill
from app.ui.snippets import LANGUAGES, ORIGIN, SNIPPETS
from app.ui.tabs import Shared

TITLE = "API"


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    gr.HTML(fill("api_intro", origin=ORIGIN), js_on_load=scripts.read("programs"), elem_id="api-doors")
    language = gr.Radio(list(LANGUAGES), value=LANGUAGES[0], label="Language", elem_id="api-language")
    gr.HTML(snippets(), js_on_load=scripts.read("programs"), elem_id="api-snippets")
    language.input(None, language, None, js=scripts.read("language"), api_visibility="private")


def snippets() -> str:
    """All programs, of which those of the first language are shown."""
    return fill("api_snippets", origin=ORIGIN, snippets=SNIPPETS, first=LANGUAGES[0])
