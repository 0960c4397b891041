"""Whether a photo lies on its side or stands on its head though its file does not say so, and how to turn it.

A face that is read in a wrong turn shows itself: the detector's points and the keypoint network disagree, see
`quality.disagreement`. One that is found and read lying shows it by its roll. What was measured: `docs/quality.md`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from models import framing
from models.quality import disagreement
from models.types import Face, Photo

TURNS = (0, 90, 180, 270)
"""Degrees clockwise."""
VOTERS = 5
"""The largest faces of a photo, which decide; one that fits badly turns no group."""
FITS = 0.14
"""A face whose disagreement is no larger is read the right way up."""
NO_FACE = 0.3
"""With this disagreement there is no face at all."""
LEANING = 60.0
"""Degrees; a face that leans further speaks for another turn."""
CLEARLY = 1.25
"""Another turn is taken where its faces fit this much better …"""
LEAST = 0.3
"""… and this well at least, so that an animal does not turn a picture."""
SIDE = 480
"""The longer side in pixels of a photo whose other turns are looked at: one pass of the detector each."""


def turned(photo: Photo, degrees: int) -> Photo:
    """A photo turned clockwise.

    Args:
        photo: to be turned.
        degrees: a multiple of 90.
    """
    if degrees % 360 == 0:
        return photo
    pixels = np.ascontiguousarray(np.rot90(photo.pixels, -degrees // 90))
    return replace(photo, pixels=pixels, turned=(photo.turned + degrees) % 360)


def search(photo: Photo, faces: list[Face], look: Callable[[Photo], list[Face]]) -> tuple[Photo, list[Face]]:
    """A photo in the turn in which its faces fit best, and those faces.

    Args:
        photo: as it came.
        faces: what `look` found in it so.
        look: the faces of a photo with their keypoints, largest first; asked for the other turns only where most of
            the largest faces lie or fit badly, or there is none.
    """
    if fits(faces):
        return photo, faces
    reduced = small(photo)
    by_turn = {degrees: look(turned(reduced, degrees)) for degrees in TURNS[1:]}
    if degrees := best({0: faces} | by_turn):
        other = turned(photo, degrees)
        again = look(other)
        if best({0: faces, degrees: again}):
            return other, again
    return photo, faces


def fits(faces: Sequence[Face]) -> bool:
    """Whether most of the largest faces are read the right way up; not where there is none.

    Args:
        faces: with their keypoints, largest first.
    """
    voters = faces[:VOTERS]
    return sum(_fits(face) for face in voters) * 2 > len(voters)


def best(by_turn: Mapping[int, Sequence[Face]]) -> int:
    """The turn in which the faces of a photo fit best; 0 unless another one fits clearly better.

    Args:
        by_turn: by degrees clockwise, the faces that are found in the photo so turned, with their keypoints, largest
            first; 0 is among them.
    """
    evidence = {degrees: sum(_evidence(face) for face in faces[:VOTERS]) for degrees, faces in by_turn.items()}
    turn = max(evidence, key=lambda degrees: evidence[degrees])
    return turn if evidence[turn] > max(CLEARLY * evidence[0], LEAST) else 0


def small(photo: Photo) -> Photo:
    """A photo that is no larger than is needed to look at its other turns."""
    zoom = SIDE / max(photo.size)
    if zoom >= 1:
        return photo
    size = [max(1, round(side * zoom)) for side in photo.size]
    pixels = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    return replace(photo, pixels=pixels, reduced=photo.reduced / zoom)


def _fits(face: Face) -> bool:
    apart = disagreement(face)
    return apart is not None and apart <= FITS and abs(framing.roll(face.to_crop)) <= LEANING


def _evidence(face: Face) -> float:
    """How much a face speaks for the turn that it was found in, 0..1."""
    apart = disagreement(face)
    if apart is None:
        return 0.0
    lean = np.cos(np.radians(framing.roll(face.to_crop)))
    return face.score * max(0.0, 1 - apart / NO_FACE) * max(0.0, float(lean))
