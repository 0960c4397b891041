"""Pictures of a session as HTML, with everything inside: no file is written and none is fetched."""

import base64
from typing import Any

import cv2
import numpy as np

from app import text
from app.ui.render.html import fill
from app.ui.session import Session
from explain import figures
from explain.base import Explanation
from explain.scale import Scale
from models import framing, quality
from models.types import KEYPOINTS, Face, Photo

VIEW_SIDE = 1280
"""Longest side in pixels of a photo as it is shown."""
CLOSE_UP_SIDE = 288
SMALL_SIDE = 224
"""Longest side in pixels of the photo beside a map."""
CROP_ZOOM = 8
"""How much larger than the networks' crop a face is shown behind a heatmap."""

PART_OF = {"eyebrow": "brows", "eye": "eyes", "nose": "nose", "mouth": "mouth"}
PARTS = ("brows", "eyes", "nose", "mouth")


def jpeg(pixels: np.ndarray) -> str:
    """A picture, uint8 (H, W) or (H, W, 3) RGB, as a data URL."""
    ordered = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    data = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def png(pixels: np.ndarray) -> str:
    """A picture, uint8 (H, W, 4) RGBA, as a data URL."""
    data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))[1]
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def label(keypoint: str) -> str:
    """A keypoint's name for people: "left eyebrow, inner end"."""
    words = keypoint.split("_")
    if keypoint.startswith(("left", "right")):
        tail = " ".join(words[2:])
        return f"{words[0]} {words[1]}, {tail}"
    if words[0] == "mouth":
        return f"mouth, {' '.join(words[1:])}"
    return " ".join(words)


def part(keypoint: str) -> str:
    """The part of the face that a keypoint belongs to, one of `PARTS`."""
    return next(name for word, name in PART_OF.items() if word in keypoint)


def photo(session: Session) -> str:
    """The photo with a box around every face and the chosen face's keypoints; faces can be chosen."""
    if session.photo is None:
        return ""
    width, height = session.photo.size
    zoom = min(1.0, VIEW_SIDE / max(width, height))
    shown = session.photo.pixels
    if zoom < 1:
        shown = cv2.resize(shown, (round(width * zoom), round(height * zoom)), interpolation=cv2.INTER_AREA)
    count = len(session.faces)
    alt = "Your photo: " + ("no face was found" if not count else "1 face" if count == 1 else f"{count} faces")
    marks, radius, face = [], 0.0, session.face
    if face is not None and face.keypoints is not None:
        radius = max(_width(face) * 0.02, max(width, height) / 400)
        marks = [mark for mark in _marks(session.photo, face.keypoints, face.keypoints, radius, width) if mark["seen"]]
    return fill(
        "photo",
        width=width,
        height=height,
        alt=alt,
        picture=jpeg(shown),
        boxes=[_box(session, index) for index in range(count)],
        size=max(width, height) / 36,
        marks=marks,
        radius=radius,
    )


def close_up(session: Session) -> str:
    """The chosen face, upright, with its keypoints: names under the pointer, colours and a list beside it."""
    picture, face = session.photo, session.face
    if picture is None or face is None or face.keypoints is None:
        return ""
    scale = CLOSE_UP_SIDE / framing.WIDE_SIDE
    matrix = framing.widen(face.to_crop) * scale
    matrix[:, 2] += (scale - 1) / 2
    return fill(
        "close_up",
        side=CLOSE_UP_SIDE,
        picture=jpeg(_warp(picture, matrix, CLOSE_UP_SIDE)),
        marks=_marks(picture, framing.apply(matrix, face.keypoints), face.keypoints, 4.2, CLOSE_UP_SIDE),
        parts=PARTS,
    )


def strip(session: Session) -> str:
    """The faces side by side to choose from; nothing where there is no choice."""
    picture = session.photo
    if picture is None or len(session.faces) < 2:
        return ""
    crops = [jpeg(_crop(picture, face, 2)) for face in session.faces]
    return fill("strip", pictures=crops, chosen=session.chosen)


