"""Charts of what was measured, beside the card: Plotly JSON for the page, PNG for everybody else."""

import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.card import Card
from models.types import EMOTIONS
from training.measures.metrics import FAILURE
from training.measures.robustness import DISTURBANCES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FOLDER = "report"
EPOCHS = "training.json"
GREEN, ORANGE, GREY = "#2b8567", "#b85c00", "#7d827c"
"""Each stands out from paper and from ink."""
INK = "#191c1b"
WIDTH = 640
"""Of a picture, in pixels."""
FEW = 10
"""Faces of a bin below which nothing is said of it."""


def figures(card: Card, epochs: Sequence[dict[str, Any]] = ()) -> dict[str, "Figure"]:
    """All charts that a card and a run's epochs allow.

    Args:
        card: with metrics as `training.measures.evaluate` writes them.
        epochs: what the run logged of each epoch.

    Returns:
        By name: confusion, reliability and robustness of an emotion network; points and cumulative of
        the keypoint network; training of both. Each has its height.
    """
    made = {}
    if found := card.metrics.get("PrivateTest"):
        made["confusion"] = confusion(found["confusion"])
        made["reliability"] = reliability(found)
    if found := card.metrics.get("robustness"):
        made["robustness"] = robustness(found)
    if found := card.metrics.get("test"):
        made["points"] = points(found)
        made["cumulative"] = cumulative(found)
    if epochs:
        made["training"] = training(epochs, card.training.config.get("stages", ()))
    return made


def confusion(counts: list[list[int]]) -> "Figure":
    """Labels against answers; each row in percent of its label."""
    import plotly.graph_objects as go

    shares = [[100 * count / max(1, sum(row)) for count in row] for row in counts]
    figure = go.Figure(
        go.Heatmap(
            x=list(EMOTIONS),
            y=list(EMOTIONS),
            z=shares,
            customdata=counts,
            zmin=0,
            zmax=100,
            colorscale=[[0, "#ffffff"], [1, "#4a9b7f"]],
            showscale=False,
            xgap=2,
            ygap=2,
            texttemplate="%{z:.0f}",
            textfont={"color": INK},
            hovertemplate="labelled %{y}, read as %{x}: %{z:.1f} % (%{customdata} faces)<extra></extra>",
        )
    )
    figure.update_xaxes(title="read as", side="bottom", tickangle=-40)
    figure.update_yaxes(title="labelled", autorange="reversed")
    return styled(figure, "What is read as what, in %", 470)


