import re

import numpy as np
import pytest

from app.api import endpoints, requests
from app.data import reading
from app.ui.tabs import data
from tests.app.data.conftest import plain, sharp, use

__all__ = ("plain", "use")  # fixtures
ASKED = ("mean", "", "", "", "", *[None] * 8)


def show(*asked, shown=None, colour="answer", method="pca") -> data.View:
    return data.show(shown, colour, method, "happy", *(asked or ASKED))


def figure(update):
    assert update["visible"]
    return update["value"]


def shown_charts(view: data.View) -> set[str]:
    return {name for name, value in view._asdict().items() if isinstance(value, dict) and value.get("visible") is True}


@pytest.fixture
def three(use, plain):
    return use(
        plain(
            "happy",
            "sad",
            "sad",
            labels=["happy", "sad", "fear"],
            split=["A", "B", "B"],
            embedding_x=np.float32([1, 2, 3]),
            embedding_y=np.float32([3, 4, 5]),
            geometry_mouth_width=np.float32([1, 2, 4]),
            size=np.float32([48] * 3),
        )
    )


def test_what_is_counted_is_shown(three):
    view = show()
    assert "3 faces from 3 photos" in view.about and "no pictures" in view.about
    assert "names the label on 66.7\u00a0% (20.8\u00a0% to 93.9\u00a0%" in view.notice, "two of three, by Wilson"
    assert shown_charts(view) == {"split", "counts", "confusion", "brightness", "plane", "plane_controls"}
    assert "same face size (48 px)" in view.same, "a chart of one bin says nothing"
    assert [list(bar.y) for bar in figure(view.counts).data] == [[0, 0, 0, 1, 0, 2, 0], [0, 0, 1, 1, 0, 1, 0]]
    assert figure(view.confusion).data[0].z[2][5] == 100
    assert [trace.name for trace in figure(view.plane).data] == ["happy", "sad"]
    assert view.split["choices"][1:] == ["A", "B"] and not view.method["visible"]
    assert "Sure and wrong" in view.wrong and view.wrong.count("<tr>") == 2 and "fear" in view.wrong
    assert "<img" not in view.uncertain
    assert view.geometry.count("<td") == 7 and "mouth: wider" in view.geometry


def test_filters_are_read_from_the_controls(three):
    view = show("cnn", "sad", "", "B", "agree", None, None, None, None, None, None, 40, 50)
    assert view.notice.startswith("<p") and "2 of 3 faces. CNN names the label on 50.0" in view.notice
    assert "No face passes" in show("mean", *[""] * 4, 0.99, *[None] * 7).notice
    wrong = show("mean", *[""] * 4, 0.9, 0.1, *[None] * 6)
    assert "Send two numbers" in wrong.notice and shown_charts(wrong) == set()


def test_the_map_is_coloured_by_what_is_asked(three):
    drawn, note = data.draw(None, "error", "pca", "happy", *ASKED)
    assert [(trace.name, list(trace.x)) for trace in figure(drawn).data] == [("right", [1, 2]), ("wrong", [3])]
    assert "3 faces" in note and "came with the dataset" in note
    by_label, _ = data.draw(None, "label", "stored", "happy", *ASKED)
    assert [trace.name for trace in figure(by_label).data] == ["fear", "happy", "sad"]


def test_what_is_shown_already_is_not_shown_again(three, use, plain):
    view = show()
    assert show(shown=view.shown) == data.View()
    assert show("cnn", *ASKED[1:], shown=view.shown) != data.View()
    use(plain("happy"))
    assert "One face." in show(shown=view.shown).notice, "the files have changed"


def test_a_dataset_that_cannot_be_read_is_a_sentence_in_place_of_everything(monkeypatch, tmp_path):
    monkeypatch.setenv(reading.VARIABLE, str(tmp_path / "away"))
    view = show()
    assert (
        "No dataset was found" in view.notice
        and str(tmp_path) not in view.notice
        and "training annotate" in view.notice
    )
    assert shown_charts(view) == set() and view.tables == view.wrong == ""


def test_without_labels_nothing_is_called_right(use, plain):
    use(plain("happy", "sad"))
    view = show()
    assert "None has a label" in view.about and "label" not in view.notice
    assert shown_charts(view) == {"counts"} and view.wrong == "" and "How often each is right" not in view.tables


