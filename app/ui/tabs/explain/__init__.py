"""Why one model says what it says about the chosen face.

`layout` makes the components, `choices`, `maps`, `checks` and `keeping` hold the handlers, `results` what these give
back, and `views` how that looks.
"""

import gradio as gr

from app import pipeline
from app.ui import controls, queues, scripts
from app.ui.cancellation import Cancellation
from app.ui.tabs import PRIVATE, Shared, choose
from app.ui.tabs.explain import layout
from app.ui.tabs.explain.checks import compute_elsewhere, count_together, halted, shake_network
from app.ui.tabs.explain.choices import explained, offer, open_with, turn_to
from app.ui.tabs.explain.keeping import forget, kept
from app.ui.tabs.explain.layout import Components
from app.ui.tabs.explain.maps import arrive, explain, judge, stopped, waiting
from app.ui.tabs.explain.results import Checked, Judged, Offered, View, Wanted

TITLE = "Explain"


def build(shared: Shared) -> None:
    """Make the tab's components and events."""
    first = pipeline.recommended("cnn")
    wire(shared, layout.components(first), first)


def wire(shared: Shared, seen: Components, first: str) -> None:
    """Make the tab's events.

    Args:
        shared: see `Shared`.
        seen: the tab's components.
        first: the method that is chosen at the beginning.
    """
    asked, heatmap, evidence, checks = seen.asked, seen.heatmap, seen.evidence, seen.checks
    model, emotion, against, method = asked.model, asked.emotion, asked.against, asked.method
    session, shown = shared.session, shared.explained
    cancellation, checking = gr.State(Cancellation()), gr.State(Cancellation())
    judged, result, offered, counted = gr.State(""), gr.State(None), gr.State(first), gr.State("")
    computed = heatmap.waits | queues.EXPLAINS

    map_of = [
        *View(
            shown,
            seen.strip,
            heatmap.status,
            heatmap.stop,
            heatmap.picture,
            evidence.told,
            evidence.parts,
            heatmap.verdict,
            checks.fold,
            evidence.keep,
            evidence.files,
            checks.library,
            checks.shaken,
            evidence.together,
        )
    ]
    judged_of = [*Judged(judged, heatmap.verdict, checks.fold, checks.numbers, checks.curves, result, evidence.parts)]
    check_of = [*Checked(checks.working, checks.halt, checks.library, checks.shaken)]
    method_of = [*Offered(offered, method, asked.summary, asked.about), *asked.groups]

    # what is chosen
    method.input(turn_to, [model, method], method_of, **PRIVATE)
    asked.about.expand(explained, method, asked.page, **PRIVATE)

    # the map
    inputs = [cancellation, session, model, emotion, against, method, *asked.values]
    before = [model, method, offered]
    wanted = [*Wanted(shared.wanted, model, emotion, against)]
    settled = [emotion.input, against.input, method.input, *controls.settled(asked.values)]
    shared.tab.select(waiting, [session, shown], map_of, **PRIVATE, queue=False)
    runs = [
        gr.on(settled, explain, inputs, map_of, **computed),
        model.input(offer, before, method_of, **PRIVATE).then(explain, inputs, map_of, **computed),
        shared.tab.select(open_with, [shared.wanted, *before], [*wanted, *method_of], **PRIVATE).then(
            arrive, [shown, *inputs], map_of, **computed
        ),
        seen.strip.select(choose, session, session, **PRIVATE).then(explain, inputs, map_of, **computed),
        gr.on(controls.typed(asked.values), arrive, [shown, *inputs], map_of, **computed),
        heatmap.stop.click(stopped, cancellation, map_of, **PRIVATE),
    ]
    for run in runs:
        run.then(judge, [cancellation, shown, judged], judged_of, **computed)
    heatmap.opacity.input(None, heatmap.opacity, None, js=scripts.read("opacity"))
    heatmap.outlined.input(None, heatmap.outlined, None, js=scripts.read("outlined"))

    # what is tried on it
    checks.fold.expand(None, js=scripts.read("resize"))
    for button, handler in ((checks.compute, compute_elsewhere), (checks.shake, shake_network)):
        button.click(handler, [checking, cancellation, session, shown], check_of, **computed)
    checks.halt.click(halted, checking, check_of, **PRIVATE)
    joins = [cancellation, session, shown, counted]
    evidence.together.expand(count_together, joins, [counted, evidence.joined], **computed)

    # what is kept
    evidence.make.click(kept, [session, shown, judged, result, evidence.bare], evidence.files, **PRIVATE)
    evidence.bare.input(forget, None, evidence.files, **PRIVATE, queue=False)
