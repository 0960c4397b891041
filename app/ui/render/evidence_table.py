"""The evidence by part of the face as HTML: outlines over the heatmap and a table, which light up together."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from app.ui.render.html import fill
from explain import evidence, part_ranges
from explain.base import Explanation
from explain.evidence import RegionEvidence
from explain.part_ranges import PartRanges
from models import framing, regions

REST = "Point at a part of the face, or tap it, to read its share."
SIMPLER = 0.08
"""How far, in pixels of the crop, a drawn outline may leave the true one."""


def label(item: RegionEvidence, explanation: Explanation) -> str:
    """What a map says about one part, in one line."""
    above, below = evidence.sides(explanation)
    shares = f"{evidence.percent(item.share_supporting)} of what {above}"
    if explanation.signed:
        shares += f", {evidence.percent(item.share_opposing)} of what {below}"
    return f"{item.label}: {shares}; {usual(item) or size(item)}"


def usual(item: RegionEvidence) -> str:
    """How much a part holds in the same method's maps of other faces; "" where that is not known."""
    if not item.pixels or item.usual_supporting is None:
        return ""
    return f"on other faces {evidence.percent(item.usual_supporting)} is usual"


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
    areas = [  # the largest first, so that a part lies above the face and the face above the background
        {"path": _path(lines[region]), "region": region, "label": labels[region]}
        for region in reversed(regions.REGIONS)
        if lines[region]
    ]
    return fill("outlines", side=side, areas=areas)


def table(
    items: Sequence[RegionEvidence],
    explanation: Explanation,
    ranges: PartRanges | None = None,
    awaited: bool = False,
) -> str:
    """The shares of every part, and how much it counts for its size, as a table with bars.

    Args:
        items: the evidence of all regions.
        explanation: whose evidence it is.
        ranges: how far the shares move; None where that is not known.
        awaited: whether the ranges are still to come: their place is kept.
    """
    above, below = evidence.sides(explanation)
    columns = [("for", "share_supporting")]
    if explanation.signed:
        columns.append(("against", "share_opposing"))
    most = max(getattr(item, name) for item in items for _, name in columns) or 1.0
    densest = max(item.density for item in items) or 1.0
    known = all(item.usual_supporting is not None for item in items)
    rows = [
        {
            "region": item.region,
            "told": label(item, explanation),
            "label": item.label,
            "bars": [
                _bar(
                    kind,
                    getattr(item, name) / most,
                    evidence.percent(getattr(item, name)),
                    part_ranges.between(getattr(ranges.parts[i], name)) if ranges else "[…]" if awaited else "",
                )
                for kind, name in columns
            ]
            + [_usual_bar(item, most) if known else _bar("size", item.density / densest, f"{item.density:.1f}\u00a0×")],
        }
        for i, item in enumerate(items)
    ]
    sides = [above, below][: len(columns)]
    rests = sum(item.pixels for item in items if item.region in evidence.RESTS) / sum(item.pixels for item in items)
    return fill(
        "evidence_table",
        sides=sides,
        rows=rows,
        known=known,
        rests=evidence.percent(rests),
        ranges=part_ranges.message(ranges) if ranges else "",
        awaited=awaited,
        together=_together(items) if explanation.signed else None,
    )


def _together(items: Sequence[RegionEvidence]) -> list[str]:
    """How the whole map is divided between the two sides."""
    above, below = sum(item.supporting for item in items), -sum(item.opposing for item in items)
    return [evidence.percent(part / (above + below)) if above + below else "" for part in (above, below)]


def _usual_bar(item: RegionEvidence, most: float) -> dict[str, Any]:
    """What a part holds of the first column on other faces."""
    share = item.usual_supporting or 0.0
    return _bar("size", min(1.0, share / most), evidence.percent(share))


def _bar(kind: str, length: float, written: str, ends: str = "") -> dict[str, Any]:
    return {"kind": kind, "length": length, "written": written, "ends": ends}


def _path(lines: Sequence[np.ndarray]) -> str:
    simpler = [cv2.approxPolyDP(line, SIMPLER, closed=True)[:, 0] for line in lines]
    return "".join("M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in line) + "Z" for line in simpler)
