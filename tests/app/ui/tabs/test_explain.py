"""The handlers of the tab Explain as plain functions."""

import base64
import dataclasses
import json
import re
from collections.abc import Iterator
from html import unescape
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from app import pipeline, reporting, text
from app.serving import jobs
from app.ui import controls, session
from app.ui.cancellation import Cancellation
from app.ui.render import evidence_table, interactions_panel, map_checks, trust_panel
from app.ui.session import Session
from app.ui.tabs import choose
from app.ui.tabs.explain import checks, choices, keeping, maps, results, views
from explain import base, evidence, figures, interactions, registry, trust
from explain.metrics.randomisation import Shaken
from explain.registry import METHODS
from models import detector, regions, zoo
from models.errors import ParameterError

DEFAULTS = [component.value for method in METHODS.values() for component in controls.build(method)]
KEYS = [(name, key) for name, method in METHODS.items() for key in method.Params.controls()]


def steps_of(session, model="cnn", emotion="", against="", method="gradcam", **changed) -> list[results.View]:
    """What the tab shows, step by step; `changed` are the method's parameters."""
    values = list(DEFAULTS)
    for key, value in changed.items():
        values[KEYS.index((method, key))] = value
    return list(maps.explain(Cancellation(), session, model, emotion, against, method, *values))


def showing(shown: results.Shown) -> Cancellation:
    """The runs of a visitor who has this map on the screen."""
    cancellation = Cancellation()
    cancellation.shown = shown.key
    return cancellation


def shown(session, *inputs, **changed) -> results.View:
    return steps_of(session, *inputs, **changed)[-1]


def outlined(html: str) -> list[str]:
    return re.findall(r'<path [^>]*data-region="(\w+)"', html)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_heatmap_with_its_evidence(one, method):
    steps = steps_of(one, "cnn", "", "", method)
    emotion, last = one.face_predictions["cnn"].emotion, steps[-1]
    assert "fw-heat" in last.picture and f"for {emotion}" in last.picture
    assert (
        f"Explained: why {emotion}" in last.told and text.percent(one.face_predictions["cnn"].confidence) in last.told
    )
    assert last.shown.explanation.method == method and last.strip == "" and last.status == ""
    assert last.verdict == trust_panel.WAITING and not last.stop.visible
    if method in maps.INSTANT:
        assert len(steps) == 1
    else:
        (waiting, _) = steps
        assert METHODS[method].title in waiting.status and "<progress" in waiting.status and waiting.stop.visible
        assert waiting.picture == waiting.told == waiting.shown == gr.skip()


def test_the_emotion_and_the_model_that_were_asked_for_are_explained(one):
    inputs = [(model, emotion) for model in ("cnn", "resnet") for emotion in ("angry", "sad")]
    found = {key: shown(one, *key).picture for key in inputs}
    assert len(set(found.values())) == 4
    for (model, emotion), picture in found.items():
        assert f"Heatmap of {text.MODELS[model]} for {emotion}" in picture


def test_one_emotion_against_another_is_told_in_words(one):
    found = shown(one, "cnn", "angry", "sad", positive_only=False)
    assert (found.shown.explanation.target.emotion, found.shown.explanation.target.against) == (0, 5)
    shares = [text.percent(one.face_predictions["cnn"].probabilities[index]) for index in (0, 5)]
    assert f"why angry ({shares[0]}) and not sad ({shares[1]})" in found.told
    assert "speaks for sad rather than angry" in found.picture
    assert found.picture != shown(one, "cnn", "angry", positive_only=False).picture


def test_an_emotion_against_itself_is_a_hint_and_no_error(one):
    seen = one.face_predictions["cnn"].emotion
    for emotion in ("", seen):
        (step,) = steps_of(one, "cnn", emotion, seen)
        assert f"Why {seen} and not {seen}?" in step.picture and "Choose another emotion" in step.picture
        assert step.shown is None and step.told == step.parts == step.verdict == "" and not step.fold.visible
    assert f"the face looks {text.ADJECTIVES[seen]} to CNN".lower() in shown(one, "cnn", "", seen).picture.lower()


