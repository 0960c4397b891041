"""Does the map depend on what the network learned? Cascading randomisation of its layers."""

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explain import registry, scale
from explain.base import Explanation, Parameters, Target
from explain.methods import gradients
from explain.metrics.agreement import rank_correlation
from models import pauses
from models.types import Face

if TYPE_CHECKING:
    import keras

    from models.model import Model

LIKE_BEFORE = 0.5
"""A map that still ranks pixels this much as before, or the other way round, when nothing learned is left, ignores what
was learned."""
SHARED = 0.5
"""Two maps that share this much of their order (the square of their correlation) have as much in common as apart."""


_shaking = threading.Lock()
"""Held while the copy of a network that is shaken is in use."""


@dataclass(frozen=True, eq=False)
class Shaken:
    """A map after some stages of layers have been randomised.

    Attributes:
        layers: the stages so far, as `stages` names them, the logits first.
        of: how many stages there are.
        values: float32 (H, W) on the crop's grid, raw.
        rank_correlation: with the true network's map, -1..1; nan where one is flat.
    """

    layers: tuple[str, ...]
    of: int
    values: np.ndarray
    rank_correlation: float


@dataclass(frozen=True, eq=False)
class RandomisationTest:
    """How far maps stay the same while a network forgets.

    Attributes:
        layers: the stages, from the logits down to the picture; each comes on top of those before it.
        correlation: float64 (S,), mean rank correlation with the true network's maps after each stage;
            nan where those are all flat.
        absolute: float64 (S,), the same for |values|, which ignores a change of sign.
        of_faces: float64 (F,), the rank correlation after the last stage, one a face whose true map is not flat.
    """

    layers: tuple[str, ...]
    correlation: np.ndarray
    absolute: np.ndarray
    of_faces: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """The means as plain lists; null stands for nan."""
        numbers = {"correlation": self.correlation, "absolute": self.absolute}
        plain = {name: [None if np.isnan(one) else float(one) for one in row] for name, row in numbers.items()}
        return {"layers": list(self.layers)} | plain


def passes(low: float, high: float, shared: float) -> bool:
    """Whether a method's maps depend on what was learned.

    The whole interval of the mean correlation must lie within -0.5 and 0.5: maps that turn into their opposite are as
    fixed as those that stay. And the mean square must lie below 0.5, because of maps that do the one on some faces and
    the other on the rest. The size of a single correlation says little: two maps of eight parts that have nothing in
    common share a fifth of their order on average.

    Args:
        low, high: the ends of the 95 % interval of the mean correlation over faces, -1..1.
        shared: the upper end of that of the mean squared correlation, 0..1.
    """
    return -LIKE_BEFORE < low and high < LIKE_BEFORE and shared < SHARED


def passed(measured: Mapping[str, Any]) -> bool | None:
    """Whether a method passes by what was measured of it; None where it was not.

    Args:
        measured: low, high and shared, see `passes`, or None for each.
    """
    low, high, shared = (measured.get(name) for name in ("low", "high", "shared"))
    return None if low is None or high is None or shared is None else passes(low, high, shared)


def stages(network: "keras.Model") -> "dict[str, list[keras.Layer]]":
    """The layers with weights, from the last to the first, together where their maps have the same grid.

    Returns:
        A dense layer's own name, or the grid such as "6x6" -> keras layers.
    """
    found: dict[str, list[keras.Layer]] = {}
    for layer in reversed(network.layers):
        if layer.weights:
            shape = layer.output.shape
            name = f"{shape[1]}x{shape[2]}" if len(shape) == 4 else layer.name
            found.setdefault(name, []).append(layer)
    return found


def randomise(layers: "Sequence[keras.Layer]", rng: np.random.Generator) -> None:
    """Deal every weight's numbers out anew among its own places.

    What was learned is gone and the size of the activations is about what it was; fresh initial values
    would not fit convolutions into which batch norm was folded.
    """
    for layer in layers:
        layer.set_weights([rng.permutation(w.ravel()).reshape(w.shape) for w in layer.get_weights()])


def shaken(model: "Model", face: Face, explanation: Explanation, count: int, seed: int = 0) -> Shaken:
    """A map of one face after the first stages of layers have been randomised, from the logits down.

    It is one step of `cascade`; the same seed randomises a stage alike at every count. The model stays as it is: a copy
    is shaken, which is kept with the model, so that its functions are compiled once.

    Args:
        model: that is explained.
        face: that is explained, with its keypoints where the method needs regions.
        explanation: of the true network.
        count: how many stages, from 1 to as many as there are.
        seed: of the order in which weights are dealt out.
    """
    with _shaking, pauses.waiting_for(None):
        copy = gradients.kept(model, "shaken", lambda: _copy(model))
        copy.network.set_weights(model.network.get_weights())
        groups = stages(copy.network)
        rng = np.random.default_rng(seed)
        for layers in list(groups.values())[:count]:
            randomise(layers, rng)
        params = explanation.params
        values = registry.explain(copy, face, explanation.target, explanation.method, params).values
    return Shaken(tuple(groups)[:count], len(groups), values, rank_correlation(explanation.values, values))


def _copy(model: "Model") -> "Model":
    """The model with a network of its own."""
    import keras

    return dataclasses.replace(model, network=keras.models.clone_model(model.network))


def cascade(
    model: "Model",
    faces: Sequence[Face],
    targets: Sequence[Target],
    method: str,
    params: Parameters | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> RandomisationTest:
    """Compare a method's maps before and after more and more layers are randomised, the logits first.

    A copy of the network is randomised, for each face anew, because two random networks have habits
    of their own; the model stays as it is. A randomised map that is flat counts as a correlation of
    0; a face whose true map is flat does not count.

    Source: Adebayo et al. 2018, "Sanity checks for saliency maps", arXiv 1810.03292. Known criticism:
    with skip connections and after the first stages a random network still passes much of the
    picture on, so that even a faithful method correlates, and the comparison favours noisy methods
    (Binder et al. 2023, arXiv 2211.12486): passing shows no more than that a map is not blind to
    the weights.

    Args:
        model: an emotion model.
        faces: one or more, with keypoints where the method needs regions.
        targets: what to explain, one a face.
        method: a key of `registry.METHODS`.
        params: as for `registry.explain`.
        seed: of the order in which weights are dealt out.

    Raises:
        UnknownNameError, ParameterError, UnsuitableMethodError: see `registry.explain`.
    """
    copy, learned = _copy(model), model.network.get_weights()
    network = copy.network
    groups = stages(network)
    signed, absolute = [], []
    for index, (face, target) in enumerate(zip(faces, targets, strict=True)):
        network.set_weights(learned)
        rng = np.random.default_rng((seed, index))
        before = registry.explain(copy, face, target, method, params).values
        if scale.is_flat(before):
            continue
        rows: tuple[list[float], list[float]] = [], []
        for layers in groups.values():
            randomise(layers, rng)
            now = registry.explain(copy, face, target, method, params).values
            rows[0].append(rank_correlation(before, now))
            rows[1].append(rank_correlation(np.abs(before), np.abs(now)))
        signed.append(rows[0])
        absolute.append(rows[1])
    if not signed:
        none = np.full(len(groups), np.nan)
        return RandomisationTest(tuple(groups), none, none, np.empty(0))
    found = np.nan_to_num([signed, absolute])
    return RandomisationTest(tuple(groups), found[0].mean(0), found[1].mean(0), found[0, :, -1])
