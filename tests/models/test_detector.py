"""CenterFace finds the faces of two portraits however they are disturbed, and nothing in empty pictures."""

import hashlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import detector, framing, photo
from models.errors import WeightsMismatchError, WeightsNotFoundError
from models.types import Photo

EXAMPLES = Path(__file__).parents[2] / "examples"
EYES = {
    "astronaut": [(202.5, 101.5), (246, 103)],
    "grace_hopper": [(219.5, 190), (304, 187)],
}
"""Pupils of the subject's right and left eye, read off the pictures by hand, in pixels."""
GROUP = [(537, 165), (205, 188), (512, 500), (828, 102), (805, 450)]
"""The middles of the five faces, likewise."""
TOLERANCE = 0.25
"""Of the distance between the eyes; the detector errs by .07 on average, by .17 on large glasses."""


@pytest.fixture(scope="module")
def portraits():
    return {name: photo.read(EXAMPLES / f"{name}.jpg") for name in EYES}


@pytest.fixture(params=list(EYES))
def portrait(request, portraits):
    return portraits[request.param], np.array(EYES[request.param], float)


def assert_eyes(face, eyes, tolerance=TOLERANCE):
    between = np.hypot(*(eyes[1] - eyes[0]))
    assert np.hypot(*(face.points[:2] - eyes).T).max() < tolerance * between


def test_a_portrait_has_one_face_and_its_eyes_are_right(portrait):
    picture, eyes = portrait
    (face,) = detector.find(picture)
    assert_eyes(face, eyes)
    assert 0.35 < face.score <= 1
    left, top, right, bottom = face.box
    assert left < eyes[:, 0].min() < eyes[:, 0].max() < right and top < eyes[:, 1].mean() < bottom


def test_the_five_points_are_where_a_face_has_them(portrait):
    (face,) = detector.find(portrait[0])
    right_eye, left_eye, nose, right_mouth, left_mouth = face.points
    assert right_eye[0] < nose[0] < left_eye[0] and right_mouth[0] < nose[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_types_shapes_and_the_contract_of_a_face(portrait):
    picture, _ = portrait
    (face,) = detector.find(picture)
    for array, shape in ((face.box, (4,)), (face.points, (5, 2)), (face.to_crop, (2, 3))):
        assert array.dtype == np.float32 and array.shape == shape
    for array, side in ((face.crop, 48), (face.wide_crop, 96)):
        assert array.dtype == np.float32 and array.shape == (side, side)
        assert 0 <= array.min() < array.max() <= 1
    assert face.keypoints is None
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(face.crop, framing.cut(grey, framing.frame(face.points), 48))


def turned(pixels, degrees, eyes):
    """The picture and its eyes turned about the picture's middle, on a canvas that keeps its corners."""
    height, width = pixels.shape[:2]
    side = int(np.hypot(height, width))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    return cv2.warpAffine(pixels, matrix, (side, side), borderValue=(90, 90, 90)), framing.apply(matrix, eyes)


@pytest.mark.parametrize("degrees", [-45, -20, 20, 45, 90])
def test_a_tilted_face_is_found_and_set_upright(portrait, degrees):
    picture, eyes = portrait
    pixels, eyes = turned(picture.pixels, degrees, eyes)
    (face,) = detector.find(Photo(pixels))
    assert_eyes(face, eyes)
    level = framing.apply(face.to_crop, eyes)
    assert abs(np.degrees(np.arctan2(*(level[1] - level[0])[::-1]))) < 10


def test_the_points_of_a_tilted_face_are_read_again_upright(portrait, monkeypatch):
    """Read once, they are off by a quarter of the distance between the eyes at 45 degrees."""
    picture, eyes = portrait
    pixels, eyes = turned(picture.pixels, 45, eyes)
    errors = {}
    for turns in (0, detector.TURNS):
        monkeypatch.setattr(detector, "TURNS", turns)
        (face,) = detector.find(Photo(pixels))
        errors[turns] = np.hypot(*(face.points[:2] - eyes).T).mean()
    assert errors[detector.TURNS] < 0.6 * errors[0]


def test_an_upright_face_is_not_read_again(portrait, monkeypatch):
    looks, look = [], detector._look
    monkeypatch.setattr(detector, "_look", lambda *arguments: looks.append(1) or look(*arguments))
    detector.find(portrait[0])
    assert len(looks) == 1


@pytest.mark.parametrize("gain", [0.4, 0.15, 0.06])
def test_a_dim_face_is_found(portrait, gain):
    picture, eyes = portrait
    (face,) = detector.find(Photo((picture.pixels * gain).astype(np.uint8)))
    assert_eyes(face, eyes)


def test_an_overexposed_and_a_noisy_face_are_found(portrait):
    picture, eyes = portrait
    bright = np.clip(picture.pixels * 1.7, 0, 255).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 25, picture.pixels.shape)
    noisy = np.clip(picture.pixels + noise, 0, 255).astype(np.uint8)
    for pixels in (bright, noisy):
        (face,) = detector.find(Photo(pixels))
        assert_eyes(face, eyes)


