"""The notebooks of `examples/` run from a clone, and lie there without their outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
SAID = {
    "explain_a_face.ipynb": ("happy", "Labels that stay possible: happy", "SHAP by gradients\n"),
    "hide_a_part.ipynb": ("looks happy to the network", "without the mouth", "costs most", "of 44 crops"),
}
"""What each must print."""


def test_every_notebook_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.ipynb")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_notebook_runs_and_is_kept_without_outputs(name):
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": EXAMPLES}}).execute()
    outputs = [output for cell in cells for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    assert all(said in printed for said in SAID[name]), printed
    assert any("image/png" in output.get("data", {}) for output in outputs)