def test_a_method_that_does_not_suit_a_model_says_why_in_place_of_the_map(one, monkeypatch):
    from dataclasses import replace

    unfit = replace(METHODS["scorecam"], suits=lambda model: f"{model.name} has no maps.")
    monkeypatch.setitem(METHODS, "scorecam", unfit)
    (step,) = steps_of(one, "cnn", "", "", "scorecam")
    assert "cnn has no maps." in step.picture and step.shown is None and step.parts == ""


def test_a_parameter_reaches_the_method(one):
    both = shown(one, "cnn", "sad", positive_only=False)
    assert both.shown.explanation.params.positive_only is False
    assert both.picture != shown(one, "cnn", "sad").picture


def test_another_face_is_explained_when_it_is_chosen(two):
    chosen = choose(two, SimpleNamespace(_data={"index": 1}))
    found = shown(chosen)
    assert chosen.chosen == 1 and 'aria-checked="true" data-index="1"' in found.strip
    assert found.picture != shown(two).picture and found.shown.face is two.faces[1]


def test_a_map_that_is_there_is_not_made_again(one):
    inputs = ("cnn", "", "", "gradcam", *DEFAULTS)
    before = shown(one).shown
    (step,) = maps.arrive(before, Cancellation(), one, *inputs)
    assert all(value == gr.skip() for value in step)
    for again in ((None, Cancellation(), one, *inputs), (before, Cancellation(), one, "resnet", *inputs[1:])):
        *_, step = maps.arrive(*again)
        assert "fw-heat" in step.picture and step.shown.key != before.key


def test_only_the_parameters_of_the_chosen_method_are_shown():
    for method in METHODS:
        offered, chosen, summary, page, *groups = choices.turn_to("cnn", method)
        assert offered == chosen == gr.skip()
        assert METHODS[method].summary in unescape(summary) and not page.open
        assert [group.visible for group in groups] == [name == method for name in METHODS]


def test_each_model_begins_with_its_own_method_until_one_is_chosen(monkeypatch):
    monkeypatch.setattr(pipeline, "recommended", {"cnn": "shap_partition", "vgg16": "scorecam"}.get)
    offered, method, _, page, *groups = choices.offer("vgg16", "shap_partition", "shap_partition")
    assert offered == method == "scorecam" and not page.open
    assert [group.visible for group in groups] == [name == "scorecam" for name in METHODS]
    for model, method in (("vgg16", "saliency"), ("cnn", "shap_partition")):  # chosen; and right already
        offered, same, summary, *rest = choices.offer(model, method, "shap_partition")
        assert METHODS[method].summary in unescape(summary)
        assert [offered, same, *rest] == [gr.skip()] * (3 + len(METHODS))


def test_a_method_says_how_often_it_was_right(monkeypatch):
    row = {"beats_other_faces": {"mean": 0.25}, "beats_centre_prior": {"mean": 0.75}}
    table = {"faces": 200, "methods": {"saliency": row}}
    monkeypatch.setattr(pipeline, "trust_table", {"resnet": table}.get)
    assert "with ResNet on 200 faces" in choices.summarised("resnet", "saliency")
    summary = choices.summarised("resnet", "saliency")
    assert "other faces on 25\u00a0% of them" in summary and "middle on 75\u00a0%." in summary
    for model, method in (("resnet", "gradcam"), ("cnn", "saliency")):
        assert f"of {text.MODELS[model]} pass the tests is not measured yet" in choices.summarised(model, method)
    row["faces"] = 25
    assert "with ResNet on 25 faces" in choices.summarised("resnet", "saliency"), "a row may be of fewer faces"


def test_every_method_can_be_read_about_without_another_file():
    for method in METHODS:
        text = choices.explained(method)
        assert "known to get wrong" in text and "data:image/" in text
        assert re.findall(r"\]\((?!https?:|data:)", text) == []
        assert "## Parameters" not in text and not text.startswith("#")


