"""What docs/lab.md says is so."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from app import experiments
from app.source_faces import SOURCE_FACES
from explain.lab import trial
from explain.lab.steps import MOST_STEPS, STEPS, Experiment
from models.regions import REGIONS

TEXT = (Path(__file__).parents[2] / "docs" / "lab.md").read_text(encoding="utf-8")
ROWS = {name: row for name, row in re.findall(r"^\| `(\w+)` \| (.*)$", TEXT, re.MULTILINE) if name != "do"}


def test_every_step_stands_in_the_table_with_its_fields_and_defaults():
    assert list(ROWS) == list(STEPS)
    for name, row in ROWS.items():
        told = dict(re.findall(r"`(\w+)`(?: \(`?([^)`]*)`?\))?", row.split("|")[0]))
        assert list(told) == [field.name for field in fields(STEPS[name])]
        for field, default in told.items():
            if default and field != "pixels":
                assert str(getattr(STEPS[name](), field)).removesuffix(".0") == default


def test_every_range_stands_in_the_table():
    for name in ("blur", "brightness", "contrast", "rotate", "shift", "noise"):
        control = next(iter(STEPS[name].controls().values()))
        assert f"{control.low:g} to {control.high:g}" in ROWS[name]


def test_the_names_and_limits_are_ours():
    assert all(f"`{region}`" in ROWS["hide"] for region in REGIONS)
    assert f"at most {MOST_STEPS}" in TEXT and trial.PATCHES == 8 and "eight random patches" in TEXT
    assert all(f"`{name.removeprefix('composite_')}`" in TEXT for name in SOURCE_FACES)
    assert trial.MOVED == 0.02 and "two points" in TEXT


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
def test_every_experiment_can_be_done(one, block):
    experiment = Experiment.from_json(block)
    assert experiment.to_json() == json.loads(block)
    outcome = experiments.run(one.face, experiment)
    assert len(outcome.models) == 3


def test_the_python_example_runs(monkeypatch, capsys):
    monkeypatch.chdir(Path(__file__).parents[2])
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], {})
    assert capsys.readouterr().out.count("random patches of the same size") == 3


def test_the_first_experiment_turns_out_as_told(one):
    """Hiding the nose changes little, hiding the mouth a great deal, though Grad-CAM has it the other way round."""
    cost, expected = {}, {}
    for region in ("nose", "mouth"):
        outcome = experiments.run(one.face, Experiment.from_json({"steps": [{"do": "hide", "region": region}]}))
        index = outcome.target.emotion
        cost[region] = [
            tried.before.probabilities[index] - tried.after.probabilities[index] for tried in outcome.models.values()
        ]
        expected[region] = [tried.forecast.expects for tried in outcome.models.values()]
    assert sum(cost["mouth"]) > sum(cost["nose"]) + 0.3 and sum(cost["nose"]) < 0.2
    assert expected["nose"].count("more") == expected["mouth"].count("less") == 2
