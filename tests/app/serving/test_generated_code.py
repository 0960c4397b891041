"""TensorFlow's own temporary files: this process leaves none of its own and touches no other's."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from app.serving import generated_code, local


def test_the_code_of_this_process_is_deleted_and_still_runs(tmp_path, monkeypatch):
    import tensorflow as tf
    from tensorflow.python.autograph.pyct import loader

    @tf.function
    def absolute(values):
        if tf.reduce_sum(values) < 0:  # a branch is what TensorFlow writes code for
            values = -values
        return values

    monkeypatch.setattr(loader.tempfile, "tempdir", str(tmp_path))
    assert absolute(tf.constant([-1.0])).numpy().tolist() == [1.0]
    theirs = tmp_path / f"{generated_code.NAMES}theirs.py"
    theirs.write_text("x = 1")
    (own,) = set(tmp_path.iterdir()) - {theirs}
    assert own.stem in sys.modules, "the loader calls them otherwise now"
    generated_code.delete_files()
    assert list(tmp_path.iterdir()) == [theirs]
    assert np.array_equal(absolute(tf.constant([[-1.0, -2.0]])), [[1.0, 2.0]]), "another shape is traced anew"
    generated_code.delete_files()


def test_what_is_gone_or_has_no_file_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, f"{generated_code.NAMES}a", type(sys)("a"))
    gone = type(sys)("b")
    gone.__file__ = str(Path(tmp_path, "b.py"))
    monkeypatch.setitem(sys.modules, f"{generated_code.NAMES}b", gone)
    generated_code.delete_files()


def test_a_warm_engine_leaves_no_code_in_files(monkeypatch):
    done = []
    monkeypatch.setattr(local.zoo, "warm", lambda: SimpleNamespace(join=lambda: done.append("warm")))
    monkeypatch.setattr(local.zoo, "loaded", dict)
    monkeypatch.setattr(local.memory, "give_back", lambda: None)
    monkeypatch.setattr(generated_code, "delete_files", lambda: done.append("deleted"))
    local.LocalEngine().warm()
    assert done == ["warm", "deleted"]
