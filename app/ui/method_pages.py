"""The pages of `docs/methods` and the guides to the Lab and for teachers, ready to be shown inside the app."""

import base64
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "methods"
PICTURE = re.compile(r"!\[([^\]]*)\]\(([\w-]+\.(?:jpg|png))\)")
LEFT_OUT = re.compile(
    r"\A# [^\n]*\n+[^\n]*\n+|^## Parameters\n.*?(?=^## |\Z)|^\[[^\]\n]*\]\(README\.md\)$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)")


@cache
def method(name: str) -> str:
    """The page of a method as markdown that needs no other file; "" where there is none.

    Its pictures are inside, links to other files of the repository become plain words, and what
    stands beside it in the app is left out: title, summary and parameters.

    Args:
        name: a key of `METHODS`.
    """
    page = FOLDER / f"{name}.md"
    if not page.is_file():
        return ""
    text = LEFT_OUT.sub("", page.read_text(encoding="utf-8"))
    return PICTURE.sub(_inside, LINK.sub(r"\1", text)).strip()


@cache
def guide(name: str) -> str:
    """A page of `docs`, such as "lab", as markdown that needs no other file; "" where it does not come along."""
    page = FOLDER.parent / f"{name}.md"
    if not page.is_file():
        return ""
    return LINK.sub(r"\1", page.read_text(encoding="utf-8").partition("\n")[2]).strip()


def _inside(found: re.Match[str]) -> str:
    alt, name = found.groups()
    kind = "jpeg" if name.endswith("jpg") else "png"
    return f"![{alt}](data:image/{kind};base64,{base64.b64encode((FOLDER / name).read_bytes()).decode()})"
