"""The Lab's fold with the readable model: a slider a measure, and what it says once they are moved."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import gradio as gr
import numpy as np

from app import pipeline
from app.ui.render import glass_box as panels
from app.ui.render import html
from app.ui.session import Session
from app.ui.tabs import PRIVATE, SKIP
from models import geometry, glass_box
from models.errors import WeightsError
from models.geometry import MEASURES, NAMES, OPPOSITE
from models.types import Face

STEP = 0.01
UPPER = NAMES.index("nose_drop")
"""The first measure that is not one of brows and eyes."""
UNUSABLE = html.note("The glass box cannot be used at the moment.")
LIVE = PRIVATE | {"trigger_mode": "always_last", "show_progress": "hidden"}
"""While a slider is dragged its last place counts."""


@dataclass(frozen=True, eq=False)
class Moved:
    """Where the measures stand.

    Attributes:
        about: the photo's key and the chosen face.
        values: each measure as it is now; empty before there is a face.
    """

    about: tuple[Any, ...] = ()
    values: tuple[float, ...] = ()


class Fold(NamedTuple):
    """The components: two that the handlers write to beside the sliders, and two that the visitor uses."""

    state: gr.State
    answer: gr.HTML
    sliders: list[gr.Slider]
    both: gr.Checkbox
    back: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """What every handler answers, in this order."""
        return [self.state, self.answer, *self.sliders]


def build() -> Fold:
    """Make the components."""
    state = gr.State(Moved())
    with gr.Accordion("Glass box: move the measures of the face by hand", open=False, elem_id="lab-measures"):
        gr.HTML(html.fill("measures_intro"))
        with gr.Row(elem_classes="fw-columns"):
            with gr.Column(scale=4, min_width=280):  # the mouth first, for most is to be seen there
                lower = [slider(index) for index in range(UPPER, len(MEASURES))]
            with gr.Column(scale=4, min_width=280):
                sliders = [slider(index) for index in range(UPPER)] + lower
            with gr.Column(scale=5, min_width=300, elem_classes="fw-first"):
                both = gr.Checkbox(True, label="Move both sides together", elem_id="measures-both")
                back = gr.Button("Back to the face", elem_id="measures-back")
                answer = gr.HTML(html.note(html.FIRST_A_PHOTO, quiet=True), elem_id="measures-answer")
    return Fold(state, answer, sliders, both, back)


def slider(index: int) -> gr.Slider:
    """The slider of a measure, over what 98 % of faces have."""
    measure = MEASURES[index]
    low, high = bounds(index)
    return gr.Slider(
        low,
        high,
        (low + high) / 2,
        step=STEP,
        label=f"{measure.label[0].upper()}{measure.label[1:]}: {measure.down} – {measure.up}",
        interactive=True,
        buttons=[],
        elem_id=f"measure-{measure.name.replace('_', '-')}",
    )


def bounds(index: int, value: float | None = None) -> tuple[float, float]:
    """From where to where a slider goes, wide enough for a value."""
    try:
        box = glass_box.shipped()
        ends = [float(box.low[index]), float(box.high[index])]
    except WeightsError:
        ends = [-1.0, 1.0]
    ends += [] if value is None else [value]
    return round(float(np.floor(min(ends) / STEP) * STEP), 2), round(float(np.ceil(max(ends) / STEP) * STEP), 2)


def face_arrived(session: Session, state: Moved) -> tuple[Any, ...]:
    """The measures of the visitor's face, unless they are there already."""
    if session.face is not None and state.about == (session.key, session.chosen):
        return (SKIP,) * (2 + len(MEASURES))
    return face_again(session)


def face_again(session: Session) -> tuple[Any, ...]:
    """The measures as the face has them."""
    skipped = (SKIP,) * len(MEASURES)
    if session.face is None:
        return (Moved(), html.note(html.FIRST_A_PHOTO, quiet=True), *skipped)
    if panels.read(session.face) is None:
        return (Moved(), UNUSABLE, *skipped)
    values = measured(session.face)
    moved = [shown(index, value) for index, value in enumerate(values)]
    return (Moved((session.key, session.chosen), values), answer(session.face, values), *moved)


def move_measures(session: Session, state: Moved, both: bool, *places: float) -> tuple[Any, ...]:
    """What the model says with the sliders where they are; the other side follows where both move together."""
    if session.face is None or state.about != (session.key, session.chosen):
        return face_again(session)
    values, sliders = list(state.values), [SKIP] * len(MEASURES)
    # a slider shows two places: one that was not moved stands for more
    changed = [index for index, place in enumerate(places) if abs(place - round(values[index], 2)) > STEP / 2]
    for index in changed:
        other = OPPOSITE[index]
        by = places[index] - values[index]
        values[index] = places[index]
        if both and other not in (index, *changed):
            low, high = bounds(other)
            values[other] = float(np.clip(values[other] + by, min(low, values[other]), max(high, values[other])))
            sliders[other] = shown(other, values[other])
    return (replace(state, values=tuple(values)), answer(session.face, tuple(values)), *sliders)


def measured(face: Face) -> tuple[float, ...]:
    """The measures of a face."""
    return tuple(float(value) for value in geometry.measure(cast(np.ndarray, face.keypoints)))


def shown(index: int, value: float) -> gr.Slider:
    """A slider moved to a value."""
    low, high = bounds(index, value)
    return gr.Slider(value=round(value, 2), minimum=low, maximum=high)


def answer(face: Face, values: tuple[float, ...]) -> str:
    """What the model says of these measures, beside what it says of the face."""
    moved = dict(zip(NAMES, values, strict=True))
    return panels.moved(pipeline.read_glass_box(face, moved), pipeline.read_glass_box(face))
