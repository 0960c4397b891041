"""FaceWhy's page: composes the tabs and starts the server."""

import logging
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":  # `python app/main.py` puts app/ on the path, not the repository's root
    sys.path[0] = str(Path(__file__).resolve().parents[1])

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr  # noqa: E402

from app import endpoints, engine, lanes, traffic, uploads  # noqa: E402
from app.guard import GuardedBlocks  # noqa: E402
from app.server import Server  # noqa: E402
from app.session import Session  # noqa: E402
from app.tabs import Shared, api, compare, explain, lab, models, predict  # noqa: E402
from app.visitors import KEPT  # noqa: E402
from models import precision  # noqa: E402
from models.errors import FaceWhyError  # noqa: E402

TABS = (predict, explain, compare, lab, models, api)
HEADER = """
<header class="fw-header"><h1>FaceWhy</h1>
<p>See which emotion three networks read in a face, and why.</p>
<p class="fw-privacy">Your picture is read in memory, shown only to you, and forgotten soon after you leave.
A network guesses how a face looks, not what a person feels.</p></header>
"""


def build() -> gr.Blocks:
    """The page with its tabs and the public endpoints."""
    uploads.private_folder()
    with GuardedBlocks(title="FaceWhy", analytics_enabled=False, delete_cache=(600, KEPT)) as page:
        endpoints.add()  # first, so that no handler of a tab takes an endpoint's name
        gr.HTML(HEADER)
        shared = Shared(gr.State(Session()), None)
        with gr.Tabs():
            for module in TABS:
                with gr.Tab(module.TITLE) as tab:
                    module.build(replace(shared, tab=tab))
    return lanes.open_queue(page)


def launch(host: str | None = None, port: int | None = None) -> Server:
    """The server with its page, still to be started; once it answers, the models load behind it.

    Args:
        host, port: see `Server`.

    Raises:
        ParameterError: a variable has a wrong value.
    """
    traffic.challengers()
    precision.bfloat16()
    engine.current()
    server = Server(build(), host, port)

    def behind():
        server.wait()
        print(f"FaceWhy is open on {server.url}", flush=True)
        warm()

    threading.Thread(target=behind, name="warm-all", daemon=True).start()
    return server


def warm() -> None:
    """Load the models and run every method once, so that the first visitor waits for neither."""
    engine.current().warm()


def configure_logging() -> None:
    """Our own words from INFO, others' warnings; nobody's requests."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for quiet in ("httpx", "mcp", "uvicorn"):
        logging.getLogger(quiet).setLevel(logging.WARNING)


def main() -> None:
    """Run until stopped."""
    configure_logging()
    try:
        server = launch()
    except FaceWhyError as error:
        sys.exit(str(error))
    server.run()


if __name__ == "__main__":
    main()
