"""What the live camera shows: frame by frame, the faces followed, what is said of them, and what changed."""

import uuid
from dataclasses import dataclass, replace

import numpy as np

from app import pipeline
from explain import scale
from explain.base import Explanation, Target
from explain.scale import Scale
from models import zoo
from models.errors import UnsuitableMethodError
from models.tracking import Smoother, Tracker
from models.types import EMOTIONS, Face, Photo, Prediction

METHOD = "gradcam"
"""Of the live heatmap: one forward pass and a little; its maps of two faces are alike, see docs/trust.md."""
ASKED = 4
"""Faces, the largest, that the networks are asked about."""
HOLD_S = 3.0
"""Seconds for which a neutral face is held."""
SAMPLES = 4
"""Frames of them that have to show the face."""
STEADY = 0.2
"""Points and boxes settle in this share of the time in which probabilities do."""
LOST = ("network", "face")
"""Why a neutral face is forgotten: another network is asked; its owner was out of sight too long, or the camera off."""
REMEMBERED = 20
"""Frames whose times say how many come in a second."""


@dataclass(frozen=True, eq=False)
class Person:
    """A face in a frame.

    Attributes:
        number: see `models.tracking.Track`.
        face: with its keypoints and box as they are shown, smoothed.
        raw: the answer for this frame alone; None beyond the largest `ASKED` faces.
        probabilities: float32 (7,), smoothed; None likewise.
        change: float32 (7,), how far they are from the person's own neutral face; None where none was held.
    """

    number: int
    face: Face
    raw: Prediction | None = None
    probabilities: np.ndarray | None = None
    change: np.ndarray | None = None

    @property
    def emotion(self) -> str:
        """The name of the emotion that is most probable, smoothed; "" where nobody was asked."""
        return "" if self.probabilities is None else EMOTIONS[int(self.probabilities.argmax())]


@dataclass(frozen=True, eq=False)
class Moment:
    """What is known of one frame.

    Attributes:
        photo: the frame.
        persons: in sight, the largest first.
        asked: a model's name, or `pipeline.MEAN`.
        heat: the heatmap of the largest face, as it is in the frame; None where none is shown.
        shared: its scale.
        rate: frames a second.
        holding: what is left of the time for which a neutral face is held, 0..1; None while none is.
        calibrated: whether there is a neutral face of the largest person.
    """

    photo: Photo
    persons: tuple[Person, ...]
    asked: str
    heat: tuple[Explanation, Face] | None = None
    shared: Scale | None = None
    rate: float = 0.0
    holding: float | None = None
    calibrated: bool = False
    lost: str = ""
    other: bool = False


