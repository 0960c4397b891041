"""The charts of the tab Data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from app import text
from app.data.accuracy import Bin
from app.data.faces import NO_LABEL, emotion
from app.data.terms import Terms
from app.data.view import Plane
from app.ui.render.report_charts import dressed
from models import geometry
from models.types import EMOTIONS

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK = "#191c1b"
NAMED, LABELLED = "#2b8567", "#b9bbb2"
RIGHT, WRONG = "#8f938a", "#d55e00"
COLOURS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#8f938a", "#0072b2", "#56b4e9")
"""Okabe and Ito's colours and a grey, one an emotion in the order of `EMOTIONS`."""
LOW_TO_HIGH = ((0.0, "#0072b2"), (0.5, "#b9a6b5"), (1.0, "#d55e00"))
"""From a small value of a measure to a large one."""
ROW = 34
"""The height of a measure's row, in pixels: its name above its bar or its dots."""
MEASURES = {
    "brightness": ("brightness", "0 is black, 1 white"),
    "sharpness": ("sharpness", "fine structure left at 48 pixels"),
    "yaw": ("pose", "° to their own right (−) or left (+)"),
    "size": ("face size", "pixels of the photo"),
}
"""What the measures of `view.TOLD` are called, and their units."""
COLOUR_BY = {"answer": "answer", "label": "label", "error": "right or wrong"}
METHODS = {
    "pca": "principal components",
    "umap": "UMAP",
    "stored": "the two axes that came with the dataset",
}


def counts(answered: Sequence[int], labelled: Sequence[int], network: str) -> "go.Figure":
    """How often each emotion is named, beside how often it is the label."""
    import plotly.graph_objects as go

    figure = go.Figure()
    bars = [(f"named by {_who(network)}", answered, NAMED), ("label", labelled, LABELLED)]
    for name, values, colour in bars[: 2 if sum(labelled) else 1]:
        figure.add_bar(
            x=list(EMOTIONS),
            y=list(values),
            name=name,
            marker_color=colour,
            hovertemplate=f"%{{x}}, {name}: %{{y:,}} faces<extra></extra>",
        )
    return _styled(figure, "Faces by emotion", 340).update_layout(
        barmode="group", legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, margin_t=78
    )


def confusion(table: np.ndarray, network: str) -> "go.Figure":
    """Labels against what is named, each row in percent of its label: int (7, 7)."""
    shares = 100 * table / np.maximum(1, table.sum(1, keepdims=True))
    figure = _grid(shares, table, 100, "labelled %{y}, named %{x}: %{z:.1f} % (%{customdata:,} faces)")
    figure.update_xaxes(title=f"named by {_who(network)}")
    figure.update_yaxes(title="labelled")
    return _styled(figure, "Named instead of the label, in %", 430)


def disagreement(table: np.ndarray) -> "go.Figure":
    """Where networks differ, int (7, 7), in percent of all differences; each pair of emotions once."""
    lower = np.tril(table, -1)
    shares = np.where(np.tril(np.ones_like(table), -1) > 0, 100 * lower / max(1, lower.sum()), np.nan)
    top = float(np.nanmax(shares)) or 1.0
    figure = _grid(shares, lower, top, "one names %{y}, another %{x}: %{z:.1f} % of the differences (%{customdata:,})")
    return _styled(figure, "Where the networks differ, in %", 430)


