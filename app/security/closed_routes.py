"""Routes of Gradio that stay closed, and what its open ones raise for requests that its page never sends."""

import re

NONSENSE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What Gradio's routes raise for a request that its page never sends; what our functions raise ends before."""
GRADIO = re.compile(r"/($|config|gradio_api/)")
CLOSED = tuple(
    f"/gradio_api/{route}"
    for route in (
        "component_server",
        "custom_component/",
        "deep_link",
        "dev/",
        "file/",
        "process_recording",
        "proxy=",
        "run-history",
        "runs",
        "stream/",
        "undo-vibe-edit",
        "vibe-",
    )
) + ("/monitoring",)
"""Routes of Gradio that the page does not use: they write files, fetch addresses or call functions of components."""
FETCHING = re.compile(r"/gradio_api/file=(.*(://|%|\0)|data:|[/\\]{2})", re.DOTALL)
"""Gradio would fetch an address that is named as a file; no upload's path looks like these."""
