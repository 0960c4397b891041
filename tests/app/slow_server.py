"""A server whose detection begins and ends when a test says so: `python -m tests.app.slow_server FOLDER PORT GRACE`.

It writes `began` into the folder once a detection runs, which ends when `go` lies there.
"""

import sys
import time
from pathlib import Path

from app import main
from app.serving import engines
from app.serving.engine import Engine
from app.ui.gradio_overrides import graceful_server
from models import zoo


class SlowEngine(Engine):
    """Finds no face, and takes as long as it is told to."""

    def __init__(self, folder: Path):
        self._folder = folder

    def detect(self, photo):
        (self._folder / "began").touch()
        while not (self._folder / "go").exists():
            time.sleep(0.01)
        return []

    def keypoints(self, faces, photo):
        return faces

    def health(self):
        return zoo.loaded()

    def warm(self):
        """Nothing is loaded."""


SlowEngine.__abstractmethods__ = frozenset()

if __name__ == "__main__":
    folder, port, grace = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    graceful_server.GRACE, graceful_server.LAST_RESORT = grace, grace + 1
    engines.use(SlowEngine(folder))
    main.launch(port=port).run()
