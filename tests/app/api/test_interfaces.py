"""Three interfaces, one response: the page, Gradio's client and the REST API on every picture that ships.

Crops that are computed together differ from crops alone by the rounding of bfloat16, where the processor has it:
no probability by more than `TOLERANCE`. Everything before the networks is the same to the last digit that is told.
"""

import base64

import httpx
import pytest
from gradio_client import handle_file

from app.ui.cancellation import Cancellation
from app.ui.session import Session
from app.ui.tabs import predict
from models import photo, zoo
from tests.app.api.conftest import EXAMPLES

TOLERANCE = 0.01
PICTURES = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))


def of_page(path) -> list[dict]:
    """What the handler of the Predict tab puts into a visitor's session."""
    *_, last = predict.read(Cancellation(), Session(), 1.0, lambda: photo.read(path))
    session = last.session
    return [
        {
            "box": [float(side) for side in face.box],
            "keypoints": face.keypoints.astype(float).ravel().tolist(),
            "answers": {
                (name, answers[index].version): answers[index].probabilities.astype(float).tolist()
                for name, answers in session.predictions.items()
            },
        }
        for index, face in enumerate(session.faces)
    ]


def of_program(answer: dict) -> list[dict]:
    """The same of an answer to a program."""
    return [
        {
            "box": list(face["box"].values()),
            "keypoints": [point[axis] for point in face["keypoints"] for axis in "xy"],
            "answers": {
                (said["model"], said["version"]): list(said["probabilities"].values()) for said in face["predictions"]
            },
        }
        for face in answer["faces"]
    ]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_every_door_gives_the_same_numbers(url, client, path):
    image = base64.b64encode(path.read_bytes()).decode()
    page = of_page(path)
    programs = {
        "client": client.predict(image=handle_file(str(path)), api_name="/predict"),
        "file": httpx.post(f"{url}predict", files={"file": path.read_bytes()}, timeout=60).json(),
        "JSON": httpx.post(f"{url}api/v1/predict/emotion", json={"image": image}, timeout=60).json(),
    }
    assert page
    for interface, answer in programs.items():
        found = of_program(answer)
        assert len(found) == len(page), interface
        for one, other in zip(page, found, strict=True):
            assert other["box"] == pytest.approx(one["box"], abs=0.0051), interface
            assert other["keypoints"] == pytest.approx(one["keypoints"], abs=0.06), interface
            assert list(other["answers"]) == list(one["answers"]) and len(one["answers"]) == len(zoo.EMOTION_MODELS)
            for model, probabilities in one["answers"].items():
                assert other["answers"][model] == pytest.approx(probabilities, abs=TOLERANCE), (interface, model)
