import cv2
import numpy as np
import pytest

from models import framing
from tests.test_examples import EXAMPLES
from training.measures import reframe


def test_layout_by_hand():
    face = np.array([[10.0, 10.0], [20.0, 10.0], [15.0, 15.0], [11.0, 22.0], [19.0, 22.0]])
    far = face + [100.0, 0.0]
    result = reframe.layout(np.stack([face, face, far]))
    assert result == {"between the eyes": 10.0, "eyes to mouth": 12.0, "middle x": 15.0, "middle y": 16.0}


def test_points_come_back_in_pixels_of_the_training_face():
    image = cv2.imread(str(EXAMPLES / "composite_happy.png"), cv2.IMREAD_GRAYSCALE)
    image = cv2.resize(image, (framing.CROP_SIDE,) * 2, interpolation=cv2.INTER_AREA)
    points, crop = reframe.found_in(image)
    placed = (points[:2].mean(0) + points[3:].mean(0)) / 2
    assert placed == pytest.approx(framing.CENTRE, abs=2)  # the picture was framed like this when it was made
    assert np.corrcoef(crop.ravel(), image.ravel())[0, 1] > 0.9


def test_no_face_is_none():
    assert reframe.found_in(np.full((48, 48), 90, np.uint8)) is None
