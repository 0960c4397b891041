import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from unittest.mock import patch

import numpy as np
import pytest
import ray
from fastapi.testclient import TestClient
from ray import serve

from app import experiments, pipeline
from app.api import rest
from app.serving import engines, jobs, ray_cluster
from app.serving.local import LocalEngine
from app.ui.tabs import models
from explain.base import Target
from models import photo, zoo
from models.errors import BusyError, ParameterError, UnknownNameError, WeightsError
from tests.app.serving.lean_replica import LeanReplica, slowly
from tests.app.serving.test_local import EXAMPLES

STARTS = 600
"""Seconds in which a replica starts, on a busy machine."""
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def elsewhere():
    """Replicas, at least one and at most two, that come and go quickly."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["RAY_worker_niceness"] = "0"  # Ray's 15 would leave replicas nothing of a busy machine
    with patch.object(ray_cluster, "Replica", LeanReplica):
        found = ray_cluster.start(replicas=1, most=2, processors=0.5, asked=2, delays_s=(0.5, 2.0))
    yield found
    ray_cluster.stop()


@pytest.fixture
def visitors(elsewhere, monkeypatch):
    """The page and the API ask the cluster."""
    monkeypatch.setattr(engines, "_current", elsewhere)
    return elsewhere


def outside(test):
    """Run a test in a thread of its own, as the server runs what asks the cluster: Ray refuses to wait in a loop's."""

    @wraps(test)
    def run(*args, **kwargs):
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(test, *args, **kwargs).result()

    return run


def running() -> int:
    """How many replicas run."""
    states = serve.status().applications[ray_cluster.NAME].deployments["models"].replica_states
    return states.get("RUNNING", 0)


def until(condition, seconds=STARTS):
    """Wait until a condition holds, asking now and then: Ray's answer takes a tenth of a second of the processor."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(1)


@outside
def test_the_cluster_answers_what_one_process_answers(visitors):
    picture, here = photo.read(EXAMPLES[0]), LocalEngine()
    faces = pipeline.faces_in(picture)
    assert np.allclose(faces[0].crop, here.detect(picture)[0].crop)
    for name, told in pipeline.predictions_for(faces).items():
        expected = here.predict(name, faces)
        assert [said.version for said in told] == [said.version for said in expected]
        for said, other in zip(told, expected, strict=True):
            assert np.allclose(said.probabilities, other.probabilities, atol=0.02)
    there = pipeline.explain("cnn", faces[0], Target(3), "shap_regions")
    assert (
        np.corrcoef(there.values.ravel(), jobs.explain("cnn", faces[0], Target(3), "shap_regions").values.ravel())[0, 1]
        > 0.99
    )
    assert len(pipeline.trusted(faces[0], there).between_methods) == 1


@outside
def test_errors_come_back_as_they_are(visitors):
    face = pipeline.faces_in(photo.read(EXAMPLES[0]))[0]
    with pytest.raises(UnknownNameError, match="Use one of") as refused:
        pipeline.predict("nobody", [face])
    assert "Traceback" not in str(refused.value)
    with pytest.raises(UnknownNameError):
        pipeline.explain("cnn", face, Target(3), "tea leaves")


@outside
def test_the_server_s_health_is_told(visitors):
    """Its route runs in the server's loop, where Ray refuses to wait."""
    answer = TestClient(rest.create()).get("/health").json()
    assert answer["alive"] and answer["ready"] and answer["models"]["cnn"]["state"] == "ready"


def test_a_replica_is_healthy_while_a_model_can_be_used(monkeypatch):
    monkeypatch.setattr(zoo, "keypoint_model", lambda: None)
    monkeypatch.setattr(LocalEngine, "warm", lambda engine: None)
    monkeypatch.setattr(zoo, "available", lambda: ["cnn"])
    replica = ray_cluster.Replica()
    replica.check_health()

    def none_can_be_used():
        raise WeightsError("No model can be used")

    monkeypatch.setattr(zoo, "available", none_can_be_used)
    with pytest.raises(WeightsError):
        replica.check_health()


