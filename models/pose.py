"""How a head is turned, as far as points in a picture tell."""

import numpy as np

from models import framing
from models.keypoints import FIVE

NOSE = 0.5
"""How far the tip of the nose stands out before the plane of eyes and mouth, in distances between the eyes: of a
generic face, not of the one in the picture."""


def roll(keypoints: np.ndarray) -> float:
    """How far a face leans in the picture, degrees clockwise in -180..180; 0 for an upright one.

    Args:
        keypoints: float (15, 2) in the order of `KEYPOINTS`.
    """
    return framing.roll(framing.frame(keypoints[list(FIVE)]))


def yaw(keypoints: np.ndarray) -> float:
    """About how far a face is turned to its own left, degrees in -90..90; 0 for one that looks ahead.

    With eyes a distance w apart and a nose that stands out by d, a head turned by t shows eyes w cos t apart and the
    nose beside their middle by d sin t, so t = atan(offset / distance * w / d). It takes parallel rays, no nod, and
    `NOSE` for d / w: it puts faces in order, and does not measure a head.

    Args:
        keypoints: float (15, 2) in the order of `KEYPOINTS`.
    """
    right, left, nose, *mouth = np.asarray(keypoints, np.float64)[list(FIVE)]
    eyes, lips = (right + left) / 2, np.mean(mouth, axis=0)
    down = (lips - eyes) / max(float(np.hypot(*(lips - eyes))), 1e-9)
    across = np.array([down[1], -down[0]])  # to the subject's left, as from its right eye to its left one
    offset = float((nose - eyes) @ across)
    distance = abs(float((left - right) @ across))
    return float(np.degrees(np.arctan2(offset, NOSE * max(distance, 1e-9))))
