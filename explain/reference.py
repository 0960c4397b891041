"""The same map by another library's own function with the settings of ours: tf-keras-vis, or shap."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from explain import registry, scale
from explain.base import Explanation, Target
from explain.methods import background, cam, masking, numpy_random, saliency, shap_package
from explain.metrics.agreement import rank_correlation
from models import regions
from models.errors import UnsuitableMethodError
from models.types import Face

if TYPE_CHECKING:
    from models.model import Model

VIS, SHAP = "tf-keras-vis", "shap"
INTEGRAL_SAMPLES = 200
"""Random points of the way at which shap takes gradients in place of the steps of Integrated Gradients."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A map by another library beside ours.

    Attributes:
        library: its name and version.
        call: what of it was called.
        values: float32 (H, W) on the crop's grid, raw.
        rank_correlation: with our map, -1..1; nan where one is flat.
        differs: in what the two differ on purpose, a sentence for people; "" for in nothing but rounding.
        seconds: how long it took, with the time to compile.
    """

    library: str
    call: str
    values: np.ndarray
    rank_correlation: float
    differs: str
    seconds: float


@dataclass(frozen=True)
class Call:
    """How a library makes the map of one of our methods.

    Attributes:
        library, call: see `Reference`.
        make: `make(model, face, target, params) -> float32 (h, w)`.
        differs: see `Reference`.
        slow: whether it may take many seconds.
    """

    library: str
    call: str
    make: Callable[["Model", Face, Target, Any], np.ndarray]
    differs: str = ""
    slow: bool = False


def why_not(method: str, params: Any) -> str:
    """Why no other library makes a method's map, a sentence for people; "" where one does."""
    if method not in CALLS:
        return f"Neither {VIS} nor {SHAP} has {registry.METHODS[method].title}."
    if getattr(params, "detail", "") == "fused":
        return f"{VIS} has no map that is fused from two layers."
    if getattr(params, "shows", "") == saliency.TIMES_INPUT:
        return f"{VIS} has no change times brightness, only the size of the change."
    return ""


def read(model: "Model", face: Face, explanation: Explanation) -> Reference:
    """The map of an explanation made by another library; the model stays as it is.

    Args:
        model: that is explained.
        face: that is explained, with its keypoints where the method needs regions.
        explanation: ours.

    Raises:
        UnsuitableMethodError: no library has it, see `why_not`.
    """
    if reason := why_not(explanation.method, explanation.params):
        raise UnsuitableMethodError(
            "No other library makes this map", explanation.method, f"{reason} Use one of {', '.join(CALLS)}"
        )
    call = CALLS[explanation.method]
    started = perf_counter()
    values = scale.resize(np.asarray(call.make(model, face, explanation.target, explanation.params)), *face.crop.shape)
    return Reference(
        library=f"{call.library} {version(call.library)}",
        call=call.call,
        values=values,
        rank_correlation=rank_correlation(explanation.values, values),
        differs=call.differs,
        seconds=perf_counter() - started,
    )


# ---------------------------------------------------------------- tf-keras-vis


