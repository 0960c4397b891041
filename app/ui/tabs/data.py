"""A dataset of faces: what the networks say about all of them, where they agree and where they are right."""

from typing import Any, NamedTuple

import gradio as gr

from app import text
from app.data import filters, reading, view
from app.data.faces import MEAN
from app.data.filters import Filters
from app.data.terms import Terms
from app.data.view import About, Summary
from app.ui import queues, scripts
from app.ui.render import data_charts, data_panels, html
from app.ui.tabs import PRIVATE, SKIP, Shared
from models import zoo
from models.errors import FaceWhyError
from models.types import EMOTIONS

TITLE = "Data"
READING = html.note("Reading the dataset …", progress=())
ALL_FACES = ("all", "")
MEASURES = view.TOLD
COLOURED = [(name, key) for key, name in data_charts.COLOUR_BY.items()]
EXPLAINED = "happy"
"""The emotion whose score is told at first."""
ABOUT_UNCERTAIN = "The faces whose probabilities are spread the widest over the seven emotions."
ABOUT_WRONG = (
    "The faces that are named otherwise than labelled with the highest probability. Now and then the label is wrong."
)
ABOUT_GEOMETRY = (
    "Correlations between measures of the 15 keypoints and the probability of each emotion, over the faces above: at 1 "
    "both rise together, at −1 one rises as the other falls. They say what goes along with an answer, not what the "
    "network looks at."
)


class View(NamedTuple):
    """The outputs of the tab, in the order in which they stand on it."""

    shown: Any = SKIP
    about: Any = SKIP
    network: Any = SKIP
    split: Any = SKIP
    notice: Any = SKIP
    counts: Any = SKIP
    confusion: Any = SKIP
    disagreement: Any = SKIP
    tables: Any = SKIP
    brightness: Any = SKIP
    sharpness: Any = SKIP
    yaw: Any = SKIP
    size: Any = SKIP
    same: Any = SKIP
    plane: Any = SKIP
    plane_note: Any = SKIP
    plane_controls: Any = SKIP
    method: Any = SKIP
    uncertain: Any = SKIP
    wrong: Any = SKIP
    terms_note: Any = SKIP
    terms_controls: Any = SKIP
    strengths: Any = SKIP
    swarm: Any = SKIP
    geometry: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    shown = gr.State(None)
    about = gr.HTML(elem_id="data-about")
    asked = _controls()
    network, split = asked[0], asked[3]
    notice = gr.HTML(READING, elem_id="data-notice")
    with gr.Row(elem_classes="fw-charts", elem_id="data-counts"):
        counts, confusion, disagreement = (_chart() for _ in range(3))
    tables = gr.HTML(elem_id="data-tables")
    with gr.Row(elem_classes="fw-charts", elem_id="data-accuracy"):
        by_measure = {name: _chart() for name in MEASURES}
    same = gr.HTML()
    with gr.Row(visible=False, elem_id="data-map-controls") as plane_controls:
        colour = gr.Radio(COLOURED, value="answer", label="Colour by", elem_id="data-colour")
        method = gr.Radio(["pca"], value="pca", label="Placed by", visible=False, elem_id="data-method")
    plane = gr.Plot(show_label=False, visible=False, elem_id="data-map")
    plane_note = gr.HTML()
    uncertain, wrong = gr.HTML(elem_id="data-uncertain"), gr.HTML(elem_id="data-wrong")
    terms_note = gr.HTML(elem_id="data-terms")
    with gr.Row(visible=False) as terms_controls:
        explained = gr.Radio([*EMOTIONS], value=EXPLAINED, label="The score of", elem_id="data-explained")
    with gr.Row(elem_classes="fw-charts", elem_id="data-terms-charts"):
        strengths, swarm = _chart(), _chart()
    geometry = gr.HTML(elem_id="data-geometry")
    outputs = View(
        shown, about, network, split, notice, counts, confusion, disagreement, tables, **by_measure, same=same,
        plane=plane, plane_note=plane_note, plane_controls=plane_controls, method=method, uncertain=uncertain,
        wrong=wrong, terms_note=terms_note, terms_controls=terms_controls, strengths=strengths, swarm=swarm,
        geometry=geometry,
    )  # fmt: skip
    chosen = [each.input for each in asked if isinstance(each, gr.Dropdown)]
    typed = [event for each in asked if isinstance(each, gr.Number) for event in (each.submit, each.blur)]
    last = PRIVATE | {"trigger_mode": "always_last"}
    inputs = [shown, colour, method, explained, *asked]
    gr.on([shared.tab.select, *chosen, *typed], show, inputs, [*outputs], **last, **queues.PREDICTS).then(
        None, js=scripts.read("resize")
    )
    gr.on([colour.input, method.input], draw, inputs, [plane, plane_note], **last, **queues.PREDICTS)
    gr.on([explained.input], add_up, [explained, *asked], [terms_note, strengths, swarm], **last, **queues.PREDICTS)


