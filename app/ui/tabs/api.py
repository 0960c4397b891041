"""How a program asks what the page asks: short programs to copy, and where everything is described."""

from html import escape

import gradio as gr

from app.ui.snippets import LANGUAGES, ORIGIN, SNIPPETS
from app.ui.tabs import Shared

TITLE = "API"
INTRO = """
<p>Everything on this page can be asked by a program. The same limits hold as for visitors.</p>
<ul class="fw-doors">
<li><a href="docs" target="_blank">REST</a>: pictures as files or in JSON, every route described with its errors</li>
<li><a href="gradio_api/info" target="_blank">Gradio's client</a>: the same functions by name, from Python or
JavaScript</li>
<li>MCP, for assistants: <code>ORIGIN/gradio_api/mcp/</code></li>
</ul>
""".replace("ORIGIN", ORIGIN)
CHOOSE = """language => {
  const parts = document.querySelectorAll('#api-snippets section');
  for (const part of parts) part.hidden = part.dataset.language !== language;
}"""
OWN = f"""
const here = window.location.origin + window.location.pathname.replace(/\\/$/, '');
for (const code of element.querySelectorAll('code')) code.textContent = code.textContent.replaceAll('{ORIGIN}', here);
element.addEventListener('click', async (event) => {{
  const button = event.target.closest('button');
  if (!button) return;
  const code = button.closest('section').querySelector('code').textContent;
  try {{ await navigator.clipboard.writeText(code); button.textContent = 'Copied'; }}
  catch {{ window.prompt('Copy this', code); }}
}});
"""
"""The visitor's own address in the programs, and buttons that copy them."""


def build(shared: Shared) -> None:
    """The tab's components and events."""
    gr.HTML(INTRO, js_on_load=OWN, elem_id="api-doors")
    language = gr.Radio(list(LANGUAGES), value=LANGUAGES[0], label="Language", elem_id="api-language")
    gr.HTML(snippets(), js_on_load=OWN, elem_id="api-snippets")
    language.input(None, language, None, js=CHOOSE, api_visibility="private")


def snippets() -> str:
    """All programs, of which those of the first language are shown."""
    return "".join(
        f'<section class="fw-code" data-language="{snippet.language}"{" hidden" * (snippet.language != LANGUAGES[0])}>'
        f'<header><h3>{escape(snippet.title)}</h3><button type="button">Copy</button></header>'
        f'<pre tabindex="0"><code>{escape(snippet.code)}</code></pre></section>'
        for snippet in SNIPPETS
    )
