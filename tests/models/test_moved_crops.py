import numpy as np
import pytest

from models import framing, moved_crops
from models.detector import whole_picture
from models.moved_crops import CropSensitivity
from models.types import EMOTIONS, Photo, Prediction


def test_no_two_of_the_44_crops_are_alike_and_none_is_the_face_s_own():
    moves = np.array(moved_crops.moves())
    assert moves.shape == (44, 2, 3) and len(np.unique(moves.round(6), axis=0)) == 44
    assert np.abs(moves - np.eye(2, 3)).max((1, 2)).min() > 0.01


def test_moves_are_as_large_as_they_say():
    """Of the crop's middle by 1.5 pixels at most, in size by 5 %, in angle by 5 degrees."""
    middle = np.full(2, (framing.CROP_SIDE - 1) / 2)
    far, sizes, angles = [], set(), set()
    for move in moved_crops.moves():
        far.append(np.hypot(*(framing.apply(move, middle) - middle)))
        sizes.add(round(framing.enlargement(move), 4))
        angles.add(round(framing.roll(move), 3))
    assert max(far) == pytest.approx(1.5) and min(far) == pytest.approx(0, abs=1e-9)
    assert sizes == {1.0, 1.05, 0.9524} and angles == {0.0, 5.0, -5.0}


@pytest.mark.parametrize("side", [48, 960])
def test_crops_are_cut_out_of_the_photo_anew(side):
    """On a ramp from left to right a shift by 1.5 pixels of the crop is one of 1.5 steps, also at the border."""
    step = side // 48
    ramp = np.tile(np.arange(side + 40 * step) // step, (side, 1)).clip(0, 255).astype(np.uint8)
    photo = Photo(np.repeat(ramp[..., None], 3, 2))
    face = whole_picture(photo)
    faces = moved_crops.moved(face, photo)
    for move, other in zip(moved_crops.moves(), faces, strict=True):
        assert np.allclose(other.to_crop, move @ np.vstack([face.to_crop, [0, 0, 1]]), atol=1e-4)
        if np.allclose(move[:, :2], np.eye(2)):
            assert (other.crop - face.crop) * 255 == pytest.approx(-move[0, 2], abs=0.6)
        assert other.keypoints is face.keypoints and other.crop.shape == (48, 48)


def told(**shares: float) -> Prediction:
    probabilities = np.array([shares.get(emotion, 0) for emotion in EMOTIONS], np.float32)
    return Prediction("cnn", np.log(probabilities + 1e-6), probabilities)


def test_what_became_of_an_answer_is_counted_by_hand():
    others = [told(happy=0.8, sad=0.2), told(happy=0.4, sad=0.6), told(happy=0.3, fear=0.7), told(sad=1.0)]
    found = moved_crops.sensitivity(told(happy=0.9, sad=0.1), others)
    assert found.others == {"sad": 2, "fear": 1}
    assert found == CropSensitivity(
        "happy", 4, 1, pytest.approx(0.0), pytest.approx(0.8), pytest.approx(0.375), {"sad": 2, "fear": 1}
    )
