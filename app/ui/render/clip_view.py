"""A clip as HTML: its moments side by side, the one that is chosen, and its numbers to take home."""

import base64
import json

import cv2
import numpy as np
from markupsafe import Markup

from app import clips, pipeline, text
from app.clips import Clip, Moment
from app.ui.render import pictures
from app.ui.render.html import fill
from models.types import EMOTIONS

THUMBS = 12
"""Moments in the strip."""
THUMB_HEIGHT = 64


def strip(found: Clip, chosen: int | None = None) -> Markup:
    """Moments spread evenly over the clip, to choose from; the chosen one among them."""
    count = len(found.moments)
    picked = sorted(
        {round(index) for index in np.linspace(0, count - 1, min(THUMBS, count))} | set(_known(found, chosen))
    )
    thumbs = [(index, text.seconds(found.moments[index].at), _thumb(found.moments[index])) for index in picked]
    return fill("clip_strip", thumbs=thumbs, chosen=chosen)


def moment(found: Clip, index: int) -> Markup:
    """One moment: the frame, a box around each person, and what was said of them."""
    shown = found.moments[index]
    width, height = shown.size
    places = {person: place for place, person in enumerate(found.persons, 1)}
    persons = []
    for sighting in shown.sightings:
        left, top, right, bottom = (float(value) for value in sighting.box)
        persons.append(
            {
                "place": places.get(sighting.person, 0),
                "left": left,
                "top": top,
                "width": right - left,
                "height": bottom - top,
                "adjective": text.ADJECTIVES[sighting.prediction.emotion],
                "confidence": sighting.prediction.confidence,
            }
        )
    picture = "data:image/jpeg;base64," + base64.b64encode(shown.jpeg).decode()
    return fill(
        "clip_moment",
        width=width,
        height=height,
        picture=picture,
        persons=persons,
        at=text.seconds(shown.at),
        size=max(width, height) / 34,
    )


def downloads(found: Clip) -> Markup:
    """Links that hold the numbers as CSV and as JSON."""
    table = json.dumps({"asked": found.asked, "moments": list(clips.rows(found))})
    return fill(
        "clip_downloads",
        csv=base64.b64encode(clips.as_csv(found).encode()).decode(),
        json=base64.b64encode(table.encode()).decode(),
    )


def summary(found: Clip) -> Markup:
    """Who is seen, for how long, and what most of their moments look like."""
    persons = []
    for place, person in enumerate(found.persons, 1):
        times, _, smooth = found.timeline(person)
        names = [text.ADJECTIVES[EMOTIONS[int(index)]] for index in smooth.argmax(1)]
        most = max(dict.fromkeys(names), key=names.count)
        persons.append({"place": place, "moments": len(times), "most": most, "times": names.count(most)})
    return fill(
        "clip_summary",
        persons=persons,
        moments=len(found.moments),
        length=text.seconds(found.moments[-1].at) if found.moments else "",
        who="the mean of the three" if found.asked == pipeline.MEAN else f"the {text.ALL[found.asked]}",
    )


def _known(found: Clip, chosen: int | None) -> list[int]:
    return [chosen] if chosen is not None and 0 <= chosen < len(found.moments) else []


def _thumb(shown: Moment) -> str:
    pixels = shown.photo.pixels
    zoom = THUMB_HEIGHT / pixels.shape[0]
    return pictures.jpeg(cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA))
