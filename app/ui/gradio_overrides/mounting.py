"""A page mounted behind the routes of an application, as `launch()` would serve it."""

import os
from pathlib import Path
from typing import Any, cast

import gradio as gr
from fastapi import FastAPI

from app.ui import theme
from app.ui.gradio_overrides import sessions, upload_progress, upload_route
from app.ui.gradio_overrides.static_cache import StaticCacheMiddleware
from app.ui.render.html import fill
from models import photo

PAGE = {
    "head": str(fill("no_script")),
    "css_paths": Path(__file__).parents[1] / "static" / "page.css",
    "max_file_size": photo.MAX_BYTES,
    "allowed_paths": [],
    "show_error": True,
    "enable_monitoring": False,
    "run_history": False,
    "ssr_mode": False,
    "mcp_server": True,
    "footer_links": ["api"],
}


def mount(application: FastAPI, page: gr.Blocks) -> None:
    """Mount a page at "/", with sessions that are forgotten whole."""
    page.state_session_capacity = sessions.SESSIONS
    gr.mount_gradio_app(
        application, page, path="/", theme=theme.build(), root_path=os.environ.get("GRADIO_ROOT_PATH"), **PAGE
    )
    mounted = mounted_on(application)
    mounted.add_middleware(StaticCacheMiddleware)
    mounted.state_holder = sessions.SessionStore()
    mounted.state_holder.set_blocks(page)
    sessions.bind()
    upload_progress.bound()
    upload_route.limit()
    page._queue.set_server_app(mounted)  # as launch() does: without it no call is ever forgotten


def mounted_on(application: FastAPI) -> gr.routes.App:
    """The page's own application, which `mount` put behind the routes."""
    return cast(gr.routes.App, cast(Any, application.routes[-1]).app)


def set_address(page: gr.Blocks, url: str) -> None:
    """Tell a page where it is, as launch() does."""
    page.local_url = url  # type: ignore[assignment]


def mcp_server(page: gr.Blocks) -> Any:
    """The MCP server of a page that was mounted with `mcp_server=True`."""
    return cast(Any, page).mcp_server_obj.mcp_server
