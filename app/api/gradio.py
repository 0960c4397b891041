"""The endpoints as Gradio's, listed at /gradio_api/info."""

from collections.abc import Callable

from app.api.endpoints import ENDPOINTS


def add_endpoints(open_endpoint: Callable[..., None]) -> None:
    """Open the endpoints on the page that is being built, each in its queue.

    Args:
        open_endpoint: opens one of them, see `app.ui.gradio_overrides.events`.
    """
    for function, queue in ENDPOINTS.items():
        open_endpoint(function, **queue)
