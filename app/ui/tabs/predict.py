"""The photo, its faces, and what the three models see in the chosen one."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gradio as gr

from app import pipeline, text
from app.serving import admission
from app.ui import session
from app.ui.gradio_overrides import events
from app.ui.photo_input import PhotoInput
from app.ui.render import charts, pictures
from app.ui.session import Session
from app.ui.tabs import Shared
from models import photo
from models.errors import EmptyPhotoError
from models.types import EMOTIONS, Photo

TITLE = "Predict"
EXAMPLES = Path(__file__).parents[3] / "examples"
THUMBNAIL = 112
TO_TOP = "() => window.scrollTo({top: 0, behavior: 'smooth'})"

WELCOME = """
<div class="fw-welcome"><h2>Start with a face</h2><ol>
<li>Give a photo: upload it, take a snapshot, paste it, or pick an example.</li>
<li>FaceWhy finds the faces, marks 15 keypoints, and asks three networks which emotion they see.</li>
<li><b>Explain</b> shows where a network looked. <b>Compare</b> puts the three side by side.</li></ol></div>
"""
WAITING = '<p class="fw-note" role="status">The faces are found. The three models are reading them…</p>'
NO_FACE = (
    '<p class="fw-note" role="status"><b>No face was found in this picture.</b> Try one where the face is larger '
    "and not covered. If the picture itself is a tight crop of a face, use the whole picture.</p>"
)


def build(shared: Shared) -> None:
    """The tab's components and events."""
    with gr.Row(elem_classes="fw-columns"):
        with gr.Column(scale=6, min_width=320, elem_classes="fw-shown"):
            picture = gr.HTML(js_on_load=pictures.SELECT, elem_id="photo")
            strip = gr.HTML(js_on_load=pictures.SELECT, elem_id="faces")
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
            gallery = gr.HTML(thumbnails(), js_on_load=pictures.SELECT, elem_id="examples")
    panel = [shared.session, picture, strip, notice, whole, chart, table, close_up]
    private = {"api_visibility": "private", "show_progress": "minimal"}
    given = [
        source.input(read, source, [source, *panel], **private, **admission.PREDICTS),
        gallery.select(read_example, None, [source, *panel], **private, **admission.PREDICTS),
    ]
    for event in given:
        event.then(None, js=TO_TOP)
    whole.click(read_whole, shared.session, panel, **private, **admission.PREDICTS)
    gr.on([picture.select, strip.select], choose, shared.session, panel, **private)
    shared.tab.select(show, shared.session, panel, **private)


def read(picture: Photo) -> Iterator[tuple]:
    """A photo that was given; the dropzone is emptied for the next one."""
    faces = pipeline.find(picture)
    found = session.opened(picture, faces)
    if not faces:
        yield None, *show(found)
        return
    yield None, gr.skip(), *show(found)[1:]
    yield None, *show(predicted(session.opened(picture, pipeline.with_keypoints(faces, picture))))


def read_example(event: gr.EventData) -> Iterator[tuple]:
    """An example that was picked."""
    paths = example_paths()
    index = events.data(event).get("index")
    if index not in range(len(paths)):
        raise EmptyPhotoError("An example is picked from the page", "", "Pick another one")
    yield from read(photo.read(paths[index]))


def read_whole(current: Session) -> tuple:
    """The photo again, all of it taken as the face."""
    if current.photo is None:
        raise EmptyPhotoError("A picture is given first", "", "Upload one, take a snapshot or pick an example")
    faces = pipeline.faces_in(current.photo, whole_picture=True)
    return show(predicted(session.opened(current.photo, faces)))


def choose(current: Session, event: gr.EventData) -> tuple:
    """Another face of the photo."""
    return show(current.choose(events.data(event).get("index")))


def predicted(current: Session) -> Session:
    """The session with what the models say."""
    return session.with_predictions(current, pipeline.predictions_for(list(current.faces)))


def show(current: Session) -> tuple:
    """The session and everything that the tab shows of it, in the order of its outputs."""
    lost = current.photo is not None and not current.faces
    answers = current.face_predictions
    if answers:
        notice = f'<p class="fw-verdict" role="status">{text.verdict(answers)}</p>'
    else:
        notice = NO_FACE if lost else WAITING if current.photo else WELCOME
    chart = gr.Plot(charts.probabilities(list(answers.values())), visible=True) if answers else gr.Plot(visible=False)
    return (
        current,
        pictures.photo(current),
        pictures.strip(current),
        notice,
        gr.Button(visible=lost),
        chart,
        numbers(current),
        pictures.close_up(current),
    )


def numbers(current: Session) -> str:
    """The chart as a table."""
    answers = current.face_predictions
    if not answers:
        return ""
    heads = "".join(f'<th scope="col">{text.MODELS[name]}</th>' for name in answers)
    rows = "".join(
        f'<tr><th scope="row">{emotion}</th>'
        + "".join(f"<td>{text.percent(answer.probabilities[index])}</td>" for answer in answers.values())
        + "</tr>"
        for index, emotion in enumerate(EMOTIONS)
    )
    return (
        "<details><summary>The chart in numbers</summary><table><thead><tr><th></th>"
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


@cache
def example_paths() -> tuple[Path, ...]:
    """The pictures that ship, by name."""
    return tuple(sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png")))


def thumbnails() -> str:
    """The examples to pick from."""
    buttons = []
    for index, path in enumerate(example_paths()):
        name = path.stem.replace("composite_", "average ").replace("_", " ")
        small = pictures.thumbnail(photo.read(path), THUMBNAIL)
        buttons.append(
            f'<button type="button" data-index="{index}"><img alt="" src="{small}"><span>{name}</span></button>'
        )
    return (
        f'<p>Or pick an example</p><div class="fw-examples" role="group" aria-label="Examples">{"".join(buttons)}</div>'
    )
