"""Why one model says what it says about the chosen face."""

import gradio as gr

from app import charts, controls, reading, views, words
from app.session import Session
from app.tabs import Shared
from explain import evidence, registry, scale
from explain.registry import METHODS
from models import regions, zoo
from models.types import EMOTIONS

TITLE = "Explain"
PREDICTED = ("what the model sees", "")
MODELS = [(title, name) for name, title in words.MODELS.items()]
NO_FACE = '<p class="fw-note">First give a photo with a face on the tab <b>Predict</b>.</p>'
OPACITY = "value => { document.documentElement.style.setProperty('--fw-heat', value); }"


def build(shared: Shared) -> None:
    """The tab's components and events."""
    strip = gr.HTML(js_on_load=views.SELECT)
    with gr.Row(elem_classes="fw-columns fw-explain"):
        with gr.Column(scale=4, min_width=300):
            model = gr.Radio(MODELS, value="cnn", label="Model", elem_id="explain-model")
            emotion = gr.Dropdown(
                [PREDICTED, *EMOTIONS],
                value="",
                label="Emotion to explain",
                elem_id="explain-emotion",
                filterable=False,
            )
            method = gr.Radio(
                [(entry.title, name) for name, entry in METHODS.items()],
                value="gradcam",
                label="Method",
                elem_id="explain-method",
            )
            summary = gr.HTML(summarised("gradcam"))
            groups, values = [], []
            for name, entry in METHODS.items():
                with gr.Group(visible=name == "gradcam", elem_id=f"params-{name}") as group:
                    values += controls.build(entry)
                groups.append(group)
        with gr.Column(scale=4, min_width=300, elem_classes="fw-first"):
            picture = gr.HTML(NO_FACE, elem_id="heatmap")
            opacity = gr.Slider(0, 1, 0.7, step=0.05, label="Opacity of the heatmap", elem_id="opacity")
        with gr.Column(scale=5, min_width=300):
            told = gr.HTML(elem_id="evidence")
            chart = gr.Plot(show_label=False, container=False, visible=False, elem_id="evidence-chart")
    asked = [shared.session, model, emotion, method, *values]
    shown = [strip, picture, told, chart]
    private = {"api_visibility": "private", "show_progress": "minimal", "trigger_mode": "always_last"}
    method.input(turn_to, method, [summary, *groups], api_visibility="private", show_progress="hidden")
    settled = [model.input, emotion.input, method.input, *map(controls.changed, values)]
    gr.on([shared.tab.select, *settled], explain, asked, shown, **private)
    strip.select(choose, asked, [shared.session, *shown], **private)
    opacity.input(None, opacity, None, js=OPACITY)


def explain(session: Session, model: str, emotion: str, method: str, *values) -> tuple:
    """The strip of faces, the heatmap, the evidence in words and as a chart."""
    if session.face is None:
        return "", NO_FACE, "", gr.Plot(visible=False)
    network = zoo.load(model)
    prediction = session.answers[model] if session.answers else network.predict([session.face])[0]
    target = reading.target(emotion, "", prediction)
    explanation = registry.explain(network, session.face, target, method, controls.read(method, values))
    shared = scale.shared([explanation])
    told = evidence.by_region(explanation.values, regions.masks(session.face.crop_keypoints))
    heading = (
        f"{words.MODELS[model]} sees {words.ADJECTIVES[prediction.emotion]} ({words.percent(prediction.confidence)})"
    )
    explained = f"Explained: {target.name}, which it gives {words.percent(prediction.probabilities[target.emotion])}."
    return (
        views.strip(session),
        views.overlay(session, explanation, shared) + views.colour_bar(shared, target),
        f'<h2>{heading}</h2><p class="fw-small">{explained} It took {words.duration(explanation.seconds)}.</p>'
        f"<p>{evidence.words(explanation, told)}</p>",
        gr.Plot(charts.evidence(told, target, explanation.signed), visible=True),
    )


def choose(session: Session, event: gr.EventData, model: str, emotion: str, method: str, *values) -> tuple:
    """Another face of the photo, explained the same way."""
    chosen = session.choose(event._data.get("index"))
    return chosen, *explain(chosen, model, emotion, method, *values)


def turn_to(method: str) -> tuple:
    """The summary and the parameters of a method."""
    return summarised(method), *(gr.Group(visible=name == method) for name in METHODS)


def summarised(method: str) -> str:
    """What a method shows."""
    return f'<p class="fw-small">{METHODS[method].summary}</p>'
