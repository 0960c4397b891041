"""Pictures and charts of predictions and explanations."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from explain import scale
from explain.base import Explanation
from explain.evidence import RegionEvidence, sides
from explain.scale import Scale
from models.types import EMOTIONS, Prediction

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explain.trust import TrustResult

SIDE = 384
"""Side of an overlay in pixels."""
DIVERGING = ((33, 102, 172), (103, 169, 207), (247, 247, 247), (239, 138, 98), (178, 24, 43))
"""RdBu of ColorBrewer: blue speaks against the target, red for it; told apart by colour-blind eyes."""
DISAGREEMENT = ((84, 39, 136), (178, 171, 210), (247, 247, 247), (178, 171, 210), (84, 39, 136))
"""The purples of PuOr: they say neither for nor against."""
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's colours, one a model."""
SUPPORTING = "#B2182B"
HIDDEN = {"blur": "out of focus", "mean face": "average face", "surroundings": "surroundings"}
"""What hidden places show, by the fills of `trust.FILLS`, for people."""


def colours(strength: np.ndarray, stops: Sequence[tuple[int, int, int]] = DIVERGING) -> np.ndarray:
    """Colours of normalised values: float (...) in -1..1 -> float32 (..., 3) in 0..255, RGB."""
    places = np.linspace(-1, 1, len(stops))
    channels = [np.interp(strength, places, channel) for channel in zip(*stops, strict=True)]
    return np.stack(channels, -1).astype(np.float32)


OPACITY = 0.7
"""Of a map at full strength over its face."""


def heat(
    values: np.ndarray, shared: Scale, side: int = SIDE, stops: Sequence[tuple[int, int, int]] = DIVERGING
) -> np.ndarray:
    """A map as a picture to lay over a face, uint8 (side, side, 4), RGBA.

    A value covers the face as much as it weighs: zero is transparent, so that the face stays in
    sight and a flat map hides nothing.
    White turns to red where the face speaks for the target and to blue where against it.

    Args:
        values: float32 (H, W), raw.
        shared: what full colour means, see `scale.shared`.
        side: of the result in pixels.
        stops: the colours from -1 to 1, evenly spaced.
    """
    strength = scale.resize(scale.normalise(values, shared), side, side)
    cover = np.abs(strength)[..., None] * 255
    return np.concatenate([colours(strength, stops), cover], -1).round().astype(np.uint8)