class Stream:
    """One visitor's camera; lives in a `gr.State`, so it holds arrays only.

    Attributes:
        photo: the last frame that was read; None before there is one.
        lost: why the neutral face was forgotten without the visitor's will, of `LOST`; "" where it was not.
    """

    def __init__(self) -> None:
        self.photo: Photo | None = None
        self.lost, self._key = "", ""
        self.forget()
        self.restart()

    @property
    def key(self) -> str:
        """A name that no other visitor's camera has."""
        self._key = self._key or uuid.uuid4().hex  # not at first: Gradio copies what a State begins with
        return self._key

    def restart(self) -> None:
        """Forget everybody, as after a pause."""
        self._tracker = Tracker(pipeline.find, pipeline.with_keypoints)
        self._places, self._answers, self._limits = Smoother(0), Smoother(0), Smoother(0)
        self._times: list[float] = []
        self._asked = ""
        self._lose("face")

    def hold(self, now: float) -> None:
        """Begin to take the largest face as neutral, for `HOLD_S` seconds."""
        self.forget()
        self._until = now + HOLD_S

    def forget(self) -> None:
        """Forget the neutral face."""
        self._baseline: np.ndarray | None = None
        self._of, self._samples, self._until = 0, list[np.ndarray](), -1.0
        self.lost = ""

    def _lose(self, why: str) -> None:
        """Forget it, and remember why."""
        lost = why if self._baseline is not None or self._until >= 0 else self.lost
        self.forget()
        self.lost = lost

    def read(self, photo: Photo, asked: str, settle: float, heat: bool, now: float) -> Moment:
        """What is known once a frame has come.

        Args:
            photo: the frame.
            asked: a model's name, or `pipeline.MEAN`.
            settle: seconds in which what is shown follows a change to 63 %; 0 shows each frame as it is.
            heat: whether to make a heatmap of the largest face.
            now: seconds on a clock that does not run backwards.

        Raises:
            UnknownNameError, WeightsError: see `models.zoo.load`.
        """
        if self._times and now - self._times[-1] > 2 * HOLD_S:
            self.restart()
        if asked != self._asked:
            self._asked = asked
            self._answers.keep([])
            if self._until >= 0:
                self.hold(now)
            else:
                self._lose("network")
        self.photo = photo
        self._times = [*self._times[-REMEMBERED:], now]
        self._answers.settle, self._places.settle, self._limits.settle = settle, STEADY * settle, settle
        tracks = self._tracker.follow(photo)
        persons = [Person(track.number, self._steadied(track.number, track.face, now)) for track in tracks]
        if self._baseline is not None and all(track.number != self._of for track in self._tracker.tracks):
            self._lose("face")
        answered = answers(asked, [track.face for track in tracks[:ASKED]])
        for index, raw in enumerate(answered):
            smooth = self._answers(persons[index].number, raw.probabilities, now)
            persons[index] = replace(persons[index], raw=raw, probabilities=smooth)
        for smoother in (self._answers, self._places):
            smoother.keep(track.number for track in self._tracker.tracks)
        if persons:
            persons[0] = self._against_neutral(persons[0], now)
        shown = self._heat(persons[0], tracks[0].face, now) if heat and persons else None
        return Moment(
            photo,
            tuple(persons),
            asked,
            (shown[0], tracks[0].face) if shown else None,
            shown[1] if shown else None,
            self._rate(),
            max(0.0, (self._until - now) / HOLD_S) if self._until >= 0 else None,
            bool(persons) and persons[0].change is not None,
            self.lost,
            bool(persons) and self._baseline is not None and persons[0].number != self._of,
        )

    def _steadied(self, number: int, face: Face, now: float) -> Face:
        points = np.zeros((0, 2)) if face.keypoints is None else face.keypoints
        shown = np.concatenate([face.box.reshape(2, 2), points])
        shown = self._places(number, shown, now)
        return replace(face, box=shown[:2].reshape(4), keypoints=shown[2:])

    def _against_neutral(self, person: Person, now: float) -> Person:
        if person.raw is None or person.probabilities is None:
            return person
        if self._until >= 0:
            if person.number != self._of:
                self._of, self._samples, self._until = person.number, [], now + HOLD_S
            self._samples.append(person.raw.probabilities)
            if now >= self._until and len(self._samples) >= SAMPLES:
                self._baseline, self._until = np.mean(self._samples, axis=0), -1.0
        if self._baseline is None or person.number != self._of:
            return person
        return replace(person, change=(person.probabilities - self._baseline).astype(np.float32))

    def _heat(self, person: Person, face: Face, now: float) -> tuple[Explanation, Scale] | None:
        if person.probabilities is None or person.raw is None:
            return None
        name = looked_into(self._asked)
        try:
            made = pipeline.explain(name, face, Target(int(person.probabilities.argmax())), METHOD)
        except UnsuitableMethodError:
            return None
        of_frame = scale.shared([made])
        limit = self._limits(name, np.array([of_frame.limit]), now)
        return made, replace(of_frame, limit=float(limit[0]))

    def _rate(self) -> float:
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-3)


def answers(asked: str, faces: list[Face]) -> tuple[Prediction, ...]:
    """What a model, or the mean of all, says about each face.

    Raises:
        UnknownNameError, WeightsError: see `models.zoo.load`.
    """
    if not faces:
        return ()
    if asked != pipeline.MEAN:
        return pipeline.predict(asked, faces)
    found = pipeline.predictions_for(faces)
    return pipeline.mean(found) if len(found) > 1 else next(iter(found.values()))


def looked_into(asked: str) -> str:
    """The network whose heatmap is shown: the one that is asked; of the mean, the first, which is the fastest."""
    return zoo.EMOTION_MODELS[0] if asked == pipeline.MEAN else asked
