"""A map as a picture that can stand alone: with its scale, and a caption that says what it shows."""

import io
import textwrap

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app import VERSION, text
from app.reporting.report import Report
from explain import evidence, figures
from models import framing, regions

SIDE = 576
"""Side of the map in pixels: twelve for one of the networks' own."""
MARGIN, LINE = 24, 22
TITLE, SMALL = 20, 15
"""Heights of letters in pixels."""
PAPER, INK, QUIET = (255, 255, 255), (25, 28, 27), (104, 109, 102)
BLANK = 0.93
"""The grey of a face that may not be shown."""
PLAIN = str.maketrans({"\u00a0": " ", "×": "x", "–": "-", "…": "..."})
"""What Pillow's own font has no sign for, and what stands for it."""


def overlay(report: Report) -> np.ndarray:
    """The map over the face with the parts outlined, uint8 (SIDE, SIDE, 3), RGB.

    Without the photo it lies over the outlines alone, and no pixel of the face is in it.
    """
    zoom = SIDE / framing.CROP_SIDE
    face = np.full((SIDE, SIDE), BLANK, np.float32)
    if report.photo is not None:
        matrix = report.face.to_crop * zoom
        matrix[:, 2] += (zoom - 1) / 2
        face = framing.cut(cv2.cvtColor(report.photo.pixels, cv2.COLOR_RGB2GRAY), matrix, SIDE)
    paled = figures.OPACITY * text.strength(report.prediction, report.explanation.target)
    drawn = figures.overlay(face, report.explanation.values, report.scale, paled, SIDE)
    lines = drawn.copy()
    for outline in (each for of_part in regions.outlines(report.face.crop_keypoints).values() for each in of_part):
        points = np.round(outline * zoom + (zoom - 1) / 2).astype(np.int32)
        cv2.polylines(lines, [points], True, INK, 1, cv2.LINE_AA)
    return cv2.addWeighted(lines, 0.6, drawn, 0.4, 0)


def caption(report: Report) -> list[str]:
    """What stands below the map, a paragraph each."""
    said = [
        text.question(report.explanation.target, report.prediction),
        report.weak,
        report.doubts,
        report.sentences[0],
    ]
    made = f"{evidence.CAUTION} FaceWhy {VERSION}, {report.made.isoformat()}."
    return [" ".join(filter(None, said)), report.verdict, made]


def to_png(report: Report) -> bytes:
    """The map with a title above, its scale and `caption` below, as a PNG file."""
    title, small = ImageFont.load_default(TITLE), ImageFont.load_default(SMALL)
    paragraphs = [_wrapped(paragraph, small) for paragraph in caption(report)]
    heads = _wrapped(report.title, title)
    bar = figures.colour_bar(report.scale.signed, SIDE)
    top = MARGIN + len(heads) * (LINE + 6) + 4
    lines = sum(len(paragraph) for paragraph in paragraphs)
    below = top + SIDE + 12 + bar.shape[0] + 6 + LINE + 14
    height = below + lines * LINE + len(paragraphs) * 8 + MARGIN
    picture = Image.new("RGB", (SIDE + 2 * MARGIN, height), PAPER)
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(heads):
        draw.text((MARGIN, MARGIN + index * (LINE + 6)), line, INK, title)
    picture.paste(Image.fromarray(overlay(report)), (MARGIN, top))
    picture.paste(Image.fromarray(bar), (MARGIN, top + SIDE + 12))
    low, high = (label.translate(PLAIN) for label in figures.colour_bar_labels(report.scale, report.explanation))
    draw.text((MARGIN, below - 14 - LINE), low, QUIET, small)
    draw.text((MARGIN + SIDE - small.getlength(high), below - 14 - LINE), high, QUIET, small)
    for index, paragraph in enumerate(paragraphs):
        for line in paragraph:
            draw.text((MARGIN, below), line, QUIET if index == len(paragraphs) - 1 else INK, small)
            below += LINE
        below += 8
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _wrapped(paragraph: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """A paragraph as lines that are no wider than the map."""
    plain = paragraph.translate(PLAIN)
    letters = len(plain)
    while letters > 1:
        lines = textwrap.wrap(plain, letters)
        if all(font.getlength(line) <= SIDE for line in lines):
            return lines
        letters -= 1
    return [plain]
