"""docs/commands.md against the commands of `python -m app`: each stands there, and what stands there exists."""

import re
from pathlib import Path

import pytest
import typer

from app import cli

TEXT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
KNOWN = typer.main.get_command(cli.app).commands
LINES = re.findall(r"python -m app (\w[^\n`#]+)", TEXT)


def options(name: str) -> set[str]:
    return {option for parameter in KNOWN[name].params for option in parameter.opts if option.startswith("--")}


def section(name: str) -> str:
    return TEXT.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def test_every_command_is_documented_and_no_other():
    assert {line.split()[0] for line in LINES} == set(KNOWN) == set(re.findall(r"^## (\w+)$", TEXT, re.MULTILINE))


@pytest.mark.parametrize("line", sorted(set(LINES)))
def test_documented_options_exist(line):
    assert set(re.findall(r"--[a-z-]+", line)) <= options(line.split()[0])


@pytest.mark.parametrize("name", KNOWN)
def test_every_option_is_documented_and_no_other(name):
    assert set(re.findall(r"^\| `(--[a-z-]+)", section(name), re.MULTILINE)) == options(name)
