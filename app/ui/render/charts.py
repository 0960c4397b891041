"""The charts of `explain.figures`, dressed for the page: its names, its colours in the light and in the dark."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app import text
from app.clips import Clip
from app.ui import theme
from explain import figures
from explain.evidence import RegionEvidence
from explain.trust import TrustResult
from models.types import EMOTIONS, Prediction

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEXT = theme.INK.c800
"""On paper; in the dark `page.css` makes it light."""
SEVENTH = "#7A6A00"
"""Beside the six of `figures.PALETTE`."""
MENTIONED = 10.0
"""Percent that an emotion reaches somewhere, or its line waits in the legend."""
LINES = "rgba(128, 132, 128, 0.22)"


def probabilities(predictions: Sequence[Prediction]) -> "go.Figure":
    """The probabilities of all emotions, a colour a model."""
    return _dressed(figures.probability_chart(predictions), 330)


def evidence_of_models(items: Mapping[str, Sequence[RegionEvidence]], method: str) -> "go.Figure":
    """How much of the evidence lies in each part of the face, for several models side by side."""
    return _dressed(figures.region_comparison(items, method), 460)


def trust_curves(result: TrustResult) -> "go.Figure":
    """The curves behind a trust reading, in probability."""
    figure = _dressed(figures.trust_curves(result), 420).update_annotations(font_size=12)
    return figure.update_layout(legend_y=1.08, margin_t=64)


def timeline(found: Clip, person: int) -> "go.Figure":
    """A person's probabilities over time, smoothed, and those of each frame as dots; others wait in the legend.

    The number of each moment stands in `customdata`.
    """
    import plotly.graph_objects as go

    numbers = [index for index, moment in enumerate(found.moments) for one in moment.sightings if one.person == person]
    times, raw, smooth = (100 * part if part.ndim == 2 else part for part in found.timeline(person))
    figure = go.Figure()
    for index, (emotion, colour) in enumerate(zip(EMOTIONS, (*figures.PALETTE, SEVENTH), strict=True)):
        seen = True if smooth[:, index].max(initial=0) >= MENTIONED else "legendonly"
        same = {"name": emotion, "legendgroup": emotion, "visible": seen, "customdata": numbers, "x": times.tolist()}
        told = f"{emotion}: %{{x:.1f}} s, %{{y:.0f}} %<extra></extra>"
        line = {"color": colour, "width": 2.5}
        figure.add_scatter(y=smooth[:, index].tolist(), mode="lines", line=line, hovertemplate=told, **same)
        dots = {"color": colour, "size": 5, "opacity": 0.4}
        figure.add_scatter(
            y=raw[:, index].tolist(), mode="markers", marker=dots, hovertemplate=told, showlegend=False, **same
        )
    figure.update_yaxes(range=[0, 102], ticksuffix=" %")
    figure.update_xaxes(ticksuffix=" s")
    return _dressed(figure, 360).update_layout(title=None, margin_t=76)


def _dressed(figure: "go.Figure", height: int) -> "go.Figure":
    figure.for_each_trace(lambda trace: trace.update(name=text.ALL.get(trace.name, trace.name)))
    figure.for_each_trace(
        lambda trace: trace.update(hovertemplate=f"{trace.name}<br>" + trace.hovertemplate.split(": ", 1)[-1])
    )
    return figure.update_layout(
        height=height,
        title={"font": {"size": 15}, "x": 0, "xref": "paper", "y": 0.97, "yanchor": "top"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"l": 8, "r": 8, "t": 84, "b": 8},
        font={"color": TEXT, "size": 13, "family": ", ".join(theme.BODY)},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        xaxis={"gridcolor": LINES, "zerolinecolor": LINES},
        yaxis={"gridcolor": LINES, "zerolinecolor": LINES},
    )
