"""TensorFlow's import: its start-up lines are held back, what tells of a fault is not, and nothing is done in vain."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHATTER = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1795872598.850946    9493 port.cc:153] oneDNN custom operations are on.\n"
    "2025-09-17 14:44:05.157831: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:32] Could not find cuda drivers.\n"
)
FAULT = "E0000 00:00:1758131045.203198 3722035 cuda_dnn.cc:8579] Unable to register cuDNN factory\n"
OWN = "I say this in Python.\n"


def imported(tmp_path, end: str = "", **environment: str) -> subprocess.CompletedProcess:
    """What a process says that imports a made-up TensorFlow which writes as the real one does, past Python."""
    lines = CHATTER + FAULT + OWN
    (tmp_path / "tensorflow.py").write_text(f"import os\nos.write(2, {lines.encode()!r})\n{end}\n")
    script = (
        "import os, models\nimport tensorflow\nos.write(2, b'afterwards\\n')\nprint(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    )
    return told(tmp_path, script, **environment)


def told(tmp_path, script: str, **environment: str) -> subprocess.CompletedProcess:
    """What a process says that finds modules in a folder first."""
    paths = os.pathsep.join(map(str, (tmp_path, ROOT)))
    unset = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, cwd=tmp_path, env=unset | {"PYTHONPATH": paths} | environment, capture_output=True, text=True
    )


def test_only_what_tells_of_no_fault_is_held_back(tmp_path):
    done = imported(tmp_path)
    assert done.stderr == FAULT + OWN + "afterwards\n" and done.stdout == "2\n"


def test_who_sets_the_level_to_0_reads_everything(tmp_path):
    done = imported(tmp_path, TF_CPP_MIN_LOG_LEVEL="0")
    assert done.stderr == CHATTER + FAULT + OWN + "afterwards\n" and done.stdout == "0\n"


def test_a_level_that_was_set_stays(tmp_path):
    assert imported(tmp_path, TF_CPP_MIN_LOG_LEVEL="3").stdout == "3\n"


def test_an_import_that_fails_is_told(tmp_path):
    done = imported(tmp_path, end="raise ImportError('no such processor')")
    assert done.returncode == 1 and FAULT in done.stderr
    assert done.stderr.endswith("ImportError: no such processor\n")


MADE_UP = """
import gc, threading
import wanted
searched = gc.isenabled()
try:
    import sklearn
except ImportError as error:
    refused = error.name
elsewhere = threading.Thread(target=lambda: __import__("matplotlib"))
elsewhere.start()
elsewhere.join()
"""


def test_nothing_is_searched_for_garbage_and_what_nobody_uses_is_left_out_until_it_is_asked_for(tmp_path):
    """By this thread, and in the import alone."""
    for name in ("wanted", "sklearn", "matplotlib"):
        (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "tensorflow.py").write_text(MADE_UP)
    script = """
import gc, sys
import models
before = list(sys.meta_path)
import tensorflow
print(tensorflow.searched, tensorflow.refused, "matplotlib" in sys.modules, "sklearn" in sys.modules)
import sklearn
print(gc.isenabled(), sys.meta_path == before)
"""
    assert told(tmp_path, script).stdout.splitlines() == ["False sklearn True False", "True True"]


def test_who_searches_for_no_garbage_does_not_do_so_afterwards(tmp_path):
    (tmp_path / "tensorflow.py").write_text("")
    done = told(tmp_path, "import gc; gc.disable(); import models, tensorflow; print(gc.isenabled())")
    assert done.stdout == "False\n"


def test_the_real_one_says_nothing_and_has_what_it_needs():
    """Not even where a module is imported that imports Keras before anything of ours."""
    unset = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    script = "import training.networks, sys; print(*({'tensorflow', 'sklearn', 'matplotlib'} & sys.modules.keys()))"
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=unset | {"KERAS_BACKEND": "tensorflow"}, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("tensorflow\n", "")
