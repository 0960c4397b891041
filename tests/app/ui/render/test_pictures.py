import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.ui.render import pictures
from app.ui.session import Session
from explain import registry, scale
from explain.base import Explanation, Target
from models import zoo
from models.types import KEYPOINTS


def decoded(url: str) -> np.ndarray:
    """The pixels of a data URL."""
    data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def decoded_pictures(html: str) -> list[np.ndarray]:
    return [decoded(url) for url in re.findall(r'data:image/[a-z]+;base64,[^"]+', html)]


def test_a_photo_shows_a_box_for_every_face_and_marks_the_chosen_one(two):
    html = pictures.photo(two.choose(1))
    assert re.findall(r'data-index="(\d)"', html) == ["0", "1"]
    assert re.findall(r'aria-pressed="(\w+)"', html) == ["false", "true"]
    assert 'aria-label="Your photo: 2 faces"' in html


def test_a_large_photo_is_shown_smaller(two):
    shown = decoded_pictures(pictures.photo(two))[0]
    assert max(shown.shape[:2]) <= pictures.VIEW_SIDE


def test_fifteen_keypoints_lie_where_they_were_read(one):
    html = pictures.photo(one)
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', html)
    assert np.allclose(np.array(circles, float), one.face.keypoints, atol=0.06)


def test_every_keypoint_is_named_in_the_picture_and_in_the_list(one):
    html = pictures.close_up(one)
    assert html.count('class="fw-point') == 15
    for name in KEYPOINTS:
        assert html.count(pictures.label(name)) == 2


def test_keypoints_outside_the_photo_are_not_drawn_as_if_seen(one):
    keypoints = one.face.keypoints.copy()
    keypoints[0], keypoints[11] = (-3, 40), (40, one.photo.size[1] + 2)
    cut = replace(one, faces=(one.face.with_keypoints(keypoints),))
    assert pictures.photo(cut).count('class="fw-point') == 13
    html = pictures.close_up(cut)
    assert html.count("fw-unseen") == html.count(", outside the photo") == 2 and "Hollow ones" in html
    assert "fw-unseen" not in pictures.close_up(one) and "Hollow" not in pictures.close_up(one)


def test_names_for_people():
    assert pictures.label("left_eyebrow_inner_end") == "left eyebrow, inner end"
    assert pictures.label("mouth_center_top_lip") == "mouth, center top lip"
    assert pictures.label("nose_tip") == "nose tip"
    assert len({pictures.label(name) for name in KEYPOINTS}) == 15


def test_every_keypoint_belongs_to_a_part():
    assert [pictures.part(name) for name in KEYPOINTS].count("eyes") == 6
    assert [pictures.part(name) for name in KEYPOINTS].count("brows") == 4
    assert [pictures.part(name) for name in KEYPOINTS].count("nose") == 1
    assert [pictures.part(name) for name in KEYPOINTS].count("mouth") == 4


def test_the_close_up_shows_the_face_upright(one):
    shown = cv2.cvtColor(decoded_pictures(pictures.close_up(one))[0], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(shown, (96, 96), interpolation=cv2.INTER_AREA).astype(float).ravel()
    assert np.corrcoef(small, one.face.wide_crop.ravel())[0, 1] > 0.98


def test_a_strip_is_there_where_there_is_a_choice(one, two):
    assert pictures.strip(one) == "" and pictures.strip(Session()) == ""
    assert re.findall(r'aria-checked="(\w+)"', pictures.strip(two)) == ["true", "false"]


def test_nothing_is_drawn_without_a_photo():
    assert pictures.photo(Session()) == pictures.close_up(Session()) == ""


@pytest.fixture(scope="module")
def explanation(one) -> Explanation:
    return registry.explain(zoo.load("cnn"), one.face, Target(one.face_predictions["cnn"].top), "gradcam")


def test_a_heatmap_covers_the_face_where_the_values_are_high(one, explanation):
    face, heat = decoded_pictures(pictures.overlay(one, explanation, scale.shared([explanation])))
    assert face.std() > 20 and heat.shape[2] == 4
    cover = cv2.resize(heat[..., 3], (48, 48), interpolation=cv2.INTER_AREA).astype(float)
    assert cover.std() > 10
    assert np.corrcoef(cover.ravel(), np.clip(explanation.values, 0, None).ravel())[0, 1] > 0.97


def test_a_flat_map_leaves_the_face_uncovered(one, explanation):
    flat = Explanation(
        "gradcam", "cnn", explanation.target, np.ones((48, 48), np.float32), False, explanation.params, 0.1
    )
    heat = decoded_pictures(pictures.overlay(one, flat, scale.shared([flat])))[1]
    assert heat[..., 3].max() == 0


def test_the_face_under_a_heatmap_is_the_crop_only_sharper(one, explanation):
    face = decoded_pictures(pictures.overlay(one, explanation, scale.shared([explanation])))[0]
    small = cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA).astype(float).ravel()
    assert np.corrcoef(small, one.face.crop.ravel())[0, 1] > 0.98


def test_pictures_have_a_text(one, explanation):
    html = pictures.overlay(one, explanation, scale.shared([explanation]))
    assert f"Heatmap of CNN for {explanation.target.name}" in html
    assert re.search(r'role="img" aria-label="[^"]+"', pictures.close_up(one))
