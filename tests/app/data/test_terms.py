"""What the glass box adds up over faces: by hand on a small model, and as shap says."""

import numpy as np
import pytest

from app.data import reading, terms, view
from app.data.filters import Filters
from explain.methods import shap_package
from models import geometry, glass_box
from models.errors import WeightsNotFoundError
from models.glass_box import GlassBox, Term
from models.types import EMOTIONS

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")
WIDTH, GAP = geometry.NAMES.index("mouth_width"), geometry.NAMES.index("brow_gap")


def small_box() -> GlassBox:
    """A mouth at least 1 wide adds 3 to happy and −3 to sad; a gap from .5 adds 1, one from .6 adds 2 to happy."""
    made = [Term(index, np.empty(0), np.zeros((1, 7))) for index in range(20)]
    wide, gap = np.zeros((2, 7)), np.zeros((3, 7))
    wide[1, [HAPPY, SAD]] = 3, -3
    gap[:, HAPPY] = 0, 1, 2
    made[WIDTH], made[GAP] = Term(WIDTH, np.array([1.0]), wide), Term(GAP, np.array([0.5, 0.6]), gap)
    return GlassBox(tuple(made), np.zeros(7), *np.zeros((3, 20)), {"version": "1.0.0", "temperature": 1.0})


def measures(widths: list[float], gaps: list[float]) -> np.ndarray:
    values = np.zeros((len(widths), 20), np.float32)
    values[:, WIDTH], values[:, GAP] = widths, gaps
    return values


def told(box: GlassBox, values: np.ndarray, passed: list[int]) -> terms.Terms | None:
    return terms.of(box, terms.rows(box, values), values, np.array(passed, bool))


def test_strengths_and_means_by_hand():
    box = small_box()
    found = told(box, measures([1, 0.5, 2, np.nan, 0], [0.5, 0.55, 0.7, 0.5, 0.1]), [1, 0, 1, 1, 0])
    assert (found.faces, found.background) == (2, 4), "a face without a measure is in neither"
    assert found.means[[WIDTH, WIDTH, GAP], [HAPPY, SAD, HAPPY]] == pytest.approx([1.5, -1.5, 1.0])
    assert [count.tolist() for count in (found.counts[WIDTH], found.counts[GAP])] == [[0, 2], [0, 1, 1]]
    expected = np.zeros((20, 7))
    expected[WIDTH, [HAPPY, SAD]], expected[GAP, HAPPY] = 1.5, 0.5
    assert found.strengths == pytest.approx(expected)
    assert found.drawn[:, WIDTH, HAPPY] == pytest.approx([1.5, 1.5])
    assert found.drawn[:, GAP, HAPPY] == pytest.approx([0, 1])
    assert found.values[:, WIDTH].tolist() == [1, 2]
    assert found.steps(GAP, HAPPY) == [(None, 0.5, 0, -1), (0.5, 0.6, 1, 0), (0.6, None, 1, 1)]


def test_without_a_face_that_has_all_measures_there_is_nothing():
    box = small_box()
    assert told(box, measures([np.nan, 1], [0.5, 0.5]), [1, 0]) is None


def test_many_faces_are_counted_and_few_drawn():
    box = small_box()
    widths = np.tile([0.5, 1.5], 500)
    found = told(box, measures(list(widths), [0.5] * 1000), [1] * 1000)
    assert found.faces == 1000 and len(found.values) == terms.DRAWN
    assert found.counts[WIDTH].tolist() == [500, 500]


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Measures of 40 faces that lie where those of the fitted faces do, float32 (40, 20)."""
    box = glass_box.shipped()
    return np.random.default_rng(0).uniform(box.low, box.high, (40, 20)).astype(np.float32)


def scores(values: np.ndarray) -> np.ndarray:
    box = glass_box.shipped()
    return box.intercept + box.contributions(values).sum(-2)


def test_it_is_what_shap_estimates_by_orders_of_all_measures(faces):
    background, few = faces, faces[:3]
    found = told(glass_box.shipped(), background, [1] * 3 + [0] * 37)
    shap = shap_package.load()
    explainer = shap.PermutationExplainer(scores, shap.maskers.Independent(background, max_samples=len(background)))
    assert explainer(few, silent=True).values == pytest.approx(found.drawn, abs=1e-6)


def test_it_is_what_shap_says_by_all_sets_of_measures(faces):
    """Eight measures differ from the background; of twenty there would be a million sets."""
    background = faces.copy()
    background[:, 8:] = background[0, 8:]
    found = told(glass_box.shipped(), background, [1, 1] + [0] * 38)
    shap = shap_package.load()
    explainer = shap.ExactExplainer(scores, shap.maskers.Independent(background, max_samples=len(background)))
    exact = explainer(background[:2], silent=True).values
    assert np.abs(exact[:, :8]).max() > 0.1
    assert exact == pytest.approx(found.drawn, abs=1e-6)
    assert np.abs(exact).mean(0) == pytest.approx(found.strengths, abs=1e-6)


def test_a_filter_moves_no_faces_numbers(monkeypatch):
    monkeypatch.delenv(reading.VARIABLE, raising=False)
    everyone, happy = view.summary(Filters()).terms, view.summary(Filters(label="happy")).terms
    assert np.array_equal(everyone.means, happy.means) and happy.background == everyone.faces == everyone.background
    assert happy.faces < everyone.faces
    known = reading.current().faces
    values = np.stack([known.geometry[name] for name in geometry.NAMES], 1)
    shares = glass_box.shipped().contributions(values) - glass_box.shipped().contributions(values).mean(0)
    assert everyone.strengths == pytest.approx(np.abs(shares).mean(0))
    assert happy.strengths == pytest.approx(np.abs(shares[known.labels == HAPPY]).mean(0))


def test_without_a_measure_or_without_the_model_there_is_nothing(use, plain, monkeypatch):
    use(plain("happy", "sad", geometry_mouth_width=np.float32([1, 2])))
    assert view.summary(Filters()).terms is None
    monkeypatch.delenv(reading.VARIABLE)

    def missing():
        raise WeightsNotFoundError("The glass box is missing", "no file", "Fit it again")

    monkeypatch.setattr(glass_box, "shipped", missing)
    assert view.summary(Filters()).terms is None
