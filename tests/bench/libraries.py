"""The libraries' plain calls beside ours, where both say the same."""

import contextlib
import io
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tests.bench.timing import Row, example, seconds

AGREE = 0.95
"""The rank correlation from which two maps say the same."""
REFERENCE = 2000
"""Samples of the map that stands for the exact one."""


def fewest(numbers: Iterable[int], fidelity: Callable[[int], float]) -> int:
    """The first number that reaches `AGREE`, or the last one."""
    for number in numbers:
        if fidelity(number) >= AGREE:
            break
    return number


def once(call: Callable):
    """What a call returns, and its seconds; for what is too slow to be repeated."""
    started = time.perf_counter()
    return call(), time.perf_counter() - started


def shap_by_gradients(models: list, turns: int) -> Iterator[Row]:
    """SHAP by gradients at the samples that rank pixels like 2,000, and shap's documented call with as many."""
    for model in models:
        yield from _shap_by_gradients(model, turns)


def _shap_by_gradients(model, turns: int) -> Iterator[Row]:
    import shap

    from explain import registry
    from explain.methods import background, shap_gradient
    from explain.metrics.agreement import rank_correlation

    crop, target = question(model)
    method = registry.METHODS["shap_gradient"]
    explainer = shap_gradient.explainer(model, target)
    reference = explainer.shap_values(crop[None, ..., None], nsamples=REFERENCE, rseed=9999)[0, ..., 0, 0]

    def ours(samples, seed=0):
        return method.run(model, crop, target, method.Params(samples=samples, seed=seed))

    def worst(samples):
        return min(rank_correlation(ours(samples, seed), reference) for seed in (0, 1, 2))

    def documented():
        plain = shap.GradientExplainer(model.network, background.faces()[..., None])
        return plain.shap_values(crop[None, ..., None], nsamples=samples, rseed=0)[0, ..., 0, :]

    samples = fewest(range(16, 257, 16), worst)
    [quick] = seconds(lambda: ours(samples), turns=turns)
    all_seven, slow = once(documented)
    same = rank_correlation(all_seven @ target.weights, reference)
    name = f"{model.name}: SHAP by gradients"
    yield Row(f"{name}, samples that rank pixels like {REFERENCE}", samples, method.Params().samples, "")
    yield Row(f"{name}, {samples} samples, rank correlation", worst(samples), AGREE, "", at_least=True)
    yield Row(f"{name}, shap's documented call, rank correlation", same, AGREE, "", at_least=True)
    yield Row(f"{name}, shap's documented call / ours", slow / quick, 10, "×", at_least=True)


def shap_by_partition(models: list, turns: int) -> Iterator[Row]:
    """SHAP by partition, and shap's documented call through model.predict with as many evaluations."""
    for model in models:
        yield from _shap_by_partition(model, turns)


def _shap_by_partition(model, turns: int) -> Iterator[Row]:
    from explain import registry
    from explain.methods import masking, shap_package
    from explain.metrics.agreement import rank_correlation

    crop, target = question(model)
    shap = shap_package.load()
    method = registry.METHODS["shap_partition"]
    params = method.Params()
    with shap_package.interpreted():
        masker = shap.maskers.Image(masking.baseline_picture(crop, params.baseline)[..., None])

    def ours():
        return method.run(model, crop, target, params)

    def documented():
        explainer = shap.Explainer(lambda crops: model.network.predict(crops, verbose=0) @ target.weights, masker)
        found = explainer(crop[None, ..., None], max_evals=params.evaluations, batch_size=50, silent=True)
        return found.values[0, ..., 0]

    [quick] = seconds(ours, turns=turns)
    documented()
    plain, slow = once(documented)
    name = f"{model.name}: SHAP by partition, {params.evaluations} evaluations, shap's documented call"
    yield Row(f"{name}, rank correlation with ours", rank_correlation(plain, ours()), 0.9, "", at_least=True)
    yield Row(f"{name} / ours", slow / quick, 1, "×", at_least=True)


def class_activation_maps(models: list, turns: int) -> Iterator[Row]:
    """Grad-CAM and Score-CAM beside tf-keras-vis."""
    for model in models:
        yield from _gradcam(model, turns)
        yield from _scorecam(model, turns)


def _gradcam(model, turns: int) -> Iterator[Row]:
    from tf_keras_vis.gradcam import Gradcam

    from explain.metrics.agreement import rank_correlation

    asked, tool = question(model), Gradcam(model.network, clone=False)
    slow, quick = seconds(lambda: theirs(tool, model, *asked), lambda: cam("gradcam", model, *asked), turns=turns)
    same = rank_correlation(theirs(tool, model, *asked), cam("gradcam", model, *asked))
    yield Row(f"{model.name}: tf-keras-vis Grad-CAM, rank correlation with ours", same, AGREE, "", at_least=True)
    yield Row(f"{model.name}: tf-keras-vis Grad-CAM / ours", slow / quick, 1, "×", at_least=True)


def _scorecam(model, turns: int) -> Iterator[Row]:
    from tf_keras_vis.scorecam import Scorecam

    from explain import registry

    asked, tool = question(model), Scorecam(model.network, clone=False)
    channels = registry.METHODS["scorecam"].Params().channels
    theirs(tool, model, *asked, max_N=channels)
    _, slow = once(lambda: theirs(tool, model, *asked, max_N=channels))
    [quick] = seconds(lambda: cam("scorecam", model, *asked), turns=turns)
    name = f"{model.name}: tf-keras-vis Score-CAM, {channels} channels / ours"
    yield Row(name, slow / quick, 1, "×", at_least=True)


def question(model):
    """The example's crop, and the emotion that the model names as a target."""
    from explain.base import Target

    crop = example()[1].crop
    return crop, Target(int(model.logits(crop[None])[0].argmax()))


def cam(name: str, model, crop: np.ndarray, target, **params) -> np.ndarray:
    """Our class activation map with both signs, on the layer's grid."""
    from explain import registry

    method = registry.METHODS[name]
    return method.run(model, crop, target, method.Params(positive_only=False, **params))


def theirs(tool, model, crop: np.ndarray, target, **options) -> np.ndarray:
    """The same by tf-keras-vis, which shows a progress bar for Score-CAM."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = tool(
            lambda outputs: outputs[:, target.emotion],
            crop[None, ..., None],
            model.cam_layer,
            seek_penultimate_conv_layer=False,
            activation_modifier=None,
            expand_cam=False,
            normalize_cam=False,
            **options,
        )
    return np.asarray(found)[0]