def _controls() -> list[gr.Dropdown | gr.Number]:
    """What filters the faces, in the order of `read`'s arguments."""
    with gr.Row(elem_classes="fw-bar-row", elem_id="data-filters"):
        wide: dict[str, Any] = {"filterable": False, "interactive": True, "min_width": 150}
        found: list[gr.Dropdown | gr.Number] = [
            gr.Dropdown(_networks(()), value=MEAN, label="Answers of", elem_id="data-network", **wide),
            gr.Dropdown([ALL_FACES, *EMOTIONS], value="", label="Named", elem_id="data-emotion", **wide),
            gr.Dropdown(
                [ALL_FACES, *EMOTIONS, ("no label", filters.UNLABELLED)],
                value="",
                label="Labelled",
                elem_id="data-label",
                **wide,
            ),
            gr.Dropdown([ALL_FACES], value="", label="Part", elem_id="data-split", **wide),
            gr.Dropdown(
                [ALL_FACES, ("all agree", "agree"), ("they differ", "differ")],
                value="",
                label="Networks",
                elem_id="data-agreement",
                **wide,
            ),
        ]
    with gr.Accordion("Only faces of a certain light, sharpness, pose or size", open=False, elem_id="data-more"):
        for name in MEASURES:
            title, unit = data_charts.MEASURES[name]
            with gr.Row():
                for end in ("from", "to"):
                    label = f"{title.capitalize()}, {end}"
                    found.append(gr.Number(None, label=label, info=unit, elem_id=f"data-{name}-{end}", min_width=140))
    return found


def _chart() -> gr.Plot:
    return gr.Plot(show_label=False, visible=False, min_width=320)


def _networks(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("their mean", MEAN), *((text.MODELS[name], name) for name in names or zoo.EMOTION_MODELS)]


def read(network: str, emotion: str, label: str, split: str, agreement: str, *ends: float | None) -> Filters:
    """The filters out of the controls' values: a low and a high end for each of `MEASURES` at the end."""
    pairs = zip(MEASURES, ends[::2], ends[1::2], strict=True)
    ranges = {name: (low, high) for name, low, high in pairs if (low, high) != (None, None)}
    return Filters(network, emotion, label, split, agreement, ranges)


