"""How far a face in a photo can be relied on."""

import numpy as np

from models import framing
from models.keypoints import FIVE
from models.types import Face


def disagreement(face: Face) -> float | None:
    """How far two networks disagree about a face: one that is no upright face shows itself so.

    Args:
        face: with its keypoints.

    Returns:
        The mean distance between the detector's five points and the same five of the keypoint network, in the unit of
        `framing.spread`, about the distance between the eyes; None where no detector looked.
    """
    if face.points is None or face.keypoints is None:
        return None
    apart = np.hypot(*(face.points - face.keypoints[list(FIVE)]).T).mean()
    return float(apart / framing.spread(face.to_crop))
