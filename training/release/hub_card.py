"""The README of a Hub repository of weights: front matter for the Hub, tables for people."""

from collections.abc import Iterable
from typing import Any

import yaml

from models.card import Card
from models.types import EMOTIONS, KEYPOINTS

TAGS = ["facial-expression-recognition", "emotion", "facial-keypoints", "fer2013", "explainability", "safetensors"]
METRICS = {
    "accuracy": ("accuracy", "Accuracy"),
    "accuracy_with_flip": ("accuracy", "Accuracy, averaged with the mirrored face"),
    "accuracy_ten_crops": ("accuracy", "Accuracy, averaged over ten crops"),
    "macro_f1": ("f1", "Macro F1"),
    "calibration_error": ("expected_calibration_error", "Expected calibration error"),
    "accuracy_ferplus": ("accuracy", "Accuracy against the FER+ majority"),
    "nme": ("nme", "Mean error over the inter-ocular distance"),
    "failure_rate": ("failure_rate", "Share of faces with a mean error above 10 %"),
}
"""Key in a card's metrics -> the Hub's type and a name."""
FRONT_PAGE = """\
# {repository}: faces, keypoints and emotions, with explanations

Weights of FaceWhy, an app that shows why a network reads a face the way
it does: {networks}. Each folder holds `model.safetensors` (float16, names are layer paths), `card.json` with
everything that is known about the weights, and the reports that were measured with them.

## What they are

{table}

{measured}
{keypoints}
## What goes in and comes out

{interface}

## How to use them

FaceWhy loads them from here when it is told the commit:

```
FACEWHY_HUB_REPO={repository} FACEWHY_HUB_REVISION=<full commit hash> make app
```

Every file is checked against the sha256 in its card.

## Limits

{limits}

## Data and first weights

{data}
"""


def readme(repository: str, found: list[Card]) -> str:
    """The text of the README.

    Args:
        repository: such as "someone/facewhy".
        found: the cards of what is published, at least one.

    Returns:
        Markdown with a YAML front matter, in which `model-index` holds the figures of the cards.
    """
    licences = {card.licence.lower() for card in found}
    front = {
        "license": licences.pop() if len(licences) == 1 else "other",
        "library_name": "facewhy",
        "pipeline_tag": "image-classification",
        "tags": TAGS,
        "metrics": sorted({kind for card in found for kind, _, _ in _figures(card)}),
        "model-index": [_index(card) for card in found if _figures(card)],
    }
    front = {key: value for key, value in front.items() if value}
    emotions = [card for card in found if card.labels == EMOTIONS]
    body = FRONT_PAGE.format(
        repository=repository,
        networks=", ".join(card.name for card in found),
        table=_table(
            ["name", "version", "date", "numbers", "commit of the code", "sha256 of the weights"],
            [
                [c.name, c.version, c.date, f"{c.parameters:,}", c.training.git_commit[:12], c.sha256[:12]]
                for c in found
            ],
        ),
        measured=_emotion_results(emotions),
        keypoints=_keypoint_results([card for card in found if card.labels == KEYPOINTS]),
        interface="\n".join(map(_interface, found)),
        limits=_list(line for card in found for line in card.limits),
        data=_list([*(line for card in found for line in card.data), *_starts(found)]),
    )
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n{body}"


def _test(card: Card) -> dict[str, Any]:
    return card.metrics.get("PrivateTest") or card.metrics.get("test") or {}


def _figures(card: Card) -> list[tuple[str, str, float]]:
    test = _test(card)
    return [(*METRICS[key], test[key]) for key in METRICS if key in test]


def _index(card: Card) -> dict[str, Any]:
    if card.labels == EMOTIONS:
        task = {"type": "image-classification", "name": "Facial expression recognition"}
        dataset = {"type": "fer2013", "name": "FER2013", "split": "PrivateTest"}
    else:
        task = {"type": "keypoint-detection", "name": "Facial keypoints"}
        dataset = {"type": "youtube-faces", "name": "YouTube Faces, people never seen", "split": "test"}
    metrics = [{"type": kind, "name": name, "value": value} for kind, name, value in _figures(card)]
    return {"name": card.name, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}


def _emotion_results(found: list[Card]) -> str:
    columns = [
        "accuracy",
        "accuracy_with_flip",
        "accuracy_ten_crops",
        "accuracy_ferplus",
        "macro_f1",
        "calibration_error",
    ]
    rows = [
        [c.name, *(f"{_test(c)[key]:.2%}" if key in _test(c) else "" for key in columns)] for c in found if _test(c)
    ]
    if not rows:
        return ""
    heads = ["emotion network", *(METRICS[key][1] for key in columns)]
    return f"Measured on FER2013's PrivateTest, which chose nothing:\n\n{_table(heads, rows)}\n"


def _keypoint_results(found: list[Card]) -> str:
    return "".join(
        f"The keypoint network's mean error on people never seen is {_test(card)['nme']:.2%} of the distance between "
        f"the outer corners of the eyes; for {_test(card)['failure_rate']:.2%} of the faces it is above 10 %.\n\n"
        for card in found
        if "nme" in _test(card) and "failure_rate" in _test(card)
    )


def _interface(card: Card) -> str:
    low, high = card.input.range
    given = f"grey crops {card.input.side}×{card.input.side}, black {low:g} and white {high:g}"
    if card.labels == EMOTIONS:
        return (
            f"- `{card.name}`: {given}, to a logit for each of {', '.join(card.labels)}, in this order; the "
            f"probabilities are the softmax of logits / {card.temperature:g}."
        )
    return f"- `{card.name}`: {given}, to x and y for each of {', '.join(card.labels)}, in this order."


def _starts(found: list[Card]) -> list[str]:
    """What each network began with, and so whom to credit for it; nothing where its card does not say."""
    return [f"First weights of `{c.name}`: {c.training.config['start']}" for c in found if "start" in c.training.config]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in dict.fromkeys(lines))
