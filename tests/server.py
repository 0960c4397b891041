"""The server on a free port, started once for all tests that talk to it."""

import gc
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
    gc.collect()
    gc.freeze()  # what stays as long as the server need not be looked at in every search for garbage
    return server
