"""Draw how each method comes to its map: docs/methods/<method>.jpg, from astronaut.jpg and the weights that ship.

python -m examples.method_pictures [METHOD ...] [--model NAME]
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from explain import figures, registry, scale
from explain.base import Target
from explain.methods import (
    background,
    cam,
    gradcam,
    gradcam_plus_plus,
    gradients,
    integrated_gradients,
    masking,
    occlusion,
    rise,
    scorecam,
    shap_partition,
    smoothgrad,
)
from models import detector, keypoints, photo, regions, zoo
from models.model import Model
from models.regions import LABELS, REGIONS
from models.types import Face

PHOTO = Path(__file__).with_name("astronaut.jpg")
FOLDER = Path(__file__).parents[1] / "docs" / "methods"
SIDE, GAP, LINES, LINE = 192, 12, 4, 16
PAPER, INK = (255, 255, 255), (40, 44, 40)

Panel = tuple[np.ndarray, str]
"""A picture, uint8 (SIDE, SIDE, 3), and the words under it."""


@dataclass(frozen=True, eq=False)
class Case:
    """What is explained: a face, a model, and the emotion that the model names."""

    model: Model
    face: Face
    target: Target

    @property
    def crop(self) -> np.ndarray:
        return self.face.crop

    @property
    def hidden(self) -> np.ndarray:
        """What hidden parts show."""
        return masking.baseline_picture(self.crop, "mean face")

    def scores(self, *crops: np.ndarray) -> list[float]:
        """The target's score for each crop."""
        return (self.model.logits(np.stack(crops)) @ self.target.weights).tolist()

    def layer(self) -> tuple[np.ndarray, np.ndarray]:
        """The last convolution's maps and their gradient, float32 (h, w, K) each."""
        compiled = gradients.maps_and_gradients(self.model, cam.layer_at(self.model, "coarse"))
        [(maps, gradient)] = compiled(self.crop[None, ..., None], self.target.weights)
        return maps.numpy()[0], gradient.numpy()[0]

    def gradient(self, *crops: np.ndarray) -> np.ndarray:
        """The score's gradient at each crop, float32 (N, 48, 48)."""
        return gradients.input_gradients(self.model)(np.stack(crops), self.target.weights)

    def explained(self, method: str, caption: str, **params) -> Panel:
        """A method's map over the face."""
        explanation = registry.explain(self.model, self.face, self.target, method, params)
        return figures.overlay(self.crop, explanation.values, scale.shared([explanation]), side=SIDE), caption


def opened(name: str) -> Case:
    """The face of the example photo, and what the model of this name says about it."""
    picture = photo.read(PHOTO)
    face = keypoints.read(detector.find(picture, limit=1), picture)[0]
    model = zoo.load(name)
    return Case(model, face, Target(model.predict([face])[0].top))


# ----------------------------------------------------------------- the panels


def enlarged(values: np.ndarray, smooth: bool = False) -> np.ndarray:
    interpolation = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return cv2.resize(values.astype(np.float32), (SIDE, SIDE), interpolation=interpolation)


def grey(crop: np.ndarray) -> np.ndarray:
    """A face, float (48, 48) in 0..1, as a picture."""
    shown = np.clip(enlarged(crop, smooth=True), 0, 1) * 255
    return np.repeat(shown[..., None], 3, -1).round().astype(np.uint8)


def coloured(values: np.ndarray) -> np.ndarray:
    """Values on their own grid as a picture: red above zero, blue below, full colour at the largest."""
    limit = np.percentile(np.abs(values), scale.PERCENTILE) or 1
    return figures.colours(np.clip(enlarged(values) / limit, -1, 1)).round().astype(np.uint8)


def outlined(face: Face) -> np.ndarray:
    """The regions of a face."""
    picture = grey(face.crop)
    factor = SIDE / face.crop.shape[0]
    for borders in regions.outlines(face.crop_keypoints).values():
        points = [((border + 0.5) * factor).round().astype(np.int32) for border in borders]
        cv2.polylines(picture, points, True, (230, 159, 0), 2, cv2.LINE_AA)
    return picture


def change(number: float) -> str:
    return f"{'rises' if number >= 0 else 'falls'} by {abs(number):.2f}"


# ------------------------------------------------------------------ the steps


def steps_gradcam(case: Case) -> list[Panel]:
    maps, gradient = case.layer()
    weights = gradient.mean((0, 1))
    pushes = maps.mean((0, 1)) * weights
    name, count = case.target.name, len(weights)

    def channel(k):
        return coloured(
            maps[..., k]
        ), f"Map {k + 1} of {count} of the last convolution. Its weight is {weights[k]:+.3f}"

    return [
        channel(int(pushes.argmax())),
        channel(int(pushes.argmin())),
        (coloured(gradcam.weigh(maps, gradient, False)), f"All maps times their weights, added up: red is for {name}"),
        case.explained("gradcam", "What is above zero, enlarged, over the face"),
    ]


