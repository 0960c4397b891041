"""A page for every method: it says what the code says, names its paper, and has its picture."""

import inspect
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from examples import method_pictures
from explain import registry
from explain.base import Method

FOLDER = Path(__file__).parents[1] / "docs" / "methods"
SECTIONS = ["The idea", "The formula", "Parameters", "What it costs", "What it is known to get wrong"]
PAPER = re.compile(r"arXiv (\d{4}\.\d{4,5})")
every_method = pytest.mark.parametrize("method", registry.METHODS.values(), ids=list(registry.METHODS))


def page(method: Method) -> str:
    return (FOLDER / f"{method.name}.md").read_text(encoding="utf-8")


def parameter_table(method: Method) -> str:
    """The table of a method's parameters as its page must have it."""
    rows = ["| name | title | values | unless set | what it does |", "|---|---|---|---|---|"]
    for name, control in method.Params.controls().items():
        default = getattr(method.Params(), name)
        values = {bool: "true, false", str: ", ".join(control.options)}.get(
            control.kind, f"{control.low} to {control.high}"
        )
        shown = str(default).lower() if control.kind is bool else default
        rows.append(f"| `{name}` | {control.title} | {values} | {shown} | {control.help} |")
    return "\n".join(rows)


def test_there_is_a_page_for_every_method_and_no_other():
    pages = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    assert pages == set(registry.METHODS) == {path.stem for path in FOLDER.glob("*.jpg")}


@every_method
def test_a_page_says_what_the_code_says(method):
    text = page(method)
    assert text.startswith(f"# {method.title}\n\n{method.summary}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert f"\n\n{parameter_table(method)}\n\n" in text
    assert all(part.split("\n", 1)[1].strip() for part in text.split("\n## ")[1:])


@every_method
def test_a_page_links_the_paper_that_its_method_follows(method):
    source = inspect.getdoc(method.run).split("Source:")[1]
    formula = page(method).split("## The formula")[1].split("## ")[0]
    linked = set(re.findall(r"\[arXiv [\d.]+\]\(https://arxiv\.org/abs/([\d.]+)\)", formula))
    assert set() < set(PAPER.findall(source)) <= linked
    assert "```" in formula


@every_method
def test_criticism_in_the_code_stands_on_the_page(method):
    assert set(PAPER.findall(inspect.getdoc(method.run))) <= set(PAPER.findall(page(method)))


@every_method
def test_a_page_shows_its_picture_and_the_picture_is_small(method):
    path = FOLDER / f"{method.name}.jpg"
    assert f"]({path.name})" in page(method)
    with Image.open(path) as picture:
        panels = (picture.width + method_pictures.GAP) // (method_pictures.SIDE + method_pictures.GAP)
    assert 4 <= panels <= 5 and path.stat().st_size < 60_000


def test_the_index_lists_every_method_in_order():
    index = (FOLDER / "README.md").read_text()
    listed = re.findall(r"^\| \[(.+)\]\((\w+)\.md\) \| `(\w+)` \| (.+) \|$", index, re.MULTILINE)
    assert listed == [(m.title, m.name, m.name, m.summary) for m in registry.METHODS.values()]


@pytest.fixture(scope="module")
def case() -> method_pictures.Case:
    return method_pictures.opened("cnn")


@every_method
def test_the_pictures_can_be_drawn_again(method, case, tmp_path):
    """The same number of panels as the strip that ships; what they show is up to the weights."""
    with Image.open(method_pictures.draw(method.name, case, tmp_path)) as drawn:
        with Image.open(FOLDER / f"{method.name}.jpg") as shipped:
            assert drawn.size == shipped.size
        assert len(drawn.getcolors(drawn.width * drawn.height)) > 1000


def test_the_command_refuses_a_method_that_is_not_there(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["method_pictures", "lime"])
    with pytest.raises(SystemExit):
        method_pictures.main()
    assert "no such method: lime" in capsys.readouterr().err
