import numpy as np
import pytest

from models import pose
from models.keypoints import FIVE

SOLID = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.6, -pose.NOSE], [-0.4, 1, 0], [0.4, 1, 0]])
"""Right eye, left eye, nose tip, right and left mouth corner, a distance of 1 between the eyes; z goes away from us."""


def turned(degrees: float, roll: float = 0.0) -> np.ndarray:
    """The keypoints of a head that looks to its own left by so much, seen from far away, in pixels."""
    t, r = np.radians([degrees, roll])
    x = SOLID[:, 0] * np.cos(t) - SOLID[:, 2] * np.sin(t)
    flat = np.stack([x, SOLID[:, 1]], 1) @ np.array([[np.cos(r), np.sin(r)], [-np.sin(r), np.cos(r)]])
    keypoints = np.full((15, 2), np.nan)
    keypoints[list(FIVE)] = 80 * flat + [300, 200]
    return keypoints


@pytest.mark.parametrize("degrees", [-60, -20, 0, 20, 60])
@pytest.mark.parametrize("roll", [-30, 0, 80])
def test_a_solid_head_is_turned_by_what_its_points_say(degrees, roll):
    keypoints = turned(degrees, roll)
    assert pose.yaw(keypoints) == pytest.approx(degrees, abs=1e-6)
    assert pose.roll(keypoints) == pytest.approx(roll, abs=1e-4)


def test_points_on_one_spot_have_a_pose_nevertheless():
    assert np.isfinite([pose.roll(np.ones((15, 2))), pose.yaw(np.ones((15, 2)))]).all()
