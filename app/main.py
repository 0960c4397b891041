"""FaceWhy's page: composes the tabs and starts the server."""

import logging
import os
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

if __name__ == "__main__":  # `python app/main.py` puts app/ on the path, not the repository's root
    sys.path[0] = str(Path(__file__).resolve().parents[1])

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from app.ui.gradio_overrides import start

start.prepare()  # Gradio comes before our package where this file is the program

import gradio as gr

from app.api.gradio import add_endpoints
from app.data import view
from app.data.filters import Filters
from app.server import Server, raise_file_limit
from app.serving import canary, engines, seats
from app.ui import glossary, scripts, upload_folder
from app.ui.cancellation import Cancellation
from app.ui.clip_input import ClipInput
from app.ui.gradio_overrides import queue
from app.ui.gradio_overrides.blocks import SafeBlocks
from app.ui.gradio_overrides.events import open_endpoint
from app.ui.gradio_overrides.sessions import KEPT
from app.ui.photo_input import PhotoInput
from app.ui.render.html import fill
from app.ui.session import Session
from app.ui.tabs import Shared, api, clips, compare, data, explain, inside, lab, learn, live, models, predict
from models import precision
from models.errors import DatasetError, FaceWhyError

TABS = (predict, live, clips, explain, compare, inside, lab, learn, models, data, api)


def build() -> gr.Blocks:
    """The page with its tabs and the public endpoints."""
    upload_folder.private_folder()
    with SafeBlocks(title="FaceWhy", analytics_enabled=False, delete_cache=(600, KEPT)) as page:
        media = {"image": PhotoInput(label="image", visible=False), "video": ClipInput(label="video", visible=False)}
        add_endpoints(partial(open_endpoint, media))  # first, so that no handler of a tab takes an endpoint's name
        gr.HTML(fill("header"))
        session, explained, wanted = gr.State(Session()), gr.State(None), gr.State("")
        prepared, reading = gr.State(("", None)), gr.State(Cancellation())
        with gr.Tabs(overflow_behavior="wrap"):
            for module in TABS:
                with gr.Tab(module.TITLE) as tab:
                    module.build(Shared(session, tab, explained, wanted, prepared, reading))
                    if module.TITLE in glossary.OF_TAB:
                        gr.HTML(fill("glossary", terms=glossary.of(module.TITLE)), js_on_load=scripts.read("terms"))
        page.load(None, js=scripts.read("page"), api_visibility="private")
    return queue.open_queue(page)


def launch(host: str | None = None, port: int | None = None) -> Server:
    """The server with its page, still to be started; once it answers, the models load behind it.

    Args:
        host, port: see `Server`.

    Raises:
        ParameterError: a variable has a wrong value.
    """
    canary.canaries()
    precision.bfloat16()
    seats.asked()
    engines.current()
    server = Server(build(), host, port)
    threading.Thread(target=open_and_warm, args=[server], name="warm-all", daemon=True).start()
    return server


def open_and_warm(server: Server) -> None:
    """Say where the page is once it answers, then `warm`; quiet about what fails because the process ends meanwhile."""
    server.wait()
    print(f"FaceWhy is open on {server.url}", flush=True)
    try:
        warm()
    except Exception:
        if threading.main_thread().is_alive():
            raise


def warm() -> None:
    """Load the models, run every method once and read the dataset, so that the first visitor waits for none of it."""
    with suppress(DatasetError):  # the tab Data says what is wrong with it
        view.plane(Filters())
    engines.current().warm()


def configure_logging() -> None:
    """Our own words from INFO, others' warnings; nobody's requests."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for quiet in ("httpx", "mcp", "uvicorn"):
        logging.getLogger(quiet).setLevel(logging.WARNING)


def main() -> None:
    """Run until stopped; a start that this machine has no room for ends in a sentence."""
    configure_logging()
    raise_file_limit()
    try:
        launch().run()
    except FaceWhyError as error:
        sys.exit(str(error))
    except (OSError, MemoryError, RuntimeError) as error:  # RuntimeError: no thread can be started
        sys.exit(str(no_room(error)))


def no_room(error: Exception) -> FaceWhyError:
    """What is said where the system refuses files, memory, threads or a folder."""
    if isinstance(error, RuntimeError) and "start new thread" not in str(error):
        raise error
    received = getattr(error, "strerror", None) or str(error) or "no memory left"
    return FaceWhyError(
        "The server failed for want of files, memory or disk",
        received,
        "Free memory or disk, or raise its limits (ulimit -a)",
    )


if __name__ == "__main__":
    main()
