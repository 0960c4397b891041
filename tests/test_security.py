"""SECURITY.md against the code: it says what is supported and promises only what holds."""

import re
import tomllib
from pathlib import Path

from app.ui.gradio_overrides.sessions import KEPT

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)[1]


def test_it_says_how_to_report_what_is_supported_and_what_is_promised():
    assert "Report a vulnerability" in section("Report a hole") and "reward" in section("Report a hole")
    lowest, highest = re.findall(
        r"3\.(\d+)", tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    )
    assert f"Python 3.{lowest} to 3.{int(highest) - 1}" in section("Supported versions")
    assert section("In scope").count("\n- ") > 5 and section("Out of scope").strip()


def test_what_is_promised_holds():
    promised = section("What is promised")
    assert "an hour after a visitor's last action" in promised and KEPT == 3600
    makefile, dockerfile = ((ROOT / path).read_text() for path in ("Makefile", "deploy/Dockerfile"))
    installs = [line for line in (makefile + dockerfile).splitlines() if "pip install" in line]
    assert len(installs) == 3 and all(re.search(r"--(require|verify)-hashes", line) for line in installs)
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases and all("@sha256:" in base for base in bases)


def test_every_link_and_heading_is_there():
    for path, heading in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", TEXT):
        text = (ROOT / path).read_text(encoding="utf-8")
        titles = {
            re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        assert not heading or heading in titles, f"{path}#{heading}"
