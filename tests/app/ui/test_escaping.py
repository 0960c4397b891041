"""What comes from outside is text wherever the page says it: no message of ours becomes a link or a form."""

import ast
import html
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.ui.gradio_overrides import blocks
from app.ui.render.html import fill, note, templates
from models.errors import FaceWhyError
from tests.test_errors import GAP, GUESS, SITES

APP = Path(blocks.__file__).parents[3] / "app"
HOSTILE = '<a href="//evil.example">x</a><form action=//evil.example><input></form><img src=x onerror=alert(1)>'
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (APP / "ui").rglob("*.py")}


def tags(text: str) -> list[str]:
    """The tags that a browser would see in a text."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: found.append(tag)
    parser.feed(text)
    parser.close()
    return found


def filled(site) -> list[FaceWhyError]:
    """The errors of a place with a stranger's words wherever a value is put in."""
    parts = zip(site.happened, site.received, site.advice, strict=False)
    return [FaceWhyError(*(part.replace(GAP, HOSTILE) for part in each)) for each in parts]


WITH_VALUES = [
    site for site in SITES if any(GAP in text for part in (site.happened, site.received, site.advice) for text in part)
]


@pytest.mark.parametrize("site", WITH_VALUES, ids=lambda site: site.place)
def test_no_message_with_a_parameter_becomes_a_tag(site):
    for error in filled(site):
        shown = blocks.visible(error).message
        assert tags(shown) == [] and tags(html.unescape(shown)) == []
        assert set(tags(note(str(error)))) <= set(tags(note("plain")))


def test_many_messages_have_a_parameter():
    assert len(WITH_VALUES) > 80 and GUESS > 0
    assert tags(HOSTILE) == ["a", "form", "input", "img"]


def test_templates_escape_what_is_filled_in_and_none_says_otherwise():
    assert templates.autoescape is True
    folder = APP / "ui" / "render" / "templates"
    for path in folder.glob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert "safe" not in source.replace("unsafe", "") and "autoescape" not in source, path.name
    assert tags(fill("note", text=HOSTILE, progress=None, quiet=False)) == tags(note("plain"))


def test_toasts_and_markup_are_written_out_or_filled_from_a_template():
    """A value in them would be HTML; `fill` alone makes markup of values, which it escapes."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in ("gr.Info", "gr.Warning", "gr.Success", "gr.Error", "Markup"):
                given = node.args[0]
                constant = isinstance(given, ast.Constant)
                assert constant or (name == "Markup" and path.name == "html.py"), f"{path.name}: {ast.unparse(node)}"


def test_scripts_of_ours_put_no_text_into_the_page_as_html():
    for path in (APP / "ui" / "static").rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc"):
            assert word not in source, f"{path.name}: {word}"
