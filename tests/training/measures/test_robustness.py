import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ParameterError
from training.measures import robustness
from training.measures.robustness import DISTURBANCES, disturbed

FACES = cv2.resize(np.random.default_rng(0).random((8, 8, 6), np.float32), (48, 48)).transpose(2, 0, 1).copy()


def dot(x: int, y: int, side: int = 48) -> np.ndarray:
    face = np.zeros((1, side, side), np.float32)
    face[0, y, x] = 1
    return face


def place(face: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(face.argmax(), face.shape)
    return int(x), int(y)


def test_blur_keeps_the_light_and_spreads_it_by_its_sigma():
    blurred = disturbed(dot(24, 24), "blur", 1.5)[0].astype(np.float64)
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    columns = np.arange(48) - 24
    assert np.sqrt((blurred.sum(0) * columns**2).sum()) == pytest.approx(1.5, rel=0.05)


def test_noise_has_its_deviation_and_no_offset():
    change = disturbed(np.full((20, 48, 48), 0.5, np.float32), "noise", 0.05) - 0.5
    assert change.std() == pytest.approx(0.05, rel=0.02) and change.mean() == pytest.approx(0, abs=1e-3)


def test_brightness_and_contrast_by_hand():
    face = np.array([[[0.2, 0.4], [0.6, 0.8]]], np.float32)
    assert disturbed(face, "brightness", -0.3)[0].tolist() == [
        [0, pytest.approx(0.1)],
        [pytest.approx(0.3), pytest.approx(0.5)],
    ]
    assert disturbed(face, "contrast", 0.5)[0].ravel() == pytest.approx([0.35, 0.45, 0.55, 0.65])
    assert disturbed(face, "contrast", 2.0)[0].ravel() == pytest.approx([0, 0.3, 0.7, 1], abs=1e-6)


def test_jpeg_goes_through_a_file_of_that_quality():
    expected = cv2.imencode(".jpg", (FACES[0] * 255).round().astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    assert (disturbed(FACES[:1], "jpeg", 30)[0] * 255).round().astype(int).tolist() == cv2.imdecode(
        expected, 0
    ).tolist()
    errors = [np.abs(disturbed(FACES, "jpeg", quality) - FACES).mean() for quality in (8, 30, 95)]
    assert errors[0] > errors[1] > errors[2]


def test_a_small_face_is_averaged_and_enlarged():
    checks = np.indices((48, 48)).sum(0)[None].astype(np.float32) % 2
    assert disturbed(checks, "shrink", 24) == pytest.approx(0.5)  # every 2x2 block holds two of each
    half = np.zeros((1, 48, 48), np.float32)
    half[:, :, 24:] = 1
    small = disturbed(half, "shrink", 24)[0, 10]
    assert small[[0, 22, 23, 24, 25, 47]] == pytest.approx([0, 0, 0.25, 0.75, 1, 1])


def test_a_rotation_turns_about_the_middle_to_either_side():
    many = disturbed(np.repeat(dot(43, 23, 47), 40, 0), "rotation", 90)
    assert {place(face) for face in many} == {(23, 3), (23, 43)}


def test_a_shift_moves_by_its_share_of_the_side_in_all_four_directions():
    moved = disturbed(np.repeat(dot(25, 25, 50), 60, 0), "shift", 0.1)
    assert {place(face) for face in moved} == {(20, 20), (20, 30), (30, 20), (30, 30)}


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_disturbance_is_repeatable_in_range_and_grows_with_its_strength(name):
    disturbance = DISTURBANCES[name]
    assert list(disturbance.strengths) == sorted(disturbance.strengths)
    assert set(disturbance.moderate) <= set(disturbance.strengths) and disturbance.none not in disturbance.strengths
    change = {}
    for strength in disturbance.strengths:
        spoilt = disturbed(FACES, name, strength, seed=3)
        assert spoilt.shape == FACES.shape and spoilt.dtype == np.float32
        assert spoilt.min() >= 0 and spoilt.max() <= 1
        assert (spoilt == disturbed(FACES, name, strength, seed=3)).all()
        change[strength] = np.abs(spoilt - FACES).mean()
    for side in (1, -1):  # away from the strength that changes nothing, up and down
        ordered = sorted((s for s in change if side * (s - disturbance.none) > 0), key=lambda s: side * s)
        assert [change[s] for s in ordered] == sorted(change[s] for s in ordered)


@pytest.mark.parametrize("name", ["noise", "rotation", "shift"])
def test_another_seed_disturbs_otherwise(name):
    strength = DISTURBANCES[name].moderate[0]
    assert (disturbed(FACES, name, strength, 0) != disturbed(FACES, name, strength, 1)).any()


@given(st.sampled_from(sorted(DISTURBANCES)), st.integers(1, 5))
def test_a_flat_face_stays_flat_unless_light_or_noise_change(name, count):
    faces = np.full((count, 48, 48), 0.5, np.float32)
    spoilt = disturbed(faces, name, DISTURBANCES[name].moderate[0])
    assert (spoilt.std((1, 2)) < 0.01).all() or name == "noise"


def test_an_unknown_disturbance_is_refused():
    with pytest.raises(ParameterError, match="blur, noise"):
        disturbed(FACES, "fog", 1)


def test_the_measure_by_hand():
    """A network that sees only whether a face is bright: darkening makes it wrong, nothing else does."""
    faces = np.concatenate([np.full((3, 48, 48), 0.62, np.float32), np.full((1, 48, 48), 0.05, np.float32)])
    labels = np.array([1, 1, 1, 0])

    def logits(crops):
        bright = crops.mean((1, 2)) > 0.5
        return np.stack([~bright, bright], 1).astype(np.float32)

    seen = []
    found = robustness.measure(logits, faces, labels, report=lambda *row: seen.append(row))
    assert found["faces"] == 4 and found["accuracy"] == 1
    assert found["curves"]["brightness"] == {"strength": [-0.4, -0.2, 0, 0.2, 0.4], "accuracy": [0.25, 0.25, 1, 1, 1]}
    assert found["moderate_loss"] == {name: 0.75 if name == "brightness" else 0 for name in DISTURBANCES}
    assert found["worst_moderate_loss"] == 0.75
    assert len(seen) == sum(len(disturbance.strengths) for disturbance in DISTURBANCES.values())
