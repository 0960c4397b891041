"""docs/deploy.md against the files and settings that it names."""

import re
from pathlib import Path

import yaml

from app import space
from app.security import settings
from tests.deploy.test_kubernetes import NEWEST, OLDEST

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_file_that_the_page_names_is_there():
    named = set(re.findall(r"\bdeploy/[\w./-]*\w", TEXT)) - {"deploy/.env"}
    assert named and [path for path in named if not (ROOT / path).exists()] == []


def test_every_variable_is_read_by_the_app():
    read = "".join(path.read_text() for package in ("app", "models") for path in (ROOT / package).rglob("*.py"))
    assert [name for name in set(re.findall(r"FACEWHY_[A-Z_]+", TEXT)) if name not in read] == []


def test_the_numbers_are_those_of_the_files():
    spec = yaml.safe_load((ROOT / "deploy/kubernetes/autoscaler.yaml").read_text())["spec"]
    assert f"{spec['minReplicas']} to {spec['maxReplicas']}, by CPU" in TEXT
    assert f"port {space.PORT}" in TEXT and f"From {OLDEST} on" in TEXT
    assert f"schemas of {OLDEST} and {NEWEST}" in TEXT
    assert f"bodies of {settings.MAX_BODY / 2**20:.0f} MiB" in TEXT
    tag = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())["images"][0]["newTag"]
    assert f"facewhy:{tag} ." in TEXT and f"facewhy:{tag} ." in (ROOT / "deploy/Dockerfile").read_text()


def test_it_says_what_was_not_run():
    assert re.search(r"Not run: `docker build`.*tensorflow_model_server.*real Hub", TEXT, re.DOTALL)
