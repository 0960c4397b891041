import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from app.ui import scripts
from app.ui.render import html


def test_what_is_filled_in_is_escaped_and_markup_is_not():
    assert html.note("<i>&") == '<p class="fw-note" role="status">&lt;i&gt;&amp;</p>'
    assert html.note(Markup("<i>!</i>"), quiet=True) == '<p class="fw-note"><i>!</i></p>'


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError):
        html.fill("verdict")


@pytest.mark.parametrize(
    ("source", "tight"),
    [
        ("<p>\n  <b>x</b>\n</p>\n", "<p><b>x</b></p>"),
        ("one\n  two", "one two"),
        ("{% if 1 %}\n<p>{% endif %}\n", "<p>"),
    ],
)
def test_the_line_breaks_of_a_template_do_not_reach_the_page(source, tight):
    assert html.templates.from_string(source).render() == tight


def test_every_template_and_every_script_is_read_somewhere():
    code = "".join(path.read_text(encoding="utf-8") for path in Path("app").rglob("*.py"))
    sources = {path.stem: path for path in Path("app/ui/render/templates").iterdir()}
    included = "".join(path.read_text(encoding="utf-8") for path in sources.values())
    assert [name for name in sources if f'"{name}"' not in code and f'"{name}.html"' not in included] == []
    assert [path.stem for path in scripts.FOLDER.glob("*.js") if f'"{path.stem}"' not in code] == []


def test_no_head_of_a_table_is_empty():
    empty = re.compile(r"<th[^>]*>\s*</th>")
    rates, pairs = [("CNN", 10, 7, "70 %", "40 to 90 %")], [("CNN and ResNet", "80 %", "0.70")]
    assert not empty.search(html.fill("data_tables", rates=rates, pairs=pairs))
    templates = (Path(html.__file__).parent / "templates").glob("*.html")
    assert not [path.name for path in templates if empty.search(path.read_text(encoding="utf-8"))]
