import io
import os
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from models import background, detector, photo
from models.types import Photo


def nice() -> int:
    """Of the thread that asks."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="only there threads have a priority of their own")
def test_it_gives_way_and_the_others_do_not():
    before = nice()
    assert background.run(nice) == min(19, before + background.NICE) and nice() == before


def test_one_thread_computes_all_and_hands_over_answers_and_errors():
    assert len({background.run(threading.get_ident) for _ in range(3)} - {threading.get_ident()}) == 1
    assert background.run(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        background.run(divmod, 7, 0)
    assert background.run(divmod, 8, 3) == (2, 2)


@pytest.fixture
def threads(monkeypatch):
    """Whose threads decode and look."""
    seen = []

    def noting(owner, name):
        function = getattr(owner, name)

        def noted(*args, **kwargs):
            seen.append(threading.current_thread().name.split("_")[0])
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    noting(photo, "_decoded")
    noting(detector, "_seen")
    return seen


def test_a_large_picture_is_decoded_there_and_others_are_not(threads):
    encoded = io.BytesIO()
    Image.new("RGB", (3700, 3700)).save(encoded, "WEBP", lossless=True, method=0)
    assert photo.read(encoded.getvalue()).reduced == pytest.approx(3700 / photo.WORKING_SIDE)
    assert threads == ["background"]
    photo.read(Image.new("RGB", (640, 480)))
    assert threads == ["background", threading.current_thread().name]


def test_first_looks_are_taken_here_and_further_ones_there(threads):
    assert detector.find(Photo(np.full((1000, 1000, 3), 90, np.uint8))) == []
    here = threading.current_thread().name
    assert threads == [here, "background", here], "480 pixels, 960, and 480 with a border"
