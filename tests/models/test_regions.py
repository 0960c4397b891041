"""The eight regions cover the crop without overlap at any pose, and lie where the parts of the face lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models import framing
from models.errors import ParameterError
from models.regions import LABELS, REGIONS, masks, outlines
from models.types import KEYPOINTS
from tests.mean_face import MEAN_KEYPOINTS

BACKGROUND, FACE = REGIONS.index("background"), REGIONS.index("face")


def assert_partition(regions, side=48):
    assert regions.shape == (8, side, side) and regions.dtype == bool
    assert (regions.sum(0) == 1).all()


def moved(points, degrees=0.0, zoom=1.0, shift=(0.0, 0.0)):
    """Keypoints turned and scaled about the crop's middle, then shifted."""
    turn = np.radians(degrees)
    turn = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (points - 23.5) @ turn.T + 23.5 + np.array(shift)


def turned_aside(points, degrees):
    """The head turned about its upright axis: a head as a cylinder of 26 pixels radius, the nose 6 in front of it."""
    turn = np.radians(degrees)
    x = points[:, 0] - framing.CENTRE[0]
    depth = np.sqrt(26**2 - x**2) + 6 * (np.arange(15) == KEYPOINTS.index("nose_tip"))
    return np.column_stack([x * np.cos(turn) + depth * np.sin(turn) + framing.CENTRE[0], points[:, 1]])


def where(regions, name):
    return regions[REGIONS.index(name)]


def middle(mask):
    y, x = np.nonzero(mask)
    return np.array([x.mean(), y.mean()])


def test_every_region_has_a_label():
    assert tuple(LABELS) == REGIONS and len(set(LABELS.values())) == 8


def test_the_mean_layout_is_framed_as_its_constants_say():
    at = dict(zip(KEYPOINTS, MEAN_KEYPOINTS, strict=True))
    eyes = (at["left_eye_center"] + at["right_eye_center"]) / 2
    mouth = (at["mouth_left_corner"] + at["mouth_right_corner"]) / 2
    assert np.allclose((eyes + mouth) / 2, framing.CENTRE, atol=0.1)
    mirrored = [name.replace("left", "#").replace("right", "left").replace("#", "right") for name in KEYPOINTS]
    for name, other in zip(KEYPOINTS, mirrored, strict=True):
        assert at[name][0] + at[other][0] == pytest.approx(2 * framing.CENTRE[0], abs=0.11)
        assert at[name][1] == at[other][1]
    assert at["left_eye_center"][0] > at["right_eye_center"][0]  # the subject's left is the viewer's right


def test_a_frontal_face_has_every_region_and_each_holds_its_keypoints():
    regions = masks(MEAN_KEYPOINTS)
    assert_partition(regions)
    assert regions.any((1, 2)).all()
    owner = {"eyebrow": "brow", "eye": "eye"}
    for name, (x, y) in zip(KEYPOINTS, MEAN_KEYPOINTS, strict=True):
        words = name.split("_")
        part = words[0] if words[0] in ("nose", "mouth") else f"{words[0]}_{owner[words[1]]}"
        assert where(regions, part)[round(float(y)), round(float(x))], name


def test_a_frontal_face_lies_as_faces_do():
    """Brows above eyes above mouth; the nose between; corners of the crop are background; sizes plausible."""
    regions = masks(MEAN_KEYPOINTS)
    for eye, brow in (("left_eye", "left_brow"), ("right_eye", "right_brow")):
        assert middle(where(regions, brow))[1] < middle(where(regions, eye))[1] - 3
    assert middle(where(regions, "left_eye"))[0] > 23.5 > middle(where(regions, "right_eye"))[0]
    assert np.allclose(middle(where(regions, "nose"))[0], framing.CENTRE[0], atol=0.5)
    assert middle(where(regions, "left_eye"))[1] < middle(where(regions, "nose"))[1]
    assert middle(where(regions, "nose"))[1] < middle(where(regions, "mouth"))[1]
    assert regions[BACKGROUND][[0, 0, -1, -1], [0, -1, 0, -1]].all()
    forehead, cheeks, chin = (23, 7), [(9, 28), (38, 28)], (23, 45)
    for x, y in (forehead, *cheeks, chin):
        assert regions[FACE][y, x]
    share = regions.mean((1, 2))
    assert share[:6].min() > 0.01 and 0.12 < share[:6].sum() < 0.35 and 0.3 < share[FACE] < 0.6


