"""The share of the faces that a challenger answers, and what is told of it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from app.serving import canary, metrics
from app.ui.render import model_cards
from models import zoo
from models.errors import ParameterError, UnknownModelError
from models.types import EMOTIONS, Face, Prediction


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No canary and no counter."""
    monkeypatch.setattr(canary, "_counters", {})
    monkeypatch.delenv("FACEWHY_CHALLENGER", raising=False)


def faces(count: int) -> list[Face]:
    crops = np.random.default_rng(0).random((count, 48, 48), np.float32)
    turn, wide = np.eye(2, 3, dtype=np.float32), np.zeros((96, 96), np.float32)
    return [Face(np.zeros(4, np.float32), 1.0, None, turn, crop, wide) for crop in crops]


class Engine:
    """Answers happy, and where a face is bright a challenger says sad.

    Attributes:
        asked: how many faces each version was asked about.
    """

    def __init__(self):
        self.asked: dict[str, int] = {}

    def predict(self, name: str, given: list[Face], version: str = "") -> list[Prediction]:
        self.asked[version] = self.asked.get(version, 0) + len(given)
        if version == "9.9.9":
            raise UnknownModelError("A version is present", version)
        bright = [bool(version) and face.crop.mean() > 0.5 for face in given]
        rows = np.stack([np.eye(7, dtype=np.float32)[EMOTIONS.index("sad" if it else "happy")] for it in bright])
        return [Prediction(name, row, row, version or "1.0.0") for row in rows]


def test_without_a_challenger_the_active_version_answers_all():
    engine = Engine()
    assert {answer.version for answer in canary.predict(engine, "cnn", faces(20))} == {"1.0.0"}
    assert engine.asked == {"": 20} and canary.agreement_counters() == {}


def test_a_challenger_answers_its_share_and_the_same_face_always_goes_the_same_way(monkeypatch):
    monkeypatch.setenv("FACEWHY_CHALLENGER", "cnn=1.1.0:25%")
    given, engine = faces(400), Engine()
    versions = [answer.version for answer in canary.predict(engine, "cnn", given)]
    share = versions.count("1.1.0") / len(given)
    assert 0.25 - 3 * 0.0217 < share < 0.25 + 3 * 0.0217  # three standard deviations of a share of 400
    alone = [canary.predict(engine, "cnn", [face])[0].version for face in given[:40]]
    assert alone == versions[:40]
    assert {answer.version for answer in canary.predict(engine, "vgg16", given)} == {"1.0.0"}


def test_a_larger_share_keeps_the_faces_of_a_smaller_one(monkeypatch):
    def chosen(share: str) -> set[int]:
        monkeypatch.setenv("FACEWHY_CHALLENGER", f"cnn=1.1.0:{share}%")
        answers = canary.predict(Engine(), "cnn", faces(200))
        return {index for index, answer in enumerate(answers) if answer.version == "1.1.0"}

    assert chosen("0") == set() and chosen("100") == set(range(200))
    assert chosen("10") < chosen("30.5") < chosen("60")


def test_answers_are_compared_with_those_of_the_active_version(monkeypatch):
    monkeypatch.setenv("FACEWHY_CHALLENGER", "cnn=1.1.0:100%, vgg16=2.0.0:50%")
    given, engine = faces(60), Engine()
    answers = canary.predict(engine, "cnn", given)
    canary.predict(engine, "cnn", given)
    alike = sum(answer.emotion == "happy" for answer in answers)
    assert 0 < alike < 60 and engine.asked == {"": 120, "1.1.0": 120}
    found = canary.agreement_counters()
    assert found["cnn"] == canary.AgreementCounter("1.1.0", 1.0, 120, 2 * alike)
    assert found["vgg16"] == canary.AgreementCounter("2.0.0", 0.5)
    found["cnn"].faces = 0
    assert canary.agreement_counters()["cnn"].faces == 120


def test_a_challenger_that_cannot_be_used_costs_no_visitor_an_answer(monkeypatch, caplog):
    monkeypatch.setenv("FACEWHY_CHALLENGER", "cnn=9.9.9:100%")
    answers = canary.predict(Engine(), "cnn", faces(5))
    assert {answer.version for answer in answers} == {"1.0.0"} and canary.agreement_counters()["cnn"].faces == 0
    assert "9.9.9" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "cnn",
        "cnn=1.1.0",
        "cnn=1.1.0:10",
        "cnn=1.1.0:101%",
        "cnn=1.1:5%",
        "cnn=../x:5%",
        "lenet=1.1.0:5%",
        "cnn=1.1.0:-5%",
    ],
)
def test_what_is_written_wrongly_is_refused(monkeypatch, text):
    monkeypatch.setenv("FACEWHY_CHALLENGER", text)
    with pytest.raises(ParameterError, match="cnn=1.1.0:10%"):
        canary.canaries()


def test_the_metrics_and_the_models_tab_tell_of_a_challenger(monkeypatch):
    monkeypatch.setenv("FACEWHY_CHALLENGER", "cnn=1.1.0:10%")
    assert model_cards.challenged(canary.agreement_counters().get("cnn")).endswith(
        "answers 10\u00a0% of the faces: none so far"
    )
    counter = canary.AgreementCounter("1.1.0", 0.1, 100, 93)
    monkeypatch.setattr(canary, "agreement_counters", lambda: {"cnn": counter})
    assert model_cards.challenged(counter) == "1.1.0 answers 10\u00a0% of the faces: agrees on 93 of 100"
    assert model_cards.challenged(replace(counter, share=0.005)).startswith("1.1.0 answers 0.5\u00a0% of the faces")
    text = metrics.text({}).decode()
    labels = re.escape('{model="cnn",version="1.1.0"}')
    told = {
        name: re.search(rf"^facewhy_challenger_{name}{labels} (\S+)$", text, re.MULTILINE)[1]
        for name in ("share", "faces_total", "agreed_total")
    }
    assert told == {"share": "0.1", "faces_total": "100.0", "agreed_total": "93.0"}


def test_the_card_of_a_challenged_model_has_a_row_about_it():
    card, status = zoo.load("cnn").card, zoo.Status("ready", 1.0, "shipped")
    assert "Challenger" not in dict(model_cards.facts(card, status))
    assert dict(model_cards.facts(card, status, canary.AgreementCounter("1.1.0", 0.1, 4, 3)))["Challenger"].endswith(
        "3 of 4"
    )
