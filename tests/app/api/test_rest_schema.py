"""Schemathesis over the description of the REST API: what it promises holds, whatever is sent."""

import base64

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from app.api import rest
from app.api.endpoints import Endpoint
from tests.app.api.conftest import EXAMPLES

PICTURE = (EXAMPLES / "astronaut.jpg").read_bytes()
USABLE = {
    "image": base64.b64encode(PICTURE).decode(),
    "file": PICTURE,
    "files": [PICTURE],
    "model": "cnn",
    "model_version": "",
    "face": 0,
    "emotion": "",
    "against": "",
    "method": "gradcam",
    "params": None,
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


@pytest.fixture(scope="module", autouse=True)
def each_once():
    """What takes long is computed once for the same request."""
    known, compute = {}, Endpoint.answer

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


@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_what_the_description_promises_holds(case, url):
    if case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        case.body |= {name: value for name, value in USABLE.items() if name in case.body}
    form = case.media_type == "multipart/form-data"
    case.call_and_validate(base_url=url.rstrip("/"), timeout=300, excluded_checks=OF_JSON * form)
