"""What happened in the Lab, as sentences."""

from app import source_faces, text
from explain.base import Explanation
from explain.lab import steps as kinds
from explain.lab.counterfactual import Counterfactual
from explain.lab.trial import Outcome, Tried
from explain.registry import METHODS
from models.regions import LABELS
from models.types import EMOTIONS

PARTS = {"mouth": "mouth", "eyes": "eyes and brows"}
"""How the parts that can be swapped are named."""


def named(step: kinds.Step) -> str:
    """A step in a few words; raises TypeError for a kind of step that has none."""
    match step:
        case kinds.Hide(region, _):
            return f"{LABELS[region]} hidden"
        case kinds.Rectangle(left, top, right, bottom, _):
            return f"{right - left} × {bottom - top} pixels covered"
        case kinds.Paint():
            return "patch painted"
        case kinds.Swap(part, donor):
            return f"{PARTS[part]} of {source_faces.display_name(donor)}"
        case kinds.Blur(sigma):
            return f"blurred by {sigma:g}"
        case kinds.Brightness(by):
            return f"{'lighter' if by > 0 else 'darker'} by {text.share(abs(by))}"
        case kinds.Contrast(times):
            return f"contrast × {times:g}"
        case kinds.Rotate(degrees):
            return f"tilted by {degrees:g}°"
        case kinds.Shift(x, y):
            return f"moved by {x:g}, {y:g}"
        case kinds.Noise(sigma, _):
            return f"noise of {text.share(sigma)}"
    raise TypeError(f"{type(step).__name__} has no name")


def summary(outcome: Outcome) -> str:
    """What an experiment did to the watched emotion, whose answer it changed, and with whom the heatmap agreed."""
    if not outcome.experiment.steps:
        return "Change the face and see whether the answers follow. Tap a part of it to hide it."
    changed = [
        f"{text.MODELS[name]} ({EMOTIONS[tried.before.top]} → {EMOTIONS[tried.after.top]})"
        for name, tried in outcome.models.items()
        if tried.before.top != tried.after.top
    ]
    answers = f"This changes the answer of {text.listed(changed)}." if changed else kept(list(outcome.models))
    sentences = [effect(outcome), answers]
    judged = {
        verdict: [text.MODELS[name] for name, tried in outcome.models.items() if tried.verdict == key]
        for key, verdict in (("right", "agreed with this test"), ("wrong", "disagreed with it"))
    }
    told = [f"{verdict} for {text.listed(names)}" for verdict, names in judged.items() if names]
    if told:
        title = METHODS[next(iter(outcome.maps.values())).method].title
        sentences.append(f"The heatmap ({title}) {' and '.join(told)}.")
    return " ".join(sentences)


def effect(outcome: Outcome) -> str:
    """What the steps did to the probability of the watched emotion: "Hiding the mouth took happy from 96 to 70 %"."""
    steps, index = outcome.experiment.steps, outcome.target.emotion
    hidden = [f"the {LABELS[step.region]}" for step in steps if isinstance(step, kinds.Hide)]
    what = f"Hiding {text.listed(hidden)}" if len(hidden) == len(steps) else "This"
    tried = list(outcome.models.values())
    before, after = (
        sum(float(answer.probabilities[index]) for answer in answers) / len(tried)
        for answers in ([one.before for one in tried], [one.after for one in tried])
    )
    start, end = text.percent(before), text.percent(after)
    average = " on average" if len(tried) > 1 else ""
    if start == end:
        return f"{what} left {EMOTIONS[index]} at {end}{average}."
    return f"{what} took {EMOTIONS[index]} from {start} to {end}{average}."


def kept(names: list[str]) -> str:
    """The sentence that no model changed its answer."""
    if len(names) == len(text.MODELS):
        return "All three keep their answer."
    said = text.listed([text.MODELS[name] for name in names])
    return f"{said} keeps its answer." if len(names) == 1 else f"{said} keep their answer."


def message(explanation: Explanation, tried: Tried) -> str:
    """What happened, what a random patch does, and what one model's heatmap had predicted."""
    if not len(tried.random):
        return "Nothing is hidden, so the heatmap, which speaks about places, predicts nothing."
    return " ".join(filter(None, [happened(explanation, tried), forecast(explanation, tried), VERDICTS[tried.verdict]]))


VERDICTS = {
    "right": "The heatmap agreed with this test.",
    "wrong": "The heatmap disagreed with this test.",
    "open": "Both cost about as much, so this face cannot tell.",
    "": "",
}


def forecast(explanation: Explanation, tried: Tried) -> str:
    """What the heatmap had predicted."""
    said = tried.forecast
    if tried.swapped:
        return "The heatmap speaks about hiding; a part of another face brings evidence of its own."
    if said.expects is None:
        return "The heatmap is flat and predicts nothing."
    name = explanation.target.name
    start = (
        f"The heatmap had {text.percent(said.share)} of what speaks for {name} on the hidden "
        f"{text.percent(said.area)} of the picture"
    )
    if explanation.signed and said.opposing >= 0.01:
        start += f", and {text.percent(said.opposing)} of what speaks against it"
    rank = f"more than {said.exceeds} of {len(tried.random)} random patches hold"
    order = {
        "more": f"{rank}, so hiding it was to cost more than hiding one of them",
        "less": f"{rank}, so hiding it was to cost less than hiding one of them",
        "same": f"{rank}, and about as much as they hold on average",
    }
    return f"{start}, {order[said.expects]}."


def happened(explanation: Explanation, tried: Tried) -> str:
    """What hiding the area did, and what random patches do."""
    index = explanation.target.emotion
    low, high = (text.percent(float(bound)) for bound in (tried.random.min(), tried.random.max()))
    spread = f" ({low} to {high})" if low != high else ""
    name = explanation.target.name
    before, after, alone = (
        text.percent(answer.probabilities[index]) for answer in (tried.before, tried.after, tried.alone)
    )
    others = f" (the other changes alone leave {alone})" if tried.alone is not tried.before else ""
    source = " from that face" if tried.swapped else ""
    return (
        f"{name.capitalize()} went from {before} to {after}{others}; with {len(tried.random)} random patches "
        f"of the same size{source} it is {text.percent(float(tried.random.mean()))} on average{spread}. This costs "
        f"more than {tried.costs_more(explanation.target)} of {len(tried.random)} patches do."
    )


def smallest(name: str, found: Counterfactual | None) -> str:
    """The fewest parts whose hiding flips a model's answer, and those that hide the least of the picture."""
    model = text.MODELS[name]
    if found is None:
        return f"{model} keeps its answer whatever parts are hidden."
    ties = f" {found.ties} other sets of as few parts do so too." if found.ties > 1 else ""
    ties = " One other set of as few parts does so too." if found.ties == 1 else ties
    least = ""
    if found.least_area < found.area:
        least = f" Least area: {_parts(found.least_regions)}, {text.share(found.least_area)}."
    return (
        f"{model}: hide {_parts(found.regions)}, {text.share(found.area)} of the picture, and {EMOTIONS[found.before]} "
        f"becomes {EMOTIONS[found.after]}.{ties}{least}"
    )


def _parts(names: tuple[str, ...]) -> str:
    return text.listed([f"the {LABELS[region]}" for region in names])