def test_a_weak_emotion_is_said_to_be_weak_above_a_paler_map(one):
    found = shown(one, "cnn", "disgust")
    assert found.picture.index("This face hardly looks disgusted to CNN") < found.picture.index("fw-overlay")
    assert f"--fw-strength:{text.PALEST:.2f}" in found.picture
    seen = shown(one).picture
    assert "hardly" not in seen and "--fw-strength" not in seen


def test_the_strongest_statement_comes_first_beside_the_whole_photo(one):
    view = shown(one)
    found = view.shown.explanation
    usual = pipeline.average_shares(found)
    first, *_ = evidence.sentences(
        found, evidence.by_region(found.values, regions.masks(one.face.crop_keypoints), usual)
    )
    lead = re.search(r'<p class="fw-lead">([^<]+)</p>', view.told)[1]
    assert unescape(lead) == first and 'class="fw-where"' in view.told


def test_what_is_shown_of_one_of_several_faces_names_it(two):
    assert "Face 2 of 2 looks" in shown(two.choose(1)).told


def test_a_map_of_no_face_is_said_to_be_a_guess_and_not_tested(plain):
    guess = session.opened(plain, [detector.whole_picture(plain)])
    guess = session.opened(plain, pipeline.with_keypoints(list(guess.faces), plain))
    found = shown(guess)
    assert "No face was found" in found.strip
    (judged,) = maps.judge(showing(found.shown), found.shown, "")
    assert judged.verdict == trust_panel.UNTESTED and "✓" not in judged.verdict and not judged.fold.visible


def test_who_waits_is_not_asked_for_a_photo(one):
    assert "Waiting for a place" in maps.waiting(one, None).picture
    assert maps.waiting(one, shown(one).shown) == maps.waiting(Session(), None) == results.View()


def test_without_a_face_the_tab_says_what_to_do():
    (step,) = steps_of(Session())
    assert step.picture == views.NO_FACE and step.shown is None


def begun(cancellation, session, method) -> Iterator:
    """A run that is at work."""
    run = maps.explain(cancellation, session, "cnn", "", "", method, *DEFAULTS)
    assert "at work" in next(run).status
    return run


def test_a_stop_keeps_the_map_and_says_so(one):
    cancellation = Cancellation()
    run = begun(cancellation, one, "shap_regions")
    view = maps.stopped(cancellation)
    assert view.status == views.STOPPED and not view.stop.visible
    assert list(run) == []


def test_a_map_that_fails_leaves_nothing_at_work(one, monkeypatch):
    def fail(*args):
        raise RuntimeError("of the library's own")

    monkeypatch.setattr(pipeline, "explain", fail)
    run = begun(Cancellation(), one, "shap_regions")
    view = next(run)
    assert view.status == "" and not view.stop.visible and view == views.idle()._replace(stop=view.stop)
    with pytest.raises(RuntimeError):
        next(run)


def test_a_number_that_is_not_there_is_refused_before_anything_is_at_work(one):
    with pytest.raises(ParameterError, match="seed"):
        steps_of(one, "cnn", "", "", "shap_gradient", seed=None)


def test_a_later_map_takes_the_place_of_one_that_is_at_work(one):
    cancellation = Cancellation()
    first = begun(cancellation, one, "shap_regions")
    *_, second = maps.explain(cancellation, one, "cnn", "", "", "gradcam", *DEFAULTS)
    assert list(first) == [] and second.shown.explanation.method == "gradcam"


# ------------------------------------------------------------------ face parts


@pytest.fixture(scope="module")
def signed(one) -> SimpleNamespace:
    """A map with both signs, its evidence, and what is shown of it."""
    found = shown(one, "cnn", "", "", "shap_regions")
    explanation = found.shown.explanation
    usual = pipeline.average_shares(explanation)
    items = evidence.by_region(explanation.values, regions.masks(one.face.crop_keypoints), usual)
    return SimpleNamespace(found=found, explanation=explanation, items=items)


