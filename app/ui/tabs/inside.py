"""A network opened on the chosen face: its stages, what a cell sees and adds, how Grad-CAM and SHAP's path are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from app import pipeline, text
from app.ui import controls, queues, scripts
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.render import html, inside_panels, pictures
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP, Shared, choose, waiting_place
from explain.inside.opened import Opened
from models.errors import WeightsError

TITLE = "Inside"
PREDICTED = ("what it looks like to the network", "")
MODELS = [(title, name) for name, title in text.MODELS.items()]
NO_FACE = html.note(html.FIRST_A_PHOTO, quiet=True)
BUSY = html.note("The network is being opened…", progress=())


@dataclass(frozen=True, eq=False)
class Shown:
    """What is on the screen; numbers and small maps only.

    Attributes:
        about: the photo, the face, the network and the emotion that it is about.
        opened: the network on the face.
        stage: which of its stages is looked at.
        cell: row and column of the cell that is pointed at.
    """

    about: tuple[Any, ...]
    opened: Opened
    stage: int
    cell: tuple[int, int]


class View(NamedTuple):
    """The outputs of the tab."""

    shown: Any = SKIP
    strip: Any = SKIP
    notice: Any = SKIP
    network: Any = SKIP
    cells: Any = SKIP
    maps: Any = SKIP
    gradcam: Any = SKIP
    path: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    cancellation, shown = gr.State(Cancellation()), gr.State(None)
    strip = gr.HTML(js_on_load=scripts.read("select"))
    with gr.Row(elem_classes="fw-bar-row"):
        model = gr.Radio(MODELS, value="cnn", label="Network", elem_id="inside-model", scale=3, min_width=280)
        emotion = controls.emotions(PREDICTED, "Score of", "inside-emotion", scale=2, min_width=220)
    _, waits = waiting_place()
    notice = gr.HTML(NO_FACE, elem_id="inside-notice")
    network = gr.HTML(js_on_load=scripts.read("select"), elem_id="inside-network")
    with gr.Row(elem_classes="fw-columns"):
        with gr.Column(min_width=300, scale=5):
            cells = gr.HTML(js_on_load=scripts.read("cell"), elem_id="inside-cells")
        with gr.Column(min_width=300, scale=6):
            maps = gr.HTML(elem_id="inside-maps")
    gradcam = gr.HTML(elem_id="inside-gradcam")
    path = gr.HTML(js_on_load=scripts.read("path"), elem_id="inside-path")
    outputs = [*View(shown, strip, notice, network, cells, maps, gradcam, path)]
    inputs = [cancellation, shared.session, shown, model, emotion]
    options = waits | queues.EXPLAINS
    shared.tab.select(waiting, [shared.session, shown], outputs, **PRIVATE, queue=False)
    shared.tab.select(open_up, inputs, outputs, **options)
    gr.on([model.input, emotion.input], open_up, inputs, outputs, **options)
    strip.select(choose, shared.session, shared.session, **PRIVATE).then(open_up, inputs, outputs, **options)
    network.select(turn_to, [shared.session, shown], outputs, **waits)
    cells.select(point_at, [shared.session, shown], outputs, **waits)


def open_up(
    cancellation: Cancellation, session: Session, shown: Shown | None, model: str, emotion: str
) -> Iterator[View]:
    """Everything of a network on the chosen face, unless it is there already."""
    token = cancellation.begin()
    if session.face is None:
        yield notice_only(session, NO_FACE)
        return
    about = (session.key, session.chosen, model, emotion)
    if shown is not None and shown.about == about:
        yield View(notice=note_of(session, shown.opened))
        return
    yield View(strip=pictures.above(session), notice=BUSY)
    try:
        prediction = session.face_predictions.get(model) or pipeline.predict(model, [session.face])[0]
        target = pipeline.target(emotion, "", prediction)
        found = pipeline.opened(model, session.face, target, prediction.version)
    except WeightsError:
        yield notice_only(session, html.note(text.unavailable(model)))
        return
    except Exception:
        if not cancellation.over(token):
            yield View(notice="")
        raise
    if not cancellation.over(token):
        last = len(found.stages) - 1
        yield show(session, Shown(about, found, last, inside_panels.busiest(found.stages[last])))


def waiting(session: Session, shown: Shown | None) -> View:
    """Say that the tab waits for its turn, where the face is another than the one on the screen."""
    if session.face is None or current(session, shown):
        return View()
    nothing = dict.fromkeys(("network", "cells", "maps", "gradcam", "path"), "")
    return View(strip=pictures.above(session), notice=html.QUEUED, **nothing)


def turn_to(session: Session, shown: Shown | None, event: gr.EventData) -> View:
    """Another stage of the network, at the cell that adds most."""
    index = events.data(event).get("index")
    if not current(session, shown) or shown is None or index not in range(len(shown.opened.stages)):
        return View()
    cell = inside_panels.busiest(shown.opened.stages[index])
    return of_stage(session, Shown(shown.about, shown.opened, index, cell))


def point_at(session: Session, shown: Shown | None, event: gr.EventData) -> View:
    """Another cell of the stage; its index counts along the rows."""
    if not current(session, shown) or shown is None:
        return View()
    rows, columns = shown.opened.stages[shown.stage].stage.grid
    index = events.data(event).get("index")
    if index not in range(rows * columns):
        return View()
    moved = Shown(shown.about, shown.opened, shown.stage, divmod(index, columns))
    return View(shown=moved, cells=inside_panels.cells(session, moved.opened, moved.stage, moved.cell))


# ------------------------------------------------------------------------ parts


def current(session: Session, shown: Shown | None) -> bool:
    """Whether what is on the screen is about the chosen face."""
    return shown is not None and shown.about[:2] == (session.key, session.chosen)


def notice_only(session: Session, note: str) -> View:
    """A word in place of everything."""
    return View(None, pictures.above(session), note, "", "", "", "", "")


def note_of(session: Session, opened: Opened) -> str:
    """Whose score is meant, and how large it is."""
    return inside_panels.notice(session, opened)


def show(session: Session, shown: Shown) -> View:
    """Everything that the tab shows."""
    return of_stage(session, shown)._replace(
        strip=pictures.above(session),
        notice=note_of(session, shown.opened),
        gradcam=inside_panels.gradcam(session, shown.opened),
        path=inside_panels.path(session, shown.opened),
    )


def of_stage(session: Session, shown: Shown) -> View:
    """What changes with the stage."""
    return View(
        shown=shown,
        network=inside_panels.network(shown.opened, shown.stage),
        cells=inside_panels.cells(session, shown.opened, shown.stage, shown.cell),
        maps=inside_panels.maps(shown.opened, shown.stage),
    )
