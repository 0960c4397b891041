"""What the API takes and responds, the same for every interface."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from app.api.errors import ErrorResponse
from explain.registry import METHODS
from models import zoo
from models.types import EMOTIONS

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture that is short enough for an example; a face has more pixels."""

MAPS = ("arrays", "png", "none")
"""How maps are answered: as numbers, as a picture over the face, or not at all."""

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
    Literal[MAPS],
    Field(description="Maps as arrays of numbers, as PNG pictures over the face, or not at all."),
]


class ImageRequest(BaseModel):
    """A picture."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: Image


class FaceRequest(ImageRequest):
    """A picture, and how a face is taken from it."""

    whole_picture: Whole = False


class KeypointsRequest(FaceRequest):
    face: Maybe = None


class EmotionRequest(FaceRequest):
    model: AnyModel = ""
    model_version: Version = ""
    face: Maybe = None


class ExplanationRequest(FaceRequest):
    model: ModelName = "cnn"
    model_version: Version = ""
    emotion: Emotion = ""
    against: Against = ""
    method: Method = "gradcam"
    params: Params = None
    face: Index = 0
    maps: Maps = "arrays"


class ComparisonRequest(FaceRequest):
    emotion: Emotion = ""
    against: Against = ""
    face: Index = 0
    maps: Maps = "arrays"


class LabRequest(FaceRequest):
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


# ---------------------------------------------------------------------- results


class Box(TypedDict):
    left: float
    top: float
    right: float
    bottom: float


class DetectedFace(TypedDict):
    box: Box
    score: float


class Detection(TypedDict):
    width: int
    height: int
    faces: list[DetectedFace]


class Keypoint(TypedDict):
    name: str
    x: float
    y: float


class KeypointFace(TypedDict):
    box: Box
    score: float
    keypoints: list[Keypoint]


class KeypointResult(TypedDict):
    width: int
    height: int
    faces: list[KeypointFace]


class Probabilities(TypedDict):
    angry: float
    disgust: float
    fear: float
    happy: float
    neutral: float
    sad: float
    surprise: float


class ModelPrediction(TypedDict):
    model: str
    version: str
    emotion: str
    confidence: float
    probabilities: Probabilities


class PredictedFace(TypedDict):
    box: Box
    score: float
    keypoints: list[Keypoint]
    predictions: list[ModelPrediction]


class PredictionResult(TypedDict):
    width: int
    height: int
    faces: list[PredictedFace]
    note: str


class Region(TypedDict):
    region: str
    label: str
    pixels: int
    supporting: float
    opposing: float
    share_supporting: float
    share_opposing: float
    density: float


class ExplanationResult(TypedDict):
    model: str
    method: str
    emotion: str
    against: str
    signed: bool
    limit: float
    values: list[list[float]] | None
    png: str | None
    regions: list[Region]
    words: str
    params: dict
    seconds: float


class ExplainedFace(TypedDict):
    box: Box
    score: float
    prediction: ModelPrediction
    explanation: ExplanationResult


class ComparedModel(TypedDict):
    prediction: ModelPrediction
    explanations: list[ExplanationResult]


class Comparison(TypedDict):
    box: Box
    score: float
    emotion: str
    models: list[ComparedModel]
    note: str


class Agreement(TypedDict):
    rank_correlation: float | None
    overlap: float | None


class HidingCurves(TypedDict):
    fill: str
    shares: list[float]
    deletion: list[float]
    insertion: list[float]
    deletion_auc: float
    insertion_auc: float
    random_deletion: list[float]
    random_insertion: list[float]
    blob_deletion: float
    blob_insertion: float
    random_deletion_curve: list[float]
    random_insertion_curve: list[float]
    blob_deletion_curve: list[float]
    blob_insertion_curve: list[float]


class TrustResult(TypedDict):
    verdict: str
    sentence: str
    curves: list[HidingCurves]
    stability: float | None
    between_methods: dict[str, Agreement]
    between_models: dict[str, Agreement]
    seconds: float


class TrustedFace(TypedDict):
    box: Box
    score: float
    prediction: ModelPrediction
    explanation: ExplanationResult
    trust: TrustResult


class ForecastResult(TypedDict):
    share: float
    opposing: float
    area: float
    drop: float | None
    expects: str


class RandomPatches(TypedDict):
    mean: float | None
    probabilities: list[float]


class SmallestChange(TypedDict):
    found: bool
    regions: list[str]
    emotion: str
    drop: float
    ties: int


class LabModel(TypedDict):
    before: ModelPrediction
    after: ModelPrediction
    without_hiding: ModelPrediction
    predicted: ForecastResult
    random: RandomPatches
    verdict: str
    words: str
    smallest_change: SmallestChange | None


class LabResult(TypedDict):
    emotion: str
    method: str
    experiment: dict
    link: str
    hidden: float
    crop: list[list[float]] | None
    models: list[LabModel]
    seconds: float


class LabFace(LabResult):
    box: Box
    score: float
    png: str | None
    note: str


# ---------------------------------------------------------------------- responses


class EmotionResponse(PredictionResult):
    """Every face with its keypoints and what each model sees in it."""

    milliseconds: float


class KeypointResponse(KeypointResult):
    """Every face with its fifteen keypoints."""

    milliseconds: float


class ExplanationResponse(ExplainedFace):
    """What a model sees in a face, and why."""

    milliseconds: float


class ComparisonResponse(Comparison):
    """What each model sees in a face, and why, on one scale."""

    milliseconds: float


class TrustResponse(TrustedFace):
    """An explanation, and how far it can be trusted."""

    milliseconds: float


class LabResponse(LabFace):
    """What an experiment did to each model's answer."""

    milliseconds: float


class BatchResponse(TypedDict):
    """An answer or an error for each file, in the order of the files."""

    results: list[EmotionResponse | ErrorResponse]
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