def steps_gradcam_plus_plus(case: Case) -> list[Panel]:
    maps, gradient = case.layer()
    against = int((gradient.mean((0, 1)) < 0).sum())
    return [
        (coloured(gradcam.weigh(maps, gradient, False)), "Grad-CAM adds up all maps: for (red) and against (blue)"),
        (
            coloured(gradcam_plus_plus.weigh(maps, gradient)),
            f"Grad-CAM++ leaves out the {against} of {maps.shape[-1]} maps that speak against {case.target.name}",
        ),
        case.explained("gradcam_plus_plus", "Enlarged, over the face"),
    ]


def steps_scorecam(case: Case) -> list[Panel]:
    maps, _ = case.layer()
    chosen = scorecam.most_varied(maps, scorecam.Params().channels)
    windows = scorecam.windows(maps[..., chosen], *case.crop.shape)
    seen = case.hidden + windows * (case.crop - case.hidden)
    scores = np.array(case.scores(*seen))
    rises = scores - scores.mean()
    best, worst = int(rises.argmax()), int(rises.argmin())

    def through(i):
        side = "above" if rises[i] >= 0 else "below"
        words = f"The face through map {chosen[i] + 1}: {case.target.name} {abs(rises[i]):.2f} {side} the mean"
        return grey(seen[i]), words

    return [
        (grey(windows[best]), f"Map {chosen[best] + 1} of the last convolution as a window"),
        through(best),
        through(worst),
        case.explained("scorecam", f"{len(chosen)} maps, each by how far it scored off the mean, over the face"),
    ]


def steps_saliency(case: Case) -> list[Panel]:
    [gradient] = case.gradient(case.crop)
    return [
        (coloured(gradient), f"Red: a brighter pixel would push towards {case.target.name}. Blue: a darker one would"),
        (coloured(np.abs(gradient)), "How strongly, whichever way"),
        case.explained("saliency", "Over the face"),
    ]


def steps_smoothgrad(case: Case) -> list[Panel]:
    params = smoothgrad.Params()
    copies = smoothgrad.noisy(case.crop, params.samples, params.noise, params.seed)
    found = case.gradient(*copies)
    return [
        (grey(copies[0]), f"One of {params.samples} noisy copies"),
        (coloured(found[0]), "How the answer reacts to each of its pixels"),
        (coloured(np.square(found).mean(0)), "The mean over all copies, each reaction squared"),
        case.explained("smoothgrad", "Over the face"),
    ]


def steps_integrated_gradients(case: Case) -> list[Panel]:
    way, steps = case.crop - case.hidden, integrated_gradients.Params().steps
    middle = case.hidden + way / 2
    [gradient] = case.gradient(middle)
    return [
        (grey(case.hidden), "Where the way begins: the average face"),
        (grey(middle), "Half of the way"),
        (coloured(gradient * way), "What each pixel's change adds there"),
        case.explained("integrated_gradients", f"The mean over {steps} points of the way, over the face"),
    ]


def steps_shap_gradient(case: Case) -> list[Panel]:
    average = background.faces()[0]
    blend = (average + case.crop) / 2
    [gradient] = case.gradient(blend)
    return [
        (grey(average), f"One of {len(background.faces())} average faces"),
        (grey(blend), "A blend of the two"),
        (coloured(gradient * (case.crop - average)), "What each pixel's change adds there"),
        case.explained("shap_gradient", "The mean over 64 blends, over the face"),
    ]


def steps_shap_partition(case: Case) -> list[Panel]:
    upper = np.arange(case.crop.shape[0])[:, None] < case.crop.shape[0] // 2
    half = np.where(upper, case.crop, case.hidden)
    none, some = case.scores(case.hidden, half)
    few, many = 128, shap_partition.Params().evaluations
    values = shap_partition.run(case.model, case.crop, case.target, shap_partition.Params(evaluations=few))
    return [
        (grey(case.hidden), "What hidden pieces show: the average face"),
        (grey(half), f"Cut in half. With the upper half {case.target.name} {change(some - none)}"),
        (coloured(values), f"Cut where it matters most: the pieces after {few} questions"),
        case.explained("shap_partition", f"After {many}, over the face"),
    ]


