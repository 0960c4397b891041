"""The three models side by side on the chosen face."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from app import pipeline, reporting, text
from app.ui import controls, queues, scripts
from app.ui.cancellation import Cancellation
from app.ui.render import charts, comparison_grid, files_to_keep, glass_box, html, pictures
from app.ui.render.comparison_grid import PARTS, Maps
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP, Shared, choose, waiting_place
from explain import evidence
from explain.base import Explanation, Target, common_target
from explain.registry import METHODS
from models import regions
from models.types import Prediction

TITLE = "Compare"
NO_FACE = html.note(html.FIRST_A_PHOTO, quiet=True)
NO_METHOD = html.note("Choose at least one method.")
STOPPED = html.note(Markup("Stopped. What was ready stays below; <b>Compare</b> does the rest."))


class View(NamedTuple):
    """The outputs of the tab but for the rows."""

    shown: Any = SKIP
    strip: Any = SKIP
    stop: Any = SKIP
    notice: Any = SKIP
    probabilities: Any = SKIP
    parts: Any = SKIP
    glass: Any = SKIP


@dataclass(frozen=True, eq=False)
class Compared:
    """What has been compared so far.

    Attributes:
        about: the face, the emotion and what it is set against; maps of another are of no use.
        methods: what was to be compared.
        results: by method and model; a sentence where the method does not suit the model.
        finished: whether nothing is missing.
    """

    about: tuple[Any, ...]
    methods: tuple[str, ...]
    results: dict[str, Maps]
    finished: bool


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    cancellation = gr.State(Cancellation())
    shown = gr.State(None)
    strip = gr.HTML(js_on_load=scripts.read("select"))
    with gr.Row(elem_classes="fw-bar-row"):
        emotion = controls.emotions(controls.COMMON, "Emotion to explain", "compare-emotion", min_width=280, scale=2)
        against = controls.emotions(controls.ALONE, "… and not that one", "compare-against", min_width=200, scale=2)
        methods = gr.Dropdown(
            [(entry.title, name) for name, entry in METHODS.items()],
            value=list(pipeline.COMPARED),
            multiselect=True,
            label="Methods",
            elem_id="compare-methods",
            filterable=False,
            min_width=300,
            scale=3,
        )
        start = gr.Button("Compare", variant="primary", elem_id="compare-start", scale=0, min_width=120)
        stop = gr.Button("Stop", elem_id="compare-stop", scale=0, min_width=90, interactive=False)
    _, waits = waiting_place()
    notice = gr.HTML(NO_FACE, elem_id="compare-notice")
    with gr.Row():
        with gr.Column(scale=4, min_width=320, elem_id="compare-grid"):
            rows = {method: gr.HTML(elem_id=f"compare-{method}") for method in METHODS}
        with gr.Column(scale=1, min_width=260):
            glass = gr.HTML(elem_id="compare-glass")
    with gr.Row():
        with gr.Column(min_width=320):
            probabilities = gr.Plot(show_label=False, container=False, visible=False, elem_id="compare-probabilities")
        with gr.Column(min_width=320):
            parts = gr.Plot(show_label=False, container=False, visible=False, elem_id="compare-parts")
    with gr.Row(elem_classes="fw-bar-row"):
        make = gr.Button("Make a table of the evidence", size="sm", elem_id="compare-keep", scale=0, min_width=240)
        files = gr.HTML(elem_id="compare-files")
    inputs = [cancellation, shared.session, shown, emotion, against, methods]
    settled = [start.click, emotion.input, against.input, methods.input]
    view = View(shown, strip, stop, notice, probabilities, parts, glass)
    outputs = [*laid_out(view, rows)]
    shared.tab.select(waiting, [shared.session, shown], outputs, **PRIVATE, queue=False)
    runs = [
        shared.tab.select(arrive, inputs, outputs, **waits, **queues.EXPLAINS),
        gr.on(settled, compare, inputs, outputs, **waits, **queues.EXPLAINS),
        strip.select(choose, shared.session, shared.session, **PRIVATE).then(
            compare, inputs, outputs, **waits, **queues.EXPLAINS
        ),
    ]
    for run in runs:
        run.then(forget, None, files, **PRIVATE, queue=False).then(None, js=scripts.read("resize"))
    make.click(kept, [shared.session, shown], files, **PRIVATE)
    stop.click(stopped, cancellation, [*view], **PRIVATE)


def compare(
    cancellation: Cancellation, session: Session, shown: Compared | None, emotion: str, against: str, methods: list[str]
) -> Iterator[tuple[Any, ...]]:
    """Everything that the tab shows, again whenever one more map is ready; maps that are there are kept.

    It ends early where the visitor stops it or asks for another comparison.
    """
    token = cancellation.begin()
    if session.face is None or not methods:
        yield notice_only(NO_METHOD if session.face else NO_FACE)
        return
    answers = session.face_predictions or {
        name: found[0] for name, found in pipeline.predictions_for([session.face]).items()
    }
    if against == (emotion or common_target("", "", answers).name):
        yield notice_only(
            html.note(f"Why {against} and not {against}? Choose another emotion to set against it, or none.")
        )
        return
    target = common_target(emotion, against, answers)
    about = (session.key, session.chosen, emotion, against)
    chosen = tuple(name for name in METHODS if name in methods)
    known = shown.results if shown is not None and shown.about == about else {}
    results = {method: dict(known.get(method, {})) for method in chosen}
    missing = [(method, name) for method in chosen for name in answers if name not in results[method]]
    rows = {method: comparison_grid.row(session, answers, method, maps) for method, maps in results.items()}
    chart = gr.Plot(charts.probabilities(list(answers.values())), visible=True)
    beside = glass_box.column(session.face, target)
    view, new = (
        View(strip=pictures.above(session), probabilities=chart, glass=beside),
        dict.fromkeys(METHODS, "") | rows,
    )
    for count, (method, name) in enumerate(missing):
        busy = gr.Button(interactive=True)  # at every step: Gradio may lose what comes while a tab is being mounted
        notice = progress(count, len(missing), method, name)
        so_far = Compared(about, chosen, copied(known, results), False)
        yield laid_out(view._replace(shown=so_far, stop=busy, notice=notice), new)
        version = answers[name].version
        try:
            results[method][name] = pipeline.unsuitable(name, method, version) or pipeline.explain(
                name, session.face, target, method, version=version
            )
        except Exception:
            if not cancellation.over(token):
                yield laid_out(stopped(cancellation))
            raise
        if cancellation.over(token):
            return
        rows[method] = comparison_grid.row(session, answers, method, results[method])
        view, new = View(), {method: rows[method]}
    yield laid_out(
        View(
            Compared(about, chosen, copied(known, results), True),
            pictures.above(session),
            gr.Button(interactive=False),
            meaning(session, answers, target),
            chart,
            by_part(session, results),
            beside,
        ),
        dict.fromkeys(METHODS, "") | rows,
    )


def arrive(
    cancellation: Cancellation, session: Session, shown: Compared | None, emotion: str, against: str, methods: list[str]
) -> Iterator[tuple[Any, ...]]:
    """The comparison when the tab is opened, unless it is there already."""
    about = (session.key, session.chosen, emotion, against)
    if shown is not None and shown.finished and shown.about == about and set(shown.methods) == set(methods):
        yield laid_out(View())
        return
    yield from compare(cancellation, session, shown, emotion, against, methods)


def waiting(session: Session, shown: Compared | None) -> tuple[Any, ...]:
    """Say that the tab waits for its turn, where the face is another than the one on the screen."""
    if session.face is None or (shown is not None and shown.about[:2] == (session.key, session.chosen)):
        return laid_out(View())
    nothing = gr.Plot(visible=False)
    view = View(strip=pictures.above(session), notice=html.QUEUED, probabilities=nothing, parts=nothing, glass="")
    return laid_out(view, dict.fromkeys(METHODS, ""))


def notice_only(note: str) -> tuple[Any, ...]:
    """A word in place of the comparison."""
    nothing = gr.Plot(visible=False)
    return laid_out(
        View(None, "", gr.Button(interactive=False), note, nothing, nothing, ""), dict.fromkeys(METHODS, "")
    )


def stopped(cancellation: Cancellation) -> View:
    """Stop the run, and say so."""
    cancellation.begin()
    return View(stop=gr.Button(interactive=False), notice=STOPPED)


def kept(session: Session, shown: Compared | None) -> str:
    """A link that holds the evidence of all maps on the screen, so that no file lies on the server."""
    if shown is None or session.face is None or shown.about[:2] != (session.key, session.chosen):
        return html.note("There is nothing to make a table of: compare first.")
    answers = session.face_predictions
    reports = [
        reporting.report(session.photo, session.face, answers[name], found, None)
        for method in shown.methods
        for name, found in shown.results[method].items()
        if isinstance(found, Explanation) and name in answers
    ]
    return files_to_keep.links({"evidence.csv": reporting.evidence_csv(*reports).encode()}, waiting=False)


def forget() -> str:
    """No link: it holds another comparison than the one that is shown now."""
    return ""


def laid_out(view: View, rows: Mapping[str, Any] = MappingProxyType({})) -> tuple[Any, ...]:
    """All outputs in their order; rows that are not among `rows` stay as they are."""
    return (*view, *(rows.get(method, SKIP) for method in METHODS))


def copied(known: Mapping[str, Maps], results: Mapping[str, Maps]) -> dict[str, Maps]:
    """All maps of a face, those of methods that are not shown now as well."""
    return {**known, **{method: dict(maps) for method, maps in results.items()}}


def progress(count: int, total: int, method: str, name: str) -> str:
    """How far the comparison is."""
    about = f"{METHODS[method].title}, {text.MODELS[name]} ({count + 1} of {total})"
    return html.note(about, progress=(count, total))


def meaning(session: Session, answers: dict[str, Prediction], target: Target) -> str:
    """What the models see, what they were asked, and how the maps can be compared."""
    who = {1: "It is", 2: "Both are"}.get(len(answers), "All three are")
    return html.fill(
        "compare_meaning",
        face=session.face_name,
        verdict=text.verdict(answers, session.face_together),
        who=who,
        target=target.name,
    )


def by_part(session: Session, results: Mapping[str, Maps]) -> gr.Plot:
    """The evidence by part of the face: Shapley values where they were asked for, else the first method."""
    method = PARTS if PARTS in results else next(iter(results))
    masks = regions.masks(session.opened[1].crop_keypoints)
    found = comparison_grid.ready(results[method])
    told = {explanation.model: evidence.by_region(explanation.values, masks) for explanation in found}
    return gr.Plot(charts.evidence_of_models(told, METHODS[method].title), visible=bool(told))
