"""A place to try what a heatmap claims: change the face, and see whether the models' answers follow.

`layout` makes the components and `handlers` hold what their events do: they change the `state` as `changes` say, and
show it as `views` say.
"""

import gradio as gr

from app import pipeline
from app.ui import measures_fold, queues, scripts
from app.ui.gradio_overrides import events
from app.ui.measures_fold import face_again, face_arrived, move_measures
from app.ui.tabs import PRIVATE, Shared, choose
from app.ui.tabs.lab import layout
from app.ui.tabs.lab.handlers import (
    arrive,
    back,
    busy,
    change_baseline,
    follow,
    follow_json,
    guide,
    linked,
    search_smallest,
    slide,
    start_over,
    swap_part,
    take_away,
    touch,
    waiting,
    watch,
)
from app.ui.tabs.lab.layout import Components
from app.ui.tabs.lab.state import LabState, Latest

TITLE = "Lab"


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    wire(shared, layout.components())


def wire(shared: Shared, seen: Components) -> None:
    """Make the tab's events."""
    changing, changed, fold, kept, outputs = seen.changing, seen.changed, seen.measures, seen.kept, seen.outputs
    session, latest = shared.session, gr.State(Latest(LabState(method=pipeline.recommended("cnn"))))
    own = [session, latest]
    watched = [*own, changed.method, changed.emotion, changing.part]
    computed = changed.waits | queues.EXPLAINS

    # the experiment
    shared.tab.select(waiting, own, outputs, **PRIVATE, queue=False)
    shared.tab.select(arrive, [*own, shared.explained, shared.prepared], outputs, **computed)
    gr.on([changed.emotion.input, changing.part.input], watch, watched, outputs, **computed)
    changed.method.input(busy, session, outputs, **PRIVATE, queue=False)
    changed.method.input(watch, watched, outputs, **computed)
    gr.on([changed.face.select, changing.parts.select], touch, [*own, changing.fill], outputs, **computed)
    changing.fill.input(change_baseline, [*own, changing.fill], outputs, **computed)
    changing.swap.select(swap_part, own, outputs, **computed)
    sliders = changing.sliders.values()
    gr.on([slider.release for slider in sliders], slide, [*own, *sliders], outputs, **computed)
    changed.steps.select(take_away, own, outputs, **computed)
    changed.undo.click(back, own, outputs, **computed)
    changed.reset.click(start_over, own, outputs, **computed)
    kept.take.click(follow_json, [*own, kept.text], outputs, **computed)
    chosen = seen.strip.select(choose, session, session, **PRIVATE)
    chosen.then(watch, watched, outputs, **computed)
    changed.search.click(search_smallest, [*own, changing.fill], outputs, **computed)
    changed.smallest.select(follow, own, outputs, **computed)
    changed.hand.input(None, changed.hand, None, js=scripts.read("lab_hand"))

    # the measures
    chosen.then(face_arrived, [session, fold.state], fold.outputs, **PRIVATE)
    shared.tab.select(face_arrived, [session, fold.state], fold.outputs, **PRIVATE)
    fold.back.click(face_again, session, fold.outputs, **PRIVATE)
    moving = [session, fold.state, fold.both, *fold.sliders]
    gr.on([each.input for each in fold.sliders], move_measures, moving, fold.outputs, **measures_fold.LIVE)

    # the guide, and an experiment in the page's address
    kept.about.expand(guide, None, kept.page, **PRIVATE)
    events.page().load(linked, [latest, seen.code], None, js=scripts.read("lab_code"), **PRIVATE)