def reliability(found: dict[str, Any]) -> "Figure":
    """Confidence against accuracy, with and without the temperature, and where the two would be equal.

    A bin of fewer than `FEW` faces is left out: two that happen to be right are no 100 %.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="perfect", line={"color": GREY, "dash": "dot"}, hoverinfo="skip"
    )
    for key, name, colour, dash in (
        ("reliability_unscaled", "as trained", ORANGE, "dash"),
        ("reliability", "as shown here", GREEN, "solid"),
    ):
        bins = zip(*(found[key][part] for part in ("confidence", "accuracy", "faces")), strict=True)
        filled = [row for row in bins if row[2] >= FEW]
        figure.add_scatter(
            x=[100 * confidence for confidence, _, _ in filled],
            y=[100 * accuracy for _, accuracy, _ in filled],
            customdata=[faces for _, _, faces in filled],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            hovertemplate=f"{name}: says %{{x:.0f}} %, right in %{{y:.0f}} % of %{{customdata}} faces<extra></extra>",
        )
    figure.update_xaxes(title="how sure it says it is", range=[0, 101], ticksuffix=" %")
    figure.update_yaxes(title="how often it is right", range=[0, 101], ticksuffix=" %")
    return styled(figure, "Does it know how sure it is?", 420).update_layout(legend={"x": 0.02, "y": 0.99})


def robustness(found: dict[str, Any]) -> "Figure":
    """The accuracy under each disturbance, one small chart each; rings mark the moderate strengths."""
    from plotly.subplots import make_subplots

    names = [name for name in DISTURBANCES if name in found["curves"]]
    rows = -(-len(names) // 2)
    titles = [DISTURBANCES[name].label for name in names]
    figure = make_subplots(rows, 2, shared_yaxes=True, subplot_titles=titles, vertical_spacing=0.4 / rows)
    for index, name in enumerate(names):
        curve, disturbance = found["curves"][name], DISTURBANCES[name]
        figure.add_scatter(
            x=curve["strength"],
            y=[100 * accuracy for accuracy in curve["accuracy"]],
            mode="lines+markers",
            line={"color": GREEN},
            marker={
                "size": [11 if strength in disturbance.moderate else 6 for strength in curve["strength"]],
                "symbol": ["circle-open" if s in disturbance.moderate else "circle" for s in curve["strength"]],
                "line": {"width": 2, "color": GREEN},
            },
            hovertemplate=f"{disturbance.label} %{{x}}: right in %{{y:.1f}} %<extra></extra>",
            showlegend=False,
            row=index // 2 + 1,
            col=index % 2 + 1,
        )
        figure.add_hline(
            100 * found["accuracy"], line={"color": GREY, "dash": "dot"}, row=index // 2 + 1, col=index % 2 + 1
        )
        ends = curve["strength"][0], curve["strength"][-1]
        middle = disturbance.none if disturbance.none not in ends else disturbance.moderate[0]
        figure.update_xaxes(tickvals=[ends[0], middle, ends[1]], tickangle=0, row=index // 2 + 1, col=index % 2 + 1)
    figure.update_yaxes(range=[0, 100], ticksuffix=" %")
    figure.update_annotations(font_size=12)
    return styled(figure, "Right on disturbed faces", 200 * rows + 70).update_layout(
        margin_t=92, title_subtitle={"text": "dotted: undisturbed, ring: moderate", "font": {"size": 12}}
    )


def training(epochs: Sequence[dict[str, Any]], stages: Sequence[tuple[int, int]] = ()) -> "Figure":
    """Accuracy and loss over the epochs, in training and in validation; lines mark a new size of the faces."""
    from plotly.subplots import make_subplots

    charts = [("accuracy", "right, %", 100), ("loss", "loss", 1)]
    charts = [chart for chart in charts if chart[0] in epochs[0]]
    figure = make_subplots(len(charts), 1, shared_xaxes=True, vertical_spacing=0.08)
    numbers = [row["epoch"] + 1 for row in epochs]
    for index, (key, title, factor) in enumerate(charts, start=1):
        for prefix, name, colour in (("", "faces it learns from", ORANGE), ("val_", "faces it does not", GREEN)):
            figure.add_scatter(
                x=numbers,
                y=[factor * row[prefix + key] for row in epochs],
                name=name,
                legendgroup=name,
                showlegend=index == 1,
                mode="lines",
                line={"color": colour},
                hovertemplate=f"{name}: %{{y:.3g}} after epoch %{{x}}<extra></extra>",
                row=index,
                col=1,
            )
        figure.update_yaxes(title=title, row=index, col=1)
    start = 0
    for index, (count, side) in enumerate(stages):
        if start and start < len(epochs):
            figure.add_vline(start + 0.5, line={"color": GREY, "dash": "dot"})
        if len(stages) > 1 and start < len(epochs):
            figure.add_annotation(
                x=start + 0.6,
                y=1 - 0.05 * index,
                yref="paper",
                xanchor="left",
                yanchor="top",
                text=f"{side} px",
                showarrow=False,
            )
        start += count
    figure.update_xaxes(title="epoch", row=len(charts), col=1)
    low = 1.0 - 0.92 / len(charts)
    return styled(figure, "How it learned", 240 * len(charts) + 60).update_layout(
        legend={"x": 0.99, "xanchor": "right", "y": low, "yanchor": "bottom"}
    )


def points(found: dict[str, Any]) -> "Figure":
    """The mean error of each keypoint, in percent of the inter-ocular distance."""
    import plotly.graph_objects as go

    rows = sorted(found["nme_by_point"].items(), key=lambda row: -row[1])
    figure = go.Figure(
        go.Bar(
            x=[100 * error for _, error in rows],
            y=[name.replace("_", " ") for name, _ in rows],
            orientation="h",
            marker_color=GREEN,
            texttemplate="%{x:.1f}",
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2f} % of the distance between the eyes<extra></extra>",
        )
    )
    figure.update_xaxes(ticksuffix=" %")
    figure.update_yaxes(autorange="reversed", dtick=1)
    return styled(figure, "Error of each point, in % of the eyes' distance", 470)


def cumulative(found: dict[str, Any]) -> "Figure":
    """The share of faces that stay within an error."""
    import plotly.graph_objects as go

    curve = found["cumulative"]
    figure = go.Figure(
        go.Scatter(
            x=[100 * error for error in curve["error"]],
            y=[100 * share for share in curve["share"]],
            mode="lines",
            line={"color": GREEN},
            hovertemplate="%{y:.1f} % of the faces are within %{x:.1f} %<extra></extra>",
        )
    )
    figure.add_vline(100 * FAILURE, line={"color": GREY, "dash": "dot"}, annotation_text="counts as failed")
    figure.update_xaxes(title="mean error, in % of the eyes' distance", ticksuffix=" %")
    figure.update_yaxes(title="faces within it", range=[0, 101], ticksuffix=" %")
    return styled(figure, "How many faces are read how well", 400)


def write(folder: str | Path, drawn: Mapping[str, "Figure"]) -> str:
    """Put charts into `<folder>/report/`, each as `<name>.json` and `<name>.png`.

    The pictures need Chrome or Chromium (`BROWSER_PATH` names one in an unusual place); without, the
    JSON is written all the same, and pictures of an earlier report are removed, because they would
    show other figures.

    Returns:
        Why there are no pictures, as one sentence; empty where there are.
    """
    report = Path(folder) / FOLDER
    report.mkdir(parents=True, exist_ok=True)
    for old in [*report.glob("*.json"), *report.glob("*.png")]:
        if old.stem not in drawn or old.suffix == ".png":
            old.unlink()
    for name, figure in drawn.items():
        _replace(report / f"{name}.json", figure.to_json().encode() + b"\n")
    try:
        for name, picture in _pictures(drawn).items():
            _replace(report / f"{name}.png", picture)
    except _no_browser() as error:
        return f"No pictures were drawn, because no Chrome or Chromium could be run: {str(error).splitlines()[0]}"
    return ""


def read_epochs(folder: str | Path) -> list[dict[str, Any]]:
    """The epochs beside a card, see `training.release.export`; none where there is no such file."""
    path = Path(folder) / EPOCHS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _pictures(drawn: Mapping[str, "Figure"]) -> dict[str, bytes]:
    """PNG of 64 colours: charts need no more, and weigh a third."""
    import kaleido
    from PIL import Image

    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        jobs = [
            {
                "fig": figure,
                "path": str(Path(scratch) / f"{name}.png"),
                "opts": {"format": "png", "width": WIDTH, "height": figure.layout.height, "scale": 1},
            }
            for name, figure in drawn.items()
        ]
        kaleido.write_fig_from_object_sync(jobs, kopts={"mathjax": False})
        for name in drawn:
            packed = io.BytesIO()
            with Image.open(Path(scratch) / f"{name}.png") as picture:
                picture.convert("RGB").quantize(64).save(packed, "PNG", optimize=True)
            found[name] = packed.getvalue()
    return found


def _no_browser() -> tuple[type[Exception], ...]:
    from choreographer import errors

    return errors.ChromeNotFoundError, errors.BrowserFailedError, errors.BrowserClosedError, errors.BrowserDepsError


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def styled(figure: "Figure", title: str, height: int) -> "Figure":
    """A chart in the house's dress, with its title and its height in pixels."""
    return (
        figure.update_layout(
            template="none",
            title={
                "text": title,
                "x": 0.02,
                "y": 1,
                "yanchor": "top",
                "pad": {"t": 14},
                "font": {"size": 16},
            },
            height=height,
            margin={"l": 8, "r": 20, "t": 52, "b": 8},
            legend={"yanchor": "top", "bgcolor": "rgba(0,0,0,0)"},
            font={"color": INK, "size": 13},
            paper_bgcolor="#ffffff",
            plot_bgcolor="#ffffff",
        )
        .update_xaxes(automargin=True, gridcolor="#dcdcd2", zeroline=False)
        .update_yaxes(automargin=True, gridcolor="#dcdcd2", zeroline=False)
    )