@pytest.mark.parametrize("part", ["mouth", "right eye", "left half"])
def test_a_partly_covered_face_is_found(portrait, part):
    picture, eyes = portrait
    (free,) = detector.find(picture)
    left, top, right, bottom = free.box.astype(int)
    pixels, middle = picture.pixels.copy(), (left + right) // 2
    y = int(eyes[:, 1].mean())
    cover = {
        "mouth": np.s_[(y + 2 * bottom) // 3 : bottom, left:right],
        "right eye": np.s_[top : y + (bottom - y) // 4, left : middle - 8],
        "left half": np.s_[y + (bottom - y) // 3 : bottom, middle:right],
    }
    pixels[cover[part]] = 70
    (face,) = detector.find(Photo(pixels))
    inside = framing.apply(free.to_crop, face.points.mean(0))
    assert np.hypot(*(inside - framing.apply(free.to_crop, free.points.mean(0)))) < 5


def test_a_group_gives_every_face_once_and_the_largest_first():
    """The montage shows five faces; all are told apart."""
    faces = detector.find(photo.read(EXAMPLES / "group.jpg"))
    middles = np.array([(face.box[:2] + face.box[2:]) / 2 for face in faces])
    expected = np.array(GROUP)
    distance = np.hypot(*(middles[:, None] - expected).transpose(2, 0, 1))
    assert len(faces) == len(expected)
    assert sorted(distance.argmin(1)) == list(range(len(expected))) and distance.min(1).max() < 30
    areas = [np.prod(face.box[2:] - face.box[:2]) for face in faces]
    assert areas == sorted(areas, reverse=True)


def test_a_limit_keeps_the_largest():
    group = photo.read(EXAMPLES / "group.jpg")
    all_faces = detector.find(group)
    assert detector.find(group, limit=0) == []
    for face, same in zip(detector.find(group, limit=2), all_faces[:2], strict=True):
        assert np.array_equal(face.box, same.box)


def scattered(portraits, side):
    """Nine small heads far apart in a picture of 1600x1200, and their number."""
    pixels, count = np.full((1200, 1600, 3), 110, np.uint8), 0
    heads = {"astronaut": np.s_[10:270, 95:355], "grace_hopper": np.s_[60:430, 85:455]}
    for row in range(3):
        for column in range(3):
            name = ("astronaut", "grace_hopper")[(row + column) % 2]
            head = cv2.resize(portraits[name].pixels[heads[name]], (side, side), interpolation=cv2.INTER_AREA)
            y, x = 100 + row * 400, 150 + column * 550
            pixels[y : y + side, x : x + side] = head
            count += 1
    return Photo(pixels), count


@pytest.mark.parametrize("side", [48])
def test_small_faces_are_found_by_the_further_looks(portraits, side, monkeypatch):
    picture, count = scattered(portraits, side)
    assert len(detector.find(picture)) == count
    monkeypatch.setattr(detector, "SIDES", detector.SIDES[:1])
    assert len(detector.find(picture)) < count


def test_a_large_look_in_bands_finds_what_one_pass_finds(portraits, monkeypatch):
    group = photo.read(EXAMPLES / "group.jpg").pixels
    picture = np.full((1920, 1920, 3), 110, np.uint8)
    small = cv2.resize(group, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    for top in range(0, 1920 - small.shape[0], 97):  # some of the faces lie on the edges of bands
        left = top * 5 % (1920 - small.shape[1])
        picture[top : top + small.shape[0], left : left + small.shape[1]] = small
    boxes, scores, _ = detector._look(picture, 1920)
    assert len(boxes) > 20
    monkeypatch.setattr(detector, "AT_ONCE", picture[..., 0].size)
    whole, sure, _ = detector._look(picture, 1920)
    order, same = np.lexsort(boxes.T), np.lexsort(whole.T)
    assert np.abs(boxes[order] - whole[same]).max() < 1
    assert np.abs(scores[order] - sure[same]).max() < 0.05


@pytest.mark.parametrize(("height", "width"), [(480, 480), (1440, 1920), (1920, 1920), (1920, 1088), (960, 960)])
def test_bands_are_no_larger_than_allowed_and_answer_for_every_row_once(height, width):
    bands = detector._bands(height, width)
    assert all((rows.stop - rows.start) * width <= detector.AT_ONCE for rows, _ in bands)
    assert bands[0][0].start == 0 and bands[-1][0].stop == height
    for (above, owned), (below, next_owned) in itertools.pairwise(bands):
        assert owned.stop == next_owned.start
        assert owned.stop - below.start >= 128 <= above.stop - owned.stop  # half a small face, and what it is seen by
    assert [index for _, owned in bands for index in range(height) if owned.start <= index < owned.stop] == list(
        range(height)
    )


def test_a_second_look_is_not_spent_on_an_ordinary_portrait(portrait, monkeypatch):
    sides = []
    look = detector._look
    monkeypatch.setattr(detector, "_look", lambda pixels, side: sides.append(side) or look(pixels, side))
    enlarged = cv2.resize(portrait[0].pixels, None, fx=3, fy=3)
    assert len(detector.find(Photo(enlarged))) == 1
    assert sides == [480]


@pytest.mark.parametrize("side", [48, 96, 300, 1500])
def test_a_tight_crop_is_found_at_any_size(portrait, side):
    picture, eyes = portrait
    (free,) = detector.find(picture)
    crop = (framing.cut(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY), free.to_crop, 48) * 255).astype(np.uint8)
    crop = np.repeat(cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)[..., None], 3, 2)
    (face,) = detector.find(Photo(crop))
    zoom = side / 48
    assert_eyes(face, (framing.apply(free.to_crop, eyes) + 0.5) * zoom - 0.5, tolerance=0.3)


def test_the_border_finds_what_fills_the_picture(portraits, monkeypatch):
    """Where the first look sees nothing, the picture is looked at with a border, and the places are mapped back."""
    picture, eyes = portraits["astronaut"], np.array(EYES["astronaut"], float)
    look, borders = detector._look, []

    def blind_at_first(pixels, side, border=0.0):
        borders.append(border)
        found = look(pixels, side, border)
        return found if border else tuple(part[:0] for part in found)

    monkeypatch.setattr(detector, "_look", blind_at_first)
    (face,) = detector.find(picture)
    assert borders == [0, detector.BORDER]
    assert_eyes(face, eyes)


@pytest.mark.parametrize("keep", [np.s_[:, :228], np.s_[:, 226:], np.s_[112:, :], np.s_[:125, :]])
def test_a_face_cut_by_the_picture_s_edge(portraits, keep):
    """Left half, right half, without forehead, without mouth: a face all the same, its box inside the picture."""
    pixels = np.ascontiguousarray(portraits["astronaut"].pixels[keep])
    (face,) = detector.find(Photo(pixels))
    height, width = pixels.shape[:2]
    assert (face.box >= 0).all() and (face.box <= [width, height] * 2).all()
    assert (face.box[2:] > face.box[:2]).all()
    assert np.isfinite(face.crop).all() and np.isfinite(face.wide_crop).all()


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (640, 480), (2048, 64), (33, 1000)])
@pytest.mark.parametrize("kind", ["black", "white", "noise"])
def test_no_face_is_an_empty_list(size, kind):
    shape = (size[1], size[0], 3)
    pixels = {
        "black": lambda: np.zeros(shape, np.uint8),
        "white": lambda: np.full(shape, 255, np.uint8),
        "noise": lambda: np.random.default_rng(0).integers(0, 256, shape, np.uint8),
    }[kind]()
    assert detector.find(Photo(pixels)) == []


