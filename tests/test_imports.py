"""Imports point one way: app -> explain -> models, and training, which measures explanations, sees explain too."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "models": {"models"},
    "explain": {"explain", "models"},
    "training": {"training", "explain", "models"},
    "app": {"app", "explain", "models"},
}
PAGE_ONLY = {"gradio", "gradio_client"}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names.add(node.module.split(".")[0])
    return names


def forbidden(package: str, names: set[str]) -> set[str]:
    """Which of these packages a package may not import."""
    others = set(MAY_IMPORT) | {"tests"}
    return (names & others) - MAY_IMPORT[package] | (names & PAGE_ONLY if package != "app" else set())


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = {str(path.relative_to(ROOT)): found for path in files if (found := forbidden(package, imported(path)))}
    assert wrong == {}


def test_the_rule_itself(tmp_path):
    (tmp_path / "x.py").write_text("import numpy\ndef f():\n    from explain.scale import g\n    import gradio as gr\n")
    names = imported(tmp_path / "x.py")
    assert names == {"numpy", "explain", "gradio"}
    assert forbidden("models", names) == {"explain", "gradio"}
    assert forbidden("explain", names) == {"gradio"}
    assert forbidden("app", names) == set()
    assert forbidden("training", names | {"app"}) == {"gradio", "app"}
    assert forbidden("explain", {"training"}) == forbidden("models", {"training"}) == {"training"}


@pytest.mark.parametrize("module", ["models.zoo", "models.weight_store", "models.types", "models.errors"])
def test_what_the_page_needs_at_once_imports_without_tensorflow(module):
    script = f"import sys, {module}; print(sorted({{'tensorflow', 'keras', 'gradio', 'shap'}} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
