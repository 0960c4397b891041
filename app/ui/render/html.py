"""HTML from the templates beside this file; what is filled in is escaped."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from app import text
from app.ui.session import Session
from models import quality


class Tight(Extension):
    """A line break of a template between two tags vanishes, any other becomes a space.

    An HTML component without content is taken off the page by `page.css`, so that nothing but content may be left.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"\s*\n\s*", " ", re.sub(r"(?<=[>}])\s*\n\s*(?=[<{])", "", source.strip()))


templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    extensions=[Tight],
)
templates.globals |= {"MODELS": text.MODELS, "ADJECTIVES": text.ADJECTIVES, "GUESS": text.GUESS, "ALL": text.ALL}
templates.filters |= {"percent": text.percent, "share": text.share, "duration": text.duration}


def fill(template: str, /, **values: Any) -> Markup:
    """A template with values in it.

    Args:
        template: a file in `templates`, without its ending.
        values: by the names that the template uses; a `Markup` is taken as it is.
    """
    return Markup(templates.get_template(f"{template}.html").render(values))


FIRST_A_PHOTO = Markup("First give a photo with a face on the tab <b>Predict</b>.")


QUEUED = fill("queued")


def note(text: str, **extra: Any) -> Markup:
    """A word to the visitor beside or in place of a result; `Markup` may hold tags.

    Args:
        text: what is said.
        extra: see `note.html`.
    """
    return fill("note", text=text, **{"progress": None, "quiet": False} | extra)


def verdict(session: Session, said: str) -> Markup:
    """What is found on the chosen face, which is named where there are several."""
    picture, face = session.opened
    turned = "" if session.by_hand else text.turned(picture.turned)
    doubts = "" if session.guessed else text.doubts(quality.measure(face, picture.size, picture.reduced))
    return fill("verdict", face=session.face_name, text=said, guessed=session.guessed, turned=turned, doubts=doubts)
