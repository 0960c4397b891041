"""What the tab's handlers give back: named tuples of outputs, and the map on the screen."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from app.ui.cancellation import Cancellation
from app.ui.session import Session
from app.ui.tabs import SKIP
from explain.base import Explanation
from models.types import Face, Prediction


@dataclass(frozen=True, eq=False)
class Shown:
    """The map on the screen.

    Attributes:
        key: of this map and no other.
        about: what was asked for; the same again gives the same map.
        face: the face that was explained.
        explanation: its explanation.
        version: of the model that was explained.
        prediction: what it says about the face.
    """

    key: str
    about: tuple[Any, ...]
    face: Face
    explanation: Explanation
    version: str = ""
    prediction: Prediction | None = None


class View(NamedTuple):
    """The outputs that show a map."""

    shown: Any = SKIP
    strip: Any = SKIP
    status: Any = SKIP
    stop: Any = SKIP
    picture: Any = SKIP
    told: Any = SKIP
    parts: Any = SKIP
    verdict: Any = SKIP
    fold: Any = SKIP
    keep: Any = SKIP
    files: Any = SKIP
    library: Any = SKIP
    shaken: Any = SKIP
    together: Any = SKIP


class Checked(NamedTuple):
    """The outputs of what a visitor tries on the map: another library, and a network that forgets."""

    working: Any = SKIP
    stop: Any = SKIP
    library: Any = SKIP
    shaken: Any = SKIP


class Judged(NamedTuple):
    """The outputs that show what the tests of a map found; `judged` is the key of the map, `result` what was found.

    `parts` is the evidence by part once it is known how far that moves.
    """

    judged: Any
    verdict: Any
    fold: Any
    numbers: Any
    curves: Any
    result: Any = None
    parts: Any = SKIP


class Offered(NamedTuple):
    """The outputs that change with the method, but for the groups of its parameters."""

    offered: Any = SKIP
    method: Any = SKIP
    summary: Any = SKIP
    about: Any = SKIP


class Wanted(NamedTuple):
    """The outputs that change where the visitor comes with a wish, see `Shared.wanted`."""

    wanted: Any = SKIP
    model: Any = SKIP
    emotion: Any = SKIP
    against: Any = SKIP


def on_screen(cancellation: Cancellation, session: Session, shown: Shown) -> bool:
    """Whether a map is still the one that the visitor sees, on the face that is chosen."""
    return cancellation.shown == shown.key and shown.about[:2] == (session.key, session.chosen)