def test_every_part_is_outlined_named_and_in_reach_of_the_keyboard(signed):
    picture = signed.found.picture
    assert sorted(outlined(picture)) == sorted(regions.REGIONS)
    assert outlined(picture)[:2] == ["background", "face"], "parts lie above the face"
    assert picture.count('tabindex="0"') == 8
    for item in signed.items:
        line = evidence_table.label(item, signed.explanation)
        assert f'data-told="{line}" tabindex="0" role="img" aria-label="{line}"' in picture


def test_the_line_about_a_part_holds_its_numbers(signed):
    for item in signed.items:
        line = evidence_table.label(item, signed.explanation)
        for number in (evidence.percent(item.share_supporting), evidence.percent(item.share_opposing)):
            assert number in line
        assert line.startswith(item.label)
        assert f"on other faces {evidence.percent(item.usual_supporting)} is usual" in line


def test_where_other_faces_are_not_known_the_line_tells_the_size(signed):
    items = [dataclasses.replace(item, usual_supporting=None, usual_opposing=None) for item in signed.items]
    for item in items:
        assert f"{item.density:.1f} times the average" in evidence_table.label(item, signed.explanation)
    assert f"{items[0].density:.1f}\u00a0×" in evidence_table.table(items, signed.explanation)


def test_the_table_has_a_row_a_part_with_the_same_key_as_the_outline(signed):
    rows = re.findall(
        r'<tr data-region="(\w+)" data-told="[^"]+"><th scope="row">([^<]+)</th>(.*?)</tr>', signed.found.parts
    )
    assert [name for name, _, _ in rows] == list(regions.REGIONS)
    for (_, label, cells), item in zip(rows, signed.items, strict=True):
        assert label == item.label
        assert re.findall(r"</span>([^<]+)<", cells) == [
            evidence.percent(item.share_supporting),
            evidence.percent(item.share_opposing),
            evidence.percent(item.usual_supporting),
        ]


def test_bars_are_as_long_as_their_shares(signed):
    cells = re.findall(r'<span class="fw-(for|against)"><i style="width:(\d+)%">', signed.found.parts)
    shares = [s for item in signed.items for s in (item.share_supporting, item.share_opposing)]
    assert [int(width) for _, width in cells] == pytest.approx([100 * s / max(shares) for s in shares], abs=0.51)


def test_a_part_outside_the_picture_has_no_outline(one, signed):
    away = one.face.crop_keypoints + np.float32([500, 0])
    html = evidence_table.outlines(away, signed.items, signed.explanation)
    assert outlined(html) == ["background"]


def test_outlines_are_thin_on_data_and_true_to_the_regions(one, signed):
    html = evidence_table.outlines(one.face.crop_keypoints, signed.items, signed.explanation)
    assert len(html) < 12_000
    true = regions.outlines(one.face.crop_keypoints)["mouth"][0]
    path = re.search(r'<path d="M([^"]+)Z" data-region="mouth"', html)[1]
    drawn = np.array([point.split() for point in path.split("L")], float)
    assert np.allclose(drawn.min(0), true.min(0), atol=0.2) and np.allclose(drawn.max(0), true.max(0), atol=0.2)


# ----------------------------------------------------------------------- trust


@pytest.fixture(scope="module")
def result(one) -> trust.TrustResult:
    return pipeline.trusted(one.face, shown(one).shown.explanation)


def test_a_map_is_judged_once(one):
    there = shown(one).shown
    first, (key, verdict, fold, numbers, curves, result, parts) = maps.judge(showing(there), there, "")
    assert key == there.key and "fw-badge" in verdict and fold.visible and "fw-numbers" in numbers and curves.visible
    assert first[:2] == (key, verdict), "the verdict does not wait for other maps"
    assert "of ResNet" in numbers and "of ResNet" not in first[3]
    assert parts == gr.skip() and result.part_ranges is None, "Grad-CAM hides nothing and draws nothing"
    assert list(maps.judge(showing(there), there, there.key)) == []
    assert list(maps.judge(Cancellation(), None, "")) == []


