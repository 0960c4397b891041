import cv2
import numpy as np
import pytest

from training.data import EmotionSplit, duplicates


def photo(seed: int) -> np.ndarray:
    """A smooth made-up picture, uint8 (48, 48)."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6), dtype=np.uint8)
    return cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC)


def split(images: list[np.ndarray]) -> EmotionSplit:
    return EmotionSplit(np.stack(images), np.zeros(len(images), int), np.zeros((len(images), 7), np.float32))


def test_hashes_are_those_of_the_definition():
    face = photo(0)
    small = cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[1:9, 1:9]  # OpenCV scales every one of these frequencies alike
    bits = np.packbits((low > np.median(low)).ravel()).view(np.uint64)[0]
    assert duplicates.hashes(face[None])[0] == bits
    assert duplicates.hashes(np.zeros((0, 48, 48), np.uint8)).shape == (0,)


def test_equal_and_nearly_equal_photos_across_splits_are_found():
    cut = cv2.resize(photo(2)[1:47, 1:47], (48, 48))
    darker = (photo(3) * 0.7).astype(np.uint8)
    splits = {
        "Training": split([photo(1), photo(2), photo(3), photo(4), photo(4)]),
        "PublicTest": split([photo(5), cut, photo(1)]),
        "PrivateTest": split([darker, photo(6), photo(5)]),
    }
    found = duplicates.across(splits)
    places = {(pair.split, pair.row, pair.other, pair.other_row): pair.exact for pair in found}
    assert places == {
        ("Training", 0, "PublicTest", 2): True,
        ("PublicTest", 0, "PrivateTest", 2): True,
        ("Training", 1, "PublicTest", 1): False,
        ("Training", 2, "PrivateTest", 0): False,
    }
    assert [pair.likeness for pair in found] == sorted((pair.likeness for pair in found), reverse=True)


def test_rows_past_the_first_block_are_counted_from_the_start():
    many = [photo(100 + index) for index in range(600)]
    found = duplicates.across({"one": split(many), "two": split([many[555]])})
    assert ("one", 555, "two", 0) in {(pair.split, pair.row, pair.other, pair.other_row) for pair in found}


def test_groups_are_joined_by_near_duplicates_and_by_nothing_else():
    cut = cv2.resize(photo(2)[1:47, 1:47], (48, 48))
    marks = duplicates.hashes(np.stack([photo(1), photo(2), photo(3), cut, photo(4), photo(1), photo(5)]))
    known = np.array([True, True, True, True, True, False, True])
    found = duplicates.grouped(np.array([7, 5, 9, 9, 4, 3, 4]), marks, known)
    groups = [{index for index in range(7) if found[index] == number} for number in range(found.max() + 1)]
    assert sorted(map(sorted, groups)) == [[0], [1, 2, 3], [4, 6], [5]], "the sixth is the first, which nothing says"


def test_groups_past_the_first_block_are_joined_too():
    marks = duplicates.hashes(np.stack([photo(100 + index) for index in range(600)]))
    marks[555] = marks[590] ^ np.uint64(0xFF)
    found = duplicates.grouped(np.arange(600), marks, np.ones(600, bool))
    assert found[555] == found[590]
    marks[555] ^= np.uint64(0x100)
    assert duplicates.grouped(np.arange(600), marks, np.ones(600, bool)).tolist().count(found[590]) == 1


def test_flat_pictures_are_alike_only_where_they_are_equal():
    grey, black = np.full((1, 48, 48), 90, np.uint8), np.zeros((1, 48, 48), np.uint8)
    assert duplicates._likeness(grey, grey) == pytest.approx([1.0])
    assert duplicates._likeness(grey, black) == pytest.approx([0.0])
