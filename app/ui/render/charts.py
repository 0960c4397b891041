"""The charts of `explain.figures`, dressed for the page: its names, its colours in the light and in the dark."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app import text
from app.ui import theme
from explain import figures
from explain.evidence import RegionEvidence
from explain.trust import TrustResult
from models.types import Prediction

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEXT = theme.INK.c800
"""On paper; in the dark `page.css` makes it light."""
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