def _quietly(tool: type, model: "Model", *arguments: Any, **options: Any) -> np.ndarray:
    """What a tool of tf-keras-vis returns for one crop, without the bars and warnings that it shows, float32 (h, w)."""
    import keras

    network = keras.Model(model.network.inputs, model.network.outputs)  # the same layers under another name
    network.predict = partial(network.predict, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(tool(network, clone=False)(*arguments, **options)[0], np.float32)


def _score(target: Target) -> Callable[[Any], Any]:
    import tensorflow as tf

    return lambda outputs: tf.linalg.matvec(tf.reshape(outputs, (-1, len(target.weights))), target.weights)


def _cam(
    tool: type, model: "Model", face: Face, score: Callable[[Any], Any], params: Any, **options: Any
) -> np.ndarray:
    if not getattr(params, "positive_only", True):
        options["activation_modifier"] = None
    return _quietly(
        tool,
        model,
        score,
        face.crop[None, ..., None],
        penultimate_layer=cam.layer_at(model, params.detail),
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
        **options,
    )


def gradcam(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Grad-CAM by `tf_keras_vis.gradcam.Gradcam`, float32 (h, w)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its import of scipy
        from tf_keras_vis.gradcam import Gradcam

    return _cam(Gradcam, model, face, _score(target), params)


def gradcam_plus_plus(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Grad-CAM++ by `GradcamPlusPlus` with its gradients cut at zero, float32 (h, w): ours times exp(score)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

    return _cam(GradcamPlusPlus, model, face, _score(target), params, gradient_modifier=tf.nn.relu)


def scorecam(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Score-CAM by `Scorecam`, float32 (h, w).

    It gives the score probabilities. For one emotion against another their logarithms' difference is that of the
    logits; for one emotion alone the library's own weight, the probability, is left as it is.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from tf_keras_vis.scorecam import Scorecam

    channels = model.network.get_layer(cam.layer_at(model, params.detail)).output.shape[-1]
    alone, against = _score(Target(target.emotion)), target.against

    def score(probabilities: Any) -> Any:
        return alone(probabilities) if against is None else _score(target)(tf.math.log(probabilities))

    options = {} if against is None else {"activation_modifier": None}
    return _cam(Scorecam, model, face, score, params, max_N=min(params.channels, channels), **options)


def saliency_map(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """The size of the gradient by `Saliency`, float32 (H, W)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tf_keras_vis.saliency import Saliency

    return _quietly(Saliency, model, _score(target), face.crop[None, ..., None], normalize_map=False)


def smoothgrad(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """The mean size of the gradients of noisy copies by `Saliency`, float32 (H, W)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tf_keras_vis.saliency import Saliency

    noise = {"smooth_samples": params.samples, "smooth_noise": params.noise}
    with numpy_random.seeded(params.seed):
        crop = face.crop[None, ..., None]
        return _quietly(Saliency, model, _score(target), crop, normalize_map=False, **noise)


# ------------------------------------------------------------------------ shap


def shap_gradient(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Expected gradients by `shap.GradientExplainer` as documented, all seven outputs, float32 (H, W)."""
    return _expected_gradients(model, face, target, background.faces(), params.samples, params.seed)


def integrated_gradients(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Integrated Gradients sampled by `shap.GradientExplainer` with one background, float32 (H, W)."""
    start = masking.baseline_picture(face.crop, params.baseline)
    return _expected_gradients(model, face, target, start[None], INTEGRAL_SAMPLES, 0)


def _expected_gradients(
    model: "Model", face: Face, target: Target, faces: np.ndarray, samples: int, seed: int
) -> np.ndarray:
    shap = shap_package.load()
    explainer = shap.GradientExplainer(model.network, faces[..., None])
    with numpy_random.seeded(seed):
        values = explainer.shap_values(face.crop[None, ..., None], nsamples=samples, rseed=seed)
    return np.asarray(values[0, ..., 0, :] @ target.weights, np.float32)


def shap_partition(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Owen values by `shap.Explainer` with an image masker as documented, through `model.predict`, float32 (H, W)."""
    shap = shap_package.load()
    hidden = masking.baseline_picture(face.crop, params.baseline)
    with shap_package.interpreted():
        masker = shap.maskers.Image(hidden[..., None])
    explainer = shap.Explainer(lambda crops: model.network.predict(crops, verbose=0) @ target.weights, masker)
    with numpy_random.seeded(0):
        found = explainer(face.crop[None, ..., None], max_evals=params.evaluations, batch_size=50, silent=True)
    return np.asarray(found.values[0, ..., 0], np.float32)


def shap_regions(model: "Model", face: Face, target: Target, params: Any) -> np.ndarray:
    """Shapley values of the face's parts by `shap.KernelExplainer` over all coalitions, float32 (H, W)."""
    shap = shap_package.load()
    masks = regions.masks(face.crop_keypoints, face.crop.shape[0])
    parts = masks[masks.any((1, 2))]
    hidden = masking.baseline_picture(face.crop, params.baseline)

    def score(shown: np.ndarray) -> np.ndarray:
        crops = masking.blends(face.crop, hidden, parts, shown.astype(bool))
        return np.asarray(model.network.predict(crops[..., None], verbose=0) @ target.weights)

    explainer = shap.KernelExplainer(score, np.zeros((1, len(parts))))
    with numpy_random.seeded(0):
        values = explainer.shap_values(np.ones((1, len(parts))), nsamples=2 ** len(parts), silent=True)[0]
    return np.asarray((values / parts.sum((1, 2)))[parts.argmax(0)], np.float32)


CALLS: dict[str, Call] = {
    "gradcam": Call(VIS, "Gradcam", gradcam),
    "gradcam_plus_plus": Call(
        VIS,
        "GradcamPlusPlus",
        gradcam_plus_plus,
        "The library is asked to cut its gradients at zero, as our map does; it leaves in a factor that is the same "
        "everywhere.",
    ),
    "scorecam": Call(
        VIS,
        "Scorecam",
        scorecam,
        "On purpose, ours differs: around its windows lies an average face instead of black, and a channel counts by "
        "how far its score lies off the mean instead of by its probability.",
        slow=True,
    ),
    "saliency": Call(VIS, "Saliency", saliency_map),
    "smoothgrad": Call(
        VIS,
        "Saliency with smooth_samples",
        smoothgrad,
        "On purpose, ours differs: it averages squares, or gradients with their signs, where the library averages "
        "sizes; the noise is drawn anew.",
        slow=True,
    ),
    "integrated_gradients": Call(
        SHAP,
        "GradientExplainer with one background",
        integrated_gradients,
        f"The library takes the same mean at {INTEGRAL_SAMPLES} random points of the way instead of in equal steps.",
        slow=True,
    ),
    "shap_gradient": Call(SHAP, "GradientExplainer", shap_gradient, slow=True),
    "shap_partition": Call(
        SHAP,
        "Explainer with maskers.Image",
        shap_partition,
        "The library asks in other batches, so that it may cut other pieces first.",
        slow=True,
    ),
    "shap_regions": Call(
        SHAP,
        "KernelExplainer over all coalitions",
        shap_regions,
        "The library solves a regression over the same coalitions instead of adding up contributions.",
        slow=True,
    ),
}
"""By our method's name. Those that are not here no other library has, see `why_not`."""