def test_the_evidence_says_last_how_far_it_moves(one):
    view = shown(one, "cnn", "", "", "shap_regions")
    there = view.shown
    assert view.parts.count("[…]") == 2 * len(regions.REGIONS), "their place is kept"
    tested, beside, last = maps.judge(showing(there), there, "")
    assert tested.parts == gr.skip() and beside.parts == gr.skip()
    found = last.result.part_ranges
    assert found.fills == ("mean face", "blur", "grey") and found.seeds == () and "no confidence interval" in last.parts
    assert "[…]" not in last.parts and last.verdict == tested.verdict
    again = shown(one, "cnn", "", "", "shap_regions", baseline="blur").shown.explanation
    mouth = regions.REGIONS.index("mouth")
    held = [
        evidence.by_region(made.values, regions.masks(one.face.crop_keypoints))[mouth].share_supporting
        for made in (there.explanation, again)
    ]
    low, high = found.parts[mouth].share_supporting
    assert low <= min(held) < max(held) <= high
    assert f"<small>[{100 * low:.0f}–{100 * high:.0f}]</small>" in last.parts


def test_a_visitor_who_moves_on_stops_the_maps_that_ranges_need(one, monkeypatch):
    there = shown(one, "cnn", "", "", "smoothgrad", samples=8).shown
    made, really = [], jobs.explain
    cancellation = showing(there)

    def counted(name, face, target, method, *rest):
        made.append(method)
        cancellation.begin()
        return really(name, face, target, method, *rest)

    steps = maps.judge(cancellation, there, "")
    next(steps), next(steps)
    monkeypatch.setattr(jobs, "explain", counted)
    assert list(steps) == [] and made == ["smoothgrad"]


def test_a_reading_of_a_map_that_is_gone_is_not_shown(one, monkeypatch):
    there, really = shown(one).shown, pipeline.trust_steps
    cancellation = showing(there)
    monkeypatch.setattr(pipeline, "trust_steps", lambda *given: cancellation.begin() and really(*given))
    assert list(maps.judge(cancellation, there, "")) == []
    monkeypatch.setattr(pipeline, "trust_steps", really)
    steps = maps.judge(cancellation, there, "")
    next(steps)
    cancellation.begin()
    assert list(steps) == []
    steps = maps.judge(cancellation, there, "")  # a later map was at work when this one's turn came, and is there now
    next(steps)
    cancellation.shown = "another"
    assert list(steps) == []


def test_a_reading_is_made_beside_other_methods_and_models(result):
    assert set(result.between_methods) == {"shap_regions"}
    assert set(result.between_models) == set(zoo.EMOTION_MODELS) - {"cnn"}


def test_the_badge_says_the_verdict_in_a_word_and_a_sign(result):
    from dataclasses import replace

    told = {verdict: trust_panel.verdict(replace(result, verdict=verdict)) for verdict in trust_panel.BADGES}
    assert set(told) == {"high", "some", "none"}
    for verdict, html in told.items():
        assert result.sentence in html and f"fw-{verdict}" in html
        assert all(word in html for word in trust_panel.BADGES[verdict])
    assert len({re.sub("fw-\\w+", "", html) for html in told.values()}) == 3, "told apart without colour"


def test_the_numbers_behind_the_verdict(result):
    html = trust_panel.numbers(result)
    for one in result.curves:
        if one.score == "probability":
            assert f"{one.relevance_gain:+.2f} ({figures.HIDDEN[one.fill]})" in html
            continue
        random, others = (
            f"{int((one.relevance_gain > gains).sum())} of {len(gains)}"
            for gains in (one.random_gains, one.other_faces_gains)
        )
        cells = (
            f"{one.relevance_gain:+.2f}",
            random,
            f"{one.centre_prior_gain:+.2f}",
            f"{one.average_map_gain:+.2f}",
            others,
        )
        assert "".join(f"<td>{cell}</td>" for cell in cells) in html
    assert f"{len(METHODS)} times" in html and trust_panel.UNSIGNED not in html
    assert trust_panel.UNSIGNED in trust_panel.numbers(result, signed=False)
    verdict = trust_panel.verdict(result)
    assert f"{result.comparison.random_z:+.1f} standard deviations over the random maps" in verdict
    assert f"{result.comparison.other_faces_z:+.1f} over the other faces' maps" in unescape(verdict)
    assert f"{result.stability:.2f}" in html
    for name, found in result.between_models.items():
        assert f"of {text.MODELS[name]}</th><td>{found.rank_correlation:.2f}" in html


