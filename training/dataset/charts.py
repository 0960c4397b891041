"""Charts of fitted models, as those of `training.measures.report`: Plotly JSON, and PNG where there is a browser."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models.geometry import MEASURES
from models.glass_box import GlassBox
from models.types import EMOTIONS
from training.dataset.candidates import TITLES
from training.dataset.table import FINAL
from training.measures import report
from training.measures.report import GREEN, GREY, ORANGE, styled

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

COLOURS = ("#b2182b", "#7a5195", "#33658a", "#d99400", "#7d827c", "#0072b2", "#2b8567")
"""One an emotion, in the order of `EMOTIONS`."""
COLUMNS = 4
LABELS = [f"{measure.label} {measure.up}" for measure in MEASURES]


def compared(results: dict[str, Any]) -> "Figure":
    """Accuracy and macro F1 of each model on the final faces."""
    import plotly.graph_objects as go

    names = [TITLES[name] for name in results]
    figure = go.Figure()
    for key, title, colour in (("accuracy", "right", GREEN), ("macro_f1", "macro F1", ORANGE)):
        shares = [100 * result["metrics"][FINAL][key] for result in results.values()]
        figure.add_bar(x=names, y=shares, name=title, marker_color=colour, texttemplate="%{y:.1f}")
    figure.update_yaxes(ticksuffix=" %", range=[0, 100])
    return styled(figure, "Models of the same features, on faces that none has seen", 400).update_layout(
        barmode="group", legend={"x": 0.98, "xanchor": "right", "y": 0.99}
    )


def learning_curve(curve: Sequence[dict[str, Any]]) -> "Figure":
    """Accuracy by the number of faces that were learned from."""
    import plotly.graph_objects as go

    figure, faces = go.Figure(), [row["faces"] for row in curve]
    for key, name, colour in (("learned", "faces it learned from", ORANGE), ("new", "faces it did not", GREEN)):
        shares = [100 * row[key] for row in curve]
        figure.add_scatter(x=faces, y=shares, name=name, mode="lines+markers", line={"color": colour})
    figure.update_xaxes(title="faces it learned from", type="log", tickvals=faces)
    figure.update_yaxes(title="right", ticksuffix=" %")
    return styled(figure, "Would more faces help?", 400).update_layout(legend={"x": 0.98, "xanchor": "right", "y": 0.5})


def curves(box: GlassBox) -> "Figure":
    """The glass box itself: what each measure adds to each emotion, one small chart a measure."""
    from plotly.subplots import make_subplots

    rows = -(-len(box.terms) // COLUMNS)
    figure = make_subplots(rows, COLUMNS, subplot_titles=LABELS, shared_yaxes=True, vertical_spacing=0.3 / rows)
    for index, term in enumerate(box.terms):
        inside = (term.cuts > box.low[index]) & (term.cuts < box.high[index])
        edges = [float(box.low[index]), *term.cuts[inside].tolist(), float(box.high[index])]
        heights = term.at(np.array(edges[:-1]))
        for emotion, name in enumerate(EMOTIONS):
            figure.add_scatter(
                x=edges,
                y=[*heights[:, emotion].tolist(), float(heights[-1, emotion])],
                name=name,
                legendgroup=name,
                showlegend=index == 0,
                mode="lines",
                line={"color": COLOURS[emotion], "shape": "hv", "width": 1.6},
                hovertemplate=f"{LABELS[index]} %{{x:.2f}}: %{{y:+.2f}} for {name}<extra></extra>",
                row=index // COLUMNS + 1,
                col=index % COLUMNS + 1,
            )
    figure.update_annotations(font_size=10)
    return styled(figure, "What each measure adds to each emotion's score", 190 * rows + 90).update_layout(
        legend={"orientation": "h", "y": 1.05, "yanchor": "bottom", "x": 0}, margin_t=110
    )


def shap_bar(values: np.ndarray, who: str) -> "Figure":
    """How much each measure counts: the mean size of its SHAP values, over faces and emotions.

    Args:
        values: float (N, 20, 7).
        who: the model's title.
    """
    import plotly.graph_objects as go

    sizes = np.abs(values).mean((0, 2))
    order = np.argsort(-sizes)
    figure = go.Figure(
        go.Bar(
            x=sizes[order].round(4).tolist(),
            y=[LABELS[index] for index in order],
            orientation="h",
            marker_color=GREEN,
            texttemplate="%{x:.2f}",
            textposition="outside",
            cliponaxis=False,
        )
    )
    figure.update_yaxes(autorange="reversed", dtick=1, type="category")
    return styled(figure, f"Mean size of the SHAP values: {who}", 560)


def shap_beeswarm(values: np.ndarray, measured: np.ndarray, emotion: int, who: str, seed: int = 0) -> "Figure":
    """Every face as a point in the row of each measure, coloured by the measure; the rows that count most.

    Args:
        values: SHAP values float (N, 20, 7).
        measured: the measures float (N, 20).
        emotion: whose.
        who: the model's title.
        seed: of how the points of a row are spread.
    """
    import plotly.graph_objects as go

    of, random = values[:, :, emotion], np.random.default_rng(seed)
    order = np.argsort(-np.abs(of).mean(0))[:10]
    figure = go.Figure()
    for row, index in enumerate(order):
        ranks = measured[:, index].argsort().argsort() / max(len(measured) - 1, 1)
        figure.add_scatter(
            x=of[:, index].round(4).tolist(),
            y=(row + random.uniform(-0.32, 0.32, len(of))).round(3).tolist(),
            mode="markers",
            marker={"size": 4, "color": ranks.round(3).tolist(), "colorscale": "RdBu_r", "opacity": 0.7},
            hovertemplate=f"{LABELS[index]}: %{{x:+.2f}} for {EMOTIONS[emotion]}<extra></extra>",
            showlegend=False,
        )
    names = [LABELS[index] for index in order]
    figure.update_yaxes(tickvals=list(range(len(order))), ticktext=names, autorange="reversed")
    figure.update_xaxes(title="blue: the measure is small, red: it is large", zeroline=True, zerolinecolor=GREY)
    return styled(figure, f"SHAP values for {EMOTIONS[emotion]}: {who}", 520)


def shap_dependence(values: np.ndarray, measured: np.ndarray, emotion: int, who: str) -> "Figure":
    """The SHAP value of the measure that counts most for an emotion, against the measure."""
    import plotly.graph_objects as go

    of = values[:, :, emotion]
    index = int(np.abs(of).mean(0).argmax())
    figure = go.Figure(
        go.Scatter(
            x=measured[:, index].round(4).tolist(),
            y=of[:, index].round(4).tolist(),
            mode="markers",
            marker={"size": 5, "color": GREEN, "opacity": 0.6},
        )
    )
    low, high = np.percentile(measured[:, index], [0.5, 99.5])
    figure.update_xaxes(title=f"{LABELS[index]}, in distances between the eyes", range=[low, high])
    figure.update_yaxes(title=f"for {EMOTIONS[emotion]}")
    return styled(figure, f"What {LABELS[index]} does: {who}", 420)


def shap_face(values: np.ndarray, measured: np.ndarray, emotion: int, who: str) -> "Figure":
    """One face: what each measure adds, float (20, 7), the strongest first."""
    import plotly.graph_objects as go

    of = values[:, emotion]
    order = np.argsort(-np.abs(of))[:10]
    figure = go.Figure(
        go.Bar(
            x=of[order].round(4).tolist(),
            y=[f"{LABELS[index]} = {measured[index]:.2f}" for index in order],
            orientation="h",
            marker_color=["#b2182b" if of[index] > 0 else "#2166ac" for index in order],
            texttemplate="%{x:+.2f}",
            textposition="outside",
            cliponaxis=False,
        )
    )
    figure.update_yaxes(autorange="reversed", type="category")
    return styled(figure, f"One face, for {EMOTIONS[emotion]}: {who}", 420)


def of_model(result: dict[str, Any]) -> dict[str, "Figure"]:
    """Confusion and calibration of a model on the final faces."""
    found = result["metrics"][FINAL]
    return {"confusion": report.confusion(found["confusion"]), "reliability": report.reliability(found)}
