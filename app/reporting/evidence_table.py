"""The evidence by part of the face as csv."""

import csv
import io
from dataclasses import asdict, fields

from app.reporting.report import Report
from explain.evidence import RegionEvidence
from models.types import EMOTIONS

ABOUT = ("model", "version", "method", "emotion", "against")
COLUMNS = (*ABOUT, *(field.name for field in fields(RegionEvidence)))
"""What is explained, the same in every line so that tables can be put together, and the fields of `RegionEvidence`."""


def evidence_csv(*reports: Report) -> str:
    """A line a report and part of the face, by `COLUMNS`."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for report in reports:
        target = report.explanation.target
        against = "" if target.against is None else EMOTIONS[target.against]
        said = report.prediction
        about = (said.model, said.version, report.method.name, EMOTIONS[target.emotion], against)
        writer.writerows(dict(zip(ABOUT, about, strict=True)) | asdict(item) for item in report.evidence)
    return file.getvalue()
