"""An explanation to take home: a picture, a table, all numbers, and a page that tells everything."""

from app.reporting.evidence_table import evidence_csv
from app.reporting.files import FILES, content, every, refuse_to_replace, write
from app.reporting.numbers import to_json
from app.reporting.page import to_html
from app.reporting.picture import to_png
from app.reporting.report import Report, report

__all__ = (
    "FILES",
    "Report",
    "content",
    "every",
    "evidence_csv",
    "refuse_to_replace",
    "report",
    "to_html",
    "to_json",
    "to_png",
    "write",
)
