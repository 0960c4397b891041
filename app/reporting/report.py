"""What a report tells of one explanation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from app import pipeline, text
from explain import evidence, part_ranges, scale
from explain.base import Explanation, Method
from explain.evidence import RegionEvidence
from explain.part_ranges import PartRange
from explain.registry import METHODS
from explain.scale import Scale
from explain.trust import TrustResult
from models import regions
from models.card import Card
from models.quality import Quality, measure
from models.types import Face, Photo, Prediction


@dataclass(frozen=True, eq=False)
class Report:
    """One explanation with all that has to be known about it.

    Attributes:
        photo: the photo it is about; None where none of its pixels may be shown.
        face: the face that was explained, with its keypoints.
        prediction: what the model says about it.
        explanation: why.
        trust: how far that holds up; None where it was not tested.
        card: of the weights that answered.
        made: the day.
        turned: degrees clockwise by which the photo was turned; places are those in the turned photo.
        quality: how far an answer about the face can be relied on; None where its photo was not given.
        usual: the mean shares of each part in the same method's maps of other faces; None where not measured.
    """

    photo: Photo | None
    face: Face
    prediction: Prediction
    explanation: Explanation
    trust: TrustResult | None
    card: Card
    made: date
    turned: int = 0
    quality: Quality | None = None
    usual: Mapping[str, Mapping[str, float]] | None = None

    def without_photo(self) -> "Report":
        """The same report, in which no pixel of the photo is shown."""
        return replace(self, photo=None)

    @property
    def method(self) -> Method:
        """The method of explanation."""
        return METHODS[self.explanation.method]

    @property
    def model(self) -> str:
        """The model's name for people."""
        return text.MODELS[self.prediction.model]

    @property
    def title(self) -> str:
        """What the report is about: "Why happy? CNN 1.1.1, SHAP by gradients"."""
        return f"Why {self.explanation.target.name}? {self.model} {self.prediction.version}, {self.method.title}"

    @property
    def evidence(self) -> list[RegionEvidence]:
        """What the map says about each part of the face."""
        return evidence.by_region(self.explanation.values, regions.masks(self.face.crop_keypoints), self.usual)

    @property
    def ranges(self) -> dict[str, PartRange]:
        """By region, the ends of its shares with other fills and seeds; empty where nothing else was tried."""
        found = self.trust and self.trust.part_ranges
        return {part.region: part for part in found.parts} if found else {}

    @property
    def about_ranges(self) -> str:
        """What the ranges are over, in words; "" where there are none."""
        found = self.trust and self.trust.part_ranges
        return part_ranges.message(found) if found else ""

    @property
    def sentences(self) -> list[str]:
        """The evidence in words, the strongest statement first."""
        return evidence.sentences(self.explanation, self.evidence)

    @property
    def scale(self) -> Scale:
        """What full colour means on its map."""
        return scale.shared([self.explanation])

    @property
    def weak(self) -> str:
        """That the face hardly looks so to the model; "" where it does."""
        return text.weak(self.prediction, self.explanation.target)

    @property
    def doubts(self) -> str:
        """Why the answer is unreliable; "" where nothing speaks against it."""
        return "" if self.quality is None else text.doubts(self.quality)

    @property
    def unfinished(self) -> str:
        """What of the test of the map was not done yet, as a sentence; "" where all was, or nothing was tested."""
        if self.trust is None:
            return ""
        agreement = not self.trust.between_methods and bool(self.trust.curves)
        ranges = self.trust.part_ranges is None and bool(part_ranges.others(self.explanation))
        left = {
            "its agreement with other maps": agreement,
            "how far its shares move with other fills and seeds": ranges,
        }
        named = [name for name, missing in left.items() if missing]
        return (
            f"The test of the map was not done when this was made. Not measured yet: {text.listed(named)}."
            if named
            else ""
        )

    @property
    def verdict(self) -> str:
        """Whether the map holds up, in a sentence."""
        if self.trust is None:
            return text.NO_FACE_TO_TEST if self.face.guessed else text.UNTESTED
        return self.trust.sentence


def report(
    photo: Photo | None,
    face: Face,
    prediction: Prediction,
    explanation: Explanation,
    trust: TrustResult | None,
    made: date | None = None,
) -> Report:
    """A report of what was computed before.

    Args:
        photo, face, prediction, explanation, trust: see `Report`; a map of a guessed face is not called tested.
        made: None for today.

    Raises:
        UnknownModelError, WeightsError: the weights that answered are gone.
    """
    card = pipeline.card(prediction.model, prediction.version)
    tested = None if face.guessed else trust
    turned = 0 if photo is None else photo.turned
    quality = None if photo is None else measure(face, photo.size, photo.reduced)
    usual = pipeline.average_shares(explanation, prediction.version)
    return Report(photo, face, prediction, explanation, tested, card, made or date.today(), turned, quality, usual)
