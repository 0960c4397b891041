"""What a report says is what was computed, in a picture, a table, JSON and a page, with the photo or without."""

import base64
import csv
import html
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from PIL import Image

from app import VERSION, pipeline, reporting, text
from app.api import responses
from app.reporting import picture
from explain import evidence, part_ranges
from explain.base import Target
from explain.registry import METHODS
from explain.trust import Agreement
from models import detector, regions
from models.errors import ParameterError
from models.types import EMOTIONS

FEAR = EMOTIONS.index("fear")


def words(page: str) -> str:
    """The text of a page as a reader sees it."""
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(body))


def plainly(said: str) -> str:
    """A sentence as `words` gives it."""
    return " ".join(said.split())


def pictures(page: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/(?:png|jpeg);base64,([^"]+)"', page)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(each), np.uint8), cv2.IMREAD_COLOR) for each in found]


# ------------------------------------------------------------------------- json and csv


def test_the_numbers_are_those_that_the_api_answers(told):
    numbers = json.loads(reporting.to_json(told))
    api = responses.explanation(told.explanation, told.face, told.prediction, told.scale, "arrays")
    assert numbers["explanation"] == {key: value for key, value in api.items() if key != "png"}
    assert numbers["prediction"] == responses.prediction(told.prediction)
    found = pipeline.Detections(told.photo, [told.face])
    assert {key: numbers[key] for key in ("box", "score", "turned", "quality")} == responses.chosen(found)
    points = [{key: point[key] for key in ("name", "x", "y")} for point in responses.keypoints(told.face, told.photo)]
    assert numbers["keypoints"] == points
    assert numbers["trust"] == told.trust.to_json() and numbers["verdict"] == told.trust.sentence
    assert numbers["weights"]["sha256"] == told.card.sha256 and numbers["weights"]["limits"] == list(told.card.limits)
    assert (numbers["facewhy"], numbers["made"]) == (VERSION, "2026-11-28")


def test_the_table_has_a_line_a_part_with_what_it_is_about(make):
    made = make(target=Target(FEAR, against=3))
    lines = list(csv.DictReader(io.StringIO(reporting.evidence_csv(made))))
    assert [line["region"] for line in lines] == list(regions.REGIONS)
    masks = regions.masks(made.face.crop_keypoints)
    for line, mask in zip(lines, masks, strict=True):
        assert int(line["pixels"]) == mask.sum()
        assert float(line["supporting"]) == pytest.approx(float(np.maximum(made.explanation.values[mask], 0).sum()))
        assert (line["model"], line["method"]) == ("cnn", "saliency")
        assert (line["emotion"], line["against"], line["version"]) == ("fear", "happy", made.prediction.version)


# ------------------------------------------------------------------------------ picture


def test_the_picture_has_the_map_its_scale_and_room_for_every_word(told, monkeypatch):
    drawn = np.asarray(Image.open(io.BytesIO(reporting.to_png(told))).convert("RGB")).astype(int)
    side, margin = picture.SIDE, picture.MARGIN
    assert drawn.shape[1] == side + 2 * margin
    inner = drawn[:, margin : margin + side]
    over = picture.overlay(told).astype(int)
    top = next(row for row in range(len(inner) - side) if np.array_equal(inner[row : row + side], over))
    below = inner[top + side :]
    bar = next(row for row in below if len(np.unique(row, axis=0)) > 100)
    assert bar[0].argmax() == 2 and bar[-1].argmax() == 0  # blue at its low end, red at its high one
    assert (drawn[:, :margin] == 255).all() and (drawn[:, margin + side :] == 255).all()
    monkeypatch.setattr(picture, "caption", lambda report: ["few words"])
    assert np.asarray(Image.open(io.BytesIO(reporting.to_png(told)))).shape[0] < drawn.shape[0]


def test_the_caption_says_what_how_sure_and_whether_it_holds_up(told):
    said = " ".join(picture.caption(told))
    assert text.question(told.explanation.target, told.prediction) in said
    assert told.sentences[0] in said and told.trust.sentence in said and VERSION in said and "2026-11-28" in said


@pytest.mark.parametrize("words", ["a" * 400, "word " * 60, "97\u00a0% × 2 – …"])
def test_a_caption_fits_beside_nothing(words):
    from PIL import ImageFont

    font = ImageFont.load_default(picture.SMALL)
    lines = picture._wrapped(words, font)
    assert "".join("".join(lines).split()) == "".join(words.translate(picture.PLAIN).split())
    assert all(font.getlength(line) <= picture.SIDE and line.isascii() for line in lines)


def test_what_makes_the_answer_unreliable_is_said(told):
    dark = replace(told, quality=replace(told.quality, brightness=0.05))
    assert plainly(dark.doubts) in words(reporting.to_html(dark)) and "very dark" in dark.doubts
    assert dark.doubts in " ".join(picture.caption(dark))
    assert told.doubts == "" and "Be careful" not in words(reporting.to_html(told))
    assert json.loads(reporting.to_json(dark))["quality"]["warnings"] == ["dark"]


def test_a_weak_emotion_is_paler_and_said_to_be(make):
    weak = make(target=Target(FEAR))
    assert weak.weak in " ".join(picture.caption(weak)) and plainly(weak.weak) in words(reporting.to_html(weak))
    sure = replace(weak, prediction=replace(weak.prediction, probabilities=np.eye(7, dtype=np.float32)[FEAR]))
    colour = [np.ptp(picture.overlay(each).astype(int), axis=2).mean() for each in (weak, sure)]
    assert 0 < colour[0] < 0.6 * colour[1] and sure.weak == ""


# --------------------------------------------------------------------------------- page


def test_the_page_says_everything(told):
    page = words(reporting.to_html(told))
    card, explanation = told.card, told.explanation
    for said in (
        told.title,
        text.question(explanation.target, told.prediction),
        *told.sentences,
        told.trust.sentence,
        f"CNN, version {told.prediction.version} of {card.date}",
        METHODS["shap_gradient"].summary,
        *card.data,
        *card.limits,
        card.licence,
        card.sha256,
        "It does not know what a person feels",
        f"2026-11-28 with FaceWhy {VERSION}",
    ):
        assert plainly(said) in page, said
    for name, control in METHODS["shap_gradient"].Params.controls().items():
        value = getattr(explanation.params, name)
        assert f"Setting: {control.title} {value}" in page
    assert all(item.label in page for item in told.evidence) and all(emotion in page for emotion in EMOTIONS)
    assert f"{told.trust.stability:.2f}" in page and "of ResNet" in page and "by Grad-CAM" in page


@pytest.mark.parametrize(
    ("method", "against", "columns"),
    [("shap_gradient", None, 4), ("shap_gradient", FEAR, 4), ("gradcam", FEAR, 3), ("saliency", None, 3)],
)
def test_every_line_of_a_table_has_a_cell_a_column(make, method, against, columns):
    page = reporting.to_html(make(method=method, target=Target(EMOTIONS.index("happy"), against)))
    table = page[page.index("<caption>Evidence by part") :].split("</table>")[0]
    assert {len(re.findall(r"<t[hd]", line)) for line in re.findall(r"<tr>.*?</tr>", table)} == {columns}


def test_the_page_says_between_which_ends_the_shares_lie(told, make):
    page = words(reporting.to_html(told))
    found = told.trust.part_ranges
    assert found.seeds == (0, 1, 2, 3)
    assert "4 draws of what this method leaves to chance" in page and "no confidence interval" in page
    for item, part in zip(told.evidence, found.parts, strict=True):
        for share, ends in ((item.share_supporting, part.share_supporting), (item.share_opposing, part.share_opposing)):
            assert plainly(f"{evidence.percent(share)} {part_ranges.between(ends)}") in page
    assert "In brackets" not in words(reporting.to_html(make(method="gradcam", tested=True)))


def test_a_flat_map_has_no_table_of_nothing(told):
    values = np.zeros_like(told.explanation.values)
    nowhere = Agreement(float("nan"), float("nan"))
    trust = replace(told.trust, stability=float("nan"), between_methods={"gradcam": nowhere}, between_models={})
    page = reporting.to_html(replace(told, explanation=replace(told.explanation, values=values), trust=trust))
    assert "The map is flat" in page and "Evidence by part" not in page and "beside other maps" not in page


class Tags(HTMLParser):
    """The tags of a page, each closed where it has to be, and all attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_beside_it_and_runs_nothing(told):
    page = reporting.to_html(told)
    tags = Tags(page)
    assert tags.open == [] and not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags.seen}
    addresses = [value for _, given in tags.seen for name, value in given.items() if name in ("src", "href", "srcset")]
    assert addresses and all(address.startswith("data:image/") for address in addresses)
    assert "url(" not in page and "@import" not in page and "@media print" in page
    assert [given["alt"] for tag, given in tags.seen if tag == "img"][0].startswith("Heatmap of CNN for happy")
    assert [tag for tag, _ in tags.seen if re.fullmatch(r"h\d", tag)] == ["h1", *["h2"] * 5]


def test_what_is_filled_in_is_escaped(told):
    limits = ("<b>bold & brave</b>",)
    page = reporting.to_html(replace(told, card=replace(told.card, limits=limits)))
    assert "&lt;b&gt;bold &amp; brave&lt;/b&gt;" in page


def test_without_the_photo_no_pixel_of_it_is_in_the_report(told):
    bare = told.without_photo()
    assert len(pictures(reporting.to_html(told))) == 3 and len(pictures(reporting.to_html(bare))) == 2
    flat = replace(bare, explanation=replace(bare.explanation, values=np.zeros_like(bare.explanation.values)))
    drawn = picture.overlay(flat)
    assert np.ptp(drawn, axis=2).max() <= np.ptp(picture.INK)  # no colour
    lines = (drawn != drawn[0, 0]).any(-1)
    assert 0.001 < lines.mean() < 0.05  # the outlines alone
    other = replace(flat, face=replace(flat.face, crop=1 - flat.face.crop, wide_crop=1 - flat.face.wide_crop))
    assert np.array_equal(picture.overlay(other), drawn)
    assert not np.array_equal(picture.overlay(replace(flat, photo=told.photo)), drawn)


def test_a_map_that_was_not_tested_is_not_called_tested(make, plain, told):
    assert make().verdict == "This map was not tested."
    guess = replace(told, face=replace(told.face, points=None), trust=None)
    assert guess.verdict == text.NO_FACE_TO_TEST and "passes" not in reporting.to_html(guess)
    made = reporting.report(told.photo, guess.face, told.prediction, told.explanation, told.trust)
    assert made.trust is None
    assert detector.whole_picture(plain).guessed


# -------------------------------------------------------------------------------- files


def test_all_files_are_written_or_none(tmp_path, monkeypatch):
    folder = tmp_path / "new" / "report"
    written = reporting.write(folder, {"a.txt": b"one", "b.txt": b"two"})
    assert [path.read_bytes() for path in written] == [b"one", b"two"]
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "b.txt"]
    real = type(folder).write_bytes

    def full(path, content):
        if path.name == "b.txt":
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(type(folder), "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        reporting.write(folder, {"a.txt": b"three", "b.txt": b"four"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.txt": b"one", "b.txt": b"two"}


def test_a_report_that_is_there_is_not_replaced_by_accident(tmp_path):
    reporting.refuse_to_replace(tmp_path / "not-there")
    (tmp_path / "notes.txt").write_text("mine")
    reporting.refuse_to_replace(tmp_path)
    (tmp_path / "map.png").write_bytes(b"earlier")
    with pytest.raises(ParameterError, match=r"holds one already\. Received: map.png"):
        reporting.refuse_to_replace(tmp_path)
    with pytest.raises(ParameterError, match="there is a file of this name"):
        reporting.refuse_to_replace(tmp_path / "notes.txt")


def test_a_report_that_was_made_before_the_test_was_done_says_so(told):
    assert told.unfinished == "" == json.loads(reporting.to_json(told))["unfinished"]
    half = replace(told, trust=replace(told.trust, part_ranges=None))
    assert half.unfinished.endswith("Not measured yet: how far its shares move with other fills and seeds.")
    assert half.unfinished in words(reporting.to_html(half))
    begun = replace(told, trust=replace(told.trust, part_ranges=None, between_methods={}, between_models={}))
    assert "its agreement with other maps and how far its shares move" in begun.unfinished
    assert json.loads(reporting.to_json(begun))["unfinished"] == begun.unfinished
    assert replace(told, trust=None).unfinished == ""
