"""Ten programs at once: each gets the answer to its own question."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from explain import registry
from models import zoo
from models.types import EMOTIONS
from tests.app.api.conftest import EXAMPLES

PICTURES = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))


def test_ten_at_once_get_what_each_gets_alone(call, upload):
    assert len(PICTURES) == 10
    together = threading.Barrier(len(PICTURES), timeout=60)

    def ask(visitor, wait=False):
        picture = PICTURES[visitor]
        method = registry.METHODS[list(registry.METHODS)[visitor % len(registry.METHODS)]]
        model, emotion = zoo.EMOTION_MODELS[visitor % 3], EMOTIONS[visitor % 7]
        if wait:
            together.wait()
        path = upload(picture.read_bytes(), picture.name)
        given = {"path": path, "meta": {"_type": "gradio.FileData"}}
        [answer] = call("explain", given, model, emotion, method.name, "", dict(method.quick), 0, False, "", "arrays")
        return answer

    alone = [ask(visitor) for visitor in range(len(PICTURES))]
    with ThreadPoolExecutor(len(PICTURES)) as pool:
        found = list(pool.map(lambda visitor: ask(visitor, wait=True), range(len(PICTURES))))
    for expected, answer in zip(alone, found, strict=True):
        assert answer["box"] == expected["box"]
        assert answer["prediction"]["model"] == expected["prediction"]["model"]
        one, other = expected["explanation"], answer["explanation"]
        assert [one[key] for key in ("method", "emotion", "params")] == [
            other[key] for key in ("method", "emotion", "params")
        ]
        np.testing.assert_allclose(other["values"], one["values"], atol=1e-3 * np.abs(one["values"]).max())
    assert len({str(answer["prediction"]["probabilities"]) for answer in found}) == len(PICTURES)
