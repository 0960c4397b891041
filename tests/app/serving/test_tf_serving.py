import threading
from functools import partial

import numpy as np
import pytest
from scipy.special import softmax

from app.serving import tf_serving
from app.serving.tf_serving import ServingPredictor
from models import card as cards
from models import weight_store, zoo
from models.errors import ParameterError, UnknownNameError, WeightsError, WeightsMismatchError, WeightsNotFoundError
from models.model import restore
from tests.deploy import tf_serving as stub
from tests.hub import closed_port
from training.release import savedmodel

CARD = cards.read(weight_store.SHIPPED / "cnn")
VERSION = savedmodel.number(CARD.version)


def shipped_card(name):
    return cards.read(weight_store.SHIPPED / name)


@pytest.fixture(scope="module")
def model():
    return restore("cnn", weight_store.Located(weight_store.SHIPPED / "cnn", "folder"), zoo.build)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The signature of the SavedModel that `python -m training export cnn --to savedmodel` writes."""
    return savedmodel.load(savedmodel.write(model, tmp_path_factory.mktemp("cnn") / str(VERSION)))


@pytest.fixture
def server(exported):
    with stub.serving({"cnn": {VERSION: exported}}) as running:
        yield running


@pytest.fixture
def predictor(server):
    return ServingPredictor(server.url, shipped_card)


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).random((3, 48, 48), np.float32)


def fixed(rows):
    """A model that answers the same rows whatever it is asked."""
    return lambda instances: np.array(rows, np.float32)


# ------------------------------------------------------------------------------------ predictions


def test_the_server_answers_what_the_model_in_this_process_answers(predictor, model, crops):
    logits, probabilities = predictor.predict("cnn", crops)
    assert logits.dtype == probabilities.dtype == np.float32 and logits.shape == probabilities.shape == (3, 7)
    own = model.network(crops[..., None], training=False).numpy()
    np.testing.assert_allclose(probabilities, softmax(own / CARD.temperature, axis=1), atol=0.02)  # bfloat16 or not
    centred = own - own.mean(1, keepdims=True)
    np.testing.assert_allclose(logits - logits.mean(1, keepdims=True), centred, atol=0.1)
    np.testing.assert_allclose(softmax(logits / CARD.temperature, axis=1), probabilities, atol=1e-6)


def test_logits_are_known_up_to_a_constant():
    own = np.array([[1.5, -2.0, 0.25, 3.0, 0.0, -1.0, 0.5], [9, 8, 7, 6, 5, 4, 3]])
    found = tf_serving.logits(softmax(own / 1.7, axis=1), 1.7)
    shift = found - own
    np.testing.assert_allclose(shift, np.repeat(shift[:, :1], 7, axis=1), atol=1e-5)
    certain = tf_serving.logits(np.eye(7)[:1], 2.0)
    assert np.isfinite(certain).all() and certain[0, 0] == 0 and certain[0, 1] < -100


def test_many_crops_go_in_several_requests_and_none_in_none(predictor, server):
    crops = np.zeros((tf_serving.CHUNK + 3, 48, 48), np.float32)
    logits, probabilities = predictor.predict("cnn", crops)
    assert server.rows == [tf_serving.CHUNK, 3] and len(logits) == len(probabilities) == len(crops)
    logits, probabilities = predictor.predict("cnn", crops[:0])
    assert logits.shape == probabilities.shape == (0, 7) and len(server.rows) == 2


def test_visitors_ask_at_the_same_time(predictor, crops):
    expected = predictor.predict("cnn", crops)[1]
    found = [None] * 6

    def ask(index):
        found[index] = predictor.predict("cnn", crops[index % 3 :][:1])[1]

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, one in enumerate(found):
        np.testing.assert_allclose(one[0], expected[index % 3], atol=5e-3)


@pytest.mark.parametrize("version", ["0.0.1", "1.0.0", "1.2.3", "12.34.567"])
def test_a_version_has_the_number_under_which_it_is_exported(version):
    assert tf_serving.version_number(version) == savedmodel.number(version)


# -------------------------------------------------------------------------- which version is there


def test_the_version_that_is_explained_is_asked_not_the_latest(server, predictor, crops, exported):
    uniform = np.full((3, 7), 1 / 7)
    server.models["cnn"] = {VERSION: exported, VERSION + 1: fixed(uniform)}
    assert np.abs(predictor.predict("cnn", crops)[1] - uniform).max() > 0.01


def test_another_version_or_model_is_not_used(server, predictor, crops):
    server.states["cnn", VERSION] = "LOADING"
    with pytest.raises(WeightsNotFoundError, match=rf"404, 'Servable not found for request: Specific\(cnn, {VERSION}"):
        predictor.predict("cnn", crops)
    with pytest.raises(WeightsNotFoundError, match="404"):
        predictor.predict("resnet", crops)


# ------------------------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize("url", ["", "host:8501", "ftp://host", "http://", "http://host:port", "http://host/?a=b"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ParameterError, match="FACEWHY_PREDICT_URL is not the address.*http://host:8501"):
        ServingPredictor(url, shipped_card)


def test_a_slash_at_the_end_of_the_address_changes_nothing(server, crops):
    assert ServingPredictor(f" {server.url}/ ", shipped_card).predict("cnn", crops)[0].shape == (3, 7)


def test_what_the_app_gives_is_checked_before_anything_is_asked(predictor, server, crops):
    with pytest.raises(UnknownNameError, match="cnn, resnet, vgg16"):
        predictor.predict("../cnn", crops)
    for wrong in (crops[0], crops[:, :40], crops[..., None]):
        with pytest.raises(ParameterError, match="shape"):
            predictor.predict("cnn", wrong)
    with pytest.raises(ParameterError, match="finite"):
        predictor.predict("cnn", np.full((1, 48, 48), np.nan))
    assert server.rows == []


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (np.full((3, 5), 0.2), r"shape \(3, 7\). Received: \(3, 5\)"),
        (np.full((2, 7), 1 / 7), r"shape \(3, 7\). Received: \(2, 7\)"),
        (np.full((3, 7), np.nan), "finite numbers"),
        (np.full((3, 7), np.inf), "finite numbers"),
        (np.tile(np.arange(-3.0, 4.0), (3, 1)), "whose sum is 1"),
        (np.full((3, 7), 0.5), "whose sum is 1"),
    ],
)
def test_the_answer_of_another_model_is_refused(predictor, server, crops, rows, sentence):
    server.models["cnn"] = {VERSION: fixed(rows)}
    with pytest.raises(WeightsMismatchError, match=sentence):
        predictor.predict("cnn", crops)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (partial(stub.Response, "<html>\nhello", 200), "did not answer JSON"),
        (partial(stub.Response, "Bad request", 400), "400, 'Bad request'"),
        (partial(stub.answered, {"outputs": [[1]]}), "rows of numbers"),
        (partial(stub.answered, [1]), "rows of numbers"),
        (partial(stub.answered, {"predictions": [{"a": [1], "b": [2]}]}), "rows of numbers"),
        (partial(stub.answered, {"predictions": [[1, 2], [1]]}), "rows of numbers"),
        (partial(stub.error, 400, "JSON Value is not of expected type"), "400, 'JSON Value is not of"),
    ],
)
def test_an_answer_of_another_kind_is_one_sentence(predictor, server, crops, answer, sentence):
    server.answers = [answer()]
    with pytest.raises(WeightsMismatchError, match=sentence) as caught:
        predictor.predict("cnn", crops)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", [None, stub.error(503, "Overloaded"), stub.Response("<html>", 502)])
def test_a_request_that_fails_on_its_way_is_sent_once_more_and_no_oftener(predictor, server, crops, broken):
    server.answers = [broken]
    assert predictor.predict("cnn", crops)[0].shape == (3, 7)
    server.answers = [broken] * 3
    with pytest.raises(WeightsError, match="failed. Received: (RemoteProtocolError|HTTP status 50[23], '(Ov|<ht))"):
        predictor.predict("cnn", crops)
    assert len(server.answers) == 1


def test_a_slow_server_is_asked_once_and_not_waited_for(predictor, server, crops, monkeypatch):
    monkeypatch.setattr(tf_serving, "ANSWER_TIMEOUT_S", 0.2)
    server.delay = 1.0
    with pytest.raises(WeightsError, match="ReadTimeout"):
        ServingPredictor(server.url, shipped_card).predict("cnn", crops)
    server.delay = 0.0
    assert len(server.rows) <= 1


def test_a_server_that_is_down_is_one_sentence_without_its_address(crops):
    url = closed_port().replace("://", "://user:secret@")
    predictor = ServingPredictor(url, shipped_card)
    with pytest.raises(WeightsError, match="failed. Received: ConnectError.*FACEWHY_PREDICT_URL") as caught:
        predictor.predict("cnn", crops)
    assert "secret" not in str(caught.value) and "127.0.0.1" not in str(caught.value)
