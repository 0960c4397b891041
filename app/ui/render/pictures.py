"""Pictures of a session as HTML, with everything inside: no file is written and none is fetched."""

import base64

import cv2
import numpy as np

from app import text
from app.ui.session import Session
from explain import figures
from explain.base import Explanation
from explain.scale import Scale
from models import framing
from models.types import KEYPOINTS, Face, Photo

VIEW_SIDE = 1280
"""Longest side in pixels of a photo as it is shown."""
CLOSE_UP_SIDE = 288
CROP_ZOOM = 8
"""How much larger than the networks' crop a face is shown behind a heatmap."""

PART_OF = {"eyebrow": "brows", "eye": "eyes", "nose": "nose", "mouth": "mouth"}
PARTS = ("brows", "eyes", "nose", "mouth")

SELECT = """
const choose = (event) => {
  const target = event.target.closest('[data-index]');
  if (target) trigger('select', {index: Number(target.dataset.index)});
};
element.addEventListener('click', choose);
element.addEventListener('keydown', (event) => {
  if (event.target.tagName === 'BUTTON' || !['Enter', ' '].includes(event.key)) return;
  event.preventDefault();
  choose(event);
});
"""
"""For `gr.HTML(js_on_load=)`: what carries `data-index` can be chosen by click, tap and keyboard."""


def jpeg(pixels: np.ndarray) -> str:
    """A picture, uint8 (H, W) or (H, W, 3) RGB, as a data URL."""
    ordered = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    data = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def png(pixels: np.ndarray) -> str:
    """A picture, uint8 (H, W, 4) RGBA, as a data URL."""
    data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))[1]
    return "data:image/png;base64," + base64.b64encode(data).decode()


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
    boxes = "".join(_box(session, index) for index in range(count))
    points = ""
    if count and session.face.keypoints is not None:
        radius = max(_width(session.face) * 0.02, max(width, height) / 400)
        points = _points(session.face.keypoints, radius, width, height)
    return (
        f'<svg class="fw-photo" viewBox="0 0 {width} {height}" role="group" aria-label="{alt}">'
        f'<image href="{jpeg(shown)}" width="{width}" height="{height}"/>{boxes}{points}</svg>'
    )


def close_up(session: Session) -> str:
    """The chosen face, upright, with its keypoints: names under the pointer, colours and a list beside it."""
    face = session.face
    if face is None or face.keypoints is None:
        return ""
    scale = CLOSE_UP_SIDE / framing.WIDE_SIDE
    matrix = framing.widen(face.to_crop) * scale
    matrix[:, 2] += (scale - 1) / 2
    points = _points(framing.apply(matrix, face.keypoints), 4.2, CLOSE_UP_SIDE, CLOSE_UP_SIDE)
    colours = "".join(f'<li class="fw-{name}">{name}</li>' for name in PARTS)
    rows = "".join(
        f'<li class="fw-{part(name)}">{label(name)} <span>{x:.0f}, {y:.0f}</span></li>'
        for name, (x, y) in zip(KEYPOINTS, face.keypoints, strict=True)
    )
    return (
        f'<div class="fw-close-up"><svg viewBox="0 0 {CLOSE_UP_SIDE} {CLOSE_UP_SIDE}" role="img" '
        f'aria-label="The chosen face with its 15 keypoints, which the list names">'
        f'<image href="{jpeg(_warp(session.photo, matrix, CLOSE_UP_SIDE))}" width="{CLOSE_UP_SIDE}" '
        f'height="{CLOSE_UP_SIDE}"/>{points}</svg><div class="fw-legend"><h3>15 keypoints</h3><ul>{colours}</ul>'
        f"<p>Point at one to read its name. Left and right are the person's own.</p></div></div>"
        f'<details class="fw-legend"><summary>The keypoints by name and place</summary>'
        f"<p>In pixels of the photo, from its left and top edge.</p><ol>{rows}</ol></details>"
    )


def strip(session: Session) -> str:
    """The faces side by side to choose from; nothing where there is no choice."""
    if len(session.faces) < 2:
        return ""
    buttons = "".join(
        f'<button type="button" role="radio" aria-checked="{str(index == session.chosen).lower()}" '
        f'data-index="{index}"><img alt="Face {index + 1}" src="{jpeg(_crop(session.photo, face, 2))}"></button>'
        for index, face in enumerate(session.faces)
    )
    return f'<div class="fw-strip" role="radiogroup" aria-label="Choose a face">{buttons}</div>'


