"""docs/training.md against the commands: each stands there, and what stands there exists."""

import re
from pathlib import Path

import pytest
import typer

from training import cli

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def commands(group, path: str = "") -> dict:
    """Path such as "data fetch" -> the command, for all of them."""
    found = {}
    for name, command in group.commands.items():
        here = f"{path} {name}".strip()
        found |= commands(command, here) if hasattr(command, "commands") else {here: command}
    return found


KNOWN = commands(typer.main.get_command(cli.app))
LINES = [line.split("#")[0].strip().strip("`") for line in re.findall(r"python -m training ([^\n`]+)", TEXT)]
WRITTEN = [line for line in LINES if not line.startswith("COMMAND")]


def command_of(line: str) -> str:
    words = line.split()
    return " ".join(words[:2]) if " ".join(words[:2]) in KNOWN else words[0]


def test_every_command_is_documented_and_no_other():
    assert {command_of(line) for line in WRITTEN} == set(KNOWN)
    assert {command.__name__ for command in cli.COMMANDS} <= set(KNOWN)


@pytest.mark.parametrize("line", sorted(set(WRITTEN)))
def test_documented_options_exist(line):
    options = {name for parameter in KNOWN[command_of(line)].params for name in parameter.opts}
    assert set(re.findall(r"--[a-z0-9-]+", line)) <= options


def test_every_option_of_train_is_documented():
    options = {name for parameter in KNOWN["train"].params for name in parameter.opts if name.startswith("--")}
    section = TEXT[TEXT.index("### train") : TEXT.index("### retrain")]
    assert options - {"--data"} <= set(re.findall(r"--[a-z0-9-]+", section))
