"""`python -m app`: what there is, and that the page is served only where nothing else is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import cli

ROOT = Path(__file__).parents[2]


def test_without_a_command_the_page_is_served(monkeypatch):
    served = []
    monkeypatch.setattr("app.main.main", lambda: served.append(True))
    assert CliRunner().invoke(cli.app, []).exit_code == 0 and served == [True]


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["predict"], ["photo.jpg"]])
def test_asking_what_there_is_serves_nothing_and_loads_nothing(arguments):
    script = (
        "import sys\nfrom app import cli\n"
        f"sys.argv = ['app', *{arguments}]\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "print('loaded', sorted({'tensorflow', 'keras', 'gradio', 'shap', 'cv2'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.endswith("loaded []\n"), done.stderr
    assert "Usage: python -m app" in done.stdout + done.stderr


def test_help_says_what_there_is():
    said = CliRunner().invoke(cli.app, ["--help"]).output
    assert "Without a command, this serves the page" in said
    assert all(command.callback.__name__ in said for command in cli.app.registered_commands)


def test_what_is_wrong_is_one_sentence_and_exit_code_1(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["app", "predict", "a.jpg", "--json", "--csv"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("Two forms of the answer were asked for. Received: --json and --csv.")
