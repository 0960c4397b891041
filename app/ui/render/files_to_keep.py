"""Files to keep as links that hold them, so that none is written on the server."""

import base64
from collections.abc import Mapping

from app import reporting
from app.ui.render.html import fill

TITLES = {
    "report.html": ("Report", "one page, to read or to print"),
    "map.png": ("Map", "a picture with scale and caption"),
    "evidence.csv": ("Evidence", "a table by part of the face"),
    "explanation.json": ("Everything", "all numbers as JSON"),
}
"""How each file is called, and what it is."""


def links(contents: Mapping[str, bytes], waiting: bool) -> str:
    """A link a file.

    Args:
        contents: by the names of `reporting.FILES`.
        waiting: whether the test of the map is not done yet, which the files then say.
    """
    files = [
        {
            "name": name,
            "title": TITLES[name][0],
            "what": TITLES[name][1],
            "address": f"data:{reporting.FILES[name]};base64,{base64.b64encode(content).decode()}",
        }
        for name, content in contents.items()
    ]
    return fill("files_to_keep", files=files, waiting=waiting)
