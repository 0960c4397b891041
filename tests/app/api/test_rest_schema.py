"""Schemathesis over the description of the REST API: what it promises holds, whatever is sent."""

import base64
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from app.api import rest
from app.api.endpoints import Endpoint
from tests.app.api.conftest import EXAMPLES
from tests.app.api.hostile.clips import good_clip

PICTURE = (EXAMPLES / "astronaut.jpg").read_bytes()
USABLE = {
    "image": base64.b64encode(PICTURE).decode(),
    "file": PICTURE,
    "files": [PICTURE],
    "video": base64.b64encode(good_clip()).decode(),
    "model": "cnn",
    "model_version": "",
    "face": 0,
    "emotion": "",
    "against": "",
    "method": "gradcam",
    "params": None,
    "measures": None,
    "experiment": None,
    "smallest_change": False,
    "split": "",
    "ranges": None,
    "projection": "",
}
"""What no schema can say: these values go together, and the picture is one. The rest is left to chance."""
load_all_checks()
OF_JSON = [CHECKS.get_one("negative_data_rejection")]
"""A form holds texts only, so that what would be of a wrong type in JSON is none there."""

schema = schemathesis.openapi.from_dict(rest.create().openapi())


@pytest.fixture(scope="module")
def known():
    """What was answered, by the request without its picture."""
    return {}


@pytest.fixture(autouse=True)
def each_once(computed_once, known):
    """What takes long is computed once for the same request."""
    compute = Endpoint.answer

    def answer(self, photo, request, started=None):
        key = self.name, request.model_dump_json(exclude={"image"})
        if self.queue == "predict":
            return compute(self, photo, request, started)
        if key not in known:
            known[key] = compute(self, photo, request, started)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "answer", answer)
        yield


def described(path: str, method: str):
    """The test of one route. Each has a function of its own: xdist runs tests of one name once."""

    @schema.include(path=path, method=method).parametrize()
    @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    def test(case, url):
        if case.meta.generation.mode.is_positive and isinstance(case.body, dict):
            case.body |= {name: value for name, value in USABLE.items() if name in case.body}
        form = case.media_type == "multipart/form-data"
        case.call_and_validate(base_url=url.rstrip("/"), timeout=300, excluded_checks=OF_JSON * form)

    return test


for operation in (found.ok() for found in schema.get_all_operations()):
    test_name = re.sub(r"\W+", "_", f"test_{operation.method}{operation.path}_is_what_its_description_promises")
    globals()[test_name] = described(operation.path, operation.method)


def test_every_route_is_tried():
    routes = {(path, method) for path, methods in rest.create().openapi()["paths"].items() for method in methods}
    assert len([name for name in globals() if name.endswith("_is_what_its_description_promises")]) == len(routes) > 10
