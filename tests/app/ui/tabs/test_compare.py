"""The handlers of the tab Compare as plain functions."""

import base64
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import cv2
import gradio as gr
import numpy as np
import pytest

from app import pipeline, text
from app.ui.cancellation import Cancellation
from app.ui.render import comparison_grid
from app.ui.session import Session
from app.ui.tabs import compare
from explain import registry
from explain.base import common_target
from explain.metrics import agreement
from explain.registry import METHODS
from models import zoo
from tests.app.ui.render.test_pictures import decoded_pictures

COMPARED = list(pipeline.COMPARED)


def seen(steps: Iterable[tuple]) -> Iterator[SimpleNamespace]:
    """What the visitor sees after each step: what a step leaves out stays, and the rows make up the grid."""
    fields, shown = compare.View._fields, {}
    for step in steps:
        shown |= {name: value for name, value in zip([*fields, *METHODS], step, strict=True) if value != gr.skip()}
        yield SimpleNamespace(
            **shown, grid="".join(shown.get(method, "") for method in METHODS), drawn=step[len(fields) :]
        )


def compared(session, shown=None, emotion="", methods=COMPARED, against="", cancellation=None) -> Iterator:
    return seen(compare.compare(cancellation or Cancellation(), session, shown, emotion, against, methods))


def steps_of(*given, **named) -> list[SimpleNamespace]:
    return list(compared(*given, **named))


def arrived(*given) -> Iterator[SimpleNamespace]:
    return seen(compare.arrive(Cancellation(), *given))


def grid_of(session, results) -> str:
    return comparison_grid.row(session, session.face_predictions, *results)


@pytest.fixture(scope="module")
def steps(one) -> list[SimpleNamespace]:
    return steps_of(one)


@pytest.fixture(scope="module")
def last(steps) -> SimpleNamespace:
    return steps[-1]


def test_a_comparison_grows_map_by_map(steps):
    models = [step.grid.count('alt="Heatmap of') for step in steps]
    assert models == list(range(10))
    assert [step.grid.count("fw-empty") for step in steps] == [9 - count for count in models]
    assert all("<progress" in step.notice for step in steps[:-1])
    assert steps[0].stop.interactive and not steps[-1].stop.interactive


def test_a_step_draws_only_the_row_that_has_a_new_map(steps):
    drawn = [[place for place, row in enumerate(step.drawn) if row != gr.skip()] for step in steps]
    order = [list(METHODS).index(method) for method in COMPARED for _ in range(3)]
    assert drawn[1:-1] == [[place] for place in order[:8]]


def test_a_finished_comparison_shows_all_three_models(one, last):
    for name, answer in one.face_predictions.items():
        seen = f"{text.ADJECTIVES[answer.emotion]}, {text.percent(answer.confidence)}"
        assert last.grid.count(f"<b>{text.MODELS[name]}</b>: {seen}") == 3
    assert last.grid.count("most for:") == 3
    assert len(re.findall(r"\d+ ms|\d\.\d s", last.grid)) == 9
    assert text.verdict(one.face_predictions, one.face_together) in last.notice
    assert last.parts.visible and last.shown.finished


def test_the_maps_of_a_method_share_one_scale(one, last):
    maps = last.shown.results["gradcam"]
    weakest = min(maps, key=lambda name: abs(maps[name].values).max())
    alone = grid_of(one, ("gradcam", {weakest: maps[weakest]}))
    heat = r'class="fw-heat" alt="Heatmap of ' + text.MODELS[weakest] + r'[^"]*" src="([^"]+)"'
    assert re.search(heat, last.grid)[1] != re.search(heat, alone)[1]


def test_where_the_models_differ_is_shown_once_a_method_is_complete(steps, last):
    assert [step.grid.count("Where they differ") for step in steps] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    maps = last.shown.results["shap_regions"]
    apart = agreement.disagreement([maps[name].values for name in zoo.EMOTION_MODELS])
    row = last.grid.split("<section")[-1]
    cover = decoded_pictures(row)[-1][..., 3]
    cover = cv2.resize(cover, (48, 48), interpolation=cv2.INTER_AREA).astype(float)
    assert np.corrcoef(cover.ravel(), apart.ravel())[0, 1] > 0.95


def test_equal_maps_differ_nowhere_and_are_called_alike(one, last):
    same = last.shown.results["gradcam"]["cnn"]
    maps = {name: replace(same, model=name) for name in zoo.EMOTION_MODELS}
    html = grid_of(one, ("gradcam", maps))
    assert decoded_pictures(html.partition("Where the models differ")[2])[0][..., 3].max() == 0
    assert "very alike (1.00)" in html


def test_the_agreement_matrix_is_that_of_the_maps(last):
    maps = last.shown.results["gradcam"]
    found = [maps[name] for name in zoo.EMOTION_MODELS]
    order, shared = agreement.matrix(found), agreement.matrix(found, agreement.overlap)
    cells = re.findall(r"<td style=[^>]*>([-\d.]+)<br><span>(\d+)", last.grid.split("<section")[1])
    expected = [(f"{order[i, j]:.2f}", f"{100 * shared[i, j]:.0f}") for i in range(3) for j in range(3) if i != j]
    assert cells == expected


def test_flat_maps_are_not_compared(one, last):
    same = last.shown.results["gradcam"]["cnn"]
    flat = {name: replace(same, model=name, values=np.zeros((48, 48), np.float32)) for name in zoo.EMOTION_MODELS}
    words = re.sub(r'base64,[^"]+', "", grid_of(one, ("gradcam", flat)))
    assert "flat" in words and "nan" not in words


