import json

import numpy as np
import pytest

from models import card as cards
from models import ensemble, weight_store, zoo


@pytest.fixture(scope="module")
def shipped():
    return [cards.read(weight_store.SHIPPED / name) for name in zoo.EMOTION_MODELS]


def test_the_mean_is_tempered_as_a_softmax_is():
    one, other = np.array([0.8, 0.2]), np.array([0.4, 0.6])
    assert ensemble.Ensemble().probabilities([one, other]) == pytest.approx([0.6, 0.4])
    # mean .6 : .4, to the power of two 36 : 16
    assert ensemble.Ensemble(0.5).probabilities([one, other]) == pytest.approx([36 / 52, 16 / 52])


def test_the_temperature_of_other_weights_is_not_used(tmp_path, shipped):
    of = {card.name: card.sha256 for card in shipped}
    (tmp_path / "ensemble.json").write_text(
        json.dumps({"weights": of, "temperature": 0.8, "PrivateTest": {"faces": 3}})
    )
    found = ensemble.read(tmp_path, shipped)
    assert found.temperature == 0.8 and found.metrics["PrivateTest"] == {"faces": 3}
    assert ensemble.read(tmp_path, shipped[:2]) == ensemble.Ensemble(1.0, {})
    assert ensemble.read(tmp_path / "none", shipped) == ensemble.Ensemble(1.0, {})
    (tmp_path / "ensemble.json").write_text("{")
    assert ensemble.read(tmp_path, shipped) == ensemble.Ensemble(1.0, {})