def test_the_whole_picture_as_a_face():
    ramp = np.tile(np.arange(200, dtype=np.uint8), (100, 1))
    face = detector.whole_picture(Photo(np.repeat(ramp[..., None], 3, 2)))
    assert face.box.tolist() == [50, 0, 150, 100] and face.box.dtype == np.float32
    assert face.score == 1 and face.points is None
    # a ramp stays a ramp: crop pixel 0 averages around x = 50.5, pixel 47 around 148.5
    assert np.allclose(face.crop[20] * 255, np.linspace(50.54, 148.46, 48), atol=1)


def test_a_48_pixel_picture_is_its_own_crop():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    face = detector.whole_picture(Photo(np.repeat(pixels[..., None], 3, 2)))
    assert np.allclose(face.crop * 255, pixels, atol=0.5)


def test_threads_get_what_one_caller_gets(portraits):
    """Two pictures of different shape at once through the one network."""
    pictures = [portraits["astronaut"], portraits["grace_hopper"]] * 2
    alone = [detector.find(picture)[0].points for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = [faces[0].points for faces in pool.map(detector.find, pictures)]
    assert np.allclose(alone, together, atol=1e-3)


def test_decoding_by_hand():
    """One cell: centre (x 10.75, y 20.25 cells), 8 cells wide, 16 high; the nose at a quarter across, half down."""
    heat = np.zeros((1, 30, 30), np.float32)
    heat[0, 20, 10] = 0.9
    scale, offset, landmarks = (np.zeros((n, 30, 30), np.float32) for n in (2, 2, 10))
    scale[:, 20, 10] = np.log(16), np.log(8)
    offset[:, 20, 10] = -0.25, 0.25
    landmarks[4:6, 20, 10] = 0.5, 0.25
    boxes, scores, points = detector._decode(heat, scale, offset, landmarks)
    assert scores.tolist() == pytest.approx([0.9])
    assert boxes[0].tolist() == pytest.approx([43 - 16, 81 - 32, 43 + 16, 81 + 32])
    assert points[0, 2].tolist() == pytest.approx([27 + 8, 49 + 32]) and points[0, 0].tolist() == pytest.approx(
        [27, 49]
    )


def test_suppression_keeps_the_best_of_those_that_overlap():
    """Overlaps by hand: the first two share 80 of 120 (.67), the first and third 20 of 180 (.11)."""
    boxes = np.float32([[0, 0, 10, 10], [2, 0, 12, 10], [8, 0, 18, 10]])
    kept, scores, points = detector._once(boxes, np.float32([0.6, 0.9, 0.5]), np.arange(30.0).reshape(3, 5, 2))
    assert scores.tolist() == pytest.approx([0.9, 0.5])  # the third shares 40 of 160 (.25) with the second
    assert kept.tolist() == boxes[[1, 2]].tolist()
    kept, scores, points = detector._once(boxes, np.float32([0.9, 0.6, 0.5]), np.arange(30.0).reshape(3, 5, 2))
    assert kept.tolist() == boxes[[0, 2]].tolist() and points[1, 0].tolist() == [20, 21]


def test_the_card_tells_the_truth_about_the_file():
    card = json.loads((detector.WEIGHTS / "card.json").read_text())
    data = (detector.WEIGHTS / card["file"]).read_bytes()
    assert card["sha256"] == hashlib.sha256(data).hexdigest() and card["bytes"] == len(data)
    assert card["threshold"] == detector.THRESHOLD
    assert "MIT License" in (detector.WEIGHTS / "LICENSE").read_text()


def test_weights_that_changed_are_not_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(detector, "WEIGHTS", tmp_path)
    with pytest.raises(WeightsNotFoundError):
        detector._network.__wrapped__(keeps_memory=True)
    (tmp_path / "model.onnx").write_bytes(b"something else")
    (tmp_path / "card.json").write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(WeightsMismatchError, match="sha256"):
        detector._network.__wrapped__(keeps_memory=True)
