"""Why one model says what it says about the chosen face."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from app import pipeline, reporting, text
from app.ui import controls, method_pages, scripts
from app.ui import queues as admission
from app.ui.cancellation import Cancellation
from app.ui.render import (
    charts,
    evidence_table,
    files_to_keep,
    html,
    interactions_panel,
    map_checks,
    pictures,
    trust_panel,
)
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP, Shared, choose, waiting_place
from explain import action_units, evidence, part_ranges, reference, scale
from explain.base import Explanation
from explain.part_ranges import PartRanges
from explain.registry import METHODS
from explain.trust import TrustResult
from models import regions
from models.errors import WeightsError
from models.types import Face, Prediction

TITLE = "Explain"
PREDICTED = ("what it looks like to the model", "")
MODELS = [(title, name) for name, title in text.MODELS.items()]
NO_FACE = html.note(html.FIRST_A_PHOTO, quiet=True)
STOPPED = html.note("Stopped. What is below is from before.")
PARTS = "shap_regions"
"""The method whose parts are also told together."""
UNSTOPPABLE = "Stop only drops what it finds: the other library cannot be interrupted."
"""Said while another library is at work."""
SATURATED = 0.99
"""From this probability on, an answer hardly moves whatever is hidden."""
INSTANT = ("gradcam", "gradcam_plus_plus", "saliency")
"""Methods of one pass through the network: over before a word about waiting is read."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The map on the screen.

    Attributes:
        key: of this map and no other.
        about: what was asked for; the same again gives the same map.
        face: the face that was explained.
        explanation: its explanation.
        version: of the model that was explained.
        prediction: what it says about the face.
    """

    key: str
    about: tuple[Any, ...]
    face: Face
    explanation: Explanation
    version: str = ""
    prediction: Prediction | None = None


class View(NamedTuple):
    """The outputs that show a map."""

    shown: Any = SKIP
    strip: Any = SKIP
    status: Any = SKIP
    stop: Any = SKIP
    picture: Any = SKIP
    told: Any = SKIP
    parts: Any = SKIP
    verdict: Any = SKIP
    fold: Any = SKIP
    keep: Any = SKIP
    files: Any = SKIP
    library: Any = SKIP
    shaken: Any = SKIP
    together: Any = SKIP


class Checked(NamedTuple):
    """The outputs of what a visitor tries on the map: another library, and a network that forgets."""

    working: Any = SKIP
    stop: Any = SKIP
    library: Any = SKIP
    shaken: Any = SKIP


class Judged(NamedTuple):
    """The outputs that show what the tests of a map found; `judged` is the key of the map, `result` what was found.

    `parts` is the evidence by part once it is known how far that moves.
    """

    judged: Any
    verdict: Any
    fold: Any
    numbers: Any
    curves: Any
    result: Any = None
    parts: Any = SKIP


class Offered(NamedTuple):
    """The outputs that change with the method, but for the groups of its parameters."""

    offered: Any = SKIP
    method: Any = SKIP
    summary: Any = SKIP
    about: Any = SKIP


class Wanted(NamedTuple):
    """The outputs that change where the visitor comes with a wish, see `Shared.wanted`."""

    wanted: Any = SKIP
    model: Any = SKIP
    emotion: Any = SKIP
    against: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    cancellation = gr.State(Cancellation())
    shown = shared.explained
    judged, result = gr.State(""), gr.State(None)
    first = pipeline.recommended("cnn")
    offered = gr.State(first)
    strip = gr.HTML(js_on_load=scripts.read("select"))
    with gr.Row(elem_classes="fw-columns fw-explain"):
        with gr.Column(scale=4, min_width=300):
            model = gr.Radio(MODELS, value="cnn", label="Model", elem_id="explain-model")
            emotion = controls.emotions(PREDICTED, "Why this emotion", "explain-emotion")
            against = controls.emotions(controls.ALONE, "… and not that one", "explain-against")
            method = gr.Dropdown(
                [(entry.title, name) for name, entry in METHODS.items()],
                value=first,
                label="Method",
                elem_id="explain-method",
                filterable=False,
            )
            summary = gr.HTML(summarised("cnn", first), elem_id="explain-summary")
            with gr.Accordion("How it works, and what it gets wrong", open=False, elem_id="about-method") as about:
                page = gr.Markdown()
            groups: list[gr.Group] = []
            values: list[controls.Field] = []
            for name, entry in METHODS.items():
                with gr.Group(visible=name == first, elem_id=f"params-{name}") as group:
                    values += controls.build(entry)
                groups.append(group)
        with gr.Column(scale=4, min_width=300, elem_classes="fw-first"):
            _, waits = waiting_place()
            with gr.Row(elem_classes="fw-working"):
                status = gr.HTML(elem_id="explain-status")
                stop = gr.Button("Stop", elem_id="explain-stop", visible=False, scale=0, min_width=90)
            picture = gr.HTML(NO_FACE, js_on_load=scripts.read("light_parts"), elem_id="heatmap")
            with gr.Group():
                opacity = gr.Slider(0, 1, 0.7, step=0.05, label="Opacity of the heatmap", elem_id="opacity")
                outlined = gr.Checkbox(True, label="Outline the parts of the face", elem_id="outlined")
            verdict = gr.HTML(elem_id="trust")
        with gr.Column(scale=5, min_width=300):
            told = gr.HTML(elem_id="evidence")
            parts = gr.HTML(js_on_load=scripts.read("light_parts"), elem_id="evidence-parts")
            together = gr.Accordion("How the parts count together", open=False, visible=False, elem_id="interactions")
            with together:
                joined = gr.HTML()
            with gr.Accordion("How the map was tested", open=False, visible=False, elem_id="trust-numbers") as fold:
                numbers = gr.HTML()
                curves = gr.Plot(show_label=False, container=False, visible=False, elem_id="trust-curves")
                with gr.Row(elem_classes="fw-pair"):
                    compute = gr.Button("Compute it by another library", elem_id="by-library", min_width=140)
                    shake = gr.Button("Shake the network", elem_id="shake", min_width=140)
                with gr.Row(elem_classes="fw-working"):
                    working = gr.HTML(elem_id="check-status")
                    halt = gr.Button("Stop", elem_id="check-stop", visible=False, scale=0, min_width=90)
                by_library = gr.HTML(elem_id="library-map")
                shaken = gr.HTML(elem_id="shaken-maps")
            with gr.Accordion("Keep it: report, picture, table", open=False, visible=False, elem_id="keep") as keep:
                bare = gr.Checkbox(False, label="Without my photo", elem_id="keep-bare")
                make = gr.Button("Make the files", size="sm", elem_id="keep-make")
                files = gr.HTML(elem_id="keep-files")
    inputs = [cancellation, shared.session, model, emotion, against, method, *values]
    shown_in = View(
        shown, strip, status, stop, picture, told, parts, verdict, fold, keep, files, by_library, shaken, together
    )
    map_of = [*shown_in]
    checking = gr.State(Cancellation())
    check_of = [*Checked(working, halt, by_library, shaken)]
    judged_of = [*Judged(judged, verdict, fold, numbers, curves, result, parts)]
    method_of = [*Offered(offered, method, summary, about), *groups]
    method.input(turn_to, [model, method], method_of, **PRIVATE)
    about.expand(explained, method, page, **PRIVATE)
    shared.tab.select(waiting, [shared.session, shown], map_of, **PRIVATE, queue=False)
    asked = [model, method, offered]
    opened_with = [*Wanted(shared.wanted, model, emotion, against)]
    settled = [emotion.input, against.input, method.input, *controls.settled(values)]
    runs = [
        gr.on(settled, explain, inputs, map_of, **waits, **admission.EXPLAINS),
        model.input(offer, asked, method_of, **PRIVATE).then(explain, inputs, map_of, **waits, **admission.EXPLAINS),
        shared.tab.select(open_with, [shared.wanted, *asked], [*opened_with, *method_of], **PRIVATE).then(
            arrive, [shown, *inputs], map_of, **waits, **admission.EXPLAINS
        ),
        strip.select(choose, shared.session, shared.session, **PRIVATE).then(
            explain, inputs, map_of, **waits, **admission.EXPLAINS
        ),
        gr.on(controls.typed(values), arrive, [shown, *inputs], map_of, **waits, **admission.EXPLAINS),
    ]
    runs.append(stop.click(stopped, cancellation, map_of, **PRIVATE))
    for run in runs:
        run.then(judge, [cancellation, shown, judged], judged_of, **waits, **admission.EXPLAINS)
    make.click(kept, [shared.session, shown, judged, result, bare], files, **PRIVATE)
    bare.input(forget, None, files, **PRIVATE, queue=False)
    fold.expand(None, js=scripts.read("resize"))
    for button, handler in ((compute, compute_elsewhere), (shake, shake_network)):
        inputs_of = [checking, cancellation, shared.session, shown]
        button.click(handler, inputs_of, check_of, **waits, **admission.EXPLAINS)
    counted = gr.State("")
    joins = [cancellation, shared.session, shown, counted]
    together.expand(count_together, joins, [counted, joined], **waits, **admission.EXPLAINS)
    halt.click(halted, checking, check_of, **PRIVATE)
    opacity.input(None, opacity, None, js=scripts.read("opacity"))
    outlined.input(None, outlined, None, js=scripts.read("outlined"))


# --------------------------------------------------------------------- handlers


def explain(
    cancellation: Cancellation, session: Session, model: str, emotion: str, against: str, method: str, *values: Any
) -> Iterator[View]:
    """The map with its evidence in words and numbers; before a slow one, word that it is at work."""
    token = cancellation.begin()
    if session.face is None:
        yield notice_only(cancellation, session, NO_FACE)
        return
    try:
        prediction = session.face_predictions.get(model) or pipeline.predict(model, [session.face])[0]
    except WeightsError:
        yield notice_only(cancellation, session, html.note(text.unavailable(model)))
        return
    if against == (emotion or prediction.emotion):
        yield notice_only(cancellation, session, itself(model, emotion, against))
        return
    if reason := pipeline.unsuitable(model, method, prediction.version):
        yield notice_only(cancellation, session, html.note(reason))
        return
    params = METHODS[method].Params.from_json(controls.read(method, values))
    if method not in INSTANT:
        yield at_work(session, f"{METHODS[method].title} is at work…")
    target = pipeline.target(emotion, against, prediction)
    try:
        explanation = pipeline.explain(model, session.face, target, method, params, prediction.version)
    except Exception:
        if not cancellation.over(token):
            yield idle()
        raise
    if cancellation.over(token):
        return
    about = (session.key, session.chosen, model, emotion, against, method, *values)
    cancellation.shown = uuid.uuid4().hex
    yield finished(
        session, Shown(cancellation.shown, about, session.face, explanation, prediction.version, prediction), prediction
    )


def arrive(shown: Shown | None, cancellation: Cancellation, session: Session, *inputs: Any) -> Iterator[View]:
    """The map when the tab is opened, unless it is there already."""
    if shown is not None and shown.about == (session.key, session.chosen, *inputs):
        yield View()
        return
    yield from explain(cancellation, session, *inputs)


def waiting(session: Session, shown: Shown | None) -> View:
    """Say that the tab waits for its turn, where the face is another than the one on the screen."""
    if session.face is None or (shown is not None and shown.about[:2] == (session.key, session.chosen)):
        return View()
    return View(strip=pictures.above(session), picture=html.QUEUED, told="", parts="", verdict="")


def judge(cancellation: Cancellation, shown: Shown | None, judged: str) -> Iterator[Judged]:
    """The trust reading of the map on the screen, unless it is there already or a later map has begun.

    The verdict comes as soon as the map is tested, the agreement with other maps after it, and last how far the
    evidence by part moves with other fills and other seeds.
    """
    token = cancellation.latest
    if shown is None or shown.key == judged:
        return
    if shown.face.guessed:
        nothing = gr.Plot(visible=False)
        yield Judged(shown.key, trust_panel.UNTESTED, gr.Accordion(visible=False), "", nothing)
        return
    last = None
    for result in pipeline.trust_steps(shown.face, shown.explanation, shown.version):
        if cancellation.over(token) or cancellation.shown != shown.key:
            return
        if result is last:
            continue
        last = result
        curves = gr.Plot(charts.trust_curves(result), visible=True) if result.curves else gr.Plot(visible=False)
        yield Judged(
            judged=shown.key,
            verdict=trust_panel.verdict(result),
            fold=gr.Accordion(visible=True),
            numbers=trust_panel.numbers(result, shown.explanation.signed),
            curves=curves,
            result=result,
            parts=by_part(shown, result.part_ranges) if result.part_ranges else SKIP,
        )


def kept(session: Session, shown: Shown | None, judged: str, result: TrustResult | None, bare: bool) -> str:
    """Links that hold a report on the map on the screen, so that no file lies on the server.

    Args:
        session: whose photo it is.
        shown: the map.
        judged, result: which map was tested, and what was found.
        bare: whether every pixel of the photo is left out.
    """
    if shown is None or shown.prediction is None or shown.about[:2] != (session.key, session.chosen):
        return html.note("This map is of another face. Wait for the new one, then make the files.")
    tested = result if judged == shown.key else None
    report = reporting.report(session.photo, shown.face, shown.prediction, shown.explanation, tested)
    contents = reporting.every(report.without_photo() if bare else report)
    awaited = tested is None or bool(report.unfinished)
    return files_to_keep.links(contents, waiting=awaited and not shown.face.guessed)


def forget() -> str:
    """No links: they hold another choice than the one that is made now."""
    return ""


def compute_elsewhere(
    checking: Cancellation, cancellation: Cancellation, session: Session, shown: Shown | None
) -> Iterator[Checked]:
    """The map on the screen by another library beside ours, or why no other has it."""
    token = checking.begin()
    if shown is None:
        return
    explanation = shown.explanation
    if reason := reference.why_not(explanation.method, explanation.params):
        yield Checked("", gr.Button(visible=False), library=html.note(reason))
        return
    call = reference.CALLS[explanation.method]
    wait = f" This may take a minute. {UNSTOPPABLE}" if call.slow else f" {UNSTOPPABLE}"
    yield checks_at_work(html.note(f"{call.library} computes the same map…{wait}", progress=()))
    try:
        found = pipeline.by_other_library(shown.face, explanation, shown.version)
    except Exception:
        if not checking.over(token):
            yield Checked("", gr.Button(visible=False))
        raise
    if checking.over(token):
        return
    there = on_screen(cancellation, session, shown)
    yield Checked("", gr.Button(visible=False), map_checks.library(session, explanation, found) if there else SKIP)


def shake_network(
    checking: Cancellation, cancellation: Cancellation, session: Session, shown: Shown | None
) -> Iterator[Checked]:
    """What becomes of the map on the screen as the network forgets, a step for each stage of layers."""
    token = checking.begin()
    if shown is None:
        return
    yield checks_at_work(html.note("A copy of the network forgets its last layer…", progress=()))
    found = []
    try:
        for one in pipeline.shaken(shown.face, shown.explanation, shown.version):
            if checking.over(token):
                return
            if not on_screen(cancellation, session, shown):
                break
            found.append(one)
            note = html.note(f"{len(found)} of {one.of} stages of layers are shaken", progress=(len(found), one.of))
            yield checks_at_work(note)._replace(shaken=map_checks.shaken(session, shown.explanation, found))
    except Exception:
        if not checking.over(token):
            yield Checked("", gr.Button(visible=False))
        raise
    yield Checked("", gr.Button(visible=False))


def count_together(
    cancellation: Cancellation, session: Session, shown: Shown | None, counted: str
) -> Iterator[tuple[Any, Any]]:
    """What the parts of the face are worth together, unless it is there already."""
    if shown is None or shown.key == counted:
        return
    yield SKIP, html.note(interactions_panel.BUSY, progress=())
    found = pipeline.interactions(shown.face, shown.explanation, shown.version)
    if on_screen(cancellation, session, shown):
        yield shown.key, interactions_panel.panel(session, found)


def on_screen(cancellation: Cancellation, session: Session, shown: Shown) -> bool:
    """Whether a map is still the one that the visitor sees, on the face that is chosen."""
    return cancellation.shown == shown.key and shown.about[:2] == (session.key, session.chosen)


def checks_at_work(note: str) -> Checked:
    """A word while a map is checked, and the button that stops it."""
    return Checked(note, gr.Button(visible=True))


def halted(checking: Cancellation) -> Checked:
    """Stop the check, and say so."""
    checking.begin()
    return Checked(html.note("Stopped."), gr.Button(visible=False))


def stopped(cancellation: Cancellation) -> View:
    """Stop the run, and say so."""
    cancellation.begin()
    return View(status=STOPPED, stop=gr.Button(visible=False))


def explained(method: str) -> str:
    """The page about a method."""
    return method_pages.method(method)


def turn_to(model: str, method: str, offered: Any = SKIP, chosen: Any = SKIP) -> tuple[Any, ...]:
    """The summary and the parameters of a method; its page is closed.

    Args:
        model, method: what is chosen.
        offered, chosen: see `Offered`; they stay as they are where the visitor has chosen.
    """
    view = Offered(offered, chosen, summarised(model, method), gr.Accordion(open=False))
    return (*view, *(gr.Group(visible=name == method) for name in METHODS))


def offer(model: str, method: str, offered: str) -> tuple[Any, ...]:
    """The method to begin with on a model, unless the visitor has chosen another one."""
    first = pipeline.recommended(model)
    if method != offered or method == first:
        return (*Offered(summary=summarised(model, method)), *[SKIP] * len(METHODS))
    return turn_to(model, first, first, first)


def open_with(wanted: str, model: str, method: str, offered: str) -> tuple[Any, ...]:
    """What the tab opens with: the network that the visitor chose on Predict, what it sees and its first method.

    A lesson also names the method and the emotion. Without such a choice, see `offer`.
    """
    if not wanted:
        return (*Wanted(), *offer(model, method, offered))
    name, asked, emotion = (*wanted.split(), "", "")[:3]
    first = pipeline.recommended(name)
    return (*Wanted("", name, emotion, ""), *turn_to(name, asked or first, first, asked or first))


# ------------------------------------------------------------------------ parts


def notice_only(cancellation: Cancellation, session: Session, note: str) -> View:
    """A word in place of the map."""
    cancellation.shown = ""
    return View(
        shown=None,
        strip=pictures.above(session),
        status="",
        stop=gr.Button(visible=False),
        picture=note,
        told="",
        parts="",
        verdict="",
        fold=gr.Accordion(visible=False),
        keep=gr.Accordion(visible=False),
        files="",
        library="",
        shaken="",
        together=gr.Accordion(visible=False),
    )


def at_work(session: Session, note: str) -> View:
    """A word above the map from before, which stays."""
    waiting = html.note(note, progress=())
    return View(strip=pictures.above(session), status=waiting, stop=gr.Button(visible=True))


def idle() -> View:
    """Say nothing, because nothing is at work; what is below is from before."""
    return View(status="", stop=gr.Button(visible=False))


def finished(session: Session, shown: Shown, prediction: Prediction) -> View:
    """The map and its evidence."""
    explanation, keypoints = shown.explanation, shown.face.crop_keypoints
    shared = scale.shared([explanation])
    items = evidence_of(shown)
    above = evidence_table.outlines(keypoints, items, explanation)
    picture = html.fill(
        "heatmap",
        overlay=pictures.overlay(
            session, explanation, shared, above=above, strength=text.strength(prediction, explanation.target)
        ),
        weak=text.weak(prediction, explanation.target),
        rest=evidence_table.REST,
        bar=pictures.colour_bar(shared, explanation),
    )
    return View(
        shown=shown,
        strip=pictures.above(session),
        status="",
        stop=gr.Button(visible=False),
        picture=picture,
        told=described(session, explanation, prediction, items),
        parts=by_part(shown),
        verdict=trust_panel.WAITING,
        fold=gr.Accordion(visible=False),
        keep=gr.Accordion(visible=True),
        files="",
        library="",
        shaken="",
        together=gr.Accordion(visible=explanation.method == PARTS, open=False),
    )


def evidence_of(shown: Shown) -> list[evidence.RegionEvidence]:
    """What a map says about each part of the face."""
    usual = pipeline.average_shares(shown.explanation, shown.version)
    return evidence.by_region(shown.explanation.values, regions.masks(shown.face.crop_keypoints), usual)


def by_part(shown: Shown, ranges: PartRanges | None = None) -> str:
    """The evidence by part as a table, with how far it moves once that is known."""
    awaited = ranges is None and not shown.face.guessed and bool(part_ranges.others(shown.explanation))
    return evidence_table.table(evidence_of(shown), shown.explanation, ranges, awaited)


def described(
    session: Session, explanation: Explanation, prediction: Prediction, items: list[evidence.RegionEvidence]
) -> str:
    """What the model sees, what was explained, and the evidence in sentences."""
    return html.fill(
        "explained",
        model=explanation.model,
        emotion=prediction.emotion,
        confidence=prediction.confidence,
        question=text.question(explanation.target, prediction),
        seconds=explanation.seconds,
        sentences=evidence.sentences(explanation, items),
        face=session.face_name,
        where=pictures.where(session),
        saturated=text.probability(prediction, explanation.target) > SATURATED,
        literature=action_units.message(explanation, items),
    )


def itself(model: str, emotion: str, against: str) -> str:
    """The word to a visitor who sets an emotion against itself."""
    why = (
        f"{against} is what you explain"
        if emotion
        else f"the face looks {text.ADJECTIVES[against]} to {text.MODELS[model]}"
    )
    return html.note(
        f"Why {against} and not {against}? {why[0].upper()}{why[1:]}. "
        "Choose another emotion to set against it, or none."
    )


def summarised(model: str, method: str) -> str:
    """What a method shows, and how often that held up when it was tested on the model."""
    table = pipeline.trust_table(model) or {"methods": {}}
    found = table["methods"].get(method, {})
    tested = f"How often its maps of {text.MODELS[model]} pass the tests is not measured yet."
    if "beats_other_faces" in found:
        often, middle = (text.percent(found[key]["mean"]) for key in ("beats_other_faces", "beats_centre_prior"))
        faces = found.get("faces", table.get("faces", "test"))
        tested = (
            f"Tested with {text.MODELS[model]} on {faces} faces: hiding what its map marks "
            f"matters more than hiding what it marks on other faces on {often} of them, and more than hiding the "
            f"middle on {middle}."
        )
    return html.fill("method_summary", summary=METHODS[method].summary, tested=tested)
