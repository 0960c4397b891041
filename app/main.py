"""FaceWhy's page: composes the tabs and starts the server."""

import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":  # `python app/main.py` puts app/ on the path, not the repository's root
    sys.path[0] = str(Path(__file__).resolve().parents[1])

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr  # noqa: E402

from app import endpoints, theme, uploads  # noqa: E402
from app.guard import GuardedBlocks  # noqa: E402
from app.session import KEPT, Session  # noqa: E402
from app.tabs import Shared, compare, explain, lab, models, predict  # noqa: E402
from explain import registry  # noqa: E402
from models import photo, zoo  # noqa: E402

TABS = (predict, explain, compare, lab, models)
HEADER = """
<header class="fw-header"><h1>FaceWhy</h1>
<p>See which emotion three networks read in a face, and why.</p>
<p class="fw-privacy">Your picture is read in memory, shown only to you, and forgotten when you leave.
A network guesses how a face looks, not what a person feels.</p></header>
"""


def build() -> gr.Blocks:
    """The page with its tabs and the public endpoints."""
    uploads.private_folder()
    with GuardedBlocks(title="FaceWhy", analytics_enabled=False, delete_cache=(600, KEPT)) as page:
        endpoints.add()  # first, so that no handler of a tab takes an endpoint's name
        gr.HTML(HEADER)
        shared = Shared(gr.State(Session(), time_to_live=KEPT), None)
        with gr.Tabs():
            for module in TABS:
                with gr.Tab(module.TITLE) as tab:
                    module.build(replace(shared, tab=tab))
    return page.queue(max_size=40, default_concurrency_limit=2)


def launch(**options) -> gr.Blocks:
    """Start the server; the page opens at once and the models load behind it.

    Args:
        **options: go to `gr.Blocks.launch`, over ours.

    Returns:
        The running page; its `block_thread()` waits.
    """
    settings = {
        "theme": theme.build(),
        "css_paths": Path(__file__).with_name("page.css"),
        "max_file_size": photo.MAX_BYTES,
        "allowed_paths": [],
        "state_session_capacity": 200,
        "show_error": True,
        "enable_monitoring": False,
        "run_history": False,
        "strict_cors": True,
        "ssr_mode": False,
        "footer_links": ["api"],
        "prevent_thread_lock": True,
    }
    page = build()
    page.launch(**settings | options)
    threading.Thread(target=warm, name="warm-all", daemon=True).start()
    return page


def warm() -> None:
    """Load the models and run every method once, so that the first visitor waits for neither."""
    zoo.warm().join()
    for name, status in zoo.loaded().items():
        if name in zoo.EMOTION_MODELS and status.state == "ready":
            registry.warm(zoo.load(name))


def main() -> None:
    """Run until stopped; a polite stop also removes the folder of uploads."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    launch().block_thread()


if __name__ == "__main__":
    main()