def show(shown: Any, colour: str, method: str, explained: str, *asked: Any) -> View:
    """Everything that the tab tells of the faces that pass the filters; nothing changes where it is told already."""
    try:
        key = (reading.current().state, asked)
        if shown == key:
            return View()
        wanted = read(*asked)
        told = view.summary(wanted)
        charts = _charts(told)
        note, strengths, swarm = _terms(told.terms, explained)
        drawn = (
            draw(shown, colour, method, explained, *asked) if told.about.projections and told.faces else (_none(), "")
        )
    except FaceWhyError as error:
        return refused(error)
    names = list(told.rates)
    return View(
        key,
        data_panels.about(told.about),
        gr.update(choices=_networks(tuple(told.about.networks))),
        gr.update(choices=[ALL_FACES, *told.about.splits], visible=bool(told.about.splits)),
        data_panels.lead(told),
        **charts,
        tables=data_panels.tables(told),
        same=data_panels.same_for_all(told),
        plane=drawn[0],
        plane_note=drawn[1],
        plane_controls=gr.update(visible=bool(told.about.projections and told.faces)),
        method=_methods(told.about, method),
        uncertain=data_panels.faces("What it cannot decide", ABOUT_UNCERTAIN, told.uncertain, names),
        wrong=data_panels.faces("Sure and wrong", ABOUT_WRONG, told.wrong, names),
        terms_note=note,
        terms_controls=gr.update(visible=told.terms is not None),
        strengths=strengths,
        swarm=swarm,
    )


def draw(shown: Any, colour: str, method: str, explained: str, *asked: Any) -> tuple[Any, Any]:
    """The map, and how it was drawn."""
    wanted = read(*asked)
    methods = view.about(reading.current()).projections
    drawn = view.plane(wanted, method if method in methods else "")
    return _some(data_charts.plane(drawn, colour)), data_panels.plane_note(drawn)


def add_up(explained: str, *asked: Any) -> tuple[Any, Any, Any]:
    """What the glass box adds up for an emotion's score: in words, and as two charts."""
    opened = reading.current()
    return _terms(view.glass_terms(opened, filters.chosen(opened.faces, read(*asked))), explained)


def refused(error: FaceWhyError) -> View:
    """A sentence in place of everything else."""
    drawn = ("counts", "confusion", "disagreement", *MEASURES, "plane", "strengths", "swarm")
    words = ("tables", "same", "plane_note", "uncertain", "wrong", "terms_note", "geometry")
    charts, empty = dict.fromkeys(drawn, _none()), dict.fromkeys(words, "")
    hidden = dict.fromkeys(("plane_controls", "terms_controls"), gr.update(visible=False))
    return View(**{"shown": None, "notice": html.note(str(error)), **hidden, **charts, **empty})


def _charts(told: Summary) -> dict[str, Any]:
    network, agreement = told.filters.network, told.agreement
    some = told.faces > 0
    several = {name: bins for name, bins in told.by_measure.items() if len(bins) > 1}
    lows = [each.rate.low for bins in several.values() for each in bins]
    lowest = max(0, 10 * int(10 * min(lows, default=0) - 1))
    by_measure = {
        name: _some(data_charts.accuracy(several[name], name, lowest)) if name in several else _none()
        for name in MEASURES
    }
    differ = agreement is not None and agreement.disagreement.any()
    return {
        "counts": _some(data_charts.counts(told.answered, told.labelled, network)) if some else _none(),
        "confusion": _none() if told.confusion is None else _some(data_charts.confusion(told.confusion, network)),
        "disagreement": _some(data_charts.disagreement(agreement.disagreement)) if agreement and differ else _none(),
        **by_measure,
        "geometry": data_panels.geometry(told.geometry, ABOUT_GEOMETRY) if told.geometry and some else "",
    }


def _terms(found: Terms | None, explained: str) -> tuple[Any, Any, Any]:
    if found is None:
        return "", _none(), _none()
    of = EMOTIONS.index(explained)
    charts = (data_charts.strengths(found, of), data_charts.swarm(found, of))
    return data_panels.terms(found, of), *map(_some, charts)


def _methods(about: About, method: str) -> Any:
    known = about.projections
    choices = [(data_charts.METHODS[name], name) for name in known]
    value = method if method in known else known[0] if known else None
    return gr.update(choices=choices, value=value, visible=len(known) > 1)


def _some(figure: Any) -> Any:
    return gr.update(value=figure, visible=True)


def _none() -> Any:
    return gr.update(value=None, visible=False)