def above(session: Session) -> str:
    """What stands above the results of a tab: the faces to choose from, or that the whole picture is taken as one."""
    return fill("guess") if session.guessed else strip(session)


def where(session: Session) -> str:
    """The whole photo, small, with the chosen face marked."""
    picture, _ = session.opened
    width, height = picture.size
    zoom = SMALL_SIDE / max(width, height)
    small = cv2.resize(picture.pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    box = _box(session, session.chosen)
    return fill("where", width=width, height=height, picture=jpeg(small), box=box, face=session.face_name)


def thumbnail(picture: Photo, side: int) -> str:
    """The upper middle of a picture as a square, as a data URL."""
    width, height = picture.size
    length = min(width, height)
    left, top = (width - length) // 2, (height - length) // 4
    square = picture.pixels[top : top + length, left : left + length]
    return jpeg(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA))


def overlay(
    session: Session,
    explanation: Explanation,
    shared: Scale,
    zoom: int = CROP_ZOOM,
    above: str = "",
    strength: float = 1,
) -> str:
    """The chosen face under the heatmap of an explanation; the page's slider sets how much shows.

    The face is grey and aligned as the network sees it, only sharper. The two are apart, so that
    the slider needs no new picture. `above` is HTML that lies over both, `strength` in 0..1 pales the map.
    """
    alt = f"Heatmap of {text.MODELS[explanation.model]} for {explanation.target.name}"
    heat = figures.heat(explanation.values, shared, framing.CROP_SIDE * zoom)
    return layers(session, heat, f"{alt}; the text says which parts of the face it marks", zoom, above, strength)


def layers(
    session: Session, heat: np.ndarray, alt: str, zoom: int = CROP_ZOOM, above: str = "", strength: float = 1
) -> str:
    """The chosen face in grey under a picture, uint8 (H, W, 4) RGBA, that `alt` describes."""
    face = cv2.cvtColor(_crop(*session.opened, zoom), cv2.COLOR_RGB2GRAY)
    return fill("overlay", face=jpeg(face), heat=png(heat), alt=alt, above=above, strength=strength)


def colour_bar(shared: Scale, explanation: Explanation) -> str:
    """What the colours of a heatmap mean; the number stands behind a fold."""
    low, high = figures.colour_bar_labels(shared, explanation)
    colours = png(cv2.cvtColor(figures.colour_bar(shared.signed), cv2.COLOR_RGB2RGBA))
    return fill("colour_bar", colours=colours, low=low, high=high, more=figures.full_colour(shared))


def _crop(picture: Photo, face: Face, zoom: int) -> np.ndarray:
    matrix = face.to_crop * zoom
    matrix[:, 2] += (zoom - 1) / 2
    return _warp(picture, matrix, framing.CROP_SIDE * zoom)


def _warp(picture: Photo, matrix: np.ndarray, side: int) -> np.ndarray:
    channels = [framing.cut(picture.pixels[..., channel], matrix, side) for channel in range(3)]
    return (np.stack(channels, axis=-1) * 255 + 0.5).astype(np.uint8)


def _width(face: Face) -> float:
    return float(face.box[2] - face.box[0])


def _box(session: Session, index: int) -> dict[str, Any]:
    left, top, right, bottom = (float(value) for value in session.faces[index].box)
    return {
        "index": index,
        "chosen": index == session.chosen,
        "left": left,
        "top": top,
        "width": right - left,
        "height": bottom - top,
    }


def _marks(picture: Photo, points: np.ndarray, places: np.ndarray, radius: float, width: int) -> list[dict[str, Any]]:
    """Where keypoints are drawn and named; `places` are those in the photo, perhaps outside it."""
    marks = []
    for name, (x, y), at, seen in zip(KEYPOINTS, points, places, quality.within(places, picture.size), strict=True):
        inside = x < width / 2
        marks.append(
            {
                "part": part(name),
                "label": label(name),
                "x": x,
                "y": y,
                "at": at,
                "seen": bool(seen),
                "anchor": "start" if inside else "end",
                "shift": 2.5 * radius if inside else -2.5 * radius,
            }
        )
    return marks