def accuracy(bins: Sequence[Bin], measure: str, lowest: float) -> "go.Figure":
    """How often a network is right by a measure, with intervals.

    Args:
        bins: of the measure, at least one.
        measure: one of `MEASURES`.
        lowest: where the axis begins, in percent, the same for charts that stand side by side.
    """
    import plotly.graph_objects as go

    name, unit = MEASURES[measure]
    shares = [100 * (each.rate.share or 0) for each in bins]
    digits = 2 if max(abs(each.most) for each in bins) < 10 else 0
    figure = go.Figure(
        go.Scatter(
            x=[f"{_number(each.least, digits)} to<br>{_number(each.most, digits)}" for each in bins],
            y=shares,
            error_y={
                "array": [100 * each.rate.high - share for each, share in zip(bins, shares, strict=True)],
                "arrayminus": [share - 100 * each.rate.low for each, share in zip(bins, shares, strict=True)],
                "color": NAMED,
                "thickness": 1.5,
            },
            customdata=[[each.rate.faces, 100 * each.rate.low, 100 * each.rate.high] for each in bins],
            mode="markers+lines",
            marker={"color": NAMED, "size": 9},
            line={"color": NAMED, "width": 1, "dash": "dot"},
            hovertemplate="%{y:.1f} % right of %{customdata[0]:,} faces (%{customdata[1]:.1f} to %{customdata[2]:.1f})"
            "<extra></extra>",
        )
    )
    figure.update_xaxes(title={"text": unit, "font": {"size": 12}}, type="category")
    figure.update_yaxes(range=[lowest, 100], ticksuffix=" %")
    return _styled(figure, f"Right by {name}", 300)


def plane(drawn: Plane, colour_by: str) -> "go.Figure":
    """Faces on a plane, coloured by one of `COLOUR_BY`."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, colour, chosen in _groups(drawn, colour_by):
        if not chosen.any():
            continue
        told = [
            f"named {emotion(answer)} ({text.percent(sure)})" + (f", labelled {emotion(label)}" if label >= 0 else "")
            for answer, label, sure in zip(
                drawn.answers[chosen], drawn.labels[chosen], drawn.confidences[chosen], strict=True
            )
        ]
        figure.add_scatter(
            x=np.round(drawn.places[chosen, 0], 3).tolist(),
            y=np.round(drawn.places[chosen, 1], 3).tolist(),
            mode="markers",
            name=name,
            text=told,
            marker={"color": colour, "size": 5, "opacity": 0.75},
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(showticklabels=False).update_yaxes(showticklabels=False)
    return _styled(figure, "Faces alike to the network lie close", 560).update_layout(
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0, "itemsizing": "constant"}
    )


def strengths(found: Terms, of: int) -> "go.Figure":
    """How far each measure moves the glass box's score of an emotion on average, the strongest on top."""
    import plotly.graph_objects as go

    order = _strongest(found, of)
    values = found.strengths[order, of]
    figure = go.Figure(
        go.Bar(
            x=np.round(values, 4).tolist(),
            y=list(range(len(order))),
            width=0.34,
            orientation="h",
            marker_color=NAMED,
            customdata=[_named(index) for index in order],
            hovertemplate="%{customdata}: %{x:.3f} on average<extra></extra>",
        )
    )
    title = f"How far each measure moves {EMOTIONS[of]}"
    return _rows(figure, title, order, "mean |SHAP value|")


def swarm(found: Terms, of: int) -> "go.Figure":
    """What each measure adds to the glass box's score of an emotion, a dot a face, coloured by the measure's value."""
    import plotly.graph_objects as go

    order = _strongest(found, of)
    values, added = found.values[:, order], found.drawn[:, order, of]
    figure = go.Figure(
        go.Scatter(
            x=np.round(added.T.ravel(), 4).tolist(),
            y=np.round(np.arange(len(order))[:, None] + _spread(added).T, 3).ravel().tolist(),
            customdata=[
                f"{geometry.MEASURES[index].label} {value:.2f}".replace("-", "\u2212")
                for index, column in zip(order, values.T, strict=True)
                for value in column.tolist()
            ],
            mode="markers",
            marker={
                "color": np.round(_ranks(values).T.ravel(), 3).tolist(),
                "colorscale": [list(step) for step in LOW_TO_HIGH],
                "cmin": 0,
                "cmax": 1,
                "size": 4,
                "opacity": 0.8,
            },
            showlegend=False,
            hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
        )
    )
    for name, (_, colour) in (("less so", LOW_TO_HIGH[0]), ("more so", LOW_TO_HIGH[-1])):
        figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker={"color": colour, "size": 8})
    figure.add_vline(x=0, line={"color": LABELLED, "width": 1}, layer="below")
    return _rows(figure, f"Added to {EMOTIONS[of]}, face by face", order, "SHAP value").update_layout(
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemclick": False}
    )


def _strongest(found: Terms, of: int) -> np.ndarray:
    return np.argsort(-found.strengths[:, of], kind="stable")


