"""The server on a free port, started once for all tests that talk to it."""

import os
from functools import cache

from app.server import Server


@cache
def start() -> Server:
    """The running server with its models loaded; `url` is its address."""
    from app import main
    from models import zoo

    os.environ["FACEWHY_RATE"] = "off"  # the tests ask more often than a visitor
    server = main.launch(port=0).start()
    zoo.warm().join()
    return server
