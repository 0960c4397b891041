"""A planted map is trusted, a random one is not, and the rule case by case."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from explain import evidence, registry, trust
from explain.base import Explanation, Parameters, Target
from explain.methods import masking
from explain.metrics import faithfulness, randomisation, stability
from explain.metrics.faithfulness import Curves
from models.regions import REGIONS, masks
from tests.explain.conftest import wrap

HAPPY = Target.named("happy")


@pytest.fixture(scope="module")
def mouth_model(face):
    """A network whose only unit sees the mouth and compares it with what hidden pixels show."""
    import keras
    from keras import layers

    mouth = masks(face.crop_keypoints)[REGIONS.index("mouth")]
    hidden = np.mean([masking.baseline_picture(face.crop, name) for name in trust.BASELINES], axis=0)
    template = np.where(mouth, face.crop - hidden, 0)
    template /= (template**2).sum()
    inputs = keras.Input((48, 48, 1))
    units = layers.Dense(8, activation="relu", name="units")(layers.Flatten()(inputs))
    network = keras.Model(inputs, layers.Dense(7, name="logits")(units))
    kernel, head = np.zeros((2304, 8), np.float32), np.zeros((8, 7), np.float32)
    kernel[:, 0] = template.ravel()
    head[0, HAPPY.emotion] = 6
    offset = np.zeros(8, np.float32)
    offset[0] = -(template * hidden).sum()
    bias = np.zeros(7, np.float32)
    bias[HAPPY.emotion] = -1
    network.set_weights([kernel, offset, head, bias])
    return wrap(network, "cnn", "units")


def given(values, target=HAPPY, method="shap_regions", model="cnn", signed=True) -> Explanation:
    params = registry.METHODS[method].Params() if method in registry.METHODS else Parameters()
    return Explanation(method, model, target, np.asarray(values, np.float32), signed, params, 0.0)


def random_map(seed: int) -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(48, 48)), (0, 0), 1 + seed % 6)


def test_a_planted_map_is_trusted(mouth_model, face):
    explanation = registry.explain(mouth_model, face, HAPPY, "shap_regions")
    parts = evidence.by_region(explanation.values, masks(face.crop_keypoints))
    assert parts[REGIONS.index("mouth")].share_supporting >= 0.95
    result = trust.read(mouth_model, face, explanation)
    assert result.verdict == "high" and result.sentence == trust.SENTENCES["high"]
    assert [one.fill for one in result.curves] == ["blur", "mean face"]
    assert result.stability > 0.5 and result.seconds > 0
    for one in result.curves:
        assert one.deletion_auc < one.random_deletion.min() and one.insertion_auc > one.random_insertion.max()


def test_the_same_map_is_not_trusted_once_the_weights_are_random(mouth_model, face):
    import keras

    explanation = registry.explain(mouth_model, face, HAPPY, "shap_regions")
    verdicts = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        network = keras.models.clone_model(mouth_model.network)
        network.set_weights([rng.normal(0, 0.1, weight.shape) for weight in network.get_weights()])
        verdicts.append(trust.read(wrap(network, "cnn", "units"), face, explanation).verdict)
    assert verdicts.count("none") >= 9


def test_random_maps_are_called_better_than_chance_one_time_in_ten_at_most(mouth_model, face):
    baselines = {name: masking.baseline_picture(face.crop, name) for name in trust.BASELINES}
    wrong = 0
    for seed in range(100):
        found = faithfulness.curves(
            lambda crops: trust.score(mouth_model, crops, HAPPY),
            face.crop,
            random_map(seed),
            baselines,
            seed=1000 + seed,
        )
        wrong += trust.judge(found, 1.0) not in ("chance", "blob")
    assert wrong <= 10


def test_a_flat_map_is_not_tested(mouth_model, face):
    result = trust.read(mouth_model, face, given(np.zeros((48, 48))), other_methods=[given(random_map(0))])
    assert (result.verdict, result.sentence, result.curves) == ("none", trust.SENTENCES["flat"], ())
    assert np.isnan(result.stability)
    read = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert read["stability"] is None
    assert read["between_methods"]["shap_regions"] == {"rank_correlation": None, "overlap": None}


def test_a_reading_is_the_same_twice_and_follows_the_seed(cnn, face):
    explanation = registry.explain(cnn, face, Target(0, 3), "gradcam")
    first, second, other = (trust.read(cnn, face, explanation, seed=seed).to_json() for seed in (0, 0, 1))
    for result in (first, second, other):
        result.pop("seconds")
        json.dumps(result, allow_nan=False)
    assert first == second
    assert first["curves"][0]["random_deletion"] != other["curves"][0]["random_deletion"]
    assert first["curves"][0]["deletion"] == other["curves"][0]["deletion"]


def test_agreement_with_other_methods_and_models(mouth_model, face):
    explanation = given(random_map(1))
    result = trust.read(
        mouth_model,
        face,
        explanation,
        other_methods=[given(explanation.values * 3, method="gradcam")],
        other_models=[given(-explanation.values, model="resnet")],
    )
    same, opposite = result.between_methods["gradcam"], result.between_models["resnet"]
    assert (same.rank_correlation, same.overlap) == pytest.approx((1, 1))
    assert (opposite.rank_correlation, opposite.overlap) == pytest.approx((-1, 0), abs=1e-6)


def test_the_score_by_hand():
    """Logits 0, ln 3 over a temperature of 1/2: against each other 9 to 1."""

    class Two:
        card = type("Card", (), {"temperature": 0.5})

        def logits(self, crops):
            return np.array([[0, np.log(3), 0, 0, 0, 0, 0]], np.float32)

        def probabilities(self, logits):
            powers = np.exp(logits / 0.5)
            return powers / powers.sum(-1, keepdims=True)

    assert trust.score(Two(), np.zeros((1, 48, 48)), Target(1, 0))[0] == pytest.approx(0.9)
    assert trust.score(Two(), np.zeros((1, 48, 48)), Target(0, 1))[0] == pytest.approx(0.1)
    assert trust.score(Two(), np.zeros((1, 48, 48)), Target(1))[0] == pytest.approx(9 / 15)


def curves(gain: float, blob: float, random_gain=(-0.1, 0.1), fill: str = "blur") -> Curves:
    """Curves with these gains; the lines themselves do not count."""
    line, chance = np.zeros(2), np.array(random_gain)
    return Curves(fill, line, line, line, 0.2, 0.2 + gain, 0 * chance, chance, 0.2, 0.2 + blob, *[line] * 4)


MANY = tuple(np.linspace(-0.1, 0.1, 20))


@pytest.mark.parametrize(
    ("found", "mean_correlation", "reason"),
    [
        ((), float("nan"), "flat"),
        ((curves(0.05, 0),), 0.9, "chance"),
        ((curves(0.1, 0, MANY),), 0.9, "high"),  # beats 19 of 20
        ((curves(0.085, 0, MANY),), 0.9, "chance"),  # beats 18 of 20
        ((curves(0.3, 0.3),), 0.9, "blob"),
        ((curves(0.3, 0.2),), 0.9, "high"),
        ((curves(0.3, 0.2),), 0.5, "high"),
        ((curves(0.3, 0.2),), 0.49, "unstable"),
        ((curves(0.3, 0.2),), float("nan"), "unstable"),
        ((curves(0.3, 0.2), curves(0.0, -0.1)), 0.9, "uneven"),  # at chance with the second fill
        ((curves(0.5, 0.2), curves(0.2, 0.3)), 0.9, "uneven"),  # under the blob with the second fill
        ((curves(0.3, 0.2), curves(-0.2, -0.1)), 0.9, "chance"),  # the mean counts first
        ((curves(0.3, 0.2), curves(0.2, 0.4)), 0.9, "blob"),
    ],
)
def test_the_rule(found, mean_correlation, reason):
    assert trust.judge(found, mean_correlation) == reason


def test_every_reason_is_one_sentence():
    assert all(text.endswith(".") and text.count(".") == 1 for text in trust.SENTENCES.values())


def test_the_page_on_trust_names_the_numbers_of_the_code():
    """Parts of the curves without their ends, two curves a map and fill, and both ends of each fill."""
    text = " ".join((Path(__file__).parents[2] / "docs" / "trust.md").read_text(encoding="utf-8").split())
    maps, inner = 2 + faithfulness.PAIRS, faithfulness.STEPS - 1
    for words in (
        f"All {1 + len(trust.BASELINES) * (1 + 2 * maps * inner)} pictures",
        f"{2 * faithfulness.PAIRS} maps that know nothing",
        f"at least {trust.BEATEN:.0%}".replace("%", " %"),
        f"stability must be {trust.STABLE} or more",
        f"shifted by {stability.SHIFT:.0f} pixels each way, {stability.ZOOM - 1:.0%}".replace("%", " %"),
        f"correlation below {randomisation.LIKE_BEFORE} with all layers random",
        *(f"(*{name}*)" for name in trust.BASELINES),
    ):
        assert words in text, words
