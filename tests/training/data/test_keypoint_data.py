import numpy as np
import pytest

from models import framing
from models.types import KEYPOINTS
from training import data
from training.config import Augmentation, Config
from training.data import keypoint_data

POINTS = np.array(
    [
        [60, 40], [40, 40], [56, 40], [64, 40], [44, 40], [36, 40], [55, 34], [66, 34], [45, 34], [34, 34],
        [50, 50], [57, 60], [43, 60], [50, 58], [50, 63],
    ],
    np.float32,
)  # fmt: skip


@pytest.fixture
def split():
    image = np.full((100, 100), 80, np.uint8)
    for x, y in POINTS.astype(int):
        image[y, x] = 255
    return data.KeypointSplit([image] * 4, np.stack([POINTS] * 4), np.array(["a"] * 4))


def test_mirror_swaps_left_and_right_and_nothing_else():
    assert (keypoint_data.MIRROR[keypoint_data.MIRROR] == np.arange(15)).all()
    swapped = {KEYPOINTS[i]: KEYPOINTS[j] for i, j in enumerate(keypoint_data.MIRROR)}
    assert swapped["left_eye_inner_corner"] == "right_eye_inner_corner"
    assert swapped["mouth_right_corner"] == "mouth_left_corner"
    assert swapped["nose_tip"] == "nose_tip"


def test_framed_keypoints_sit_on_what_they_mark():
    image = np.zeros((100, 100), np.uint8)
    image[58:63, 48:53] = 255
    points = POINTS.copy()
    points[KEYPOINTS.index("mouth_center_top_lip")] = (50, 60)
    crop, placed = keypoint_data.framed(image, points, keypoint_data.detector_points(points))
    rows, columns = np.nonzero(crop > 0.9)
    x, y = placed[KEYPOINTS.index("mouth_center_top_lip")] * (framing.WIDE_SIDE - 1)
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=0.6)


def test_other_marks_are_placed_in_the_same_crops(split):
    crops, own = keypoint_data.fixed_faces(split)
    same, moved = keypoint_data.fixed_faces(split, split.keypoints + np.float32((3, 0)))
    assert (same == crops).all() and np.allclose((moved - own)[..., 1], 0, atol=0.02)
    assert np.ptp((moved - own)[..., 0], axis=1).max() < 1e-5 and (moved - own)[..., 0].min() > 0


def test_batches_keep_left_on_the_picture_s_right_and_repeat_with_the_seed(split):
    config = Config("keypoints", stages=((1, 96),), batch=4, augmentation=Augmentation(rotation=10))
    crops, points = keypoint_data.KeypointBatches(split, config, epoch=0)[0]
    assert crops.shape == (4, 96, 96, 1) and points.shape == (4, 15, 2)
    left, right = KEYPOINTS.index("left_eye_center"), KEYPOINTS.index("right_eye_center")
    assert (points[:, left, 0] > points[:, right, 0]).all()  # mirrored or not
    again, _ = keypoint_data.KeypointBatches(split, config, epoch=0)[0]
    other, _ = keypoint_data.KeypointBatches(split, config, epoch=1)[0]
    assert (again == crops).all() and not (other == crops).all()
