import dataclasses
import re

import pytest

from app import text
from app.ui.render import model_cards
from explain.registry import METHODS
from models import card as cards
from models import weight_store, zoo
from models.types import EMOTIONS
from training.measures.robustness import DISTURBANCES

CARD = cards.read(weight_store.SHIPPED / "cnn")
READY = zoo.Status("ready", 1.0, "shipped")


def interval(mean: float, width: float = 0.1) -> dict:
    return {"mean": mean, "low": mean - width, "high": mean + width}


def row(
    gain: float = 0.2, middle: float = 0.2, often: float = 0.8, sanity: float | None = 0.1, average: float = 0.2
) -> dict:
    test = {"layers": ["logits", "block1"], "correlation": [0.9, sanity], "low": None, "high": None, "shared": None}
    known = {"low": (sanity or 0) - 0.05, "high": (sanity or 0) + 0.05, "shared": 0.1}
    return {
        "relevance_gain": interval(gain + 1),
        "less_other_faces": interval(gain),
        "less_average_map": interval(average),
        "less_centre_prior": interval(middle),
        **{
            f"beats_{name}": interval(often) for name in ("random", "centre_prior", "average_map", "other_faces", "all")
        },
        "by_fill": {"blur": {"less_other_faces": interval(gain)}, "mean face": {"less_other_faces": interval(-gain)}},
        "stability": interval(0.7),
        "sanity": test if sanity is None else test | known,
        "seconds": 0.02,
    }


def test_a_revision_and_a_note_are_shown_and_escaped():
    facts = dict(model_cards.facts(CARD, zoo.Status("ready", 1.0, "hub", "0123456789abcdef", "<b>slow</b>")))
    assert facts["Revision"] == "0123456789ab" and facts["Note"] == "<b>slow</b>"
    assert "&lt;b&gt;slow" in model_cards.described("cnn", zoo.Status("ready", note="<b>slow</b>"), CARD)
    failed = model_cards.described("cnn", zoo.Status("failed", note="<b>hash</b>"))
    assert "Not available" in failed and "&lt;b&gt;" in failed


def test_notes_name_no_folder_of_the_server():
    note = "Received: '/srv/app models/weights/cnn/card.json', and /tmp/x/y of https://host/a/b. Use 1/2"
    told = model_cards.pathless(note)
    assert told == "Received: '…/app models/weights/cnn/card.json', and …/y of https://host/a/b. Use 1/2"
    failed = model_cards.described("cnn", zoo.Status("failed", note="no file /srv/weights/cnn/card.json"))
    assert "/srv" not in failed and "…/card.json" in failed


def test_what_was_measured_is_shown():
    facts = dict(model_cards.facts(CARD, READY))
    assert facts["Right on FER2013"] == f"{100 * CARD.metrics['PrivateTest']['accuracy']:.1f}\u00a0% of the test faces"
    losses = {"blur": 0.01, "noise": 0.0731}
    disturbed = dataclasses.replace(CARD, metrics=CARD.metrics | {"robustness": {"moderate_loss": losses}})
    assert "7.3 points" in dict(model_cards.measured(disturbed))["When disturbed"]
    assert set(model_cards.DISTURBANCES) == set(DISTURBANCES)


def test_limits_data_and_exports_are_shown():
    exports = {"int8": {"bytes": 1_250_000, "accuracy": {"PrivateTest": 0.5}}, "savedmodel": {"bytes": 9_000_000}}
    shown = model_cards.described("cnn", READY, dataclasses.replace(CARD, exports=exports))
    assert all(limit.split(",")[0] in shown for limit in CARD.limits)
    assert "int8 (1.2 MB, right on 50.0\u00a0%); TensorFlow SavedModel (9.0 MB)" in shown
    known = dataclasses.replace(CARD, training=dataclasses.replace(CARD.training, git_commit="c" * 40))
    assert "cccccccccccc" in model_cards.described("cnn", READY, known)
    unknown = dataclasses.replace(CARD, training=dataclasses.replace(CARD.training, git_commit="unknown"))
    assert "Code" not in dict(model_cards.origin(unknown))


def test_what_the_weights_began_with_is_shown():
    card = cards.read(weight_store.SHIPPED / "vgg16")
    assert dict(model_cards.origin(card))["First weights"] == card.training.config["start"]
    assert "Visual Geometry Group, CC BY 4.0" in model_cards.described("vgg16", READY, card)
    unknown = dataclasses.replace(card, training=dataclasses.replace(card.training, config={}))
    assert "First weights" not in dict(model_cards.origin(unknown))


