"""A clip: persons followed, what the networks see of each over time, and moments that open in every tab."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gradio as gr

from app import clips, error_messages, pipeline, text
from app.clips import Clip
from app.ui import queues, scripts
from app.ui.cancellation import Cancellation
from app.ui.clip_input import ClipSource
from app.ui.gradio_overrides import events
from app.ui.render import charts, clip_view, html
from app.ui.tabs import PRIVATE, SKIP, Shared, waiting_place
from app.ui.tabs.live import kept
from models import clip

TITLE = "Clips"
WELCOME = html.fill("clip_welcome", limits=clip.LIMITS)
SHOWN_S = 1.0
"""Seconds between two views of a clip that is being read."""
EARLIER = "What is shown below is of the clip before."
STOP = "Stop"
STOPPED = html.note("Stopped. What was read so far follows.")
STOPPED_EMPTY = html.note("Stopped before a moment was read.")
OPENED = html.note("This moment is now the photo of all tabs. Explain shows why each network says so.")
OPENED_WITHOUT = html.note("This moment is now the photo of all tabs; looked at alone, no face is found in it.")


class View(NamedTuple):
    """The outputs of the tab; `source` is emptied for the next clip."""

    source: Any = SKIP
    clip: Any = SKIP
    notice: Any = SKIP
    stop: Any = SKIP
    results: Any = SKIP
    person: Any = SKIP
    timeline: Any = SKIP
    strip: Any = SKIP
    slider: Any = SKIP
    moment: Any = SKIP
    downloads: Any = SKIP


class Opened(NamedTuple):
    """What choosing a moment changes."""

    session: Any = SKIP
    moment: Any = SKIP
    strip: Any = SKIP
    slider: Any = SKIP
    said: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    cancellation, found, when = gr.State(Cancellation()), gr.State(None), gr.Number(visible=False)
    with gr.Column(elem_id="clip-tab"):
        with gr.Row(elem_classes="fw-columns"):
            with gr.Column(scale=5, min_width=320):
                source = ClipSource(
                    label="Clip",
                    sources=["upload", "webcam"],
                    buttons=[],
                    include_audio=False,
                    elem_id="clip-source",
                    webcam_options=gr.WebcamOptions(mirror=False),
                )
                choices = [(name, key) for key, name in text.ALL.items()]
                asked = gr.Radio(choices, value=pipeline.MEAN, label="Who is asked", elem_id="clip-asked")
            with gr.Column(scale=6, min_width=320):
                _, waits = waiting_place()
                notice = gr.HTML(WELCOME, elem_id="clip-notice")
                stop = gr.Button(STOP, elem_id="clip-stop", visible=False, min_width=90)
        with gr.Column(visible=False, elem_id="clip-results") as results:
            with gr.Row(elem_classes="fw-columns"):
                with gr.Column(scale=7, min_width=320):
                    person = gr.Radio([], label="Person", elem_id="clip-person", visible=False)
                    timeline = gr.Plot(show_label=False, container=False, elem_id="clip-timeline")
                    slider = gr.Slider(0, 1, 0, step=1, label="Moment", elem_id="clip-slider")
                    strip = gr.HTML(js_on_load=scripts.read("select") + scripts.read("timeline"), elem_id="clip-strip")
                    downloads = gr.HTML(elem_id="clip-downloads")
                with gr.Column(scale=5, min_width=320):
                    moment = gr.HTML(elem_id="clip-moment")
                    said = gr.HTML(elem_id="clip-opened")
    view = View(source, found, notice, stop, results, person, timeline, strip, slider, moment, downloads)
    opened = [*Opened(shared.session, moment, strip, slider, said)]
    source.input(
        read_clip,
        [cancellation, found, when, source, asked],
        [*view],
        **waits | queues.EXPLAINS,
        js=scripts.read("when"),
    )
    stop.click(stopped, cancellation, [*view], **PRIVATE)
    person.input(choose_person, [found, person], timeline, **PRIVATE)
    opens, clocked = [shared.reading, found, when], PRIVATE | queues.PREDICTS | {"js": scripts.read("when")}
    strip.select(choose, opens, opened, **clocked)
    slider.release(open_moment, [*opens, slider], opened, **clocked)


def read_clip(
    cancellation: Cancellation, known: Clip | None, when: float, take: Callable[[], bytes] | None, asked: str
) -> Iterator[View]:
    """Read a clip and say now and then how far, until another one is given, or it is stopped and shown so far.

    The clip before stays open, as it is what is shown, until this one is shown in its place.
    """
    if take is None:
        yield View()
        return
    token = cancellation.begin(when)
    busy = gr.Button(visible=True)
    yield View(notice=html.note("The clip is being opened…", progress=()), stop=busy)
    found, shown = Clip(asked), time.monotonic()
    try:
        for found in clips.read(take(), asked):
            if cancellation.over(token):
                break
            if not found.finished and time.monotonic() - shown >= SHOWN_S:
                shown = time.monotonic()
                yield View(notice=progress(found, known), stop=busy)
    except Exception as error:
        if not cancellation.over(token):
            sentence = html.fill(
                "clip_failed", sentence=error_messages.message(error), earlier=EARLIER if known is not None else ""
            )
            yield View(source=None, notice=sentence, stop=gr.Button(visible=False))
            return
    if not cancellation.over(token):
        yield show(found)._replace(source=None)
    elif cancellation.place == STOP:
        yield halted(found)


def stopped(cancellation: Cancellation) -> View:
    """Stop reading; what was read so far is shown by the run that is stopped."""
    cancellation.begin(place=STOP)
    return View(notice=STOPPED, stop=gr.Button(visible=False))


def halted(found: Clip) -> View:
    """What was read of a clip before it was stopped, in place of the one before; that one stays where it is nothing."""
    if not found.moments:
        return View(source=None, notice=STOPPED_EMPTY)
    return show(found)._replace(source=None, notice=STOPPED + clip_view.summary(found))


def progress(found: Clip, known: Clip | None) -> str:
    """How far the clip is, and that another one is still shown."""
    count = len(found.moments)
    about = f"{count} moments are read, up to {text.seconds(found.moments[-1].at)}."
    earlier = f" {EARLIER}" if known is not None else ""
    return html.note(about + earlier, progress=(round(100 * found.share), 100) if found.share else ())


def show(found: Clip) -> View:
    """Everything that the tab shows of a clip."""
    persons = found.persons
    choices = [(f"Person {place} ({len(found.of(one))} moments)", one) for place, one in enumerate(persons, 1)]
    first = found.moments.index(found.of(persons[0])[0][0]) if persons else 0
    return View(
        clip=found,
        notice=clip_view.summary(found),
        stop=gr.Button(visible=False),
        results=gr.Column(visible=bool(found.moments)),
        person=gr.Radio(choices, value=persons[0] if persons else None, visible=len(persons) > 1),
        timeline=gr.Plot(charts.timeline(found, persons[0]), visible=True) if persons else gr.Plot(visible=False),
        strip=clip_view.strip(found, first),
        slider=gr.Slider(maximum=max(1, len(found.moments) - 1), value=first),
        moment=clip_view.moment(found, first),
        downloads=clip_view.downloads(found) if persons else "",
    )


def choose_person(found: Clip | None, person: int | None) -> Any:
    """The timeline of another person."""
    if found is None or person not in found.persons:
        return SKIP
    return gr.Plot(charts.timeline(found, person), visible=True)


def choose(reading: Cancellation, found: Clip | None, when: float, event: gr.EventData) -> Iterator[Opened]:
    """A moment that was clicked in the strip or on the timeline."""
    yield from open_moment(reading, found, when, events.data(event).get("index"))


def open_moment(reading: Cancellation, found: Clip | None, when: float, index: float | None) -> Iterator[Opened]:
    """Make a moment the photo of all tabs."""
    if found is None or index is None or not 0 <= int(index) < len(found.moments):
        return
    token = reading.begin(when, TITLE)
    if reading.over(token):
        return
    place = int(index)
    wait = html.note("The three networks read this moment…", progress=())
    yield Opened(SKIP, clip_view.moment(found, place), clip_view.strip(found, place), place, wait)
    new = kept(reading, token, TITLE, found.moments[place].photo, OPENED, OPENED_WITHOUT)
    yield Opened(session=new.session, said=new.notice)