def test_the_methods_that_were_chosen_are_compared_in_their_order(one):
    found = steps_of(one, methods=["saliency", "gradcam"])[-1]
    titles = re.findall(r"<h2>([^<]+)</h2>", found.grid)
    assert titles == [METHODS["gradcam"].title, METHODS["saliency"].title]
    assert METHODS["gradcam"].title in json.loads(found.parts.value["plot"])["layout"]["title"]["text"]


def test_without_a_method_the_tab_says_what_to_do(one):
    (step,) = steps_of(one, methods=[])
    assert step.notice == compare.NO_METHOD and step.grid == ""


def test_the_emotion_that_was_asked_for_is_compared(one):
    assert "All three are asked about angry" in steps_of(one, emotion="angry", methods=["gradcam"])[-1].notice


def test_one_emotion_is_set_against_another(one, last):
    alone = steps_of(one, emotion="angry", methods=["gradcam"])[-1]
    found = steps_of(one, alone.shown, "angry", ["gradcam"], "sad")[-1]
    assert "All three are asked about angry rather than sad" in found.notice
    maps = [step.shown.results["gradcam"] for step in (alone, found)]
    assert all(not np.allclose(maps[0][name].values, maps[1][name].values) for name in one.face_predictions)
    average = common_target("", "", one.face_predictions).name
    for emotion, against in (("angry", "angry"), ("", average)):
        (step,) = steps_of(one, emotion=emotion, against=against)
        assert f"Why {against} and not {against}?" in step.notice and step.grid == ""


def test_a_comparison_that_is_there_is_not_made_again(one, last):
    (step,) = compare.arrive(Cancellation(), one, last.shown, "", "", COMPARED)
    assert len(step) == len(compare.View._fields) + len(METHODS) and all(value == gr.skip() for value in step)
    assert "<progress" in next(arrived(one, last.shown, "angry", "", COMPARED)).notice
    assert "<progress" in next(arrived(one, None, "", "", COMPARED)).notice


def test_after_a_stop_what_was_ready_is_kept(one, steps, monkeypatch):
    stopped = steps[4].shown
    assert not stopped.finished and sum(map(len, stopped.results.values())) == 4
    made = []
    explain = registry.explain
    monkeypatch.setattr(registry, "explain", lambda *given: made.append(given[3]) or explain(*given))
    again = list(arrived(one, stopped, "", "", COMPARED))
    assert len(made) == 5 and again[-1].shown.finished
    assert again[-1].shown.results["gradcam"]["cnn"] is stopped.results["gradcam"]["cnn"]


def test_a_stop_and_a_later_comparison_end_the_one_before(one, last):
    for interrupt in (
        compare.stopped,
        lambda cancellation: next(compared(one, None, "sad", ["gradcam"], cancellation=cancellation)),
    ):
        cancellation = Cancellation()
        run = compared(one, methods=["gradcam"], cancellation=cancellation)
        assert "(1 of 3)" in next(run).notice
        interrupt(cancellation)
        assert list(run) == []
    view = compare.stopped(Cancellation())
    assert not view.stop.interactive and view.notice == compare.STOPPED


def test_a_method_that_is_added_costs_only_its_own_maps(one, last, monkeypatch):
    made = []
    explain = registry.explain
    monkeypatch.setattr(registry, "explain", lambda *given: made.append(given[3]) or explain(*given))
    more = steps_of(one, last.shown, methods=["gradcam", "saliency"])[-1].shown
    assert made == ["saliency"] * 3
    assert set(more.results) == {*COMPARED, "saliency"}, "what is not shown now is kept"


def test_a_method_that_does_not_suit_a_model_says_why_in_its_place(one, monkeypatch):
    unfit = replace(METHODS["gradcam"], suits=lambda model: "No maps here." if model.name == "cnn" else "")
    monkeypatch.setitem(METHODS, "gradcam", unfit)
    found = steps_of(one, methods=["gradcam"])[-1]
    assert found.grid.count("No maps here.") == 1 and found.grid.count('alt="Heatmap of') == 2
    assert "Where they differ" in found.grid


def test_a_map_that_fails_ends_the_comparison_visibly(one, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("of the library's own")

    monkeypatch.setattr(compare.pipeline, "explain", fail)
    steps = compared(one, methods=["gradcam"])
    assert "<progress" in next(steps).notice
    last = next(steps)
    assert (
        last.notice == compare.STOPPED and not last.stop.interactive and set(map(str, last.drawn)) == {str(gr.skip())}
    )
    with pytest.raises(RuntimeError):
        next(steps)


def test_another_face_is_compared_when_it_is_chosen(two):
    session = compare.choose(two, SimpleNamespace(_data={"index": 1}))
    first = next(compared(session))
    assert session.chosen == 1 and first.shown.about[1] == 1


def test_without_a_face_the_tab_says_what_to_do():
    (step,) = steps_of(Session())
    assert step.notice == compare.NO_FACE and step.shown is None


def test_the_evidence_of_all_maps_goes_home_as_one_table(one, last):
    link = unescape(compare.kept(one, last.shown))
    table = base64.b64decode(re.search(r'facewhy-evidence.csv" href="data:text/csv;base64,([^"]+)"', link)[1]).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == len(COMPARED) * len(zoo.EMOTION_MODELS) * 8
    assert {(row["model"], row["method"]) for row in rows} == {
        (name, method) for name in zoo.EMOTION_MODELS for method in COMPARED
    }
    assert "compare first" in compare.kept(Session(), last.shown) and "compare first" in compare.kept(one, None)