def test_pictures_are_shown_where_the_dataset_holds_them(use, plain):
    use(plain("happy", crop=[b"\x89PNG not checked"], label=["sad"]))
    assert show().wrong.count('<img src="data:image/png;base64,') == 1


def test_the_page_shows_the_numbers_of_the_api(use, plain):
    answers = {f"cnn_{name}": values for name, values in zip(["happy"], [sharp("sad", "sad")[:, 3]], strict=True)}
    use(plain("happy", "sad", labels=["happy", "fear"], **{"cnn_sad": np.float32([0.9, 0.9])} | answers))
    view, answer = show(), endpoints.dataset(requests.DatasetRequest())
    for row in answer["accuracy"]:
        assert f"<td>{100 * row['accuracy']:.1f}\u00a0%</td>" in view.tables
    same = [round(100 * pair["same"] / answer["faces"], 1) for pair in answer["agreement"]["pairs"]]
    assert [float(each) for each in re.findall(r"<td>([\d.]+)\u00a0%</td><td>[^%]*</td></tr>", view.tables)] == same
    assert [list(row) for row in figure(view.confusion).data[0].customdata] == answer["confusion"]
    bins = answer["by_measure"][0]["bins"]
    assert list(figure(view.brightness).data[0].y) == pytest.approx([100 * each["accuracy"] for each in bins])


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.delenv(reading.VARIABLE, raising=False)


def test_the_glass_boxs_terms_are_drawn_as_the_api_tells_them(shipped):
    note, bars, dots = data.add_up("sad", *ASKED)
    answer = endpoints.dataset(requests.DatasetRequest(terms="sad"))["glass_box"]
    assert answer["faces"] == answer["background"] == 7153 and "(7,153 faces)" in note
    strongest = sorted(answer["terms"], key=lambda each: -each["strength"]["sad"])
    assert list(figure(bars).data[0].x) == pytest.approx([each["strength"]["sad"] for each in strongest], abs=1e-4)
    for each in answer["terms"]:
        assert sum(step["faces"] for step in each["steps"]) == 7153
        mean = sum(step["faces"] * step["shap"] for step in each["steps"])
        assert mean == pytest.approx(0, abs=1e-6), "less its mean over these very faces"
        size = sum(step["faces"] * abs(step["shap"]) for step in each["steps"]) / 7153
        assert size == pytest.approx(each["strength"]["sad"])
    first = figure(dots).data[0]
    added = np.array(first.x).reshape(20, -1)
    assert added.shape[1] == 200 and "200 of these faces, drawn by chance" in note
    for row, each in zip(added, strongest, strict=True):
        assert set(row) <= {round(step["shap"], 4) for step in each["steps"]}
    assert strongest[0]["label"] in note and [len(each["steps"]) for each in strongest] == [14] * 20


def test_dots_are_coloured_by_the_measures_value(shipped):
    _, _, dots = data.add_up("happy", *ASKED)
    [first, *_] = figure(dots).data
    [wider] = [place for place, each in enumerate(figure(dots).layout.annotations) if each.text == "mouth: wider"]
    colours, values = (np.array(each).reshape(20, -1)[wider] for each in (first.marker.color, first.customdata))
    order = np.argsort([float(text.split()[-1]) for text in values], kind="stable")
    assert colours.min() == 0 and colours.max() == 1 and (np.diff(colours[order]) > -0.05).all()
    assert np.corrcoef(colours, np.array(first.x).reshape(20, -1)[wider])[0, 1] > 0.9, "wider mouths look happier to it"


def test_each_emotion_has_terms_of_its_own_and_filters_hold(shipped):
    happy, sad = (figure(data.add_up(name, *ASKED)[1]).data[0].x for name in ("happy", "sad"))
    assert list(happy) != list(sad)
    few = data.add_up("happy", "mean", "happy", *ASKED[2:])
    assert list(figure(few[1]).data[0].x) != list(happy) and "(7,153 faces)" in few[0]
    assert data.add_up("happy", "mean", "", "none", *ASKED[3:])[0] == "", "no face has no label"
    assert shown_charts(show()) >= {"strengths", "swarm", "terms_controls"}


def test_without_all_measures_there_are_no_terms(three):
    assert not shown_charts(show()) & {"strengths", "swarm", "terms_controls"} and show().terms_note == ""
