"""An experiment on a real face with the shipped models."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import TypeAdapter

from app import experiments, lab_text, source_faces, text
from app.api import answers, responses
from explain import evidence
from explain.base import Target
from explain.lab import trial
from explain.lab.apply import apply, elsewhere, random_patch
from explain.lab.steps import Blur, Experiment, Hide, Rectangle, Swap
from models import regions, zoo
from models.errors import FaceWhyError
from models.regions import REGIONS
from models.types import EMOTIONS

MOUTH = Experiment((Hide("mouth"),))


@pytest.fixture(scope="module")
def hidden(one) -> trial.Outcome:
    return experiments.run(one.face, MOUTH)


def test_before_is_what_the_models_say_and_after_is_the_changed_face(one, hidden):
    assert list(hidden.models) == list(zoo.EMOTION_MODELS)
    for name, tried in hidden.models.items():
        assert np.allclose(tried.before.logits, one.face_predictions[name].logits, atol=0.15)
        again = zoo.load(name).logits(hidden.changed.crop[None])[0]
        assert np.allclose(tried.after.logits, again, atol=0.15)
        index = hidden.target.emotion
        assert tried.before.probabilities[index] > tried.after.probabilities[index]
        assert np.allclose(tried.alone.logits, tried.before.logits, atol=0.15)


def test_the_forecast_is_the_share_of_the_evidence_on_the_part(one, hidden):
    masks = regions.masks(one.face.crop_keypoints)
    for name, tried in hidden.models.items():
        told = evidence.by_region(hidden.maps[name].values, masks)[REGIONS.index("mouth")]
        assert tried.forecast.share == pytest.approx(told.share_supporting, abs=1e-6)
        assert tried.forecast.area == pytest.approx(told.pixels / 48**2)


def test_random_patches_are_asked_by_seed(hidden, one):
    for tried in hidden.models.values():
        assert tried.random.shape == (trial.PATCHES,) and len(set(tried.random.tolist())) > 2
    again = experiments.run(one.face, MOUTH)
    assert np.allclose(again.models["cnn"].random, hidden.models["cnn"].random)
    on_face = ~regions.masks(one.face.crop_keypoints)[REGIONS.index("background")]
    patch = random_patch(hidden.changed.touched, 0, on_face)
    other = apply(elsewhere(MOUTH, patch), one.face.crop, one.face.crop_keypoints)
    model = zoo.load("cnn")
    expected = model.probabilities(model.logits(other.crop[None]))[0, hidden.target.emotion]
    assert hidden.models["cnn"].random[0] == pytest.approx(expected, abs=0.02)


def test_what_hides_nothing_has_nothing_to_be_compared_with(one):
    outcome = experiments.run(one.face, Experiment((Blur(3),)))
    for tried in outcome.models.values():
        assert not len(tried.random) and tried.verdict == "" and tried.forecast.expects is None
        assert np.array_equal(tried.alone.logits, tried.after.logits)
        assert not np.allclose(tried.before.logits, tried.after.logits, atol=0.2)


def test_other_steps_do_not_count_as_hiding(one):
    outcome = experiments.run(one.face, Experiment((Blur(3), Hide("mouth"))))
    alone = experiments.run(one.face, Experiment((Blur(3),)))
    for name, tried in outcome.models.items():
        assert np.allclose(tried.alone.logits, alone.models[name].after.logits, atol=0.15)
        assert not np.allclose(tried.alone.logits, tried.before.logits, atol=0.2)
        share = text.percent(tried.alone.probabilities[outcome.target.emotion])
        assert f"(the other changes alone leave {share})" in lab_text.message(outcome.maps[name], tried)


def test_a_part_that_is_out_of_sight_hides_nothing(one):
    far = replace(one.face, keypoints=one.face.keypoints + 10_000)
    outcome = experiments.run(far, Experiment((Blur(3), Hide("mouth"))))
    assert not outcome.changed.touched.any()
    for tried in outcome.models.values():
        assert tried.verdict == "" and np.array_equal(tried.alone.logits, tried.after.logits)


def test_the_method_and_the_emotion_are_those_that_were_asked_for(one, hidden):
    other = experiments.run(one.face, MOUTH, "shap_regions", "angry")
    assert other.target == Target.named("angry") and other.maps["cnn"].method == "shap_regions"
    for wrong in ({"method": "guess"}, {"emotion": "bored"}, {"params": {"nothing": 1}}):
        with pytest.raises(FaceWhyError):
            experiments.run(one.face, MOUTH, **wrong)


def test_a_heatmap_that_is_there_is_not_made_again(one, hidden):
    given = {("cnn", hidden.target.emotion): replace(hidden.maps["cnn"], seconds=123.0)}
    again = experiments.run(one.face, MOUTH, maps=given)
    assert again.maps["cnn"].seconds == 123.0 and again.maps["resnet"].seconds < 100


# ---------------------------------------------------------------------- verdict


def test_a_model_that_looks_at_the_mouth_alone_proves_its_map_right(one, monkeypatch):
    """The planted truth: only the mouth's pixels reach the answer, and the map says so."""
    mask = regions.masks(one.face.crop_keypoints)[REGIONS.index("mouth")]
    crop = one.face.crop

    def logits(crops):
        kept = 1 - np.abs(np.asarray(crops) - crop)[:, mask].mean(1) * 20
        return np.stack([np.zeros_like(kept)] * 3 + [3 * kept] + [np.zeros_like(kept)] * 3, 1).astype(np.float32)

    real = zoo.load("cnn")
    toy = SimpleNamespace(logits=logits, predictions=real.predictions)
    monkeypatch.setattr(zoo, "load", lambda name, version="": toy)
    honest = SimpleNamespace(values=mask.astype(np.float32), method="gradcam")
    liar = SimpleNamespace(values=np.roll(mask, -20, 0).astype(np.float32), method="gradcam")
    for told, expected in ((honest, "right"), (liar, "wrong")):
        known = {(name, 3): told for name in zoo.EMOTION_MODELS}
        outcome = experiments.run(one.face, MOUTH, emotion="happy", maps=known)
        assert {tried.verdict for tried in outcome.models.values()} == {expected}