def test_a_flat_map_has_a_reading_without_curves(one):
    made = shown(one).shown.explanation
    flat = base.Explanation("gradcam", "cnn", made.target, np.ones((48, 48), np.float32), False, made.params, 0.1)
    result = pipeline.trusted(one.face, flat)
    there = results.Shown("k", (), one.face, flat)
    *_, (_, verdict, _, numbers, curves, _, _) = maps.judge(showing(there), there, "")
    assert result.curves == () and result.verdict == "none" and "flat" in verdict
    assert not curves.visible and "a flat map" in numbers and "nan" not in numbers


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [(1, "very alike"), (0.6, "alike"), (0.3, "a little alike"), (0, "not alike"), (-0.7, "opposed")],
)
def test_a_correlation_in_words(correlation, expected):
    assert trust_panel.alike(correlation) == expected


def test_references_are_methods():
    assert {*jobs.REFERENCES, *maps.INSTANT} <= set(registry.METHODS)


def test_a_small_map_of_predict_opens_its_network_as_it_was_shown():
    first = pipeline.recommended("vgg16")
    wanted, model, emotion, against, offered, method, *_ = choices.open_with("vgg16", "cnn", "occlusion", "gradcam")
    assert (wanted, model, emotion, against, offered, method) == ("", "vgg16", "", "", first, first)
    assert choices.open_with("", "cnn", "occlusion", "gradcam")[:4] == results.Wanted()
    assert choices.open_with("", "cnn", "occlusion", "gradcam")[4:] == choices.offer("cnn", "occlusion", "gradcam")


def test_files_to_keep_hold_the_map_on_the_screen_and_no_pixel_where_that_is_asked(one):
    seen = shown(one, "cnn", "sad", "", "saliency").shown
    for bare in (False, True):
        made = keeping.kept(one, seen, "", None, bare)
        assert "not done yet" in made
        found = dict(re.findall(r'download="facewhy-([\w.]+)" href="data:[^,]+;base64,([^"]+)"', unescape(made)))
        contents = {name: base64.b64decode(data) for name, data in found.items()}
        assert set(contents) == set(reporting.FILES)
        numbers = json.loads(contents["explanation.json"])
        assert np.allclose(numbers["explanation"]["values"], seen.explanation.values)
        assert numbers["explanation"]["emotion"] == "sad" and numbers["trust"] is None
        assert (b"data:image/jpeg" in contents["report.html"]) != bare
    tested = SimpleNamespace(
        sentence="It holds up.",
        to_json=dict,
        between_methods={},
        between_models={},
        stability=0.5,
        part_ranges=None,
        curves=(),
    )
    made = keeping.kept(one, seen, seen.key, tested, True)
    assert "not done yet" not in made
    assert b"It holds up." in base64.b64decode(re.search(r'report.html" href="[^,]+,([^"]+)"', unescape(made))[1])
    begun = SimpleNamespace(**vars(tested) | {"curves": (1,)})
    assert "not done yet" in keeping.kept(one, seen, seen.key, begun, True), "its agreement with other maps is missing"
    assert "another face" in keeping.kept(Session(), seen, "", None, False)
    assert "another face" in keeping.kept(one, None, "", None, False)


# ---------------------------------------------------------------------- checks


def checked(handler, session, there, cancellation=None, checking=None) -> list[results.Checked]:
    """What a check of the map on the screen shows, step by step."""
    return list(handler(checking or Cancellation(), cancellation or showing(there), session, there))


def test_a_map_is_computed_by_another_library_beside_ours(one):
    there = shown(one).shown
    waiting, done = checked(checks.compute_elsewhere, one, there)
    assert "tf-keras-vis computes" in waiting.working and waiting.stop.visible
    assert "the other library cannot be interrupted" in waiting.working, "what Stop does not do is said"
    assert "<h3>The same map by tf-keras-vis 0." in done.library and done.library.count("fw-heat") == 2
    assert "very alike" in done.library and not done.stop.visible and done.working == "" and done.shaken == gr.skip()


