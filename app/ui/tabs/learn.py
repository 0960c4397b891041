"""Lessons of ten minutes: guess, go through the other tabs with an example, see what came out, and discuss."""

import uuid
from typing import Any, NamedTuple

import gradio as gr

from app import error_messages, lesson_outcomes, lessons, pipeline
from app.lessons import Lesson, Step
from app.ui import method_pages, queues, scripts, session
from app.ui.cancellation import Cancellation
from app.ui.gradio_overrides import events
from app.ui.render import html, lesson_page
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP, Shared, waiting_place
from app.ui.tabs.predict import predicted
from models import photo

TITLE = "Learn"


class View(NamedTuple):
    """The outputs of a step's button; `opened` is the tab that the browser opens then."""

    opened: Any = ""
    note: Any = ""
    session: Any = SKIP
    wanted: Any = SKIP
    prepared: Any = SKIP


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    first = lessons.NAMES[0]
    gr.HTML(html.fill("learn_intro", minutes=lessons.MINUTES))
    choices = [(lesson.title, lesson.name) for lesson in lessons.every()]
    name = gr.Radio(choices, value=first, label="Lesson", elem_id="learn-lesson")
    steps = gr.HTML(lesson_page.steps(lessons.load(first)), js_on_load=scripts.read("lesson"), elem_id="learn-steps")
    _, waits = waiting_place()
    note = gr.HTML(elem_id="learn-note")
    ask = gr.Button("Show what came out", variant="primary", elem_id="learn-ask")
    outcome = gr.HTML(js_on_load=scripts.read("guessed"), elem_id="learn-outcome")
    end = gr.HTML(lesson_page.end(lessons.load(first)), elem_id="learn-end")
    with gr.Accordion("For teachers: the law, and how to teach without photos of pupils", open=False) as about:
        page = gr.Markdown()
    opened, when = gr.Textbox(visible=False), gr.Number(visible=False)
    outputs = [*View(opened, note, shared.session, shared.wanted, shared.prepared)]
    name.input(choose, name, [steps, note, outcome, end], **PRIVATE)
    clocked = waits | queues.PREDICTS | {"js": scripts.read("when")}
    steps.select(go, [shared.reading, name, when], outputs, **clocked).then(
        None, opened, None, js=scripts.read("open_tab")
    )
    ask.click(show, name, outcome, **waits, **queues.EXPLAINS)
    about.expand(teaching, None, page, **PRIVATE)


def choose(name: str) -> tuple[str, str, str, str]:
    """Another lesson from its beginning."""
    lesson = lessons.load(name)
    return lesson_page.steps(lesson), "", "", lesson_page.end(lesson)


def go(reading: Cancellation, name: str, when: float, event: gr.EventData) -> View:
    """Prepare what a step opens: the example with its predictions, and the settings of the tab.

    Nothing is opened where the visitor has chosen something else meanwhile.
    """
    index, lesson = events.data(event).get("index"), lessons.load(name)
    if index not in range(len(lesson.steps)):
        return View()
    step, token = lesson.steps[index], reading.latest
    if step.example:
        token = reading.begin(when, TITLE)
    if reading.over(token):
        return View()
    try:
        opened = example(step) if step.example else SKIP
    except Exception as error:
        return View(note=html.note(error_messages.message(error)))
    if reading.over(token):
        return View()
    wanted = " ".join(filter(None, (step.model, step.method, step.emotion))) if step.model else SKIP
    prepared = (uuid.uuid4().hex, step.experiment) if step.experiment else SKIP
    return View(step.tab, "", opened, wanted, prepared)


def example(step: Step) -> Session:
    """A session with a step's example and what the models say about it."""
    found = pipeline.detections(photo.read(lesson_outcomes.example(step.example)))
    return predicted(session.opened(found.photo, found.faces))


def show(name: str) -> str:
    """What came out, computed now; the browser sets the visitor's guess beside it."""
    lesson: Lesson = lessons.load(name)
    try:
        return lesson_page.outcome(lesson, lesson_outcomes.OUTCOMES[lesson.name]())
    except Exception as error:
        return html.note(error_messages.message(error))


def teaching() -> str:
    """The page for teachers."""
    return method_pages.guide("teaching")