# ------------------------------------------------------------------------- JSON


def answer_for(face, given, method="gradcam", smallest_change=False):
    experiment = Experiment.from_json(given)
    return responses.lab(*experiments.run_with_smallest(face, experiment, method, smallest_change=smallest_change))


def test_the_answer_is_plain_json_with_a_schema(one):
    given = '{"steps": [{"do": "hide", "region": "mouth"}, {"do": "rotate", "degrees": 10}]}'
    answer = answer_for(one.face, given, "shap_regions", smallest_change=True)
    assert json.loads(json.dumps(answer)) == answer
    assert Experiment.from_json(answer["experiment"]) == Experiment.from_json(given)
    assert Experiment.from_code(answer["link"].removeprefix("?lab=")) == Experiment.from_json(given)
    assert np.shape(answer["crop"]) == (48, 48) and 0.01 < answer["hidden"] < 0.2
    assert [told["before"]["model"] for told in answer["models"]] == list(zoo.EMOTION_MODELS)
    for told in answer["models"]:
        assert told["random"]["mean"] == pytest.approx(np.mean(told["random"]["probabilities"]))
        assert "random patches" in told["words"] and 0 <= told["predicted"]["exceeds"] <= trial.PATCHES
        above = [
            probability > told["after"]["probabilities"]["happy"] for probability in told["random"]["probabilities"]
        ]
        assert told["random"]["exceeded"] == sum(above)
    schema = json.dumps(TypeAdapter(answers.LabResult).json_schema())
    assert all(f'"{key}"' in schema for key in (*answer, *answer["models"][0], "ties"))


def test_the_smallest_change_really_changes_the_answer(one):
    for name, found in experiments.smallest(one.face).items():
        assert found is not None and EMOTIONS[found.before] == one.face_predictions[name].emotion
        steps = tuple(Hide(region) for region in found.regions)
        tried = experiments.run(one.face, Experiment(steps)).models[name]
        assert tried.after.top == found.after != tried.before.top


