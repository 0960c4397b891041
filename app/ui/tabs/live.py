"""The camera, live: faces followed, what a network sees in them, and what changes."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gradio as gr

from app import error_messages, pipeline, text
from app.live import Stream
from app.serving import admission, seats
from app.ui import queues, scripts
from app.ui import session as sessions
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.photo_input import FrameSource
from app.ui.render import html, live_view
from app.ui.tabs import PRIVATE, SKIP, Shared, predict
from models.types import Photo

TITLE = "Live"
EVERY_S = 0.1
"""Seconds between two frames that the page sends; the newest is read once the one before is done."""
SETTLE_S = 0.4
WELCOME = html.fill("live_welcome")
KEPT = html.note("Kept: this frame is now the photo of all tabs. Explain shows why each network says so.")
NOTHING_KEPT = html.note("There is no frame yet. Start the camera first.")
OVERTAKEN = html.note("What you chose on another tab meanwhile is the photo of all tabs.")
NO_FACE_KEPT = html.note("The frame was kept, but no face was found in it. Predict says what can be done.")


class View(NamedTuple):
    """What a frame changes."""

    marks: Any = SKIP
    numbers: Any = SKIP
    forget: Any = SKIP


class Neutral(NamedTuple):
    """What a neutral face changes."""

    notice: Any = SKIP
    forget: Any = SKIP


class Kept(NamedTuple):
    """What keeping a frame changes."""

    session: Any = SKIP
    notice: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    stream, when = gr.State(Stream()), gr.Number(visible=False)
    with gr.Row(elem_classes="fw-columns"):
        with gr.Column(scale=6, min_width=320):
            with gr.Column(elem_id="live-stage", elem_classes="fw-camera"):
                camera = FrameSource(
                    label="Camera",
                    show_label=False,
                    sources=["webcam"],
                    streaming=True,
                    height=420,
                    buttons=[],
                    elem_id="live-camera",
                    webcam_options=gr.WebcamOptions(
                        mirror=False, constraints={"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}}
                    ),
                )
                marks = gr.HTML(elem_id="live-marks", js_on_load=scripts.read("live"))
            with gr.Row(elem_classes="fw-bar-row"):
                keep = gr.Button("Keep this frame", variant="primary", elem_id="live-keep", min_width=150)
                hold = gr.Button("Set neutral face", elem_id="live-hold", min_width=150)
                forget = gr.Button("Forget it", elem_id="live-forget", min_width=90, visible=False)
            kept = gr.HTML(elem_id="live-kept")
            choices = [(name, key) for key, name in text.ALL.items()]
            asked = gr.Radio(choices, value="cnn", label="Who is asked", elem_id="live-asked")
            heat = gr.Checkbox(False, label="Heatmap (Grad-CAM) over the largest face", elem_id="live-heat")
            settle = gr.Slider(
                0,
                2,
                SETTLE_S,
                step=0.1,
                label="Smoothing in seconds",
                info="How long the bars take to follow a change; at 0 each frame stands for itself.",
                elem_id="live-settle",
            )
        with gr.Column(scale=5, min_width=320):
            numbers = gr.HTML(WELCOME, elem_id="live-numbers")
    camera.stream(
        frame,
        [camera, stream, asked, heat, settle],
        [*View(marks, numbers, forget)],
        **PRIVATE | queues.STREAMS,
        stream_every=EVERY_S,
        time_limit=None,
        js=scripts.read("first_frame"),
    )
    hold.click(hold_neutral, stream, [*Neutral(kept, forget)], **PRIVATE)
    forget.click(forget_neutral, stream, [*Neutral(kept, forget)], **PRIVATE)
    keep.click(
        keep_frame,
        [shared.reading, stream, when],
        [*Kept(shared.session, kept)],
        **PRIVATE | queues.PREDICTS,
        js=scripts.read("when"),
    )


def frame(
    take: Callable[[], Photo] | None,
    stream: Stream,
    asked: str,
    heat: bool,
    settle: float,
    request: gr.Request | None = None,
) -> View:
    """Read the newest frame, if this visitor has a place."""
    places = seats.current()
    client = admission.client_of(events.scope(request))
    line = places.ask(stream.key, client, time.monotonic())
    if line:
        return View("", html.fill("live_waiting", line=line, places=places.places, minutes=minutes(line)))
    if take is None:
        return View()
    try:
        with seats.FRAMES:
            moment = stream.read(take(), asked, settle, heat, time.monotonic())
    except Exception as error:
        return View("", html.note(error_messages.message(error)))
    forget = gr.Button(visible=False) if moment.lost else SKIP
    return View(live_view.marks(moment), live_view.numbers(moment), forget)


def minutes(line: int) -> str:
    """How long a place in line takes at most."""
    count = -(-line * seats.TURN_S // 60)
    return "a minute" if count <= 1 else f"{count:.0f} minutes"


def hold_neutral(stream: Stream) -> Neutral:
    """Begin to take the face in sight as neutral."""
    if stream.photo is None:
        return Neutral(NOTHING_KEPT)
    stream.hold(time.monotonic())
    return Neutral("", gr.Button(visible=True))


def forget_neutral(stream: Stream) -> Neutral:
    """Forget the neutral face."""
    stream.forget()
    return Neutral(html.note("Your neutral face is forgotten."), gr.Button(visible=False))


def keep_frame(reading: Cancellation, stream: Stream, when: float) -> Iterator[Kept]:
    """Make the last frame the photo of all tabs."""
    if stream.photo is None:
        yield Kept(notice=NOTHING_KEPT)
        return
    token = reading.begin(when, TITLE)
    if not reading.over(token):
        yield Kept(notice=html.note("The three networks read the frame…", progress=()))
        yield kept(reading, token, TITLE, stream.photo, KEPT, NO_FACE_KEPT)


def kept(reading: Cancellation, token: int, place: str, photo: Photo, said: str, without_face: str) -> Kept:
    """A picture as the photo of all tabs, with what is said of it, unless something was chosen meanwhile.

    Args:
        reading, token, place: see `Cancellation.begin`.
        photo: the picture.
        said, without_face: the sentence where it has a face, and where it has none.
    """
    found = pipeline.detections(photo)
    new = sessions.opened(found.photo, found.faces)
    if new.faces and not reading.over(token):
        new = predict.predicted(new)
    if reading.over(token):
        return Kept(notice=SKIP if reading.place == place else OVERTAKEN)
    return Kept(new, said if new.faces else without_face)
