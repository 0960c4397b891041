"""Imports point one way, between the packages and between the rooms of the app, and never in a circle."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "models": {"models"},
    "explain": {"explain", "models"},
    "training": {"training", "explain", "models"},
    "app": {"app", "explain", "models"},
}
"""What each package may import, itself included."""
BELOW = {
    "app.serving": set(),
    "app.security": set(),
    "app.pipeline": {"app.serving"},
    "app.reporting": {"app.pipeline", "app.serving"},
    "app.data": set(),
    "app.ui": {"app.data", "app.reporting", "app.pipeline", "app.serving", "app.security"},
    "app.api": {"app.data", "app.reporting", "app.pipeline", "app.serving"},
    "app.main": {"app.ui", "app.api", "app.data", "app.reporting", "app.pipeline", "app.serving", "app.security"},
}
"""Of the app, what each room may import beside itself: page and API stand beside each other."""
ROOMS = {
    "app.pipeline": "app.pipeline",
    "app.experiments": "app.pipeline",
    "app.live": "app.pipeline",
    "app.clips": "app.pipeline",
    "app.source_faces": "app.pipeline",
    "app.text": "app.pipeline",
    "app.lab_text": "app.pipeline",
    "app.lessons": "app.pipeline",
    "app.lesson_outcomes": "app.pipeline",
    "app.glass_text": "app.pipeline",
    "app.error_messages": "app.pipeline",
    "app.reporting": "app.reporting",
    "app.data": "app.data",
    "app.ui": "app.ui",
    "app.api": "app.api",
    "app.serving": "app.serving",
    "app.security": "app.security",
}
"""The room of each part of the app; what is not named here puts the rooms together, as `app.main` does."""
GRADIO = {"gradio", "gradio_client"}


def modules(package: str) -> dict[str, Path]:
    """The files of a package by the names of their modules."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


EVERY = {name: path for package in PACKAGES for name, path in modules(package).items()}


def imported(path: Path) -> set[str]:
    """The modules that a file imports by their full names, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in EVERY else node.module for name in full}
    return names


def room(module: str) -> str:
    """The room of a module of the app."""
    return ROOMS.get(".".join(module.split(".")[:2]), "app.main")


def forbidden(module: str, names: set[str]) -> set[str]:
    """Which of these modules a module may not import."""
    package = module.split(".")[0]
    others = set(PACKAGES) | {"tests"}
    wrong = {name for name in names if (top := name.split(".")[0]) in others and top not in PACKAGES[package]}
    if package != "app" or room(module) not in ("app.ui", "app.main"):
        wrong |= {name for name in names if name.split(".")[0] in GRADIO}
    if package == "app":
        here = room(module)
        wrong |= {name for name in names if name.startswith("app.") and room(name) not in {here} | BELOW[here]}
    return wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    found = modules(package)
    assert found
    wrong = {name: bad for name, path in found.items() if (bad := forbidden(name, imported(path)))}
    assert wrong == {}


def test_computing_does_not_name_gradio_or_its_options():
    known = {name: EVERY[name].read_text(encoding="utf-8").lower() for name in EVERY if room(name) == "app.serving"}
    assert known and [name for name, text in known.items() if "gradio" in text or "concurrency_" in text] == []


@pytest.mark.parametrize("module", ["app.serving.jobs", "explain.lab.trial"])
def test_what_a_replica_runs_reaches_nothing_above_computing(module):
    seen, left = set(), [module]
    while left:
        seen.add(name := left.pop())
        left += imported(EVERY[name]) & set(EVERY) - seen
    assert {room(name) for name in seen if name.startswith("app.")} <= {"app.serving"}


def test_every_room_has_files():
    assert {room(name) for name in modules("app")} == set(BELOW)


def test_the_architecture_page_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {f"`{name.replace('.', '/')}" for name in (*PACKAGES, *BELOW) if name not in ("app", "app.main")}
    assert {name for name in rooms if f"{name}/`" not in page and f"{name}.py`" not in page} == set()


def test_there_are_no_circles():
    graph = {name: imported(path) & set(EVERY) - {name} for name, path in EVERY.items()}
    assert circle(graph) == []


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Names of which each imports the next and the last one the first; empty where there are none."""
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := follow(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := follow(name, []))), [])


def test_the_rule_itself(tmp_path):
    (tmp_path / "x.py").write_text("import numpy\ndef f():\n    from explain.scale import g\n    import gradio as gr\n")
    names = imported(tmp_path / "x.py")
    assert names == {"numpy", "explain.scale", "gradio"}
    assert forbidden("models.card", names) == {"explain.scale", "gradio"}
    assert forbidden("explain.scale", names) == forbidden("app.serving.jobs", names) == {"gradio"}
    assert forbidden("app.ui.charts", names) == set()
    assert forbidden("training.run", names | {"app.text"}) == {"gradio", "app.text"}
    assert (
        forbidden("explain.scale", {"training.run"}) == forbidden("models.card", {"training.run"}) == {"training.run"}
    )
    assert forbidden("app.api.rest", {"app.ui.theme", "gradio"}) == {"app.ui.theme", "gradio"}
    assert forbidden("app.ui.theme", {"app.api.rest", "app.serving.jobs"}) == {"app.api.rest"}
    assert forbidden("app.reporting.page", {"app.ui.theme", "app.pipeline", "gradio"}) == {"app.ui.theme", "gradio"}
    assert forbidden("app.ui.theme", {"app.reporting"}) == forbidden("app.api.rest", {"app.reporting.page"}) == set()
    assert forbidden("app.serving.jobs", {"app.pipeline"}) == {"app.pipeline"}
    assert forbidden("app.security.csrf", {"app.serving.jobs"}) == {"app.serving.jobs"}
    assert forbidden("app.server", {"app.api.rest", "app.ui.theme", "app.security.csrf"}) == set()
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("module", ["models.zoo", "models.weight_store", "models.types", "models.errors"])
def test_what_the_page_needs_at_once_imports_without_tensorflow(module):
    script = f"import sys, {module}; print(sorted({{'tensorflow', 'keras', 'gradio', 'shap'}} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