def test_the_table_of_emotions_names_the_weakest():
    recall = dict(zip(EMOTIONS, (0.5, 0.13, 0.6, 0.9, 0.7, 0.5, 0.8), strict=True))
    found = {"recall": recall, "precision": recall, "f1": recall, "support": dict.fromkeys(EMOTIONS, 55)}
    shown = model_cards.emotions(dataclasses.replace(CARD, metrics={"PrivateTest": found}))
    assert "<b>disgust</b>, only 13\u00a0%" in shown and shown.count("<td>55</td>") == 7
    assert shown.count("<td>90\u00a0%</td>") == 3
    only = model_cards.emotions(dataclasses.replace(CARD, metrics={"PrivateTest": {"recall": recall}}))
    assert only.count("<td>90\u00a0%</td>") == 1  # a card from before the others were measured
    assert model_cards.emotions(dataclasses.replace(CARD, metrics={})) == ""


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (row(), "holds up"),
        (row(gain=0.05), "no"),  # perhaps no more than other faces' maps
        (row(gain=-0.2), "no"),
        (row(average=0.05), "no"),  # perhaps no more than their average
        (row(middle=0.05), "in part"),  # perhaps no more than the middle
        (row(often=0.5), "in part"),  # on no more than half of the faces
        (row(sanity=0.8), "no"),  # the maps of random numbers look the same
        (row(sanity=-0.8), "no"),  # or the other way round
        (row(sanity=0.47), "no"),  # or perhaps so
        (row(sanity=None), "no"),  # not known to change
        ({}, "no"),
    ],
)
def test_a_method_holds_up_by_a_rule(found, word):
    assert model_cards.standing(found) == word


def test_the_table_of_trust_begins_with_the_method_that_gains_most():
    table = {"faces": 200, "methods": {"gradcam": row(0.6), "saliency": row(0.9), "new<": row(0.1)}}
    shown = model_cards.trust("resnet", table)
    order = re.findall(r'<th scope="row">([^<]+?) ?<', shown)
    assert order == [METHODS["saliency"].title, METHODS["gradcam"].title, "new&lt;"] * 2
    assert "On ResNet" in shown and "80 % of the faces" in shown and "by 1.90 in log-odds" in shown
    assert "+0.60 <small>[+0.50, +0.70]</small>" in shown and "20 ms" in shown
    assert "average face</th>" in shown and "-0.60 <small>[-0.70, -0.50]</small>" in shown
    assert "Not measured for these weights yet" in model_cards.trust("resnet", None)
    assert "begins with" not in shown and "of the 3 methods measured" in shown
    missing = [entry.title for name, entry in METHODS.items() if name not in table["methods"]]
    assert f"Not measured on ResNet yet: {text.listed(missing)}." in shown
    whole = {"faces": 200, "methods": dict.fromkeys(METHODS, row())}
    all_there = model_cards.trust("resnet", whole)
    assert "methods measured" not in all_there and "Not measured" not in all_there
    few = {"methods": {"gradcam": row(0.6) | {"faces": 50}, "saliency": row(0.9) | {"faces": 25}}}
    mixed = model_cards.trust("resnet", few)
    assert "over 25 test faces" in mixed and "<small>25 faces</small>" in mixed and "<small>50 faces</small>" in mixed
    assert "Explain begins with it." in model_cards.trust("resnet", table | {"default": "saliency"})
    assert f"begins with <b>{METHODS['gradcam'].title}</b>, bec" in model_cards.trust(
        "cnn", table | {"default": "gradcam"}
    )


def test_a_table_with_gaps_is_still_shown():
    shown = model_cards.trust("cnn", {"methods": {"gradcam": {"seconds": 1.5}}})
    assert "1.5 s" in shown and "Not measured for" not in shown
    flat = row(sanity=None) | {"stability": None, "relevance_gain": None, "less_other_faces": None, "by_fill": {}}
    assert "Not measured for" not in model_cards.trust("cnn", {"methods": {"gradcam": flat}})
    assert "Not measured" in model_cards.trust("cnn", {"methods": {}})


def test_no_zero_has_a_minus():
    shown = model_cards.trust("cnn", {"methods": {"gradcam": row(gain=-0.001, middle=-0.004, sanity=-0.002)}})
    assert "-0.00" not in shown and "+0.00 <small>[-0.10, +0.10]</small>" in shown
