"""What one visitor has open."""

import uuid
from dataclasses import dataclass, field, replace
from typing import Any, cast

from models.types import Face, Photo, Prediction


@dataclass(frozen=True, eq=False)
class Session:
    """A visitor's photo and what was read from it; arrays only, never a network.

    Attributes:
        key: names the photo; "" before there is one.
        photo: None before there is one.
        faces: with their keypoints, largest first; empty where none was found.
        chosen: the index of the face that all tabs speak about.
        predictions: by model, one Prediction a face; empty until the models have answered.
        together: what the mean of the models says, one Prediction a face; empty where fewer than two have answered.
        by_hand: whether the visitor has turned the photo.
    """

    key: str = ""
    photo: Photo | None = None
    faces: tuple[Face, ...] = ()
    chosen: int = 0
    predictions: dict[str, tuple[Prediction, ...]] = field(default_factory=dict)
    together: tuple[Prediction, ...] = ()
    by_hand: bool = False

    @property
    def face(self) -> Face | None:
        """The chosen face."""
        return self.faces[self.chosen] if self.faces else None

    @property
    def opened(self) -> tuple[Photo, Face]:
        """The photo and the chosen face, of which there must be one."""
        return cast(Photo, self.photo), self.faces[self.chosen]

    @property
    def guessed(self) -> bool:
        """Whether no face was found, and the whole picture is taken as one."""
        return self.face is not None and self.face.guessed

    @property
    def face_name(self) -> str:
        """Which of several faces is chosen: "Face 2 of 5"; "" where there is no choice."""
        return f"Face {self.chosen + 1} of {len(self.faces)}" if len(self.faces) > 1 else ""

    @property
    def face_predictions(self) -> dict[str, Prediction]:
        """What each model says about the chosen face."""
        return {name: predictions[self.chosen] for name, predictions in self.predictions.items()}

    @property
    def face_together(self) -> Prediction | None:
        """What the mean of the models says about the chosen face."""
        return self.together[self.chosen] if self.together else None

    def choose(self, index: Any) -> "Session":
        """The same session with another face chosen; what is no index of a face changes nothing."""
        return replace(self, chosen=index) if index in range(len(self.faces)) else self


def opened(photo: Photo, faces: list[Face], by_hand: bool = False) -> Session:
    """A session for a new photo, or for one that was turned."""
    return Session(uuid.uuid4().hex, photo, tuple(faces), by_hand=by_hand)


def with_predictions(
    session: Session, predictions: dict[str, tuple[Prediction, ...]], together: tuple[Prediction, ...] = ()
) -> Session:
    """The same session with what the models say, each and together."""
    return replace(session, predictions=predictions, together=together)
