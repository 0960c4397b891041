"""The Lab as HTML: the face to work on, the models' answers before and after, and what was done."""

from collections.abc import Mapping
from functools import cache
from html import escape

import cv2
import numpy as np

from app import lab_text, source_faces, text
from app.experiments import Outcome, Tried
from app.ui.render import pictures
from explain import figures, scale
from explain.base import Explanation
from explain.lab.counterfactual import Counterfactual
from explain.lab.steps import SIDE, Experiment, Hide, Swap
from models import photo, regions
from models.regions import LABELS, REGIONS
from models.types import EMOTIONS

FACE_SIDE = 432
THUMBNAIL = 96

WORK = """
const svg = () => element.querySelector('svg.fw-bench');
const painting = () => svg() && getComputedStyle(svg()).touchAction === 'none';
let points = null;
const place = (event) => {
  const box = svg().getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * 48, (event.clientY - box.top) / box.height * 48];
};
const draw = () => {
  const line = [...points, points[points.length - 1]];  // a dot is a line as well
  svg().querySelector('.fw-stroke').setAttribute('points', line.join(' '));
};
element.addEventListener('pointerdown', (event) => {
  if (!painting() || !event.target.closest('svg.fw-bench')) return;
  event.preventDefault();
  points = [place(event)];
  draw();
});
element.addEventListener('pointermove', (event) => {
  if (!points || points.length >= 400) return;
  points.push(place(event));
  draw();
});
const finish = () => {
  if (!points) return;
  const width = parseFloat(getComputedStyle(svg().querySelector('.fw-stroke')).strokeWidth);
  trigger('select', {stroke: points.map((point) => point.map((value) => Math.round(value * 10) / 10)), width});
  points = null;
};
window.addEventListener('pointerup', finish);
window.addEventListener('pointercancel', () => { points = null; });
const choose = (event) => {
  const target = event.target.closest('[data-index]');
  if (target && !painting()) trigger('select', {index: Number(target.dataset.index)});
};
element.addEventListener('click', choose);
element.addEventListener('keydown', (event) => {
  if (!['Enter', ' '].includes(event.key)) return;
  event.preventDefault();
  choose(event);
});
"""
"""For `gr.HTML(js_on_load=)`: a tap hides a part of the face; where touch draws, a line paints a patch."""

COPY = """
element.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const link = new URL(element.querySelector('a').getAttribute('href'), document.baseURI).href;
  try { await navigator.clipboard.writeText(link); button.textContent = 'Copied'; }
  catch { window.prompt('Copy this link', link); }
});
"""


def changed_face(outcome: Outcome) -> str:
    """The changed face, its parts ready to be hidden."""
    changed = outcome.changed
    hidden = {step.region for step in outcome.experiment.steps if isinstance(step, Hide)}
    outlines = regions.outlines(changed.keypoints)
    order = ["face", *(region for region in outlines if region != "face")]  # the parts lie on the face
    areas = "".join(_area(region, outlines[region], region in hidden) for region in order if outlines[region])
    return (
        f'<svg class="fw-bench" viewBox="0 0 {SIDE} {SIDE}" role="group" aria-label="The face as the models see it">'
        f'<image href="{_enlarged(changed.crop, FACE_SIDE)}" width="{SIDE}" height="{SIDE}"/>{areas}'
        f'<polyline class="fw-stroke" points=""/></svg>'
    )


def parts(experiment: Experiment) -> str:
    """A button for every part of the face that can be hidden."""
    buttons = "".join(
        f'<button type="button" data-index="{index}" aria-pressed="{_flag(experiment.find(("hide", region)))}">'
        f"{LABELS[region]}</button>"
        for index, region in enumerate(REGIONS)
    )
    return f'<h3>Hide a part</h3><div class="fw-chips" role="group" aria-label="Hide a part">{buttons}</div>'


def swaps(experiment: Experiment, part: str) -> str:
    """The example faces that a part can come from."""
    step = experiment.find((Swap.DO, part))
    buttons = "".join(
        f'<button type="button" data-index="{index}" aria-pressed="{_flag(step and step.donor == name)}">'
        f'<img alt="" src="{src}"><span>{source_faces.display_name(name)}</span></button>'
        for index, (name, src) in enumerate(thumbnails().items())
    )
    label = f"Take the {lab_text.PARTS[part]} of"
    return f'<div class="fw-examples fw-donors" role="group" aria-label="{label}">{buttons}</div>'


@cache
def thumbnails() -> dict[str, str]:
    """The example faces, small, by name."""
    return {name: pictures.thumbnail(photo.read(path), THUMBNAIL) for name, path in source_faces.paths().items()}


def done(experiment: Experiment) -> str:
    """The steps in their order; each can be taken away."""
    if not experiment.steps:
        return ""
    items = "".join(
        f'<li><button type="button" data-index="{index}" aria-label="Take away: {lab_text.named(step)}">'
        f'{lab_text.named(step)} <span aria-hidden="true">×</span></button></li>'
        for index, step in enumerate(experiment.steps)
    )
    return f'<ol class="fw-chips fw-steps">{items}</ol>'


