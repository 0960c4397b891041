"""What steps do to pixels, what a heatmap predicts for them, and the patches it is compared with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.base import Explanation, Target
from explain.lab.apply import INSIDE, OVERLAP, SourceFace, apply, elsewhere, random_patch, uncovered
from explain.lab.forecast import predicted
from explain.lab.steps import (
    STEPS,
    Blur,
    Brightness,
    Contrast,
    Experiment,
    Hide,
    Noise,
    Paint,
    Rectangle,
    Rotate,
    Shift,
    Swap,
    pack,
)
from explain.methods import background, masking
from explain.methods.gradcam import Params
from models import regions
from models.errors import UnknownNameError
from models.regions import REGIONS

MOUTH = REGIONS.index("mouth")


@pytest.fixture(scope="module")
def donor(crop, crop_keypoints) -> SourceFace:
    """The same face two pixels lower, upside down in its greys."""
    return SourceFace(np.roll(1 - crop, 2, 0), crop_keypoints + np.float32([0, 2]))


@pytest.fixture(scope="module")
def do(crop, crop_keypoints, donor):
    """do(step, ...) -> the face after the steps."""
    return lambda *steps: apply(Experiment(steps), crop, crop_keypoints, {"composite_happy": donor})


def explained(values: np.ndarray, method: str = "gradcam") -> Explanation:
    return Explanation(method, "toy", Target(0), values.astype(np.float32), bool((values < 0).any()), Params(), 0.0)


# ----------------------------------------------------------------------- steps


def test_no_step_changes_nothing(do, crop):
    changed = do()
    assert np.array_equal(changed.crop, crop) and not changed.touched.any()


@pytest.mark.parametrize("kind", [kind for kind in STEPS.values() if kind not in (Paint, Shift)])
def test_every_step_changes_the_face_the_same_way_each_time(do, crop, kind):
    before = crop.copy()
    first, second = do(kind()), do(kind())
    assert np.array_equal(first.crop, second.crop) and np.array_equal(crop, before)
    assert first.crop.dtype == np.float32 and first.crop.shape == (48, 48)
    assert 0 <= first.crop.min() and first.crop.max() <= 1
    assert np.abs(first.crop - crop).max() > 0.02
    assert first.touched.any() == kind().covers


@pytest.mark.parametrize("fill", ["mean face", "blur", "grey"])
def test_hiding_parts_is_what_the_shapley_values_do(do, crop, crop_keypoints, fill):
    masks = regions.masks(crop_keypoints)
    shown = np.array([region not in ("mouth", "left_eye") for region in REGIONS])
    expected = masking.blends(crop, masking.baseline_picture(crop, fill), masks, shown[None])[0]
    changed = do(Hide("mouth", fill), Hide("left_eye", fill))
    if fill == "mean face":  # the others look at the face as it is by then
        assert np.array_equal(changed.crop, expected)
    assert np.array_equal(changed.touched, masks[MOUTH] | masks[REGIONS.index("left_eye")])
    assert np.array_equal(
        do(Hide("mouth", fill)).crop[masks[MOUTH]], masking.baseline_picture(crop, fill)[masks[MOUTH]]
    )


def test_a_rectangle_and_a_painted_patch_cover_their_pixels(do, crop):
    step = Rectangle(10, 20, 14, 22, "grey")
    assert step.mask.sum() == 8 and step.mask[20:22, 10:14].all()
    changed = do(step)
    assert np.allclose(changed.crop[step.mask], crop.mean()) and np.array_equal(changed.touched, step.mask)
    assert np.array_equal(do(Paint(pack(step.mask), "grey")).crop, changed.crop)


def test_brightness_contrast_and_noise_by_hand(do, crop):
    assert np.allclose(do(Brightness(-0.3)).crop, np.clip(crop - 0.3, 0, 1), atol=1e-6)
    assert np.allclose(do(Contrast(0.0)).crop, crop.mean(), atol=1e-6)
    assert np.allclose(do(Contrast(2.0)).crop, np.clip(2 * crop - crop.mean(), 0, 1), atol=1e-5)
    assert not np.array_equal(do(Noise(0.1, 0)).crop, do(Noise(0.1, 1)).crop)
    inner = (crop > 0.35) & (crop < 0.65)
    assert (do(Noise(0.1, 0)).crop - crop)[inner].std() == pytest.approx(0.1, rel=0.2)


def test_what_does_nothing_does_nothing(do, crop):
    for step in (Blur(0), Brightness(0), Contrast(1), Rotate(0), Shift(0, 0), Noise(0)):
        assert np.allclose(do(step).crop, crop, atol=1e-6)


def test_a_shift_moves_the_face_and_its_keypoints(do, crop, crop_keypoints):
    changed = do(Shift(3, -2))
    assert np.allclose(changed.crop[:46, 3:], crop[2:, :45], atol=1e-5)
    assert np.allclose(changed.keypoints, crop_keypoints + [3, -2], atol=1e-4)


def test_a_tilt_is_clockwise_and_keeps_the_middle_of_the_face(do, crop_keypoints):
    turned = do(Rotate(90)).keypoints
    left, right = turned[0], turned[1]  # the subject's left eye is on the right: it goes down
    assert left[1] > right[1] + 15
    middle = np.array([23.7, 27.4])
    assert np.allclose(
        np.linalg.norm(turned - middle, axis=1), np.linalg.norm(crop_keypoints - middle, axis=1), atol=0.01
    )


def test_a_part_is_hidden_where_it_has_moved_to(do, crop_keypoints):
    masks = regions.masks(crop_keypoints)
    moved = do(Shift(4, 3), Hide("mouth", "grey"))
    alone = do(Shift(4, 3))
    now = np.abs(moved.crop - alone.crop) > 1e-6
    there = np.roll(masks[MOUTH], (3, 4), (0, 1))
    assert (now & ~there).sum() <= 2 and (now & there).sum() > 0.7 * there.sum()
    assert (moved.touched ^ masks[MOUTH]).sum() <= 2, "told on the grid of the face before"


def test_the_mean_face_moves_with_the_face(do, crop_keypoints):
    moved = do(Shift(4, 0), Hide("mouth"))
    masks = np.roll(regions.masks(crop_keypoints)[MOUTH], 4, 1)
    mean = np.roll(background.mean_face(), 4, 1)
    assert np.abs(moved.crop - mean)[masks].mean() < 0.01


# ------------------------------------------------------------------------ swap


def test_a_swap_changes_the_part_and_leaves_the_rest(do, crop, crop_keypoints):
    masks = regions.masks(crop_keypoints)
    mouth = do(Swap("mouth", "composite_happy"))
    change = np.abs(mouth.crop - crop)
    assert change[masks[MOUTH]].mean() > 0.05
    assert change[:28].max() < 1e-3, "nothing above the nose's tip"
    assert mouth.touched[masks[MOUTH]].all() and mouth.touched.sum() < 2.5 * masks[MOUTH].sum()
    eyes = np.abs(do(Swap("eyes", "composite_happy")).crop - crop)
    assert eyes[34:].max() < 1e-3 and eyes[masks[REGIONS.index("left_eye")]].mean() > 0.05


def test_swapping_with_oneself_changes_hardly_anything(crop, crop_keypoints):
    own = {"astronaut": SourceFace(crop, crop_keypoints)}
    for part in ("mouth", "eyes"):
        changed = apply(Experiment((Swap(part, "astronaut"),)), crop, crop_keypoints, own)
        assert np.abs(changed.crop - crop).max() < 0.01


def test_a_swap_follows_a_donor_of_another_size_and_tilt(crop, crop_keypoints, do):
    """The donor is the same face turned by 20 degrees and moved: its mouth comes back upright."""
    turned = do(Rotate(20), Shift(-2, 1))
    source_faces = {"astronaut": SourceFace(turned.crop, turned.keypoints)}
    changed = apply(Experiment((Swap("mouth", "astronaut"),)), crop, crop_keypoints, source_faces)
    mouth = regions.masks(crop_keypoints)[MOUTH]
    assert np.corrcoef(changed.crop[mouth], crop[mouth])[0, 1] > 0.97


def test_a_seam_has_no_edge(do, crop):
    """Where the swap ends, the change fades over more than one pixel."""
    change = do(Swap("mouth", "composite_happy")).crop - crop
    steps = np.abs(np.diff(change, axis=0))
    assert steps.max() < 0.6 * np.abs(change).max()


def test_an_unknown_donor_is_refused(crop, crop_keypoints):
    for step in (Swap("mouth", "nobody"), Hide("mouth", "nobody")):
        with pytest.raises(UnknownNameError, match="nobody"):
            apply(Experiment((step,)), crop, crop_keypoints, {})


# ---------------------------------------------------------------- predicted


def patch(top: int, left: int, side: int = 10) -> np.ndarray:
    mask = np.zeros((48, 48), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_share_of_an_area_by_hand():
    values = np.zeros((48, 48))
    mask = np.zeros((48, 48), bool)
    mask[:, :12] = True
    values[0, :4] = [3, 1, -2, -2]
    values[0, 40:] = [1, 1, 1, 1, -2, -2, 0, 0]
    told = predicted(explained(values), mask, [np.roll(mask, 36, 1)])
    assert told.share == pytest.approx(0.5) and told.opposing == pytest.approx(0.5)
    assert told.area == pytest.approx(0.25) and told.exceeds == 0 and told.expects == "same"


@pytest.mark.parametrize(
    "inside, expects, exceeds", [(3.0, "more", 2), (1.05, "same", 1), (0.2, "less", 0), (-1.0, "less", 0)]
)
def test_what_is_expected_follows_the_mean_in_the_area_beside_those_of_the_patches(inside, expects, exceeds):
    values = np.ones((48, 48))
    values[patch(30, 0)], values[patch(10, 10)] = 1.1, inside
    told = predicted(explained(values), patch(10, 10), [patch(30, 0), patch(30, 30)])
    assert (told.expects, told.exceeds) == (expects, exceeds)


def test_the_same_patches_are_compared_and_not_the_whole_picture():
    """All evidence lies on the face; the part holds less of it than the patches do, and more than the picture."""
    values = np.zeros((48, 48))
    values[patch(10, 10, 28)], values[patch(20, 20)] = 2, 1
    told = predicted(explained(values), patch(20, 20), [patch(10, 10), patch(10, 28)])
    assert values[patch(20, 20)].mean() > values.mean() and (told.expects, told.exceeds) == ("less", 0)


def test_a_flat_map_no_area_or_no_patch_expects_nothing():
    nothing = np.zeros((48, 48), bool)
    values = np.arange(2304.0).reshape(48, 48)
    assert predicted(explained(values), nothing, []).expects is None
    assert predicted(explained(values), patch(0, 0), []).expects is None
    assert predicted(explained(np.ones((48, 48))), patch(0, 0), [patch(20, 20)]).expects is None


# ------------------------------------------------------------------ random patches

boxes = st.tuples(st.integers(0, 47), st.integers(0, 47), st.integers(1, 48), st.integers(1, 48))


@given(boxes, st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_a_random_patch_has_exactly_the_same_area(box, seed):
    top, left, high, wide = box
    mask = np.zeros((48, 48), bool)
    mask[top : top + high, left : left + wide] = True
    patch = random_patch(mask, seed)
    assert patch.sum() == mask.sum() and patch.dtype == bool
    assert np.array_equal(patch, random_patch(mask, seed))


def test_a_random_patch_lies_elsewhere_on_the_face(crop_keypoints):
    masks = regions.masks(crop_keypoints)
    face = ~masks[REGIONS.index("background")]
    patches = [random_patch(masks[MOUTH], seed, face) for seed in range(8)]
    assert len({patch.tobytes() for patch in patches}) >= 6
    for patch in patches:
        assert (patch & masks[MOUTH]).sum() <= OVERLAP * masks[MOUTH].sum()
        assert (patch & face).sum() >= INSIDE * masks[MOUTH].sum()


def test_a_patch_without_another_place_is_a_disc_of_its_size(crop_keypoints):
    face = regions.masks(crop_keypoints)[REGIONS.index("face")]
    patch = random_patch(face, 0)
    assert patch.sum() == face.sum() and not np.array_equal(patch, face)
    assert random_patch(np.ones((48, 48), bool), 0).all()
    assert not random_patch(np.zeros((48, 48), bool), 0).any()


def test_the_comparison_hides_the_patch_in_place_of_the_rest(do, crop, crop_keypoints):
    patch = np.zeros((48, 48), bool)
    patch[5:9, 20:30] = True
    experiment = Experiment((Brightness(0.1), Hide("mouth", "grey"), Blur(1), Hide("nose", "blur")))
    other = elsewhere(experiment, patch)
    assert other.steps == (Brightness(0.1), Paint(pack(patch), "grey"), Blur(1))
    assert uncovered(experiment).steps == (Brightness(0.1), Blur(1))
    changed = apply(other, crop, crop_keypoints)
    assert np.array_equal(changed.touched, patch)


def test_the_patch_moves_with_the_face(do, crop_keypoints):
    patch = np.zeros((48, 48), bool)
    patch[15:19, 20:30] = True
    other = elsewhere(Experiment((Shift(5, 2), Swap("mouth", "composite_happy"))), patch)
    assert other.steps[1].fill == "composite_happy"
    assert np.array_equal(other.steps[1].mask, np.roll(patch, (2, 5), (0, 1)))
    assert np.array_equal(do(*other.steps).touched, patch)
