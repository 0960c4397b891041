"""The code that TensorFlow generates for itself, which it writes into temporary files and deletes when it ends."""

import sys
from contextlib import suppress
from pathlib import Path

NAMES = "__autograph_generated_file"
"""How `tensorflow.python.autograph.pyct.loader` begins the names of such modules and of their files."""


def delete_files() -> None:
    """Delete the files of what this process has loaded: nothing reads them again, and a killed process leaves none."""
    for name, module in list(sys.modules.items()):
        if name.startswith(NAMES) and (file := getattr(module, "__file__", None)):
            with suppress(OSError):
                Path(file).unlink()
