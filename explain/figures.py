"""Pictures and charts of predictions and explanations."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from explain import scale
from explain.base import Target
from explain.evidence import RegionEvidence
from explain.scale import Scale
from models.types import EMOTIONS, Prediction

SIDE = 384
"""Side of an overlay in pixels."""
DIVERGING = ((33, 102, 172), (103, 169, 207), (247, 247, 247), (239, 138, 98), (178, 24, 43))
"""RdBu of ColorBrewer: blue speaks against the target, red for it; told apart by colour-blind eyes."""
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's colours, one a model."""
SUPPORTING, OPPOSING = "#B2182B", "#2166AC"


def colours(strength: np.ndarray) -> np.ndarray:
    """Colours of normalised values: float (...) in -1..1 -> float32 (..., 3) in 0..255, RGB."""
    stops = np.linspace(-1, 1, len(DIVERGING))
    channels = [np.interp(strength, stops, channel) for channel in zip(*DIVERGING, strict=True)]
    return np.stack(channels, -1).astype(np.float32)


def heat(values: np.ndarray, shared: Scale, side: int = SIDE) -> np.ndarray:
    """A map as a picture to lay over a face, uint8 (side, side, 4), RGBA.

    A value covers the face as much as it weighs: zero is transparent, so that the face stays in
    sight and a flat map hides nothing.
    White turns to red where the face speaks for the target and to blue where against it.

    Args:
        values: float32 (H, W), raw.
        shared: what full colour means, see `scale.shared`.
        side: of the result in pixels.
    """
    strength = scale.resize(scale.normalise(values, shared), side, side)
    cover = np.abs(strength)[..., None] * 255
    return np.concatenate([colours(strength), cover], -1).round().astype(np.uint8)


def overlay(crop: np.ndarray, values: np.ndarray, shared: Scale, opacity: float = 0.7, side: int = SIDE) -> np.ndarray:
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


def colour_bar(signed: bool, width: int = 256, height: int = 16) -> np.ndarray:
    """The colours of the scale from its low to its high end, uint8 (height, width, 3), RGB."""
    strength = np.linspace(-1 if signed else 0, 1, width)
    return np.tile(colours(strength).round().astype(np.uint8), (height, 1, 1))


def colour_bar_words(shared: Scale, target: Target) -> tuple[str, str]:
    """What the low and the high end of the colour bar mean."""
    if not shared.limit:
        return "no evidence", "no evidence"
    low = f"speaks against {target.name} (-{shared.limit:.2g} a pixel)" if shared.signed else "0"
    return low, f"speaks for {target.name} ({shared.limit:.2g} a pixel)"


def probability_chart(predictions: Sequence[Prediction]):
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


def region_bars(evidence: Sequence[RegionEvidence], target: Target, signed: bool):
    """How much of the evidence lies in each part of the face, as a plotly Figure.

    Bars to the right speak for the target, bars to the left against it; lengths are shares of all
    evidence, both ways together.
    """
    import plotly.graph_objects as go

    labels = [item.label for item in evidence]
    whole = sum(item.supporting - item.opposing for item in evidence) or 1.0
    sides = [(f"speaks for {target.name}", SUPPORTING, [item.supporting / whole * 100 for item in evidence])]
    if signed:
        sides.append((f"speaks against {target.name}", OPPOSING, [item.opposing / whole * 100 for item in evidence]))
    figure = go.Figure()
    for name, colour, shares in sides:
        figure.add_bar(
            y=labels,
            x=shares,
            name=name,
            orientation="h",
            marker_color=colour,
            text=[f"{abs(share):.0f} %" if abs(share) >= 0.5 else "" for share in shares],
            hovertemplate=f"%{{y}} {name}: %{{x:.1f}} %<extra></extra>",
        )
    figure.update_yaxes(autorange="reversed")
    return _styled(figure, "Evidence by part of the face", barmode="relative").update_xaxes(ticksuffix=" %")


def region_comparison(evidence: Mapping[str, Sequence[RegionEvidence]]):
    """Net evidence of each part of the face for several models, as a plotly Figure.

    Args:
        evidence: model's name -> its evidence.
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
    return _styled(figure, "Evidence by part of the face", barmode="group").update_xaxes(ticksuffix=" %")


def _styled(figure, title: str, barmode: str):
    return figure.update_layout(
        title=title,
        barmode=barmode,
        height=380,
        margin={"l": 8, "r": 8, "t": 56, "b": 72},
        legend={"orientation": "h", "yanchor": "top", "y": -0.12, "x": 0},
        template="plotly_white",
    )
