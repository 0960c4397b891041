"""Photos and sessions for the tests of the page's parts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app import pipeline
from app.ui import session
from models import photo
from models.types import Photo
from tests.lean import quick_methods
from tests.remembered import remembering

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module", autouse=True)
def less_to_compute() -> Iterator[None]:
    """What was computed for a face before is not computed again, and methods take their quick numbers."""
    with remembering(), quick_methods():
        yield


@pytest.fixture(scope="session")
def astronaut() -> Photo:
    """One face."""
    return photo.read(EXAMPLES / "astronaut.jpg")


@pytest.fixture(scope="session")
def pair(astronaut) -> Photo:
    """Two faces of different sizes."""
    large = astronaut.pixels
    small = large[::2, ::2]
    canvas = np.full((large.shape[0], large.shape[1] + small.shape[1], 3), 90, np.uint8)
    canvas[:, : large.shape[1]] = large
    canvas[: small.shape[0], large.shape[1] :] = small
    return Photo(canvas)


@pytest.fixture(scope="session")
def plain() -> Photo:
    """No face."""
    return Photo(np.full((240, 320, 3), 128, np.uint8))


@pytest.fixture(scope="session")
def one(astronaut) -> session.Session:
    """A session with one face and its predictions."""
    opened = session.opened(astronaut, pipeline.faces_in(astronaut))
    return answered(opened)


@pytest.fixture(scope="session")
def two(pair) -> session.Session:
    """A session with two faces and their predictions."""
    opened = session.opened(pair, pipeline.faces_in(pair))
    assert len(opened.faces) == 2
    return answered(opened)


def answered(opened: session.Session) -> session.Session:
    """A session with what the models say, each and together."""
    predictions = pipeline.predictions_for(list(opened.faces))
    return session.with_predictions(opened, predictions, pipeline.mean(predictions))