def test_an_existing_cluster_is_let_go_and_not_ended(monkeypatch):
    ended = []
    monkeypatch.setattr(ray_cluster.ray, "shutdown", lambda: ended.append("connection"))
    monkeypatch.setattr(ray_cluster.serve, "shutdown", lambda: ended.append("replicas"))
    ray_cluster.stop("auto")
    assert ended == ["connection"]
    ray_cluster.stop()
    assert ended[1:] == ["replicas", "connection"]


@outside
def test_batches_of_the_replicas_are_counted(visitors):
    before = visitors.batches().get("faces", (0, 0))
    pipeline.faces_in(photo.read(EXAMPLES[0]))
    after = visitors.batches()["faces"]
    assert (after.batches, after.items) == (before[0] + 1, before[1] + 1)
    face = pipeline.faces_in(photo.read(EXAMPLES[0]))[0]
    predicted = visitors.batches().get("cnn", (0, 0))
    pipeline.predict("cnn", [face, face])
    assert visitors.batches()["cnn"] == (predicted[0] + 1, predicted[1] + 2)
    text = TestClient(rest.create()).get("/metrics").text
    assert f'facewhy_batches_total{{of="cnn"}} {predicted[0] + 1}.0' in text


@outside
def test_a_card_is_shown_without_loading_weights_here(visitors, monkeypatch):
    monkeypatch.setattr(zoo, "load", lambda *_: pytest.fail("loads weights"))
    assert "Weights from" in list(models.show("cnn"))[-1][0]
    assert TestClient(rest.create()).get("/models").json()["models"][1]["methods"]


@outside
def test_a_replica_is_given_the_example_faces_that_an_experiment_shows(visitors):
    swap = experiments.Experiment.from_json({"steps": [{"do": "swap", "donor": "composite_happy"}]})
    face = pipeline.faces_in(photo.read(EXAMPLES[0]))[0]
    assert experiments.run(face, swap).changed.touched.any()


def test_it_knows_how_far_the_models_are(visitors):
    assert visitors.available() == list(zoo.EMOTION_MODELS)
    assert {status.state for status in visitors.health().values()} == {"ready"}


@outside
def test_replicas_go_up_and_down_with_the_load_and_one_that_is_killed_loses_no_request(visitors):
    picture = photo.read(EXAMPLES[0])
    expected = pipeline.faces_in(picture)[0].box
    more = True

    def visit(_):
        answers = 0
        while more:
            assert np.allclose(visitors.explain(slowly, picture), expected)
            answers += 1
        return answers

    with ThreadPoolExecutor(8) as crowd:
        answered = [crowd.submit(visit, number) for number in range(8)]
        try:
            until(lambda: running() == 2 or any(each.done() for each in answered))
            os.kill(visitors._handle.process.remote().result(), signal.SIGKILL)
            until(lambda: running() < 2 or any(each.done() for each in answered), 30)
            time.sleep(1)
        finally:
            more = False
        assert all(each.result() > 0 for each in answered)
    until(lambda: running() == 1)


@outside
def test_a_cluster_that_does_not_answer_is_busy_and_says_when_to_come_back(visitors, monkeypatch):
    class Silent:
        class ask:
            @staticmethod
            def remote(*args):
                raise ray.exceptions.ActorUnavailableError("gone", b"0" * 16)

    monkeypatch.setattr(visitors, "_handle", Silent)
    monkeypatch.setattr(ray_cluster.time, "sleep", lambda seconds: None)
    with pytest.raises(BusyError) as refused:
        visitors.detect(photo.read(EXAMPLES[0]))
    assert refused.value.seconds == 10


@pytest.mark.parametrize("wrong", [{"replicas": 0}, {"replicas": 3, "most": 2}, {"processors": 0}])
def test_numbers_that_cannot_be_are_refused_before_anything_starts(wrong):
    with pytest.raises(ParameterError, match="fewest"):
        ray_cluster.start(**wrong)
