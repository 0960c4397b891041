"""Commands in the pages and in messages stand as they must be typed, and what they name is there."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from app import cli as app_cli
from training import cli as training_cli

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/**/*.md")), *ROOT.glob("examples/*.md")]
PYTHON = ".venv/bin/python -m "
BARE = re.compile(
    r"(?<!\.venv/bin/)\b(python[\d.]*|pip|pytest|ruff|mypy|hf|mlflow|tensorboard|ray|typer) (?=-m |[a-z])"
)
"""A program that lies in .venv/bin, called without that."""
PREPARED = re.compile(r"(export )?([A-Z_]+=\S*\s*)*")
"""Variables before a command."""
TREES = {"app": typer.main.get_command(app_cli.app), "training": typer.main.get_command(training_cli.app)}


def commands(page: Path) -> list[str]:
    """What a page has between backticks, a line each."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    loops = [part for line in "\n".join(blocks).splitlines() for part in re.split(r"; (?:do )?", line)]
    return [*map(str.strip, loops), *re.findall(r"`([^`\n]+)`", text)]


def typed(page: Path) -> list[str]:
    """All that a page has typed after `.venv/bin/python -m`, in blocks and in sentences."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [found.strip() for found in re.findall(rf"{re.escape(PYTHON)}([^\n`#;)]+)", text)]


def unwritten(line: str) -> str:
    """What is wrong with a command as it is typed; "" where nothing is."""
    module, *words = line.split()
    if not re.fullmatch(r"(app|training|tests|examples)(\.\w+)*", module):
        return ""
    if find_spec(module) is None:
        return f"no module {module}"
    command = TREES.get(module)
    while command and words and (name := words[0]) in getattr(command, "commands", {}):
        command, words = command.commands[name], words[1:]
    if command is None or not words or words[0] in ("COMMAND", "…"):
        return ""
    if getattr(command, "commands", {}) and not words[0].startswith("--"):
        return f"no command {words[0]}"
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    known |= {"--help"}
    wrong = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)} - known
    return f"no option {', '.join(sorted(wrong))}" if wrong else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_commands_as_they_must_be_typed(page):
    assert [line for line in commands(page) if BARE.match(PREPARED.sub("", line, count=1))] == []
    assert {line: why for line in typed(page) if (why := unwritten(line))} == {}


def test_what_is_installed_by_pip_can_be_installed_by_uv():
    """An environment that uv made has no pip."""
    modules = [path for package in ("app", "models", "explain", "training") for path in (ROOT / package).rglob("*.py")]
    for path in [*PAGES, *modules]:
        text = path.read_text(encoding="utf-8")
        by_pip = set(re.findall(r"-m pip install ([^\s`]+)", text))
        assert by_pip <= set(re.findall(r"uv pip install ([^\s`]+)", text)), path
        assert not re.findall(r"(?<!uv )(?<!-m )\bpip install", text), path


def test_messages_have_commands_as_they_must_be_typed():
    bare = re.compile(r"(?<!\.venv/bin/)python -m (app|training|tests|examples)\b")
    wrong = []
    for package in ("app", "models", "explain", "training"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            names = {
                id(keyword.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Call)
                for keyword in node.keywords
                if keyword.arg in ("prog", "prog_name")
            }
            wrong += [
                f"{path.relative_to(ROOT)}:{node.lineno}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and bare.search(node.value)
                if id(node) not in documentation | names
            ]
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("training data check --data DATA", ""),
        ("training COMMAND --help", ""),
        ("training check --data DATA", "no command check"),
        ("training train cnn --epoch 3", "no option --epoch"),
        ("training.measures.gone --data DATA", "no module training.measures.gone"),
        ("app", ""),
        ("app --help", ""),
        ("app predict photo.jpg --yaml", "no option --yaml"),
        ("pytest -x", ""),
    ],
)
def test_the_rule_itself(line, why):
    assert unwritten(line) == why


@pytest.mark.parametrize("line", ["python -m app", "KERAS_BACKEND=jax python -m training train cnn", "hf auth login"])
def test_a_bare_program_is_seen(line):
    assert BARE.match(PREPARED.sub("", line, count=1))
    assert not BARE.match(
        PREPARED.sub("", line, count=1).replace("python", ".venv/bin/python").replace("hf", "make hf")
    )
