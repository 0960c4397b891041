"""What each endpoint takes: one model, the same behind every interface."""

from pydantic import BaseModel, ConfigDict

from app.api import fields
from app.data import accuracy
from app.data.faces import MEAN


class Request(BaseModel):
    """What an endpoint takes, in the order of the arguments of Gradio's endpoint."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ImageRequest(Request):
    """A picture, and what else an endpoint takes."""

    image: fields.Image


class VideoRequest(Request):
    """A clip, and who is asked about its faces."""

    video: fields.Video
    model: fields.ModelOrMean = "mean"


class DetectRequest(ImageRequest):
    """A picture."""

    turn: fields.Turn = None


class KeypointsRequest(ImageRequest):
    """A picture, and which of its faces."""

    whole_picture: fields.WholePicture = False
    face: fields.OnlyFace = None
    turn: fields.Turn = None


class PredictRequest(ImageRequest):
    """A picture, which of its faces, and who is asked."""

    whole_picture: fields.WholePicture = False
    model: fields.AnyModel = ""
    model_version: fields.AnyVersion = ""
    face: fields.OnlyFace = None
    turn: fields.Turn = None
    crops: fields.Crops = False


class MapRequest(ImageRequest):
    """A picture, and which map of one of its faces is made."""

    model: fields.ModelName = "cnn"
    emotion: fields.Emotion = ""
    method: fields.MethodName = ""
    against: fields.Against = ""
    params: fields.Params = None
    face: fields.FaceIndex = 0
    whole_picture: fields.WholePicture = False
    model_version: fields.Version = ""


class ExplainRequest(MapRequest):
    """A picture, and what is explained of one of its faces."""

    maps: fields.Maps = "arrays"
    turn: fields.Turn = None
    interactions: fields.FaceParts = False


class TrustRequest(ExplainRequest):
    """A picture, and which explanation of one of its faces is tested."""


class ReportRequest(MapRequest):
    """A picture, and which file about an explanation of one of its faces is made."""

    output: fields.FileName = "report"
    without_photo: fields.WithoutPhoto = False
    turn: fields.Turn = None


class CompareRequest(ImageRequest):
    """A picture, and what is compared of one of its faces."""

    emotion: fields.CommonEmotion = ""
    against: fields.Against = ""
    face: fields.FaceIndex = 0
    whole_picture: fields.WholePicture = False
    maps: fields.Maps = "arrays"
    turn: fields.Turn = None


class LabRequest(ImageRequest):
    """A picture, and what is tried on one of its faces."""

    experiment: fields.Steps = None
    method: fields.LabMethodName = ""
    emotion: fields.CommonEmotion = ""
    params: fields.Params = None
    smallest_change: fields.SmallestChanges = False
    face: fields.FaceIndex = 0
    whole_picture: fields.WholePicture = False
    maps: fields.Maps = "arrays"
    turn: fields.Turn = None


class DatasetRequest(Request):
    """Which faces of the server's dataset are counted, and what is told of them."""

    model: fields.DatasetModel = MEAN
    emotion: fields.NamedEmotion = ""
    label: fields.Label = ""
    split: fields.Split = ""
    agreement: fields.AgreementFilter = ""
    ranges: fields.Ranges = None
    bins: fields.Bins = accuracy.BINS
    examples: fields.Examples = 8
    points: fields.Points = 0
    projection: fields.Projection = ""
    pictures: fields.Pictures = False
    terms: fields.TermsOf = ""


class GlassBoxRequest(ImageRequest):
    """A picture, and what is asked of the readable model about one of its faces."""

    emotion: fields.GlassEmotion = ""
    measures: fields.MovedMeasures = None
    face: fields.FaceIndex = 0
    whole_picture: fields.WholePicture = False
    turn: fields.Turn = None
