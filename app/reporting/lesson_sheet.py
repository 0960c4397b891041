"""A lesson as a sheet to print: one HTML page that needs nothing beside it."""

from app import VERSION
from app.lessons import MINUTES, Lesson
from app.reporting.page import templates


def sheet(lesson: Lesson) -> str:
    """The sheet of a lesson, with room to write."""
    return templates.get_template("lesson.html").render(lesson=lesson, minutes=MINUTES, version=VERSION)
