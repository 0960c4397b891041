"""Maps of other faces: their ranks, their file, the choice among them, and where they are laid."""

import numpy as np
import pytest
from safetensors.numpy import save

from explain import control_maps
from explain.metrics import faithfulness
from models import framing
from models.keypoints import FIVE
from models.types import Face

UPRIGHT = np.array([[15, 20], [33, 20], [24, 27], [17, 37], [31, 37]], np.float64)
"""Eyes, nose and mouth of a face; `framed` moves it to where the app's crops have them."""


def face(zoom=1.0, turn=0.0, shift=(0.0, 0.0)) -> Face:
    """A crop with a face as the app frames it, then enlarged, turned by degrees and shifted."""
    angle = np.radians(turn)
    turned = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = framing.apply(framing.frame(UPRIGHT), UPRIGHT)
    keypoints = np.zeros((15, 2), np.float32)
    keypoints[list(FIVE)] = (points - 23.5) @ turned.T + 23.5 + shift
    to_crop = np.eye(2, 3, dtype=np.float32)
    crops = np.zeros((48, 48), np.float32), np.zeros((96, 96), np.float32)
    return Face(np.float32([0, 0, 48, 48]), 1.0, None, to_crop, *crops, keypoints=keypoints)


def spot(y, x, sigma=2.0) -> np.ndarray:
    rows, columns = np.mgrid[:48, :48]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))


def peak(values) -> tuple[int, ...]:
    return tuple(int(at) for at in np.unravel_index(values.argmax(), values.shape))


def test_places_by_hand():
    """A face as the app frames it: its map keeps its places, 0 for the highest value."""
    values = np.random.default_rng(0).normal(size=(48, 48))
    ranks = control_maps.ranked(values, face())
    assert ranks.dtype == np.uint16 and ranks.max() == 48 * 48 - 1
    assert ranks[peak(values)] == 0 and ranks[peak(-values)] == 48 * 48 - 1


def test_a_stored_map_is_taken_in_its_own_order():
    """Flat places too, which are taken nearest to the marked ones first."""
    values = np.maximum(np.random.default_rng(0).normal(size=(48, 48)), 0)
    ranks = control_maps.ranked(values, face())
    assert sorted(ranks.ravel()) == list(range(48 * 48))
    (again,) = control_maps.compared(ranks[None], face()).maps
    np.testing.assert_array_equal(faithfulness.order(again), faithfulness.order(values))


@pytest.mark.parametrize("other", [face(0.8, 12, (3, -2)), face(1.2, -15, (-4, 2))])
def test_a_map_is_laid_on_a_face_where_its_own_parts_lie(other):
    """What the other face's map marks at its mouth is compared at this face's mouth."""
    corner = list(FIVE)[3]
    x, y = other.crop_keypoints[corner]
    ranks = control_maps.ranked(spot(y, x), other)
    for one in (face(), face(1.1, 10, (2, 2)), other):
        found = control_maps.compared(ranks[None], one)
        for laid in (found.maps[0], found.average):
            assert np.hypot(*(np.subtract(peak(laid), one.crop_keypoints[corner][::-1]))) <= 2


def test_the_average_marks_what_most_maps_mark():
    rng = np.random.default_rng(0)
    maps = [spot(30, 24) + spot(*rng.uniform(4, 20, 2)) * 1.2 for _ in range(40)]
    ranks = np.stack([control_maps.ranked(values, face()) for values in maps])
    average = control_maps.compared(ranks, face()).average
    assert np.hypot(*np.subtract(peak(average), (30, 24))) <= 3
    speckle = np.stack([control_maps.ranked(rng.normal(size=(48, 48)), face()) for _ in range(40)])
    rough = control_maps.compared(speckle, face())
    assert np.abs(np.diff(rough.average)).mean() < np.abs(np.diff(rough.maps.mean(0))).mean() / 3


def test_the_file_gives_back_what_was_written(tmp_path):
    maps = {"gradcam": np.arange(2 * 4, dtype=np.uint16).reshape(2, 2, 2), "saliency": np.zeros((2, 2, 2), np.uint16)}
    control_maps.write(tmp_path, maps, "ab")
    assert [path.name for path in tmp_path.iterdir()] == [control_maps.FILE]
    found = control_maps.read(tmp_path, "ab")
    assert set(found) == set(maps)
    for name, values in maps.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("content", [None, b"", b"no safetensors", b"\xff" * 64])
def test_no_maps_where_the_file_is_missing_or_damaged(tmp_path, content):
    if content is not None:
        (tmp_path / control_maps.FILE).write_bytes(content)
    assert control_maps.read(tmp_path, "ab") == {}


def test_no_maps_of_other_weights(tmp_path):
    control_maps.write(tmp_path, {"gradcam": np.zeros((1, 2, 2), np.uint16)}, "ab")
    assert control_maps.read(tmp_path, "cd") == {}


def test_no_maps_that_lie_in_another_frame(tmp_path):
    """Those of older files lie as the faces of FER2013 do."""
    maps = {"gradcam": np.zeros((1, 2, 2), np.uint16)}
    (tmp_path / control_maps.FILE).write_bytes(save(maps, metadata={"sha256": "ab"}))
    assert control_maps.read(tmp_path, "ab") == {}


def test_nineteen_are_chosen_by_the_seed():
    maps = np.arange(40, dtype=np.uint16)[:, None, None] * np.ones((1, 48, 48), np.uint16)
    first, again, other = ((-control_maps.compared(maps, face(), seed).maps[:, 0, 0]).tolist() for seed in (0, 0, 1))
    assert first == again != other and len(set(first)) == control_maps.COMPARED == 19
    few = control_maps.compared(maps[:3], face())
    assert few.maps.shape == (3, 48, 48)
    np.testing.assert_allclose(few.average, -1)
