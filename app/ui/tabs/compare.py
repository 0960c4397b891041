"""The three models side by side on the chosen face."""

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from app import pipeline, text
from app.serving import admission
from app.ui import controls
from app.ui.cancellation import Cancellation
from app.ui.render import charts, comparison_grid, pictures
from app.ui.render.comparison_grid import PARTS, Maps
from app.ui.session import Session
from app.ui.tabs import Shared, choose
from explain import evidence
from explain.base import Target
from explain.registry import METHODS
from models import regions

TITLE = "Compare"
NO_FACE = '<p class="fw-note">First give a photo with a face on the tab <b>Predict</b>.</p>'
NO_METHOD = '<p class="fw-note" role="status">Choose at least one method.</p>'
ITSELF = '<p class="fw-note" role="status">Why {0} and not {0}? Choose another emotion to set against it, or none.</p>'
STOPPED = '<p class="fw-note" role="status">Stopped. What was ready stays below; <b>Compare</b> does the rest.</p>'
FIT = "() => window.dispatchEvent(new Event('resize'))"
"""A chart that was drawn while its column was still growing takes the column's width."""


@dataclass(frozen=True, eq=False)
class Compared:
    """What has been compared so far.

    Attributes:
        about: the face, the emotion and what it is set against; maps of another are of no use.
        methods: what was to be compared.
        results: by method and model; a sentence where the method does not suit the model.
        finished: whether nothing is missing.
    """

    about: tuple
    methods: tuple[str, ...]
    results: dict[str, Maps]
    finished: bool


def build(shared: Shared) -> None:
    """The tab's components and events."""
    cancellation = gr.State(Cancellation())
    shown = gr.State(None)
    strip = gr.HTML(js_on_load=pictures.SELECT)
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
    notice = gr.HTML(NO_FACE, elem_id="compare-notice")
    grid = gr.HTML(elem_id="compare-grid")
    with gr.Row():
        with gr.Column(min_width=320):
            probabilities = gr.Plot(show_label=False, container=False, visible=False, elem_id="compare-probabilities")
        with gr.Column(min_width=320):
            parts = gr.Plot(show_label=False, container=False, visible=False, elem_id="compare-parts")
    inputs = [cancellation, shared.session, shown, emotion, against, methods]
    settled = [start.click, emotion.input, against.input, methods.input]
    outputs = [shown, strip, stop, notice, grid, probabilities, parts]
    private = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "multiple"}
    runs = [
        shared.tab.select(arrive, inputs, outputs, **private, **admission.EXPLAINS),
        gr.on(settled, compare, inputs, outputs, **private, **admission.EXPLAINS),
        strip.select(choose, shared.session, shared.session, **private).then(
            compare, inputs, outputs, **private, **admission.EXPLAINS
        ),
    ]
    for run in runs:
        run.then(None, js=FIT)
    stop.click(stopped, cancellation, [stop, notice], **private)


def compare(
    cancellation: Cancellation, session: Session, shown: Compared | None, emotion: str, against: str, methods: list[str]
) -> Iterator[tuple]:
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
    if against == (emotion or pipeline.common_target("", "", answers).name):
        yield notice_only(ITSELF.format(against))
        return
    target = pipeline.common_target(emotion, against, answers)
    about = (session.key, session.chosen, emotion, against)
    chosen = tuple(name for name in METHODS if name in methods)
    known = shown.results if shown is not None and shown.about == about else {}
    results = {method: dict(known.get(method, {})) for method in chosen}
    missing = [(method, name) for method in chosen for name in answers if name not in results[method]]
    chart = gr.Plot(charts.probabilities(list(answers.values())), visible=True)
    busy = gr.Button(interactive=True)  # said at every step: Gradio may drop what a quick step after it leaves out
    for count, (method, name) in enumerate(missing):
        notice = progress(count, len(missing), method, name)
        grid = comparison_grid.rows(session, answers, results)
        shared = pictures.strip(session), busy, notice, grid, chart
        yield Compared(about, chosen, copied(known, results), False), *shared, gr.skip()
        chart = gr.skip()
        version = answers[name].version
        try:
            results[method][name] = pipeline.unsuitable(name, method, version) or pipeline.explain(
                name, session.face, target, method, version=version
            )
        except Exception:
            if not cancellation.over(token):
                yield *(gr.skip() for _ in range(2)), *stopped(cancellation), *(gr.skip() for _ in range(3))
            raise
        if cancellation.over(token):
            return
    yield (
        Compared(about, chosen, copied(known, results), True),
        pictures.strip(session),
        gr.Button(interactive=False),
        f'<p class="fw-verdict" role="status">{text.verdict(answers)}</p>{meaning(target, len(answers))}',
        comparison_grid.rows(session, answers, results),
        gr.Plot(charts.probabilities(list(answers.values())), visible=True),
        by_part(session, results),
    )


def arrive(
    cancellation: Cancellation, session: Session, shown: Compared | None, emotion: str, against: str, methods: list[str]
) -> Iterator[tuple]:
    """The comparison when the tab is opened, unless it is there already."""
    about = (session.key, session.chosen, emotion, against)
    if shown is not None and shown.finished and shown.about == about and set(shown.methods) == set(methods):
        yield tuple(gr.skip() for _ in range(7))
        return
    yield from compare(cancellation, session, shown, emotion, against, methods)


def notice_only(note: str) -> tuple:
    """A word in place of the comparison."""
    nothing = gr.Plot(visible=False)
    return None, "", gr.Button(interactive=False), note, "", nothing, nothing


def stopped(cancellation: Cancellation) -> tuple:
    """What is said after a stop."""
    cancellation.begin()
    return gr.Button(interactive=False), STOPPED


def copied(known: dict[str, Maps], results: dict[str, Maps]) -> dict[str, Maps]:
    """All maps of a face, those of methods that are not shown now as well."""
    return {**known, **{method: dict(maps) for method, maps in results.items()}}


def progress(count: int, total: int, method: str, name: str) -> str:
    """How far the comparison is."""
    return (
        f'<p class="fw-note" role="status"><progress value="{count}" max="{total}"></progress> '
        f"{METHODS[method].title}, {text.MODELS[name]} ({count + 1} of {total})</p>"
    )


def meaning(target: Target, count: int) -> str:
    """What so many models were asked, and how the maps can be compared."""
    who = {1: "It is", 2: "Both are"}.get(count, "All three are")
    return (
        f'<p class="fw-small">{who} asked about {target.name}. The maps of a method share one scale: '
        "the same colour means the same strength in every model.</p>"
    )


def by_part(session: Session, results: dict[str, Maps]) -> gr.Plot:
    """The evidence by part of the face: Shapley values where they were asked for, else the first method."""
    method = PARTS if PARTS in results else next(iter(results))
    masks = regions.masks(session.face.crop_keypoints)
    found = comparison_grid.ready(results[method])
    told = {explanation.model: evidence.by_region(explanation.values, masks) for explanation in found}
    return gr.Plot(charts.evidence_of_models(told, METHODS[method].title), visible=bool(told))
