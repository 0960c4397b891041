"""Gradio's import writes nothing."""

import importlib.util
import inspect
import re
import sys

from gradio import component_meta

from app.ui.gradio_overrides import start


def test_a_component_gets_no_stub(tmp_path, monkeypatch):
    source = tmp_path / "own.py"
    source.write_text("import gradio as gr\n\n\nclass Own(gr.Textbox):\n    pass\n")
    spec = importlib.util.spec_from_file_location("own", source)
    own = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "own", own)
    spec.loader.exec_module(own)
    assert own.Own(label="still a component").label == "still a component"
    assert [path.name for path in tmp_path.glob("*.py*")] == ["own.py"]


def test_gradio_would_write_one_by_the_function_that_is_taken_from_it():
    source = "".join(inspect.getsource(component_meta).split())
    taken = ",".join(inspect.signature(start.write_nothing).parameters)
    assert re.sub(r":[^,)]+", "", re.search(r"defcreate_or_modify_pyi\(([^)]*)\)", source)[1]) == taken
    assert "create_or_modify_pyi(component_class,name,events)" in source


def test_to_prepare_twice_changes_nothing():
    before = list(sys.meta_path)
    start.prepare()
    assert sys.meta_path == before
