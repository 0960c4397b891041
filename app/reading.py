"""What the page and the API both do with a photo, up to the predictions."""

from explain import registry, trust
from explain.base import Explanation, Target
from explain.trust import TrustReading
from models import detector, keypoints, zoo
from models.errors import NoFaceError, ParameterError
from models.types import EMOTIONS, Face, Photo, Prediction

COMPARED = ("gradcam", "shap_gradient", "shap_regions")
"""The methods that the comparison shows, the fastest first."""
REFERENCES = ("gradcam", "shap_regions")
"""The methods that the trust reading compares a map with."""


def faces_in(photo: Photo, whole_picture: bool = False) -> list[Face]:
    """The faces of a photo with their keypoints, largest first.

    Args:
        photo: what to look at.
        whole_picture: take the whole picture as the face where none is found.

    Raises:
        NoFaceError: there is none and `whole_picture` is off.
    """
    faces = detector.find(photo)
    if not faces and not whole_picture:
        raise NoFaceError(
            "A face can be seen in the picture",
            "none was found",
            "Try a picture where the face is larger and not covered, or take the whole picture as the face",
        )
    return keypoints.read(faces or [detector.whole_picture(photo)], photo)


def predictions_for(
    faces: list[Face], names: tuple[str, ...] = zoo.EMOTION_MODELS
) -> dict[str, tuple[Prediction, ...]]:
    """What each model says about each face: one batch a model, in the order of `names`."""
    return {name: tuple(zoo.load(name).predict(faces)) for name in names}


def pick(faces: list[Face], index: int) -> Face:
    """A face by its place in the list, 0 for the largest.

    Raises:
        ParameterError: there is no such face.
    """
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(faces):
        raise ParameterError(
            f"A face has a number from 0 to {len(faces) - 1}", repr(index)[:40], "0 is the largest face in the picture"
        )
    return faces[index]


def target(emotion: str, against: str, prediction: Prediction) -> Target:
    """What is explained.

    Args:
        emotion: by name; "" for the one that the model names.
        against: the emotion it is set against; "" for none.
        prediction: the model's answer.

    Raises:
        UnknownNameError, ParameterError: no such emotion, or an emotion against itself.
    """
    return Target.named(emotion or prediction.emotion, against or None)


def common_target(emotion: str, answers: dict[str, Prediction]) -> Target:
    """What is explained for several models; "" stands for the emotion with the highest mean probability."""
    mean = sum(answer.probabilities for answer in answers.values())
    return Target.named(emotion or EMOTIONS[int(mean.argmax())])


def trusted(face: Face, explanation: Explanation) -> TrustReading:
    """How far an explanation can be trusted, beside the maps of other methods and of the other models.

    Args:
        face: the face that was explained, with its keypoints.
        explanation: of this face.
    """
    model, target, method = zoo.load(explanation.model), explanation.target, explanation.method
    suitable = registry.suitable(model)
    references = [name for name in REFERENCES if name != method and not suitable[name]]
    others = [zoo.load(name) for name in zoo.EMOTION_MODELS if name != explanation.model]
    return trust.read(
        model,
        face,
        explanation,
        other_methods=[registry.explain(model, face, target, name) for name in references],
        other_models=[
            registry.explain(other, face, target, method, explanation.params)
            for other in others
            if not registry.suitable(other)[method]
        ],
    )
