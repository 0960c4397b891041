"""A clip read: persons followed through its frames, and what the networks say of each at each moment."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from app import pipeline
from app.live import answers
from models import clip, photo
from models.tracking import Track, Tracker
from models.types import EMOTIONS, Photo, Prediction

EVERY = 2
"""Sampled frames from one look of the detector to the next: a quarter of a second lies between two frames, or more."""
PERSONS = 6
"""Faces, the largest, that are asked about in one frame."""
QUALITY = 88
"""Of the JPEGs in which frames are kept, so that one can be opened."""
BRIEF = 2
"""Frames in which a person has to be seen to count: a face that shows up once is often none."""
SETTLE_S = 0.5
"""The time constant of the smoothed line, in seconds."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """A person in a frame.

    Attributes:
        person: the number of the track.
        box: float32 (4,), left, top, right, bottom in pixels of the frame.
        keypoints: float32 (15, 2), in the same.
        prediction: the answer for this frame alone.
    """

    person: int
    box: np.ndarray
    keypoints: np.ndarray
    prediction: Prediction


@dataclass(frozen=True, eq=False)
class Moment:
    """A sampled frame of a clip.

    Attributes:
        at: seconds from the beginning.
        jpeg: the frame.
        size: width and height in pixels.
        sightings: who is in it, the largest face first.
    """

    at: float
    jpeg: bytes
    size: tuple[int, int]
    sightings: tuple[Sighting, ...]

    @property
    def photo(self) -> Photo:
        """The frame as a photo."""
        return photo.read(self.jpeg)


@dataclass(frozen=True, eq=False)
class Clip:
    """What was read of a clip.

    Attributes:
        asked: a model's name, or `pipeline.MEAN`.
        moments: in their order.
        finished: whether that is all of it.
        share: how much of the clip is read, 0..1, as far as its container tells.
    """

    asked: str
    moments: tuple[Moment, ...] = field(default=())
    finished: bool = False
    share: float = 0.0

    @property
    def nbytes(self) -> int:
        """What the kept frames take."""
        return sum(len(moment.jpeg) for moment in self.moments)

    @property
    def persons(self) -> tuple[int, ...]:
        """The numbers of those who are seen in `BRIEF` frames or more, whoever is seen most first."""
        count: dict[int, int] = {}
        for moment in self.moments:
            for sighting in moment.sightings:
                count[sighting.person] = count.get(sighting.person, 0) + 1
        seen = [person for person, times in count.items() if times >= min(BRIEF, len(self.moments))]
        return tuple(sorted(seen, key=lambda person: (-count[person], person)))

    def of(self, person: int) -> list[tuple[Moment, Sighting]]:
        """Where a person is seen."""
        return [
            (moment, sighting) for moment in self.moments for sighting in moment.sightings if sighting.person == person
        ]

    def timeline(self, person: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A person's times (N,), probabilities (N, 7) and the same smoothed over `SETTLE_S` seconds."""
        seen = self.of(person)
        times = np.array([moment.at for moment, _ in seen])
        raw = np.array([sighting.prediction.probabilities for _, sighting in seen]).reshape(-1, len(EMOTIONS))
        return times, raw, smoothed(times, raw, SETTLE_S)


def smoothed(times: np.ndarray, values: np.ndarray, settle: float) -> np.ndarray:
    """Values (N, K) averaged with weights exp(-distance in time / settle), of both sides, for a clip is known whole."""
    if not len(times):
        return values
    weights = np.exp(-np.abs(times[:, None] - times[None]) / settle)
    return np.asarray(weights @ values / weights.sum(1, keepdims=True))


def read(data: bytes, asked: str = pipeline.MEAN, rate: float = clip.RATE) -> Iterator[Clip]:
    """What is known after each sampled frame of a clip, the last time with all of it.

    Args:
        data: see `models.clip.read`.
        asked: a model's name, or `pipeline.MEAN`.
        rate: frames a second that are read.

    Raises:
        ClipError, ParameterError: see `models.clip.read`.
        UnknownNameError, WeightsError: see `models.zoo.load`.
    """
    tracker = Tracker(pipeline.find, pipeline.with_keypoints, EVERY)
    found: list[Moment] = []
    for frame in clip.read(data, rate):
        tracks = tracker.follow(frame.photo)[:PERSONS]
        said = answers(asked, [track.face for track in tracks])
        sightings = [_sighted(track, one) for track, one in zip(tracks, said, strict=True)]
        found.append(Moment(frame.at, _jpeg(frame.photo), frame.photo.size, tuple(sightings)))
        yield Clip(asked, tuple(found), share=frame.share)
    yield Clip(asked, tuple(found), finished=True, share=1.0)


def whole(data: bytes, asked: str = pipeline.MEAN, rate: float = clip.RATE) -> Clip:
    """The last of `read`."""
    *_, last = read(data, asked, rate)
    return last


def rows(found: Clip) -> Iterator[dict[str, Any]]:
    """The numbers, a row a person and moment."""
    for place, person in enumerate(found.persons, 1):
        seen = found.of(person)
        _, raw, smooth = found.timeline(person)
        for index, (moment, sighting) in enumerate(seen):
            left, top, right, bottom = (round(float(value), 1) for value in sighting.box)
            yield {
                "seconds": round(moment.at, 3),
                "person": place,
                "emotion": sighting.prediction.emotion,
                **{name: round(float(raw[index, column]), 4) for column, name in enumerate(EMOTIONS)},
                **{f"{name}_smoothed": round(float(smooth[index, column]), 4) for column, name in enumerate(EMOTIONS)},
                "left": left,
                "top": top,
                "right": right,
                "bottom": bottom,
            }


def as_csv(found: Clip) -> str:
    """The rows as csv, with a line of names."""
    table = list(rows(found))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(table[0]) if table else ["seconds", "person"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def _sighted(track: Track, said: Prediction) -> Sighting:
    points = np.zeros((0, 2), np.float32) if track.face.keypoints is None else track.face.keypoints
    return Sighting(track.number, track.face.box, points, said)


def _jpeg(picture: Photo) -> bytes:
    found = cv2.imencode(".jpg", picture.pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return found.tobytes()
