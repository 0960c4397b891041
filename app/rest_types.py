"""What the REST API takes and answers, beside the answers that all doors share (`app.answers`)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from app import answers, endpoints
from app.rest_errors import ErrorAnswer
from explain.registry import METHODS
from models import zoo
from models.types import EMOTIONS

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture that is short enough for an example; a face has more pixels."""

# --------------------------------------------------------------------- requests

Image = Annotated[
    str,
    Field(
        description="The picture in base64, bare or as a data: address; neither an address on the web nor a path.",
        examples=[PIXEL],
    ),
]
Index = Annotated[int, Field(ge=0, description="Which face, counted from the largest, which is 0.")]
Maybe = Annotated[int | None, Field(ge=0, description="Only this face, counted from the largest, which is 0.")]
Whole = Annotated[bool, Field(description="Take the whole picture as the face where none is found.")]
ModelName = Annotated[
    str,
    Field(description="A model's name, see GET /models.", json_schema_extra={"enum": list(zoo.EMOTION_MODELS)}),
]
AnyModel = Annotated[
    str,
    Field(description="A model's name; empty for all.", json_schema_extra={"enum": ["", *zoo.EMOTION_MODELS]}),
]
Version = Annotated[
    str,
    Field(description="A version of the model, see GET /models; empty for the active one.", examples=["1.0.0"]),
]
Method = Annotated[Literal[tuple(METHODS)], Field(description="A method of explanation.")]
Emotion = Annotated[Literal["", *EMOTIONS], Field(description="What is explained; empty for what the model names.")]
Against = Annotated[Literal["", *EMOTIONS], Field(description="The emotion it is set against; empty for none.")]
Params = Annotated[dict[str, Any] | None, Field(description="The method's own parameters, see docs/methods.")]
Maps = Annotated[
    Literal[answers.MAPS],
    Field(description="Maps as arrays of numbers, as PNG pictures over the face, or not at all."),
]


class Pictured(BaseModel):
    """A picture."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: Image


class Asked(Pictured):
    """A picture, and how a face is taken from it."""

    whole_picture: Whole = False


class KeypointsAsked(Asked):
    face: Maybe = None


class EmotionAsked(Asked):
    model: AnyModel = ""
    model_version: Version = ""
    face: Maybe = None


class ExplanationAsked(Asked):
    model: ModelName = "cnn"
    model_version: Version = ""
    emotion: Emotion = ""
    against: Against = ""
    method: Method = "gradcam"
    params: Params = None
    face: Index = 0
    maps: Maps = "arrays"


class ComparisonAsked(Asked):
    emotion: Emotion = ""
    against: Against = ""
    face: Index = 0
    maps: Maps = "arrays"


class LabAsked(Asked):
    experiment: Annotated[
        dict[str, Any] | None,
        Field(
            description="The steps as the page's Lab shows them, see docs/lab.md.",
            examples=[{"steps": [{"do": "hide", "region": "mouth"}]}],
        ),
    ] = None
    emotion: Emotion = ""
    method: Method = "gradcam"
    params: Params = None
    smallest_change: Annotated[bool, Field(description="Also look for what, hidden, changes each answer.")] = False
    face: Index = 0
    maps: Maps = "arrays"


# ---------------------------------------------------------------------- answers


class EmotionAnswer(answers.PredictionReading):
    """Every face with its keypoints and what each model sees in it."""

    milliseconds: float


class KeypointAnswer(answers.KeypointReading):
    """Every face with its fifteen keypoints."""

    milliseconds: float


class ExplanationAnswer(answers.ExplainedFace):
    """What a model sees in a face, and why."""

    milliseconds: float


class ComparisonAnswer(answers.Comparison):
    """What each model sees in a face, and why, on one scale."""

    milliseconds: float


class TrustAnswer(answers.TrustedFace):
    """An explanation, and how far it can be trusted."""

    milliseconds: float


class LabAnswer(endpoints.TriedFace):
    """What an experiment did to each model's answer."""

    milliseconds: float


class BatchAnswer(TypedDict):
    """An answer or an error for each file, in the order of the files."""

    results: list[EmotionAnswer | ErrorAnswer]
    milliseconds: float


class ModelHealth(TypedDict):
    state: Literal["waiting", "loading", "ready", "failed"]
    version: str
    source: str
    revision: str | None


class Health(TypedDict):
    """Whether the server is alive, and whether it can read faces yet."""

    alive: bool
    ready: bool
    models: dict[str, ModelHealth]


class EmotionNames(TypedDict):
    """In the order of every list of probabilities."""

    emotions: list[str]


class ModelFacts(TypedDict):
    """A model; all but its name and state is null until it is ready."""

    name: str
    state: Literal["waiting", "loading", "ready", "failed"]
    architecture: str | None
    version: str | None
    versions: list[str] | None
    date: str | None
    source: str | None
    revision: str | None
    parameters: int | None
    metrics: dict[str, Any] | None
    methods: list[str] | None
    recommended_method: str | None
    data: list[str] | None
    licence: str | None
    limits: list[str] | None
    sha256: str | None


class Models(TypedDict):
    """The models, the one for keypoints first."""

    models: list[ModelFacts]
