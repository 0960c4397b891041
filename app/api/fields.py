"""What endpoints can be asked, field by field: types, bounds, and the words that OpenAPI and MCP show."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from app import pipeline, reporting
from app.data import accuracy, projection, view
from app.data.faces import MEAN
from app.data.filters import AGREEMENT, UNLABELLED
from explain.registry import METHODS
from models import clip, zoo
from models.types import EMOTIONS

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture that is short enough for an example; a face has more pixels."""

MAPS = ("arrays", "png", "none")
"""How maps are answered: as numbers, as a picture over the face, or not at all."""

REPORT_FILES = {name.partition(".")[0]: name for name in reporting.FILES}
"""The files of a report by their names without endings."""


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


AnyCase = BeforeValidator(_lower)
"""Names are understood in capitals as well."""


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
"""A whole number is one in JSON however it is written: 5.0 is 5."""

Image = Annotated[
    str,
    Field(
        description="The picture in base64 (URL-safe too), bare or as a data: address; "
        "neither an address on the web nor a path.",
        examples=[PIXEL],
    ),
]
Video = Annotated[
    str,
    Field(
        description=f"The clip in base64 (URL-safe too), bare or as a data: address: {clip.LIMITS}.",
        examples=["AAAAGGZ0eXBpc29t"],
    ),
]
ModelOrMean = Annotated[
    Literal["mean", *zoo.EMOTION_MODELS],
    AnyCase,
    Field(description="A model's name, or mean for the calibrated mean of all."),
]
FaceIndex = Annotated[int, Field(ge=0, description="Which face, counted from the largest, which is 0."), Whole]
OnlyFace = Annotated[
    int | None,
    Field(ge=0, description="Only this face, counted from the largest, which is 0; null for all."),
    Whole,
]
WholePicture = Annotated[bool, Field(description="Take the whole picture as the face where none is found.")]
Turn = Annotated[
    Literal[0, 90, 180, 270] | None,
    Field(
        description="Degrees clockwise by which the picture is turned before it is read; "
        "null to turn it only where its faces lie or stand on their heads.",
    ),
]
ModelName = Annotated[
    str,
    AnyCase,
    Field(description="A model's name, see GET /models.", json_schema_extra={"enum": list(zoo.EMOTION_MODELS)}),
]
AnyModel = Annotated[
    str,
    AnyCase,
    Field(
        description="A model's name; mean for the calibrated mean of all, empty for each of them.",
        json_schema_extra={"enum": ["", pipeline.MEAN, *zoo.EMOTION_MODELS]},
    ),
]
Version = Annotated[
    str,
    Field(
        description='A version of the model, see GET /models; "1" is the latest 1.x, empty the active one.',
        examples=["1.0.0"],
    ),
]
AnyVersion = Annotated[
    str,
    Field(
        description='A version of the model, or of all that have it; "1" is the latest 1.x, empty the active one.',
        examples=["1.0.0"],
    ),
]
MethodName = Annotated[
    Literal["", *METHODS],
    AnyCase,
    Field(
        description="A method of explanation; empty for the one that the trust table recommends for the model, "
        "see GET /models."
    ),
]
LabMethodName = Annotated[
    Literal["", *METHODS],
    AnyCase,
    Field(
        description="Whose heatmaps are held to the experiment; empty for the method that the trust tables "
        "recommend for most of the models, see GET /models."
    ),
]
Emotion = Annotated[
    Literal["", *EMOTIONS], AnyCase, Field(description="What is explained; empty for what the model names.")
]
CommonEmotion = Annotated[
    Literal["", *EMOTIONS],
    AnyCase,
    Field(description="What is explained; empty for the emotion with the highest mean probability of the models."),
]
Against = Annotated[
    Literal["", *EMOTIONS], AnyCase, Field(description="The emotion it is set against; empty for none.")
]
Params = Annotated[
    dict[str, Any] | None, Field(description="The method's own parameters, see docs/methods; null for its defaults.")
]
Maps = Annotated[
    Literal[MAPS],
    AnyCase,
    Field(description="Maps as arrays of numbers, as PNG pictures over the face, or not at all."),
]
Steps = Annotated[
    dict[str, Any] | None,
    Field(
        description="The steps as the page's Lab shows them, see docs/lab.md; null for none.",
        examples=[{"steps": [{"do": "hide", "region": "mouth"}]}],
    ),
]
FileName = Annotated[
    Literal[*REPORT_FILES],
    AnyCase,
    Field(
        description="The file: report, one HTML page that needs nothing else; map, a PNG with scale and caption; "
        "evidence, a csv by part of the face; explanation, all numbers as JSON."
    ),
]
WithoutPhoto = Annotated[bool, Field(description="Leave every pixel of the picture out of the file.")]
SmallestChanges = Annotated[
    bool,
    Field(
        description="Also look for the fewest face parts, and the least area of them, that hidden change each answer."
    ),
]