def shared(experiment: Experiment) -> str:
    """The link that brings an experiment back."""
    if not experiment.steps:
        return '<p class="fw-small">An experiment gets a link of its own; it holds the steps, never the picture.</p>'
    return (
        f'<p class="fw-link"><button type="button">Copy the link</button> '
        f'<a href="?lab={experiment.code}" target="_blank" rel="noopener">This experiment</a> '
        f'<span class="fw-small">holds the steps, never the picture. It works on any face.</span></p>'
    )


def verdict(outcome: Outcome) -> str:
    """What happened, in a sentence or two."""
    return f'<p class="fw-verdict" role="status">{lab_text.summary(outcome)}</p>'


def answers(outcome: Outcome) -> str:
    """A card a model: its heatmap, its answers before and after, and whether the heatmap was right."""
    limit = scale.shared(outcome.maps.values())
    cards = "".join(_card(name, tried, outcome, limit) for name, tried in outcome.models.items())
    return (
        f'<div class="fw-answers">{cards}</div>'
        f'<p class="fw-small">Pale, broad bars: before. Thin bars: now. The outline on a heatmap, which is that of '
        f"the face before, is what was hidden. It took {text.duration(outcome.seconds)}.</p>"
    )


def smallest(found: Mapping[str, Counterfactual | None]) -> str:
    """The smallest change that flips each model's answer, ready to be tried."""
    rows = []
    for index, (name, change) in enumerate(found.items()):
        button = f'<button type="button" data-index="{index}">Try it</button>' if change else ""
        rows.append(f"<li><span>{lab_text.smallest(name, change)}</span>{button}</li>")
    return f'<ul class="fw-smallest">{"".join(rows)}</ul>'


def note(experiment: Experiment) -> str:
    """What stands here where there is no face yet."""
    return f'<p class="fw-note">{lab_text.invitation(experiment)}</p>'


def _card(name: str, tried: Tried, outcome: Outcome, limit: scale.Scale) -> str:
    before, after = text.ADJECTIVES[tried.before.emotion], text.ADJECTIVES[tried.after.emotion]
    sees = f"sees <b>{after}</b>" if before == after else f"saw {before}, now sees <b>{after}</b>"
    watched = outcome.target.emotion
    bars = "".join(
        _bar(EMOTIONS[index], tried.before.probabilities[index], tried.after.probabilities[index], index == watched)
        for index in range(len(EMOTIONS))
    )
    verdict = f'<p class="fw-small fw-told">{escape(lab_text.message(outcome.maps[name], tried))}</p>'
    return (
        f'<article class="fw-card"><h3>{text.MODELS[name]} <span>{sees}</span></h3><div class="fw-tried">'
        f"{_heatmap(outcome.maps[name], limit, outcome)}<dl>{bars}</dl></div>"
        f"{verdict if outcome.experiment.steps else ''}</article>"
    )


def _bar(emotion: str, before: float, after: float, watched: bool) -> str:
    start, end = _short(before), _short(after)
    told = f"{end}\u00a0%" if start == end else f"{start} → {end}\u00a0%"
    return (
        f"<dt{' class=fw-watched' if watched else ''}>{emotion}</dt>"
        f'<dd><span class="fw-track"><i style="width:{before:.1%}"></i><b style="width:{after:.1%}"></b></span>'
        f"<span>{told}</span></dd>"
    )


def _short(share: float) -> str:
    """A probability in percent where there is little room; never a rounded-up certainty."""
    return "&gt;99" if share > 0.99 else "&lt;1" if share < 0.01 else f"{100 * share:.0f}"


def _heatmap(explanation: Explanation, limit: scale.Scale, outcome: Outcome) -> str:
    """The heatmap of the face before, and the outline of what was hidden."""
    touched = np.repeat(np.repeat(outcome.changed.touched, 4, 0), 4, 1).astype(np.uint8)
    contours, _ = cv2.findContours(touched, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    outline = _path([contour[:, 0] / 4 for contour in contours])
    face = outcome.face.crop
    alt = f"Heatmap of {text.MODELS[explanation.model]} for {explanation.target.name}"
    return (
        f'<svg class="fw-map" viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{alt}">'
        f'<image href="{_enlarged(face, 192)}" width="{SIDE}" height="{SIDE}"/>'
        f'<image class="fw-heat" href="{pictures.png(figures.heat(explanation.values, limit, 192))}" '
        f'width="{SIDE}" height="{SIDE}"/><path d="{outline}"/></svg>'
    )


def _area(region: str, contours: list[np.ndarray], hidden: bool) -> str:
    verb = "Show" if hidden else "Hide"
    return (
        f'<path d="{_path([contour + 0.5 for contour in contours])}" data-index="{REGIONS.index(region)}" '
        f'role="button" tabindex="0" aria-pressed="{_flag(hidden)}" aria-label="{verb} the {LABELS[region]}">'
        f"<title>{LABELS[region]}</title></path>"
    )


def _path(contours: list[np.ndarray]) -> str:
    """Closed lines through points in pixels of the crop."""
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in contour[::2]) + "Z" for contour in contours)


def _enlarged(crop: np.ndarray, side: int) -> str:
    grey = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)
    return pictures.jpeg(np.uint8(np.clip(grey, 0, 1) * 255 + 0.5))


def _flag(value) -> str:
    return "true" if value else "false"
