"""The server on a free port, started once for all tests that talk to it."""

import gc
import os
import threading
from functools import cache

from app.server import Server
from tests.lean import lean


@cache
def start() -> Server:
    """The running server with its models loaded; `url` is its address."""
    from app import main

    os.environ["FACEWHY_RATE"] = "off"  # the tests ask more often than a visitor
    with lean():
        server = main.launch(port=0).start()
        [warming] = [thread for thread in threading.enumerate() if thread.name == "warm-all"]
        warming.join()
    gc.collect()
    gc.freeze()  # what stays as long as the server need not be looked at in every search for garbage
    return server
