"""What trained networks answer, as a target for another (Hinton et al. 2015, arXiv 1503.02531)."""

from pathlib import Path

import numpy as np
from scipy.special import softmax

from models import weight_store as weights
from models import zoo
from models.model import options


def answers(teachers: tuple[str, ...], images: np.ndarray, shipped: str | Path = weights.SHIPPED) -> np.ndarray:
    """The averaged answer of some networks to faces and their mirror images.

    Args:
        teachers: names of weights.
        images: uint8 (N, 48, 48), grey.
        shipped: where the folders of these weights are.

    Returns:
        float32 (N, 7), each row summing to 1; uncalibrated (temperature 1), as the network was trained,
        and computed in Keras' present precision.

    Raises:
        WeightsError: a teacher's weights are missing or cannot be used.
    """
    total = np.zeros((len(images), 7))
    for name in teachers:
        folder = Path(shipped) / name
        teacher = zoo.build(name, **options(weights.verify(folder)))
        weights.load_into(teacher, folder / weights.FILE)
        for start in range(0, len(images), 2048):
            crops = images[start : start + 2048, ..., None].astype(np.float32) / 255
            for view in (crops, crops[:, :, ::-1]):
                total[start : start + 2048] += softmax(teacher.predict(view, batch_size=256, verbose=0), axis=1)
    return (total / (2 * len(teachers))).astype(np.float32)