def test_without_a_search_there_is_no_smallest_change(one):
    answer = answer_for(one.face, {"steps": []})
    assert all(told["smallest_change"] is None for told in answer["models"])
    assert answer["hidden"] == 0 and all(told["random"]["mean"] is None for told in answer["models"])


# ----------------------------------------------------------------- source faces


def test_donors_are_examples_of_one_face_each():
    assert set(source_faces.SOURCE_FACES) == {path.stem for path in source_faces.EXAMPLES.glob("*.*g")} - {"group"}
    source = source_faces.SOURCE_FACES["composite_happy"]
    assert source.crop.shape == (48, 48) and source.keypoints.shape == (15, 2)
    assert (source.keypoints > 0).all() and (source.keypoints < 48).all()
    assert "nobody" not in source_faces.SOURCE_FACES and source_faces.display_name("composite_happy") == "average happy"
    with pytest.raises(KeyError):
        source_faces.SOURCE_FACES["nobody"]


def test_a_smile_makes_a_neutral_face_happier(one):
    """What a swap is for: the mouth of the average happy face on the average neutral one."""
    neutral = source_faces.SOURCE_FACES["composite_neutral"]
    changed = {
        name: apply(Experiment((Swap("mouth", name),)), neutral.crop, neutral.keypoints, source_faces.SOURCE_FACES).crop
        for name in ("composite_happy", "composite_neutral")
    }
    happy = EMOTIONS.index("happy")
    for name in zoo.EMOTION_MODELS:
        model = zoo.load(name)
        told = model.probabilities(model.logits(np.stack([neutral.crop, *changed.values()])))[:, happy]
        assert told[1] > told[0] + 0.05 and abs(told[2] - told[0]) < 0.1


# ------------------------------------------------------------------------ words


def test_every_step_has_a_name():
    from explain.lab.steps import STEPS

    names = [lab_text.named(kind()) for kind in STEPS.values()]
    assert len(set(names)) == len(STEPS)
    assert lab_text.named(Rectangle(1, 2, 5, 4)) == "4 × 2 pixels covered"


def test_the_sentence_has_the_figures(hidden):
    tried = hidden.models["resnet"]
    told = lab_text.message(hidden.maps["resnet"], tried)
    index = hidden.target.emotion
    for share in (tried.forecast.share, tried.forecast.area, tried.after.probabilities[index], tried.random.mean()):
        assert text.percent(float(share)) in told
    assert "other changes" not in told
    assert f"more than {tried.forecast.exceeds} of 8 random patches hold" in told
    assert f"costs more than {sum(tried.random > tried.after.probabilities[index])} of 8 patches do" in told


def test_a_heatmap_is_not_held_to_what_another_face_brings(one):
    for step in (Swap("mouth", "composite_sad"), Hide("mouth", "composite_sad")):
        outcome = experiments.run(one.face, Experiment((step,)))
        answer = responses.lab(outcome)["models"][0]
        assert {tried.verdict for tried in outcome.models.values()} == {""}
        assert answer["predicted"]["expects"] == "" and "evidence of its own" in answer["words"]
        assert "from that face" in answer["words"] and "heatmap was" not in answer["words"]


def test_the_summary_names_who_changed_and_whose_map_was_right(hidden):
    told = lab_text.summary(hidden)
    for name, tried in hidden.models.items():
        changed = f"{text.MODELS[name]} ({tried.before.emotion} → {tried.after.emotion})"
        assert (changed in told) == (tried.before.top != tried.after.top)
    assert "The heatmap (Grad-CAM) agreed" in told or "The heatmap (Grad-CAM) disagreed" in told


def test_those_who_keep_their_answer_are_named_where_a_model_is_missing():
    assert lab_text.kept(["cnn", "resnet", "vgg16"]) == "All three keep their answer."
    assert lab_text.kept(["cnn", "vgg16"]) == "CNN and VGG16 keep their answer."
    assert lab_text.kept(["resnet"]) == "ResNet keeps its answer."