def steps_shap_regions(case: Case) -> list[Panel]:
    masks = regions.masks(case.face.crop_keypoints)
    explanation = registry.explain(case.model, case.face, case.target, "shap_regions")
    totals = [float(explanation.values[mask].sum(dtype=np.float64)) for mask in masks]
    most = int(np.abs(totals).argmax())
    label, name = LABELS[REGIONS[most]], case.target.name
    alone, without = (np.where(shown, case.crop, case.hidden) for shown in (masks[most], ~masks[most]))
    none, one, others, every = case.scores(case.hidden, alone, without, case.crop)
    return [
        (outlined(case.face), "Eight parts, cut by the keypoints"),
        (grey(alone), f"On an average face the {label} alone: {name} {change(one - none)}"),
        (grey(without), f"The {label} last, after all others: {name} {change(every - others)}"),
        case.explained("shap_regions", f"The mean over all orders, over the face: {totals[most]:+.2f} for the {label}"),
    ]


def steps_occlusion(case: Case) -> list[Panel]:
    params, side = occlusion.Params(), case.crop.shape[0]
    masks = occlusion.covered(occlusion.corners(side, params.patch, params.step), params.patch, side)
    patched = np.where(masks, case.hidden, case.crop)
    whole, *scores = case.scores(case.crop, *patched)
    changes = np.array(scores) - whole
    grid = int(len(changes) ** 0.5)

    def at(i):
        picture = grey(patched[i])
        top, left = (np.argwhere(masks[i])[0] * SIDE // side).tolist()
        end = (left + params.patch * SIDE // side, top + params.patch * SIDE // side)
        cv2.rectangle(picture, (left, top), end, (230, 159, 0), 2)
        return picture, f"With this patch {case.target.name} {change(changes[i])}"

    return [
        at(int(changes.argmin())),
        at(int(changes.argmax())),
        (coloured(-changes.reshape(grid, grid)), f"All {len(changes)} places of the patch: red where the score falls"),
        case.explained("occlusion", "Averaged over the patches that hide a pixel, over the face"),
    ]


def steps_rise(case: Case) -> list[Panel]:
    params = rise.Params()
    masks = rise.random_masks(params.masks, params.cells, case.crop.shape[0], params.seed)
    seen = case.hidden + masks * (case.crop - case.hidden)
    scores = np.array(case.scores(*seen))
    rises = scores - scores.mean()
    best, worst = int(rises.argmax()), int(rises.argmin())

    def through(i):
        side = "above" if rises[i] >= 0 else "below"
        return grey(seen[i]), f"The face through mask {i + 1}: {case.target.name} {abs(rises[i]):.2f} {side} the mean"

    return [
        (grey(masks[best]), f"Mask {best + 1} of {params.masks}: white shows the face, black an average one"),
        through(best),
        through(worst),
        case.explained(
            "rise", f"Masks weighed by how far they scored off the mean of all {params.masks}, over the face"
        ),
    ]


STEPS: dict[str, Callable[[Case], list[Panel]]] = {
    "gradcam": steps_gradcam,
    "gradcam_plus_plus": steps_gradcam_plus_plus,
    "scorecam": steps_scorecam,
    "saliency": steps_saliency,
    "smoothgrad": steps_smoothgrad,
    "integrated_gradients": steps_integrated_gradients,
    "shap_gradient": steps_shap_gradient,
    "shap_partition": steps_shap_partition,
    "shap_regions": steps_shap_regions,
    "occlusion": steps_occlusion,
    "rise": steps_rise,
}


# ------------------------------------------------------------------ the strip


def strip(panels: list[Panel]) -> Image.Image:
    """Panels side by side, each with its words below."""
    sheet = Image.new("RGB", (len(panels) * (SIDE + GAP) - GAP, SIDE + 8 + LINES * LINE), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for i, (picture, caption) in enumerate(panels):
        left = i * (SIDE + GAP)
        sheet.paste(Image.fromarray(picture), (left, 0))
        for row, line in enumerate(wrapped(caption, font)):
            draw.text((left, SIDE + 6 + row * LINE), line, INK, font)
    return sheet


def wrapped(text: str, font) -> list[str]:
    """The text in lines no wider than a panel."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= SIDE:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > LINES:
        raise ValueError(f"{LINES} lines are kept free for a caption: {text!r}")
    return lines


def draw(method: str, case: Case, folder: Path = FOLDER) -> Path:
    """Write a method's strip and return its file."""
    first = grey(case.crop), f"What the model sees. It says {case.target.name}"
    path = folder / f"{method}.jpg"
    strip([first, *STEPS[method](case)]).save(path, quality=85, optimize=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="which methods; all unless named")
    parser.add_argument("--model", default="cnn", choices=zoo.EMOTION_MODELS)
    given = parser.parse_args()
    if unknown := set(given.methods) - set(STEPS):
        parser.error(f"no such method: {', '.join(unknown)}; use {', '.join(STEPS)}")
    case = opened(given.model)
    for method in given.methods or STEPS:
        print(draw(method, case))


if __name__ == "__main__":
    main()