def overlay(
    crop: np.ndarray, values: np.ndarray, shared: Scale, opacity: float = OPACITY, side: int = SIDE
) -> np.ndarray:
    """A map over its face.

    Args:
        crop: float32 (H, W) in 0..1.
        values, shared: see `heat`.
        opacity: 0 shows the face alone, 1 full colour at full strength.
        side: of the result in pixels.

    Returns:
        uint8 (side, side, 3), RGB.
    """
    grey = cv2.resize(crop.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    face = np.clip(grey, 0, 1)[..., None] * 255
    picture = heat(values, shared, side).astype(np.float32)
    cover = picture[..., 3:] / 255 * opacity
    return (face * (1 - cover) + picture[..., :3] * cover).round().astype(np.uint8)


def colour_bar(signed: bool, width: int = 256) -> np.ndarray:
    """The colours of the scale from its low to its high end, uint8 (16, width, 3), RGB."""
    strength = np.linspace(-1 if signed else 0, 1, width)
    return np.tile(colours(strength).round().astype(np.uint8), (16, 1, 1))


def colour_bar_labels(shared: Scale, explanation: Explanation) -> tuple[str, str]:
    """What the low and the high end of the colour bar mean, for people."""
    if not shared.limit:
        return "no evidence", "no evidence"
    above, below = sides(explanation)
    return (below if shared.signed else "counts nothing"), above


def full_colour(shared: Scale) -> str:
    """What full colour stands for, with its number."""
    if not shared.limit:
        return "The map is flat, so nothing is coloured."
    return (
        f"Full colour stands for the strongest places: {shared.limit:.2g} a pixel and more, in the method's own unit. "
        "Paler colours stand for less, in proportion; where there is no colour, the map says nothing."
    )


def probability_chart(predictions: Sequence[Prediction]) -> "go.Figure":
    """The probabilities of all seven emotions, one colour a model, as a plotly Figure."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for prediction, colour in zip(predictions, PALETTE, strict=False):
        percent = prediction.probabilities.astype(float) * 100
        figure.add_bar(
            x=list(EMOTIONS),
            y=percent.tolist(),
            name=prediction.model,
            marker_color=colour,
            hovertemplate=f"{prediction.model}: %{{x}} %{{y:.1f}} %<extra></extra>",
        )
    return _styled(figure, "Probability", barmode="group").update_yaxes(range=[0, 100], ticksuffix=" %")


def region_comparison(evidence: Mapping[str, Sequence[RegionEvidence]], method: str) -> "go.Figure":
    """Net evidence of each part of the face for several models, as a plotly Figure.

    What speaks for the target less what speaks against it, in shares of all evidence of the model,
    both ways together.

    Args:
        evidence: model's name -> its evidence.
        method: whose evidence it is, for people.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for (model, items), colour in zip(evidence.items(), PALETTE, strict=False):
        whole = sum(item.supporting - item.opposing for item in items) or 1.0
        figure.add_bar(
            y=[item.label for item in items],
            x=[item.total / whole * 100 for item in items],
            name=model,
            orientation="h",
            marker_color=colour,
            hovertemplate=f"{model}: %{{y}} %{{x:.1f}} %<extra></extra>",
        )
    figure.update_yaxes(autorange="reversed")
    return _styled(figure, f"Evidence by part of the face<br><sup>{method}</sup>", barmode="group").update_xaxes(
        ticksuffix=" %"
    )


def trust_curves(result: "TrustResult") -> "go.Figure":
    """The deletion and insertion curves of a trust reading, a row a fill, as a plotly Figure.

    Up goes the probability of the target. That of a map that holds up falls faster than its controls on the left and
    rises faster on the right.
    """
    from plotly.subplots import make_subplots

    shown = [one for one in result.curves if one.score == "probability"]
    rows = len(shown)
    titles = ("hiding what it marks", "showing only that")
    figure = make_subplots(rows, 2, column_titles=titles, shared_yaxes=True, vertical_spacing=0.14)
    for row, curves in enumerate(shown, 1):
        figure.update_yaxes(title_text=HIDDEN[curves.fill], row=row, col=1)
        for column, side in enumerate(("deletion", "insertion"), 1):
            lines = {
                "this map": (getattr(curves, side), SUPPORTING, "solid"),
                "random maps": (getattr(curves, f"random_{side}"), "#8a8a8a", "dash"),
                "the middle": (getattr(curves, f"centre_prior_{side}"), "#E69F00", "dot"),
                "other faces' average": (getattr(curves, f"average_map_{side}"), "#CC79A7", "longdash"),
                "other faces": (getattr(curves, f"other_faces_{side}"), "#0072B2", "dashdot"),
            }
            for name, (scores, colour, dash) in lines.items():
                if np.isnan(scores).any():
                    continue
                figure.add_scatter(
                    x=(curves.shares * 100).tolist(),
                    y=(scores * 100).tolist(),
                    name=name,
                    legendgroup=name,
                    showlegend=row == column == 1,
                    mode="lines",
                    line={"color": colour, "dash": dash, "width": 2.5 if name == "this map" else 2},
                    hovertemplate=f"{name}: %{{x:.0f}} % of the picture, %{{y:.1f}} %<extra></extra>",
                    row=row,
                    col=column,
                )
    figure.update_yaxes(range=[0, 102], ticksuffix=" %", title_font_size=12)
    figure.update_xaxes(range=[0, 100], tickvals=[0, 50, 100], ticktext=["0", "50", "100 %"], title_font_size=12)
    figure.update_xaxes(title_text="of the picture", row=rows)
    return _styled(figure, None, None)


def _styled(figure: "go.Figure", title: str | None, barmode: str | None) -> "go.Figure":
    return figure.update_layout(
        title=title,
        barmode=barmode,
        height=380,
        margin={"l": 8, "r": 8, "t": 56, "b": 72},
        legend={"orientation": "h", "yanchor": "top", "y": -0.12, "x": 0},
        template="plotly_white",
    )