def test_where_no_other_library_has_a_method_it_is_said(one):
    there = shown(one, "cnn", "", "", "occlusion").shown
    (step,) = checked(checks.compute_elsewhere, one, there)
    assert "Neither tf-keras-vis nor shap has Occlusion." in step.library


def test_a_network_is_shaken_step_by_step(one):
    there = shown(one).shown
    _, *steps, done = checked(checks.shake_network, one, there)
    assert [step.shaken.count("fw-heat") for step in steps] == [2, 3, 4, 5, 6]
    assert "As it learned" in steps[0].shaken and "+ layers with maps of 48 × 48" in steps[-1].shaken
    said = re.compile("<p>(The map|Nothing is left)")
    assert not said.search(steps[0].shaken) and said.search(steps[-1].shaken)
    assert 'value="5" max="5"' in steps[-1].working and done.working == "" and not done.stop.visible


@pytest.mark.parametrize("handler", [checks.compute_elsewhere, checks.shake_network])
def test_a_check_can_be_stopped_and_a_map_that_is_gone_is_not_checked(one, handler):
    there, checking = shown(one).shown, Cancellation()
    run = handler(checking, showing(there), one, there)
    next(run)
    assert "Stopped" in checks.halted(checking).working and list(run) == []
    gone = checked(handler, one, there, Cancellation())
    assert all("fw-heat" not in str(step) for step in gone) and not gone[-1].stop.visible
    assert checked(handler, one, None, Cancellation()) == []


def test_a_check_that_fails_leaves_nothing_at_work(one, monkeypatch):
    there = shown(one).shown

    def fail(*given):
        raise RuntimeError("of the library's own")

    for handler, name in ((checks.compute_elsewhere, "by_other_library"), (checks.shake_network, "shaken")):
        monkeypatch.setattr(pipeline, name, fail)
        run = handler(Cancellation(), showing(there), one, there)
        next(run)
        assert not next(run).stop.visible
        with pytest.raises(RuntimeError):
            next(run)


@pytest.mark.parametrize(("correlation", "word"), [(0.1, "goes"), (0.7, "stays"), (-0.7, "opposite"), (np.nan, "flat")])
def test_what_is_said_of_the_last_map(correlation, word):
    last = Shaken(("logits",), 1, np.zeros((48, 48)), correlation)
    assert word in map_checks.outcome(last)


# ------------------------------------------------------------------- together


def test_parts_are_told_together_where_the_method_is_theirs(one):
    there = shown(one, "cnn", "", "", "shap_regions")
    assert there.together.visible and not there.together.open and not shown(one).together.visible
    busy, (key, panel) = checks.count_together(showing(there.shown), one, there.shown, "")
    assert busy[0] == gr.skip() and "256 ways" in busy[1] and key == there.shown.key
    found = pipeline.interactions(one.face, there.shown.explanation)
    assert all(sentence in unescape(panel) for sentence in interactions.sentences(found))
    drawn = [pair for pair in found.pairs() if pair.relation in interactions.WORDS][: interactions_panel.DRAWN]
    assert panel.count("<line ") == len(drawn) > 0 and panel.count("<circle ") == len(found.regions)
    for pair in drawn:
        assert f"{regions.LABELS[pair.first]} and {regions.LABELS[pair.second]}: {pair.value:+.2f}" in panel
    for value in found.chosen.alone:
        assert f"<td>{value:+.2f} <small>[" in panel
    assert list(checks.count_together(showing(there.shown), one, there.shown, key)) == []
    assert list(checks.count_together(Cancellation(), one, None, "")) == []
    assert len(list(checks.count_together(Cancellation(), one, there.shown, ""))) == 1, "the map is gone meanwhile"


def test_a_region_is_marked_inside_itself(one):
    for mask in regions.masks(one.face.crop_keypoints):
        x, y = interactions_panel.middle(mask)
        assert mask[int(y), int(x)]