def _rows(figure: "go.Figure", title: str, order: np.ndarray, axis: str) -> "go.Figure":
    """A row a measure, its name above it, so that a phone's width is left to what is drawn."""
    at = {"x": 0, "xref": "x domain", "xanchor": "left", "yref": "y", "yanchor": "middle"}
    names = [
        {"text": _named(index), "y": place - 0.44, "showarrow": False, "font": {"size": 12}, **at}
        for place, index in enumerate(order)
    ]
    figure.update_layout(annotations=names)
    figure.update_xaxes(title={"text": axis, "font": {"size": 12}})
    figure.update_yaxes(range=[len(order) - 0.5, -0.8], showticklabels=False, showgrid=False)
    return _styled(figure, title, 78 + 50 + ROW * len(order)).update_layout(margin_t=78)


def _named(index: int) -> str:
    """A measure, and what more of it means."""
    measure = geometry.MEASURES[index]
    return f"{measure.label}: {measure.up}"


def _spread(added: np.ndarray) -> np.ndarray:
    """How far below and above its row's line each dot lies, the same every time: float (N, M) -> (N, M).

    Dots of one value spread the further the more there are.
    """
    spread = np.zeros(added.shape)
    random = np.random.default_rng(0)
    for column, values in enumerate(added.T):
        _, at, count = np.unique(values, return_inverse=True, return_counts=True)
        room = 0.28 * np.sqrt(count / count.max())
        spread[:, column] = random.uniform(-1, 1, len(values)) * room[at] + 0.08
    return spread


def _ranks(values: np.ndarray) -> np.ndarray:
    """Where each value stands among those of its column, 0 the smallest and 1 the largest; equal ones stand alike."""
    found = np.zeros(values.shape)
    for column, each in enumerate(values.T):
        rising = np.sort(each)
        middle = (np.searchsorted(rising, each, "left") + np.searchsorted(rising, each, "right") - 1) / 2
        found[:, column] = middle / max(1, len(each) - 1)
    return found


def _groups(drawn: Plane, colour_by: str) -> list[tuple[str, str, np.ndarray]]:
    if colour_by == "error":
        labelled, right = drawn.labels != NO_LABEL, drawn.answers == drawn.labels
        return [
            ("right", RIGHT, labelled & right),
            ("wrong", WRONG, labelled & ~right),
            ("no label", LABELLED, ~labelled),
        ]
    values = drawn.answers if colour_by == "answer" else drawn.labels
    found = [
        (name, colour, values == index) for index, (name, colour) in enumerate(zip(EMOTIONS, COLOURS, strict=True))
    ]
    return [*found, ("no label", "#d3d4cd", values == NO_LABEL)]


def _grid(shares: np.ndarray, table: np.ndarray, top: float, hover: str) -> "go.Figure":
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Heatmap(
            x=list(EMOTIONS),
            y=list(EMOTIONS),
            z=[[None if np.isnan(value) else round(float(value), 2) for value in row] for row in shares],
            customdata=table.tolist(),
            zmin=0,
            zmax=top,
            colorscale=[[0, "#ffffff"], [1, "#4a9b7f"]],
            showscale=False,
            xgap=2,
            ygap=2,
            texttemplate="%{z:.0f}",
            textfont={"color": INK},
            hovertemplate=f"{hover}<extra></extra>",
        )
    )
    figure.update_xaxes(side="bottom", tickangle=-40)
    return figure.update_yaxes(autorange="reversed")


def _styled(figure: "go.Figure", title: str, height: int) -> "go.Figure":
    figure.update_layout(
        template="none",
        height=height,
        title={
            "text": title,
            "x": 0,
            "xref": "container",
            "pad": {"l": 10, "t": 12},
            "y": 1,
            "yanchor": "top",
            "font": {"size": 15},
        },
        margin={"l": 8, "r": 8, "t": 50, "b": 8},
        font={"color": INK, "size": 13},
    )
    figure.update_xaxes(automargin=True, zeroline=False).update_yaxes(automargin=True, zeroline=False)
    return dressed(figure)


def _who(network: str) -> str:
    return "their mean" if network == "mean" else text.MODELS[network]


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\u2212")