def test_the_regions_of_a_symmetric_face_are_symmetric():
    """About the face's own middle, 23.7: on a grid this fine the mirror image is off by at most a pixel's rim."""
    points = MEAN_KEYPOINTS - np.float32([framing.CENTRE[0] - 23.5, 0])
    regions = masks(points, 192)
    mirror = masks(points, 192)[[1, 0, 3, 2, 4, 5, 6, 7]][:, :, ::-1]
    assert (regions != mirror).any(0).mean() < 0.02


@pytest.mark.parametrize("shift", [(3, 0), (-5, 4), (0, -6)])
def test_the_parts_move_with_the_keypoints(shift):
    before, after = masks(MEAN_KEYPOINTS), masks(MEAN_KEYPOINTS + np.array(shift))
    dx, dy = shift
    rows, columns = np.arange(10, 38), np.arange(10, 38)
    assert np.array_equal(after[:, rows[:, None] + dy, columns + dx], before[:, rows[:, None], columns])


def test_one_part_moves_alone():
    """A raised left brow leaves every other part where it was."""
    raised = MEAN_KEYPOINTS.copy()
    brow = [KEYPOINTS.index(f"left_eyebrow_{end}_end") for end in ("inner", "outer")]
    raised[brow, 1] -= 4
    before, after = masks(MEAN_KEYPOINTS), masks(raised)
    assert middle(where(after, "left_brow"))[1] == pytest.approx(middle(where(before, "left_brow"))[1] - 4, abs=0.7)
    for part in ("right_brow", "left_eye", "right_eye", "nose", "mouth"):
        assert np.array_equal(where(after, part), where(before, part))


def test_an_open_mouth_is_larger():
    opened = MEAN_KEYPOINTS.copy()
    opened[KEYPOINTS.index("mouth_center_bottom_lip"), 1] += 6
    mouth, before = where(masks(opened), "mouth"), where(masks(MEAN_KEYPOINTS), "mouth")
    assert mouth.sum() > 1.4 * before.sum() and mouth[44, 23] and not before[44, 23]


@pytest.mark.parametrize("degrees", [-90, -45, 30, 90, 180])
def test_regions_turn_with_the_head(degrees):
    """The middles of the parts of a rolled face are the rolled middles."""
    small = moved(MEAN_KEYPOINTS, zoom=0.6)
    before, after = masks(small, 96), masks(moved(small, degrees), 96)
    for part in range(6):
        expected = moved(middle(before[part])[None] / 2 - 0.25, degrees)[0]
        assert np.allclose(middle(after[part]) / 2 - 0.25, expected, atol=0.6)
        assert after[part].sum() == pytest.approx(before[part].sum(), rel=0.08)


@pytest.mark.parametrize("degrees", [-80, -50, -25, 25, 50, 80])
def test_a_head_turned_aside_has_its_face_behind_its_nose(degrees):
    points = turned_aside(MEAN_KEYPOINTS, degrees)
    framed = framing.frame(points[[1, 0, 10, 12, 11]])
    points = framing.apply(framed, points)
    regions = masks(points)
    assert_partition(regions)
    skin = regions[:7].any(0)
    nose = points[KEYPOINTS.index("nose_tip")]
    assert (middle(skin)[0] - nose[0]) * np.sign(degrees) < 0
    assert regions[:6].sum() > 0.03 * 48 * 48


