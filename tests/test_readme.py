"""The README against the code: what it lists is what there is."""

import json
import re
from pathlib import Path

import pytest

from explain.registry import METHODS
from models import card as cards
from models import glass_box, weight_store, zoo

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
VARIABLE = re.compile(r"[\"'](FACEWHY_[A-Z0-9_]+)[\"']")


def test_every_variable_the_code_reads_is_documented_and_no_other():
    read = {
        name
        for package in ("app", "models", "explain", "training")
        for file in (ROOT / package).rglob("*.py")
        for name in VARIABLE.findall(file.read_text(encoding="utf-8"))
    }
    documented = set(re.findall(r"^\| `(FACEWHY_[A-Z0-9_]+)` \|", README, re.MULTILINE))
    assert documented == read


def test_the_measured_figures_are_those_of_the_cards():
    for name in zoo.EMOTION_MODELS:
        figures = cards.read(weight_store.SHIPPED / name).metrics["PrivateTest"]
        keys = (
            "accuracy",
            "accuracy_with_flip",
            "accuracy_ten_crops",
            "accuracy_ferplus",
            "macro_f1",
            "calibration_error",
        )
        row = next(line for line in README.splitlines() if line.startswith(f"| {name} |"))
        shown = [float(number) / 100 for number in re.findall(r"(\d+\.\d+) %", row)]
        assert shown == pytest.approx([figures[key] for key in keys], abs=5e-5), name
    figures = cards.read(weight_store.SHIPPED / "keypoints").metrics["test"]
    shown = re.search(r"mean error\s([\d.]+) %.*?\(([\d.]+) %.*?\), ([\d.]+) % of\sfaces", README, re.DOTALL).groups()
    expected = [figures[key] * 100 for key in ("nme", "nme_pupils", "failure_rate")]
    assert [float(number) for number in shown] == pytest.approx(expected, abs=5e-3)


def test_the_glass_box_stands_beside_the_networks_with_its_own_figures():
    box = glass_box.shipped()
    own = box.card["metrics"]["PrivateTest"]
    row = next(line for line in README.splitlines() if line.startswith("| [glass box]"))
    shown = [float(number) / 100 for number in re.findall(r"(\d+\.\d+) %", row)]
    keys = ("accuracy", "accuracy_with_flip", "macro_f1", "calibration_error")
    assert shown == pytest.approx([own[key] for key in keys], abs=5e-5)
    assert f"{sum(term.scores.size for term in box.terms) + 7:,} numbers" in row
    cards_say = {name: cards.read(weight_store.SHIPPED / name).metrics["PrivateTest"] for name in zoo.EMOTION_MODELS}
    assert box.card["networks"] == {name: figures["accuracy"] for name, figures in cards_say.items()}


def test_the_table_of_trust_is_what_was_measured():
    head, _, *rows = re.search(r"^\| method \|.*?(?=\n\n)", README, re.DOTALL | re.MULTILINE).group().splitlines()
    names = [name.strip() for name in head.strip("|").split("|")[1:]]
    tables = [json.loads((weight_store.SHIPPED / name / "trust.json").read_text(encoding="utf-8")) for name in names]
    assert [table["sha256"] for table in tables] == [cards.read(weight_store.SHIPPED / name).sha256 for name in names]
    measured = {name for table in tables for name in table["methods"]}
    assert {row.split("|")[1].strip() for row in rows} == {METHODS[name].title for name in measured}
    keys = {method.title: key for key, method in METHODS.items()}
    shares = ("beats_other_faces", "beats_average_map", "beats_centre_prior", "beats_random")
    for row in rows:
        title, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        for cell, table in zip(cells, tables, strict=True):
            found = table["methods"].get(keys[title])
            if found is None:
                assert cell == "not measured yet"
                continue
            often = " / ".join(f"{100 * found[key]['mean']:.0f}" for key in shares)
            gain = "{:+.2f} ({:+.2f} to {:+.2f})".format(
                *(found["relevance_gain"][key] for key in ("mean", "low", "high"))
            )
            assert cell == f"{often} %, {gain}"
    for name, table in zip(names, tables, strict=True):
        faces = [row.get("faces", table.get("faces")) for row in table["methods"].values()]
        assert f"{min(faces)} for {name}" in README and f"{METHODS[table['default']].title} on {name}" in README


def test_the_ensemble_was_measured_on_the_weights_that_ship():
    path = weight_store.SHIPPED / "ensemble.json"
    row = next((line for line in README.splitlines() if line.startswith("| averaged |")), None)
    assert path.is_file() == (row is not None), "the README tells of the ensemble what was measured"
    if row is None:
        pytest.skip("the ensemble was not measured")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["weights"] == {name: cards.read(weight_store.SHIPPED / name).sha256 for name in zoo.EMOTION_MODELS}
    keys = ("accuracy", "accuracy_with_flip", "accuracy_ten_crops", "accuracy_ferplus", "macro_f1", "calibration_error")
    shown = [float(number) / 100 for number in re.findall(r"(\d+\.\d+) %", row)]
    assert shown == pytest.approx([found["PrivateTest"][key] for key in keys], abs=5e-5)


def test_every_link_leads_to_a_file():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
