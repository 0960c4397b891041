"""The photo, its faces, and what the three models see in the chosen one."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from app import pipeline, text
from app.serving import admission
from app.ui import scripts, session
from app.ui.gradio_overrides import events
from app.ui.photo_input import PhotoInput
from app.ui.render import charts, html, pictures
from app.ui.session import Session
from app.ui.tabs import SKIP, Shared
from models import photo
from models.errors import EmptyPhotoError
from models.types import EMOTIONS, Photo

TITLE = "Predict"
EXAMPLES = Path(__file__).parents[3] / "examples"
THUMBNAIL = 112
WELCOME = html.fill("welcome")
WAITING = html.note("The faces are found. The three models are reading them…")
NO_FACE = html.note(
    Markup(
        "<b>No face was found in this picture.</b> Try one where the face is larger and not covered. If the picture "
        "itself is a tight crop of a face, use the whole picture."
    )
)


class View(NamedTuple):
    """The outputs of the tab; `source` is emptied for the next photo."""

    source: Any = SKIP
    session: Any = SKIP
    picture: Any = SKIP
    strip: Any = SKIP
    notice: Any = SKIP
    whole: Any = SKIP
    chart: Any = SKIP
    table: Any = SKIP
    close_up: Any = SKIP


def build(shared: Shared) -> None:
    """The tab's components and events."""
    with gr.Row(elem_classes="fw-columns"):
        with gr.Column(scale=6, min_width=320, elem_classes="fw-shown"):
            picture = gr.HTML(js_on_load=scripts.read("select"), elem_id="photo")
            strip = gr.HTML(js_on_load=scripts.read("select"), elem_id="faces")
        with gr.Column(scale=5, min_width=320):
            notice = gr.HTML(WELCOME, elem_id="notice")
            whole = gr.Button("Use the whole picture", visible=False, elem_id="whole-picture")
            chart = gr.Plot(show_label=False, container=False, visible=False, elem_id="probabilities")
            table = gr.HTML(elem_id="numbers")
            close_up = gr.HTML(elem_id="keypoints")
    with gr.Row(elem_classes="fw-columns"):
        with gr.Column(scale=6, min_width=320):
            source = PhotoInput(
                label="Photo",
                sources=["upload", "webcam", "clipboard"],
                height=250,
                buttons=[],
                elem_id="source",
                webcam_options=gr.WebcamOptions(mirror=False),
                placeholder="Drop a photo here\nor click to choose one",
            )
        with gr.Column(scale=5, min_width=320):
            gallery = gr.HTML(thumbnails(), js_on_load=scripts.read("select"), elem_id="examples")
    view = View(source, shared.session, picture, strip, notice, whole, chart, table, close_up)
    outputs = [*view]
    private = {"api_visibility": "private", "show_progress": "minimal"}
    given = [
        source.input(read, source, outputs, **private, **admission.PREDICTS),
        gallery.select(read_example, None, outputs, **private, **admission.PREDICTS),
    ]
    for event in given:
        event.then(None, js=scripts.read("to_top"))
    whole.click(read_whole, shared.session, outputs, **private, **admission.PREDICTS)
    gr.on([picture.select, strip.select], choose, shared.session, outputs, **private)
    shared.tab.select(show, shared.session, outputs, **private)


def read(picture: Photo) -> Iterator[View]:
    """A photo that was given; the dropzone is emptied for the next one."""
    faces = pipeline.find(picture)
    found = session.opened(picture, faces)
    if not faces:
        yield show(found)._replace(source=None)
        return
    yield show(found)._replace(source=None, session=SKIP)
    yield show(predicted(session.opened(picture, pipeline.with_keypoints(faces, picture))))._replace(source=None)


def read_example(event: gr.EventData) -> Iterator[View]:
    """An example that was picked."""
    paths = example_paths()
    index = events.data(event).get("index")
    if index not in range(len(paths)):
        raise EmptyPhotoError("The example was not found", repr(index)[:40], "Pick another one")
    yield from read(photo.read(paths[index]))


def read_whole(current: Session) -> View:
    """The photo again, all of it taken as the face."""
    if current.photo is None:
        raise EmptyPhotoError("No picture was given", "none so far", "Upload one, take a snapshot or pick an example")
    faces = pipeline.faces_in(current.photo, whole_picture=True)
    return show(predicted(session.opened(current.photo, faces)))


def choose(current: Session, event: gr.EventData) -> View:
    """Another face of the photo."""
    return show(current.choose(events.data(event).get("index")))


def predicted(current: Session) -> Session:
    """The session with what the models say."""
    return session.with_predictions(current, pipeline.predictions_for(list(current.faces)))


def show(current: Session) -> View:
    """The session and everything that the tab shows of it."""
    lost = current.photo is not None and not current.faces
    answers = current.face_predictions
    if answers:
        notice = html.fill("verdict", text=text.verdict(answers))
    else:
        notice = NO_FACE if lost else WAITING if current.photo else WELCOME
    chart = gr.Plot(charts.probabilities(list(answers.values())), visible=True) if answers else gr.Plot(visible=False)
    return View(
        session=current,
        picture=pictures.photo(current),
        strip=pictures.strip(current),
        notice=notice,
        whole=gr.Button(visible=lost),
        chart=chart,
        table=numbers(current),
        close_up=pictures.close_up(current),
    )


def numbers(current: Session) -> str:
    """The chart as a table."""
    answers = current.face_predictions
    if not answers:
        return ""
    rows = [
        (emotion, [answer.probabilities[index] for answer in answers.values()])
        for index, emotion in enumerate(EMOTIONS)
    ]
    return html.fill("numbers", names=list(answers), rows=rows)


@cache
def example_paths() -> tuple[Path, ...]:
    """The pictures that ship, by name."""
    return tuple(sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png")))


def thumbnails() -> str:
    """The examples to pick from."""
    named = {path.stem.replace("composite_", "average ").replace("_", " "): path for path in example_paths()}
    small = [(name, pictures.thumbnail(photo.read(path), THUMBNAIL)) for name, path in named.items()]
    return html.fill("examples", examples=small)
