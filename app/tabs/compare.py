"""The three models side by side on the chosen face."""

from collections.abc import Iterator

import gradio as gr

from app import charts, reading, views, words
from app.session import Session
from app.tabs import Shared
from explain import evidence, registry, scale
from explain.base import Explanation, Target
from explain.registry import METHODS
from models import regions, zoo
from models.types import EMOTIONS, Prediction

TITLE = "Compare"
COMMON = ("what they see on average", "")
NO_FACE = '<p class="fw-note">First give a photo with a face on the tab <b>Predict</b>.</p>'
PICTURES = reading.COMPARED[:2]
PARTS = reading.COMPARED[2]
ZOOM = 5
FIT = "() => window.dispatchEvent(new Event('resize'))"
"""A chart that was drawn while its column was still growing takes the column's width."""

Results = dict[str, dict[str, Explanation]]
"""Explanations by method and model, as far as they are ready."""


def build(shared: Shared) -> None:
    """The tab's components and events."""
    shown = gr.State(None, time_to_live=3600)
    strip = gr.HTML(js_on_load=views.SELECT)
    with gr.Row(elem_classes="fw-bar-row"):
        emotion = gr.Dropdown(
            [COMMON, *EMOTIONS],
            value="",
            label="Emotion to explain",
            elem_id="compare-emotion",
            filterable=False,
            min_width=240,
        )
        start = gr.Button("Compare again", variant="primary", elem_id="compare-start", scale=0, min_width=190)
        stop = gr.Button("Stop", elem_id="compare-stop", scale=0, min_width=90)
    notice = gr.HTML(NO_FACE, elem_id="compare-notice")
    grid = gr.HTML(elem_id="compare-grid")
    with gr.Row():
        with gr.Column(min_width=320):
            probabilities = gr.Plot(show_label=False, container=False, visible=False, elem_id="compare-probabilities")
        with gr.Column(min_width=320):
            parts = gr.Plot(show_label=False, container=False, visible=False, elem_id="compare-parts")
    outputs = [shared.session, shown, strip, notice, grid, probabilities, parts]
    private = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "always_last"}
    runs = [
        shared.tab.select(arrive, [shared.session, emotion, shown], outputs, **private),
        gr.on([start.click, emotion.input], compare, [shared.session, emotion], outputs, **private),
        strip.select(choose, [shared.session, emotion], outputs, **private),
    ]
    for run in runs:
        run.then(None, js=FIT)
    stop.click(stopped, None, notice, cancels=runs, api_visibility="private", show_progress="hidden")


def compare(session: Session, emotion: str) -> Iterator[tuple]:
    """Everything that the tab shows, again whenever one more map is ready."""
    if session.face is None:
        yield session, None, "", NO_FACE, "", gr.Plot(visible=False), gr.Plot(visible=False)
        return
    answers = session.answers or {name: found[0] for name, found in reading.predictions_for([session.face]).items()}
    target = reading.common_target(emotion, answers)
    results: Results = {method: {} for method in reading.COMPARED}
    steps = [(method, name) for method in reading.COMPARED for name in answers]
    chart = gr.Plot(charts.probabilities(list(answers.values())), visible=True)
    strip = views.strip(session)
    for count, (method, name) in enumerate(steps):
        notice = progress(count, len(steps), method, name)
        yield session, None, strip, notice, side_by_side(session, target, answers, results), chart, gr.skip()
        strip = chart = gr.skip()
        results[method][name] = registry.explain(zoo.load(name), session.face, target, method)
    masks = regions.masks(session.face.crop_keypoints)
    told = {name: evidence.by_region(explanation.values, masks) for name, explanation in results[PARTS].items()}
    yield (
        session,
        signature(session, emotion),
        strip,
        f'<p class="fw-verdict" role="status">{words.verdict(answers)}</p>{meaning(target, results)}',
        side_by_side(session, target, answers, results),
        chart,
        gr.Plot(charts.evidence_of_models(told), visible=True),
    )


def arrive(session: Session, emotion: str, shown: tuple | None) -> Iterator[tuple]:
    """The comparison when the tab is opened, unless it is there already."""
    if shown is not None and shown == signature(session, emotion):
        yield tuple(gr.skip() for _ in range(7))
        return
    yield from compare(session, emotion)


def choose(session: Session, event: gr.EventData, emotion: str) -> Iterator[tuple]:
    """The comparison for another face of the photo."""
    yield from compare(session.choose(event._data.get("index")), emotion)


def stopped() -> str:
    """What is said after a stop."""
    return '<p class="fw-note" role="status">Stopped. What was ready stays below.</p>'


def signature(session: Session, emotion: str) -> tuple:
    """What a comparison was about."""
    return session.key, session.chosen, emotion


def progress(count: int, total: int, method: str, name: str) -> str:
    """How far the comparison is."""
    return (
        f'<p class="fw-note" role="status"><progress value="{count}" max="{total}"></progress> '
        f"{METHODS[method].title}, {words.MODELS[name]} ({count + 1} of {total})</p>"
    )


def meaning(target: Target, results: Results) -> str:
    """What the colours mean, once for each method."""
    bars = "".join(
        f"<div><b>{METHODS[method].title}</b>{views.colour_bar(scale.shared(results[method].values()), target)}</div>"
        for method in PICTURES
    )
    return (
        f'<p class="fw-small">All three are asked about {target.name}. The maps of a method share one scale: '
        f'the same colour means the same strength in every model.</p><div class="fw-scales">{bars}</div>'
    )


def side_by_side(session: Session, target: Target, answers: dict[str, Prediction], results: Results) -> str:
    """A card a model; what is not ready yet has a place kept free."""
    shared = {method: scale.shared(results[method].values()) for method in PICTURES}
    cards = []
    for name, answer in answers.items():
        pictures = "".join(
            f"<figure>{picture(session, results[method].get(name), shared[method])}"
            f"<figcaption>{METHODS[method].title}{took(results[method].get(name))}</figcaption></figure>"
            for method in PICTURES
        )
        cards.append(
            f'<article class="fw-card"><h3>{words.MODELS[name]}</h3><p>sees <b>{words.ADJECTIVES[answer.emotion]}</b>, '
            f"{words.percent(answer.confidence)}</p><div>{pictures}</div>{decisive(session, results[PARTS].get(name))}"
            f"</article>"
        )
    return f'<div class="fw-cards">{"".join(cards)}</div>'


def picture(session: Session, explanation: Explanation | None, shared: scale.Scale) -> str:
    """A heatmap, or the place where it will be."""
    if explanation is None:
        return '<div class="fw-overlay fw-empty"></div>'
    return views.overlay(session, explanation, shared, ZOOM)


def took(explanation: Explanation | None) -> str:
    """The seconds of an explanation, behind its name."""
    return "" if explanation is None else f"<br><span>{words.duration(explanation.seconds)}</span>"


def decisive(session: Session, explanation: Explanation | None) -> str:
    """The parts of the face that push a model most, by their exact Shapley values."""
    if explanation is None:
        return '<p class="fw-small">…</p>'
    told = evidence.by_region(explanation.values, regions.masks(session.face.crop_keypoints))
    ranked = sorted(told, key=lambda item: -item.total)
    name = explanation.target.name
    lines = []
    if ranked[0].total > 0:
        lines.append(f"Speaks most for {name}: the <b>{ranked[0].label}</b>.")
    if ranked[-1].total < 0:
        lines.append(f"Most against it: the <b>{ranked[-1].label}</b>.")
    return f'<p class="fw-small">{" ".join(lines)} <span>{words.duration(explanation.seconds)}</span></p>'