def thumbnail(picture: Photo, side: int) -> str:
    """The upper middle of a picture as a square, as a data URL."""
    width, height = picture.size
    length = min(width, height)
    left, top = (width - length) // 2, (height - length) // 4
    square = picture.pixels[top : top + length, left : left + length]
    return jpeg(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA))


def overlay(session: Session, explanation: Explanation, shared: Scale, zoom: int = CROP_ZOOM, above: str = "") -> str:
    """The chosen face under the heatmap of an explanation; the page's slider sets how much shows.

    The face is grey and aligned as the network sees it, only sharper. The two are apart, so that
    the slider needs no new picture. `above` is HTML that lies over both.
    """
    alt = f"Heatmap of {text.MODELS[explanation.model]} for {explanation.target.name}"
    heat = figures.heat(explanation.values, shared, framing.CROP_SIDE * zoom)
    return layers(session, heat, f"{alt}; the text says which parts of the face it marks", zoom, above)


def layers(session: Session, heat: np.ndarray, alt: str, zoom: int = CROP_ZOOM, above: str = "") -> str:
    """The chosen face in grey under a picture, uint8 (H, W, 4) RGBA, that `alt` describes."""
    face = cv2.cvtColor(_crop(session.photo, session.face, zoom), cv2.COLOR_RGB2GRAY)
    return (
        f'<div class="fw-overlay"><img alt="" src="{jpeg(face)}">'
        f'<img class="fw-heat" alt="{alt}" src="{png(heat)}">{above}</div>'
    )


def colour_bar(shared: Scale, explanation: Explanation) -> str:
    """What the colours of a heatmap mean; the number stands behind a fold."""
    low, high = figures.colour_bar_labels(shared, explanation)
    return bar(figures.colour_bar(shared.signed), low, high, figures.full_colour(shared))


def bar(colours: np.ndarray, low: str, high: str, more: str) -> str:
    """A strip of colours, uint8 (H, W, 3), with what its ends mean, and more behind a fold."""
    url = png(cv2.cvtColor(colours, cv2.COLOR_RGB2RGBA))
    return (
        f'<div class="fw-bar"><img alt="" src="{url}"><span>{low}</span><span>{high}</span>'
        f"<details><summary>What full colour means</summary><p>{more}</p></details></div>"
    )


def _crop(picture: Photo, face: Face, zoom: int) -> np.ndarray:
    matrix = face.to_crop * zoom
    matrix[:, 2] += (zoom - 1) / 2
    return _warp(picture, matrix, framing.CROP_SIDE * zoom)


def _warp(picture: Photo, matrix: np.ndarray, side: int) -> np.ndarray:
    channels = [framing.cut(picture.pixels[..., channel], matrix, side) for channel in range(3)]
    return np.uint8(np.stack(channels, axis=-1) * 255 + 0.5)


def _width(face: Face) -> float:
    return float(face.box[2] - face.box[0])


def _box(session: Session, index: int) -> str:
    left, top, right, bottom = (float(value) for value in session.faces[index].box)
    chosen = index == session.chosen
    area = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
    number = ""
    if len(session.faces) > 1:
        size = max(session.photo.size) / 36
        place = f'x="{left:.1f}" y="{max(top - size * 0.25, size):.1f}"'
        number = f'<text {place} font-size="{size:.1f}">{index + 1}</text>'
    return (
        f'<g class="fw-box{" chosen" if chosen else ""}" data-index="{index}" role="button" tabindex="0" '
        f'aria-pressed="{str(chosen).lower()}" aria-label="Face {index + 1}">'
        f'<rect {area} rx="4"/>{number}</g>'
    )


def _points(points: np.ndarray, radius: float, width: int, height: int) -> str:
    size = max(width, height) / 26
    marks = []
    for name, (x, y) in zip(KEYPOINTS, points, strict=True):
        anchor = "start" if x < width / 2 else "end"
        shift = 2.5 * radius if anchor == "start" else -2.5 * radius
        marks.append(
            f'<g class="fw-point fw-{part(name)}"><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
            f'<circle class="reach" cx="{x:.1f}" cy="{y:.1f}" r="{2 * radius:.1f}"/>'
            f'<text x="{x + shift:.1f}" y="{y + size / 3:.1f}" font-size="{size:.1f}" text-anchor="{anchor}">'
            f"{label(name)}</text></g>"
        )
    return "".join(marks)
