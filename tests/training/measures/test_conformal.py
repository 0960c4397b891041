import json

import numpy as np
import pytest

from models import card as cards
from models import conformal, ensemble, zoo
from models.conformal import Calibration
from models.types import EMOTIONS
from models.weight_store import SHIPPED
from training.measures.conformal import chosen, covered, figures, fit


def test_what_sets_hold_is_counted_by_hand():
    probabilities = np.full((4, 7), 0.02)
    probabilities[[0, 1, 2], [3, 3, 0]] = 0.88
    probabilities[3] = [0.46, 0.02, 0.02, 0.02, 0.44, 0.02, 0.02]
    found = covered(Calibration("lac", 0.6), probabilities, np.array([3, 0, 0, 4]))
    assert found["sizes"] == [3, 1, 0, 0, 0, 0, 0] and found["size"] == 1.25
    assert found["coverage"] == 0.75 and found["faces"] == 4
    assert found["coverage_by_emotion"] == dict.fromkeys(EMOTIONS) | {"angry": 0.5, "happy": 1.0, "neutral": 1.0}


@pytest.fixture(scope="module")
def simulated():
    """Probabilities that are too sure, and labels, by split."""
    rng = np.random.default_rng(0)
    true = {split: rng.dirichlet(np.full(7, 0.4), 3000) for split in ("PublicTest", "PrivateTest")}
    labels = {split: (found.cumsum(1) > rng.random((3000, 1))).argmax(1) for split, found in true.items()}
    return {split: found**2 / (found**2).sum(1, keepdims=True) for split, found in true.items()}, labels


def test_figures_are_those_of_the_smallest_sets_on_faces_of_the_other_split(simulated):
    probabilities, labels = simulated
    found = figures(*simulated)
    assert set(found["tried"]) == {*conformal.METHODS}
    assert found["method"] == min(found["tried"], key=found["tried"].get)
    made = conformal.read(found)
    assert made == fit(probabilities["PublicTest"], labels["PublicTest"], made.method)
    assert found["PrivateTest"] == covered(made, probabilities["PrivateTest"], labels["PrivateTest"])
    assert found["PrivateTest"]["coverage"] == pytest.approx(0.9, abs=0.02)


def test_sets_are_compared_on_faces_that_no_calibration_saw(simulated):
    """With ten faces each part of eight is too few for a threshold, so that its sets hold all seven."""
    probabilities, labels = (found["PublicTest"][:10] for found in simulated)
    assert chosen(probabilities, labels)[1] == dict.fromkeys(conformal.METHODS, 7.0)


def test_too_few_faces_are_told_by_no_threshold(simulated):
    few = [{split: values[:5] for split, values in found.items()} for found in simulated]
    assert figures(*few)["threshold"] is None and figures(*few)["PrivateTest"]["sizes"] == [0] * 6 + [5]


@pytest.mark.parametrize("name", [*zoo.EMOTION_MODELS, "ensemble"])
def test_what_ships_holds_the_label_in_nine_of_ten_faces(name):
    together = name == "ensemble"
    values = json.loads((SHIPPED / ensemble.FILE).read_text()) if together else cards.read(SHIPPED / name).metrics
    found = values[conformal.KEY]
    assert conformal.read(found) is not None and found["split"] == "PublicTest"
    held = found["PrivateTest"]
    assert held["coverage"] >= 0.89 and sum(held["sizes"]) == held["faces"] == values["PrivateTest"]["faces"]
    assert held["size"] == pytest.approx(np.dot(held["sizes"], range(1, 8)) / held["faces"], abs=1e-4)
