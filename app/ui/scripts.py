"""The page's JavaScript, which lies in `static`."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("static")


@cache
def read(name: str) -> str:
    """A script, for an event's `js=` or for `js_on_load=` of `gr.HTML`.

    Args:
        name: of a file in `static`, without its ending.
    """
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")
