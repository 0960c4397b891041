"""The lessons: what they open exists, and what comes out is computed."""

import numpy as np
import pytest

from app import lesson_outcomes, lessons, main, pipeline, text
from app.reporting import lesson_sheet
from explain.base import Target
from explain.registry import METHODS
from models import photo
from models.card import read
from models.errors import ParameterError
from models.types import EMOTIONS
from models.weight_store import SHIPPED

EVERY = pytest.mark.parametrize("lesson", lessons.every(), ids=lambda lesson: lesson.name)


@EVERY
def test_every_step_opens_what_exists(lesson):
    tabs = {tab.TITLE for tab in main.TABS}
    assert len(lesson.steps) >= 3 and lesson.discuss.endswith("?") and lesson.question.endswith("?")
    for step in lesson.steps:
        assert step.tab in tabs and step.text
        assert not step.example or lesson_outcomes.example(step.example).is_file()
        assert step.model in ("", *text.MODELS) and step.method in ("", *METHODS) and step.emotion in ("", *EMOTIONS)
        assert (step.experiment is not None) == (step.tab == "Lab") and bool(step.model) == (step.tab == "Explain")


@EVERY
def test_what_comes_out_is_one_of_the_guesses_and_a_table(lesson):
    found = lesson_outcomes.OUTCOMES[lesson.name]()
    assert len(found.answers) == 1 and set(found.answers) <= set(lesson.options)
    assert found.rows and all(len(row) == len(found.heads) == 1 + len(text.MODELS) for row in found.rows)


def test_the_parts_that_come_out_are_those_of_the_method():
    found = lesson_outcomes.smile()
    face = pipeline.faces_in(photo.read(lesson_outcomes.example("composite_happy")))[0]
    values = pipeline.explain("resnet", face, Target(EMOTIONS.index("happy")), "shap_regions").values
    column = found.heads.index("ResNet")
    sums = [float(row[column]) for row in found.rows]
    background = float(np.sum(values)) - sum(sums)
    assert abs(background) < np.abs(values).sum(), "the groups are parts of one whole"
    first = found.rows[int(np.argmax(sums))][0]
    assert first == found.answers[0]


def test_the_emotion_that_is_overlooked_is_the_cards_own():
    recall = [read(SHIPPED / name).metrics["PrivateTest"]["recall"] for name in text.MODELS]
    means = {emotion: np.mean([each[emotion] for each in recall]) for emotion in EMOTIONS}
    assert lesson_outcomes.overlooked().answers == (min(means, key=means.get),)


def test_methods_that_do_about_as_often_are_called_so(monkeypatch):
    def table(one, other):
        rows = {"gradcam": one, "shap_gradient": other}
        return {"methods": {name: {"beats_other_faces": {"mean": mean}} for name, mean in rows.items()}}

    for shares, expected in (((0.5, 0.58), "both about as often"), ((0.7, 0.4), "Grad-CAM")):
        monkeypatch.setattr(pipeline, "trust_table", lambda name, shares=shares: table(*shares))
        assert lesson_outcomes.tells_apart().answers == (expected,)
    monkeypatch.setattr(pipeline, "trust_table", lambda name: None)
    assert lesson_outcomes.tells_apart().answers == () == lesson_outcomes.tells_apart().rows


@EVERY
def test_a_sheet_holds_the_whole_lesson_and_needs_nothing_beside_it(lesson):
    page = lesson_sheet.sheet(lesson)
    for said in (lesson.title, *lesson.options, *(step.title for step in lesson.steps), "Article 5(1)(f)"):
        assert said in page
    assert "http" not in page and "<script" not in page and " src=" not in page


FACTS = "---\ntitle: a\nsummary: b\nquestion: c?\noptions: d; e\n---\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no facts", "A fact is missing"),
        (FACTS + "\n## Look\nopen: Lab\n\nText.\n", "question at the end was not found"),
        (FACTS + "\n## Look\nText only.\n\n## Discuss\n\nWhy?", "opens a tab was not found"),
        (FACTS + "\n## Look\nopen: Lab\nother: x\n\nText.\n\n## Discuss\n\nWhy?", "opens a tab was not found"),
    ],
)
def test_a_lesson_that_is_damaged_says_what_is_wrong(text, said):
    with pytest.raises(ParameterError, match=said):
        lessons.parse("mine", text)


def test_a_lesson_is_read_from_its_text():
    found = lessons.parse("mine", FACTS + "\n## Look\nopen: Explain\nmodel: cnn\n\nTwo\nlines.\n\n## Discuss\n\nWhy?\n")
    assert found.options == ("d", "e") and found.discuss == "Why?"
    assert found.steps == (lessons.Step("Look", "Two lines.", "Explain", model="cnn"),)
    with pytest.raises(ParameterError, match="No lesson"):
        lessons.load("../secret")
