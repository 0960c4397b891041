"""The page on a free port, started once for all tests that talk to it."""

import socket
from functools import cache

import gradio as gr


@cache
def start() -> gr.Blocks:
    """The running page with its models loaded; `local_url` is its address."""
    from app import main
    from models import zoo

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = main.launch(server_port=port, quiet=True)
    zoo.warm().join()
    return page
