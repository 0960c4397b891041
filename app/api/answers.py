"""What each endpoint answers: one model, the same behind every interface."""

from typing import Any

from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from app.api.errors import ErrorResponse
from models import zoo

# ---------------------------------------------------------------------- parts of answers


class Box(TypedDict):
    left: float
    top: float
    right: float
    bottom: float


class Quality(TypedDict):
    """See docs/quality.md."""

    size: float
    brightness: float
    contrast: float
    sharpness: float
    inside: float
    keypoints_outside: int | None
    disagreement: float | None
    score: float | None
    reduced: float
    warnings: list[str]
    note: str


class DetectedFace(TypedDict):
    box: Box
    score: float | None
    quality: Quality


class Keypoint(TypedDict):
    name: str
    x: float
    y: float
    inside: bool


class KeypointFace(TypedDict):
    box: Box
    score: float | None
    quality: Quality
    keypoints: list[Keypoint]


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


class CropSensitivity(TypedDict):
    """What becomes of an answer in crops that are a little off; `others` is what is answered in the rest."""

    crops: int
    same: int
    lowest: float
    highest: float
    mean: float
    others: dict[str, int]


class PredictedModel(ModelPrediction):
    """`likely` are the labels that stay possible: such lists hold the label of nine in ten faces like FER2013's, on
    average over all; empty where that was not calibrated. `crops` is null unless it was asked for.
    """

    likely: list[str]
    crops: CropSensitivity | None


class PredictedFace(TypedDict):
    box: Box
    score: float | None
    quality: Quality
    keypoints: list[Keypoint]
    predictions: list[PredictedModel]


class Region(TypedDict):
    region: str
    label: str
    pixels: int
    supporting: float
    opposing: float
    share_supporting: float
    share_opposing: float
    density: float
    usual_supporting: float | None
    usual_opposing: float | None


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
    params: dict[str, Any]
    seconds: float


class PartValues(TypedDict):
    region: str
    label: str
    shapley: dict[str, float]
    alone: dict[str, float]
    left_out: dict[str, float]


class PairValues(TypedDict):
    first: str
    second: str
    interaction: dict[str, float]
    relation: str


class InteractionsResult(TypedDict):
    """What each part, and each pair, is worth in logits, by what hidden parts show; `fill` is the chosen one."""

    fill: str
    parts: list[PartValues]
    pairs: list[PairValues]
    words: str


class ComparedModel(TypedDict):
    prediction: ModelPrediction
    explanations: list[ExplanationResult]


class Agreement(TypedDict):
    rank_correlation: float | None
    overlap: float | None


class HidingCurves(TypedDict):
    fill: str
    score: str
    shares: list[float]
    deletion: list[float]
    insertion: list[float]
    random_deletion: list[float]
    random_insertion: list[float]
    centre_prior_deletion: list[float]
    centre_prior_insertion: list[float]
    average_map_deletion: list[float | None]
    average_map_insertion: list[float | None]
    other_faces_deletion: list[float | None]
    other_faces_insertion: list[float | None]
    relevance_gain: float
    random_gains: list[float]
    centre_prior_gain: float
    average_map_gain: float | None
    other_faces_gains: list[float]


class Comparison(TypedDict):
    relevance_gain: float
    random_beaten: float
    centre_prior_beaten: bool
    average_map_beaten: bool | None
    other_faces_beaten: float | None
    random_z: float | None
    other_faces_z: float | None


class PartRange(TypedDict):
    region: str
    label: str
    share_supporting: list[float]
    share_opposing: list[float]
    total: list[float]


class PartRanges(TypedDict):
    """The lowest and the highest that each part holds over maps with other `fills` and other `seeds`, one changed at a
    time: a range of what was seen, no confidence interval.
    """

    fills: list[str]
    seeds: list[int]
    parts: list[PartRange]


class TrustResult(TypedDict):
    verdict: str
    reason: str
    sentence: str
    comparison: Comparison | None
    curves: list[HidingCurves]
    stability: float | None
    between_methods: dict[str, Agreement]
    between_models: dict[str, Agreement]
    seconds: float
    part_ranges: PartRanges | None


class ForecastResult(TypedDict):
    share: float
    opposing: float
    area: float
    exceeds: int
    expects: str


class RandomPatches(TypedDict):
    mean: float | None
    exceeded: int
    probabilities: list[float]


class SmallestChange(TypedDict):
    found: bool
    regions: list[str]
    emotion: str
    drop: float
    ties: int
    area: float
    least_regions: list[str]
    least_area: float


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
    experiment: dict[str, Any]
    link: str
    hidden: float
    crop: list[list[float]] | None
    models: list[LabModel]
    seconds: float


class DatasetFacts(TypedDict):
    """`measures` are those that can be filtered by, each with its least and greatest value."""

    title: str
    faces: int
    photos: int
    unreadable: int
    labelled: int
    networks: dict[str, str]
    splits: list[str]
    measures: dict[str, list[float]]
    crops: bool
    projections: list[str]


class EmotionCount(TypedDict):
    emotion: str
    answered: int
    labelled: int


class Rate(TypedDict):
    """`low` and `high` are the ends of Wilson's 95 % interval; `accuracy` is null without labelled faces."""

    faces: int
    right: int
    accuracy: float | None
    low: float
    high: float


class ModelRate(Rate):
    model: str


class MeasureBin(Rate):
    least: float
    most: float


class MeasureRates(TypedDict):
    measure: str
    bins: list[MeasureBin]


