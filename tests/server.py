"""The server on a free port, started once for all tests that talk to it."""

from functools import cache

from app.server import Server


@cache
def start() -> Server:
    """The running server with its models loaded; `url` is its address."""
    from app import main
    from models import zoo

    server = main.launch(port=0).start()
    zoo.warm().join()
    return server
