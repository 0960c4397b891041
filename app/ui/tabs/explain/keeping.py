"""The files that a visitor keeps of a map."""

from app import reporting
from app.ui.render import files_to_keep, html
from app.ui.session import Session
from app.ui.tabs.explain.results import Shown
from explain.trust import TrustResult


def kept(session: Session, shown: Shown | None, judged: str, result: TrustResult | None, bare: bool) -> str:
    """Links that hold a report on the map on the screen, so that no file lies on the server.

    Args:
        session: whose photo it is.
        shown: the map.
        judged, result: which map was tested, and what was found.
        bare: whether every pixel of the photo is left out.
    """
    if shown is None or shown.prediction is None or shown.about[:2] != (session.key, session.chosen):
        return html.note("This map is of another face. Wait for the new one, then make the files.")
    tested = result if judged == shown.key else None
    report = reporting.report(session.photo, shown.face, shown.prediction, shown.explanation, tested)
    contents = reporting.every(report.without_photo() if bare else report)
    awaited = tested is None or bool(report.unfinished)
    return files_to_keep.links(contents, waiting=awaited and not shown.face.guessed)


def forget() -> str:
    """No links: they hold another choice than the one that is made now."""
    return ""
