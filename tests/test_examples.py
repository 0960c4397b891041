"""Every example picture is credited, readable, and shows a face to the app."""

import re
from pathlib import Path

import pytest

from models import detector, photo

EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURES = sorted(p.name for p in EXAMPLES.iterdir() if p.suffix in (".jpg", ".png"))


def test_there_are_eight_or_more_and_each_is_credited():
    credited = re.findall(r"^\| `([^`]+)` \|", (EXAMPLES / "credits.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(PICTURES) >= 8 and sorted(credited) == PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_a_face_is_found(name):
    faces = detector.find(photo.read(EXAMPLES / name))
    assert len(faces) == (5 if name == "group.jpg" else 1)