@pytest.mark.parametrize("side", [1, 7, 24, 96, 200])
def test_other_sides_show_the_same_regions(side):
    regions = masks(MEAN_KEYPOINTS, side)
    assert_partition(regions, side)
    if side % 48 == 0:
        fine = regions.reshape(8, 48, side // 48, 48, side // 48).mean((2, 4))
        assert (fine.argmax(0) == masks(MEAN_KEYPOINTS).argmax(0)).mean() > 0.93


def test_a_face_outside_the_crop_leaves_background():
    regions = masks(MEAN_KEYPOINTS + 500)
    assert_partition(regions)
    assert regions[BACKGROUND].all()


anywhere = arrays.arrays(np.float64, (15, 2), elements=st.floats(-1e6, 1e6, allow_nan=False))
near = arrays.arrays(np.float32, (15, 2), elements=st.floats(-20, 70, width=32))
few = arrays.arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 10.0, 23.5, 47.0]))


@settings(max_examples=80, deadline=None)
@given(st.one_of(anywhere, near, few))
def test_any_points_give_a_partition(points):
    assert_partition(masks(points))


@settings(max_examples=80, deadline=None)
@given(
    aside=st.floats(-90, 90),
    degrees=st.floats(-180, 180),
    zoom=st.floats(0.1, 4),
    shift=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
)
def test_any_pose_gives_a_partition(aside, degrees, zoom, shift):
    assert_partition(masks(moved(turned_aside(MEAN_KEYPOINTS, aside), degrees, zoom, shift)))


@settings(max_examples=40, deadline=None)
@given(
    aside=st.floats(-60, 60),
    degrees=st.floats(-180, 180),
    zoom=st.floats(0.3, 1.5),
    shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
)
def test_regions_move_with_the_keypoints_at_any_pose(aside, degrees, zoom, shift):
    """By whole pixels; a pixel on the very border of a part may fall to either side."""
    points = moved(turned_aside(MEAN_KEYPOINTS, aside), degrees, zoom)
    dx, dy = shift
    before, after = masks(points).argmax(0), masks(points + np.array(shift)).argmax(0)
    inside = np.arange(9, 39)
    assert (after[inside[:, None] + dy, inside + dx] != before[inside[:, None], inside]).mean() < 0.01


@pytest.mark.parametrize("value", [0.0, 23.5, 1e30, -1e30])
def test_points_that_coincide_are_no_face(value):
    regions = masks(np.full((15, 2), value))
    assert_partition(regions)
    assert regions[BACKGROUND].all()


@pytest.mark.parametrize(
    "points", [np.zeros((14, 2)), np.zeros((15, 3)), np.zeros(30), np.full((15, 2), np.nan), np.full((15, 2), np.inf)]
)
def test_what_is_no_layout_is_refused(points):
    with pytest.raises(ParameterError, match="15 finite points"):
        masks(points)


def test_the_keypoints_given_stay_as_they_were():
    points = MEAN_KEYPOINTS.copy()
    masks(points)
    assert np.array_equal(points, MEAN_KEYPOINTS)


def test_outlines_enclose_their_regions():
    borders, regions = outlines(MEAN_KEYPOINTS), masks(MEAN_KEYPOINTS)
    assert list(borders) == list(REGIONS[:-1])
    for name in REGIONS[:6]:
        (line,) = borders[name]
        y, x = np.nonzero(where(regions, name))
        assert line.dtype == np.float32
        assert np.allclose(line.min(0), [x.min(), y.min()], atol=1) and np.allclose(
            line.max(0), [x.max(), y.max()], atol=1
        )
    assert outlines(MEAN_KEYPOINTS + 500)["nose"] == []


def test_a_face_is_cut_up_once_and_its_masks_cannot_be_changed():
    found = masks(MEAN_KEYPOINTS)
    assert masks(MEAN_KEYPOINTS.copy()) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0, 0] = True
    outlines(MEAN_KEYPOINTS)["background"] = []
    assert "background" not in outlines(MEAN_KEYPOINTS)