class NetworkPair(TypedDict):
    first: str
    second: str
    same: int
    kappa: float | None


class NetworkAgreement(TypedDict):
    all_same: int
    pairs: list[NetworkPair]
    disagreement: list[list[int]]
    right_same: Rate | None
    right_differ: Rate | None


class NamedAnswer(TypedDict):
    model: str
    emotion: str
    confidence: float


class DatasetFace(TypedDict):
    photo: str
    face: int
    label: str
    undecided: float
    answers: list[NamedAnswer]
    measures: dict[str, float | None]
    png: str | None


class GeometryMeasure(TypedDict):
    measure: str
    correlations: dict[str, float | None]


class TermStep(TypedDict):
    """Faces whose measure is at least `least` and below `below` (null for no end) have the SHAP value `shap`."""

    least: float | None
    below: float | None
    faces: int
    shap: float


class TermSummary(TypedDict):
    """`strength` is the mean absolute SHAP value for each emotion's score."""

    measure: str
    label: str
    strength: dict[str, float]
    steps: list[TermStep]


class GlassBoxTerms(TypedDict):
    """`faces` are those with all measures; SHAP values are terms less their mean over `background` faces."""

    version: str
    faces: int
    background: int
    terms: list[TermSummary]


class MapPoint(TypedDict):
    x: float
    y: float
    answer: str
    label: str
    confidence: float


class DatasetMap(TypedDict):
    method: str
    explained: list[float]
    faces: int
    points: list[MapPoint]


class Scores(Probabilities):
    """Numbers that sum to 0; their differences decide."""


class GlassBoxTerm(TypedDict):
    measure: str
    label: str
    value: float
    typical: float
    contributions: Scores


class PersonMoment(TypedDict):
    seconds: float
    box: Box
    emotion: str
    confidence: float
    probabilities: Probabilities
    smoothed: Probabilities


class Person(TypedDict):
    person: int
    moments: list[PersonMoment]


# ---------------------------------------------------------------------- answers


class Answer(TypedDict):
    """`milliseconds` is the time at work, without the wait for a place.

    `turned` is how many degrees clockwise the picture was turned, by itself or as `turn` says; all sizes and places are
    those of the turned picture. `score` is null where the whole picture was taken as the face, and `note` says so.
    """

    milliseconds: float


class DetectResponse(Answer):
    """Every face's box; none is an empty list."""

    width: int
    height: int
    turned: int
    faces: list[DetectedFace]


class KeypointsResponse(Answer):
    """Every face with its fifteen keypoints, those of the largest once more on their own."""

    width: int
    height: int
    turned: int
    faces: list[KeypointFace]
    num_keypoints: int
    keypoints: list[Keypoint]
    note: str


class PredictResponse(Answer):
    """Every face with its keypoints and what each model sees in it; `note` says which could not be asked."""

    width: int
    height: int
    turned: int
    faces: list[PredictedFace]
    emotion: str
    confidence: float
    probabilities: Probabilities
    note: str


class ExplainResponse(Answer):
    """What a model sees in a face, and why."""

    turned: int
    box: Box
    score: float | None
    quality: Quality
    prediction: ModelPrediction
    explanation: ExplanationResult
    interactions: InteractionsResult | None
    note: str


class TrustResponse(ExplainResponse):
    """An explanation, and which tests it survives; `trust` is null where no face was found."""

    trust: TrustResult | None


class ReportResponse(Answer):
    """A file about a tested explanation; `content` is its text, and null for a picture, which is `png`."""

    turned: int
    box: Box
    score: float | None
    quality: Quality
    name: str
    type: str
    content: str | None
    png: str | None
    note: str


class CompareResponse(Answer):
    """What each model sees in a face, and why, on one scale; `note` says which could not be asked."""

    turned: int
    box: Box
    score: float | None
    quality: Quality
    emotion: str
    models: list[ComparedModel]
    note: str


class LabResponse(Answer, LabResult):
    """What an experiment did to each model's answer; `note` says which could not be asked."""

    turned: int
    box: Box
    score: float | None
    quality: Quality
    png: str | None
    note: str


class DatasetResponse(Answer):
    """What the server's dataset holds, and of those of its faces that pass the filters all that is counted."""

    dataset: DatasetFacts
    model: str
    faces: int
    emotions: list[EmotionCount]
    accuracy: list[ModelRate]
    agreement: NetworkAgreement | None
    confusion: list[list[int]] | None
    by_measure: list[MeasureRates]
    uncertain: list[DatasetFace]
    wrong: list[DatasetFace]
    geometry: list[GeometryMeasure]
    glass_box: GlassBoxTerms | None
    map: DatasetMap | None


class GlassBoxResponse(Answer):
    """What the readable model says, and all it consists of; `words` are its strongest reasons."""

    turned: int
    box: Box
    score: float | None
    quality: Quality
    emotion: str
    confidence: float
    probabilities: Probabilities
    version: str
    temperature: float
    intercept: Scores
    terms: list[GlassBoxTerm]
    scores: Scores
    words: list[str]
    note: str


class VideoResponse(Answer):
    """Who is seen in a clip, and what is read in each at each moment."""

    width: int
    height: int
    frames: int
    seconds: float
    model: str
    persons: list[Person]


# ---------------------------------------------------------------- beside the endpoints


class BatchResponse(TypedDict):
    """An answer or an error for each file, in the order of the files."""

    results: list[PredictResponse | ErrorResponse]
    milliseconds: float


class ModelHealth(TypedDict):
    state: zoo.State
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
    state: zoo.State
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
