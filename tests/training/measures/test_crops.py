import numpy as np

from training.measures.crops import ten_crops


def test_ten_crops_are_five_places_and_their_mirror_images():
    face = np.zeros((1, 48, 48), np.float32)
    face[0, 0, 0], face[0, 47, 47] = 1, 0.5  # seen by the crops of these two corners alone
    crops = ten_crops(face)[:, 0]
    assert crops.shape == (10, 48, 48)
    assert [crop.max() > 0 for crop in crops[:5]] == [True, False, False, True, False]
    assert crops[0, 0, 0] == 1 and crops[3, 47, 47] == 0.5
    assert (crops[5:] == crops[:5, :, ::-1]).all()


def test_a_crop_is_enlarged_to_the_faces_side():
    ramp = np.broadcast_to(np.arange(48, dtype=np.float32), (1, 48, 48))
    middle = ten_crops(ramp)[4, 0]
    assert middle[0, 0] == 2 and middle[0, 47] == 45  # columns 2 to 45 of the face
    assert np.abs(np.diff(middle[0, 1:47]) - 44 / 48).max() < 1e-4
