"""Each method against the passes that it cannot do without."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tests.bench.timing import Row, bare, example, seconds


@dataclass(frozen=True)
class Needed:
    """The passes that a method cannot do without, and how many times their time it may take.

    Attributes:
        what: in words.
        sizes: of the batches, one pass each.
        backward: whether the passes also take a gradient.
        limit: of the ratio.
        often: how many times as often it is timed, because it is short.
    """

    what: str
    sizes: tuple[int, ...]
    backward: bool
    limit: float
    often: int = 1


def needed() -> dict[str, Needed]:
    """By method, with its default parameters."""
    from explain.methods import (
        integrated_gradients,
        occlusion,
        rise,
        scorecam,
        shap_gradient,
        shap_partition,
        smoothgrad,
    )

    channels, samples = scorecam.Params().channels, smoothgrad.Params().samples
    blends, evaluations = shap_gradient.Params().samples, shap_partition.Params().evaluations
    steps, masks = integrated_gradients.Params().steps, rise.Params().masks
    batch, given = shap_partition.BATCH, occlusion.Params()
    patched = len(occlusion.corners(48, given.patch, given.step)) + 1
    batches = (batch,) * (evaluations // batch) + ((evaluations % batch,) if evaluations % batch else ())
    return {
        "gradcam": Needed("forward pass", (1,), False, 2, 3),
        "gradcam_plus_plus": Needed("forward pass", (1,), False, 2, 3),
        "scorecam": Needed(f"forward passes of 1 and {channels}", (1, channels), False, 1.3),
        "saliency": Needed("forward and backward pass", (1,), True, 1.5, 3),
        "smoothgrad": Needed(f"forward and backward of {samples}", (samples,), True, 1.3),
        "integrated_gradients": Needed(f"forward and backward of {steps}", (steps,), True, 1.3),
        "shap_gradient": Needed(f"forward and backward of {blends}", (blends,), True, 1.5),
        "shap_partition": Needed(f"{evaluations} forward passes in batches of {batch}", batches, False, 1.5),
        "shap_regions": Needed("forward pass of 256", (256,), False, 1.3),
        "occlusion": Needed(f"forward pass of {patched}", (patched,), False, 1.3),
        "rise": Needed(f"forward pass of {masks}", (masks,), False, 1.3),
    }


def rows(models: list, turns: int) -> Iterator[Row]:
    """Each method against the passes that it cannot do without."""
    from explain import registry
    from explain.base import Target
    from explain.methods import background
    from models import regions

    crop, target = background.mean_face()[::-1].copy(), Target(0)
    masks = regions.masks(example()[1].crop_keypoints)
    for model in models:
        forward, gradient = bare(model.network)
        for name, passes in needed().items():
            method = registry.METHODS[name]
            inputs = [np.repeat(crop[None, ..., None], size, 0) for size in passes.sizes]
            ours, least = seconds(
                _call(method, model, crop, target, masks),
                _each(gradient if passes.backward else forward, inputs),
                turns=turns * passes.often,
            )
            yield Row(f"{model.name}: {method.title} / {passes.what}", ours / least, passes.limit, "×")


def _call(method, model, crop: np.ndarray, target, masks: np.ndarray) -> Callable:
    return lambda: method.run(model, crop, target, method.Params(), *[masks] * method.needs_regions)


def _each(single: Callable, inputs: list[np.ndarray]) -> Callable:
    return lambda: [single(one) for one in inputs]