Crops = Annotated[
    bool,
    Field(
        description="Also ask about the face in 44 crops that are shifted, scaled and turned a little, "
        "and say how often the answer stays; for up to 8 faces."
    ),
]
DatasetModel = Annotated[
    str,
    AnyCase,
    Field(
        description="Whose answers are looked at: a network's, or mean for what they say together.",
        json_schema_extra={"enum": [MEAN, *zoo.EMOTION_MODELS]},
    ),
]
NamedEmotion = Annotated[
    Literal["", *EMOTIONS], AnyCase, Field(description="Only faces in which the model sees this emotion.")
]
Label = Annotated[
    Literal["", *EMOTIONS, UNLABELLED],
    AnyCase,
    Field(description="Only faces with this label; none for those without a label."),
]
Split = Annotated[str, Field(description="Only faces of this part of the dataset.", examples=["PrivateTest"])]
AgreementFilter = Annotated[
    Literal[AGREEMENT],
    AnyCase,
    Field(description="Only faces on which all networks agree, or on which they differ."),
]
Ranges = Annotated[
    dict[str, Any] | None,
    Field(
        description="Only faces whose measures lie in these ranges, a low and a high end by the measure's name; "
        "null for no limit.",
        examples=[{"brightness": [0.2, None], "yaw": [-15, 15]}],
    ),
]
Bins = Annotated[
    int, Field(ge=1, le=accuracy.MOST_BINS, description="Into how many parts a measure is cut, at most."), Whole
]
Examples = Annotated[
    int, Field(ge=0, le=view.MOST_EXAMPLES, description="How many faces of a kind are listed, at most."), Whole
]
Points = Annotated[
    int,
    Field(
        ge=0,
        le=projection.MOST,
        description="How many faces are drawn by chance for the map, at most; 0 for no map.",
    ),
    Whole,
]
Projection = Annotated[
    Literal["", *projection.METHODS, projection.STORED],
    AnyCase,
    Field(description="How the map is drawn; empty for the first way that the dataset has."),
]
TermsOf = Annotated[
    Literal["", *EMOTIONS],
    AnyCase,
    Field(description="Also answer, for this emotion, how often the glass box adds how much; empty for none."),
]
Pictures = Annotated[bool, Field(description="Also answer the faces' pictures, where the dataset holds them.")]

FaceParts = Annotated[
    bool,
    Field(
        description="Also what each part of the face is worth alone, left out and together with each other part, "
        "with three ways of hiding."
    ),
]


GlassEmotion = Annotated[
    Literal["", *EMOTIONS],
    AnyCase,
    Field(description="Whose strongest reasons are told in words; empty for what the glass box names."),
]
MovedMeasures = Annotated[
    dict[str, Any] | None,
    Field(
        description="Measures with another value than the face's, by name, see docs/glass-box.md; null for none.",
        examples=[{"corner_raise_left": 0.2, "corner_raise_right": 0.2}],
    ),
]
