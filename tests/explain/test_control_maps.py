"""Maps of other faces: their ranks, their file, and the choice among them."""

import numpy as np
import pytest

from explain import control_maps
from explain.metrics import faithfulness


def test_places_by_hand():
    assert control_maps.ranked(np.float32([[0.5, -3, 7, 0.4, 0.6]])).tolist() == [[2, 4, 0, 3, 1]]


def test_a_stored_map_is_taken_in_its_own_order():
    """Flat places too, which are taken nearest to the marked ones first."""
    values = np.maximum(np.random.default_rng(0).normal(size=(48, 48)), 0)
    ranks = control_maps.ranked(values)
    assert ranks.dtype == np.uint16 and sorted(ranks.ravel()) == list(range(48 * 48))
    (again,) = control_maps.compared(ranks[None])
    np.testing.assert_array_equal(faithfulness.order(again), faithfulness.order(values))


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


def test_nineteen_are_chosen_by_the_seed():
    maps = np.arange(40, dtype=np.uint16)[:, None, None] * np.ones((1, 2, 2), np.uint16)
    first, again, other = ((-control_maps.compared(maps, seed)[:, 0, 0]).tolist() for seed in (0, 0, 1))
    assert first == again != other and len(set(first)) == control_maps.COMPARED == 19
    assert control_maps.compared(maps[:3]).shape == (3, 2, 2)
