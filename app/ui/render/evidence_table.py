"""The evidence by part of the face as HTML: outlines over the heatmap and a table, which light up together."""

from collections.abc import Sequence

import cv2
import numpy as np

from explain import evidence
from explain.base import Explanation
from explain.evidence import RegionEvidence
from models import framing, regions

REST = "Point at a part of the face, or tap it, to read its share."
SIMPLER = 0.08
"""How far, in pixels of the crop, a drawn outline may leave the true one."""

LIGHT = """
const light = (part) => {
  const readout = document.querySelector('#heatmap .fw-readout');
  if (!readout) return;
  for (const item of document.querySelectorAll('#heatmap [data-region], #evidence-parts [data-region]'))
    item.classList.toggle('lit', part !== null && item.dataset.region === part.dataset.region);
  readout.textContent = part ? part.dataset.told : readout.dataset.rest;
};
const seek = (event) => light(event.target.closest('[data-region]'));
for (const kind of ['pointerover', 'focusin', 'click']) element.addEventListener(kind, seek);
element.addEventListener('pointerleave', (event) => { if (event.pointerType !== 'touch') light(null); });
element.addEventListener('focusout', () => light(null));
"""
"""For `gr.HTML(js_on_load=)`: a part that is pointed at, tapped or focused is read out, and lights up in
the picture and in the table. What a finger tapped stays lit until the next tap."""


def label(item: RegionEvidence, explanation: Explanation) -> str:
    """What a map says about one part, in one line."""
    above, below = evidence.sides(explanation)
    shares = f"{evidence.percent(item.share_supporting)} of what {above}"
    if explanation.signed:
        shares += f", {evidence.percent(item.share_opposing)} of what {below}"
    return f"{item.label}: {shares}; {size(item)}"


def size(item: RegionEvidence) -> str:
    """How much a part counts for its size."""
    if not item.pixels:
        return "outside the picture"
    return f"for its size {item.density:.1f} times the average"


def outlines(crop_keypoints: np.ndarray, items: Sequence[RegionEvidence], explanation: Explanation) -> str:
    """The parts of the face as thin lines over a heatmap; each can be pointed at, tapped and focused.

    Args:
        crop_keypoints: float (15, 2), in pixels of the crop.
        items: the evidence of all regions.
        explanation: whose evidence it is.
    """
    side = framing.CROP_SIDE
    lines = regions.outlines(crop_keypoints)
    whole = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32) - 0.5
    lines["background"] = [whole]
    labels = {item.region: label(item, explanation) for item in items}
    areas = "".join(  # the largest first, so that a part lies above the face and the face above the background
        f'<path d="{_path(lines[region])}" data-region="{region}" data-told="{labels[region]}" tabindex="0" '
        f'role="img" aria-label="{labels[region]}"/>'
        for region in reversed(regions.REGIONS)
        if lines[region]
    )
    return (
        f'<svg class="fw-outlines" viewBox="-0.5 -0.5 {side} {side}" role="group" '
        f'aria-label="The parts of the face">{areas}</svg>'
    )


def readout() -> str:
    """The line under a heatmap that says what is pointed at."""
    return f'<p class="fw-readout" aria-live="polite" data-rest="{REST}">{REST}</p>'


def table(items: Sequence[RegionEvidence], explanation: Explanation) -> str:
    """The shares of every part, and how much it counts for its size, as a table with bars."""
    above, below = evidence.sides(explanation)
    columns = [(above, "for", [item.share_supporting for item in items])]
    if explanation.signed:
        columns.append((below, "against", [item.share_opposing for item in items]))
    most = max(max(shares) for _, _, shares in columns) or 1.0
    densest = max(item.density for item in items) or 1.0
    heads = "".join(f'<th scope="col">{name}</th>' for name, _, _ in columns)
    rows = "".join(
        f'<tr data-region="{item.region}" data-told="{label(item, explanation)}"><th scope="row">{item.label}</th>'
        + "".join(_cell(kind, shares[i] / most, evidence.percent(shares[i])) for _, kind, shares in columns)
        + _cell("size", item.density / densest, f"{item.density:.1f}\u00a0×")
        + "</tr>"
        for i, item in enumerate(items)
    )
    return (
        '<table class="fw-parts"><caption>Evidence by part of the face</caption>'
        f'<thead><tr><th></th>{heads}<th scope="col">for its size</th></tr></thead><tbody>{rows}</tbody>'
        f"{_together(items) if explanation.signed else ''}</table>"
        '<p class="fw-small">A large part holds a large share of almost any map. "For its size" says how strongly a '
        "part is marked: 1.0 is the average of the picture. Left and right are the person's own.</p>"
    )


def _together(items: Sequence[RegionEvidence]) -> str:
    """How the whole map is divided between the two sides."""
    above, below = sum(item.supporting for item in items), -sum(item.opposing for item in items)
    shares = [evidence.percent(part / (above + below)) if above + below else "" for part in (above, below)]
    return f'<tfoot><tr><th scope="row">of all</th><td>{shares[0]}</td><td>{shares[1]}</td><td></td></tr></tfoot>'


def _cell(kind: str, length: float, written: str) -> str:
    return f'<td><span class="fw-{kind}"><i style="width:{length:.0%}"></i></span>{written}</td>'


def _path(lines: Sequence[np.ndarray]) -> str:
    simpler = [cv2.approxPolyDP(line, SIMPLER, closed=True)[:, 0] for line in lines]
    return "".join("M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in line) + "Z" for line in simpler)
