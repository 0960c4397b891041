"""A lesson as HTML: its steps, what came out, and its end."""

import base64
import json

from app.lesson_outcomes import LessonOutcome
from app.lessons import Lesson
from app.reporting import lesson_sheet
from app.ui.render.html import fill


def steps(lesson: Lesson) -> str:
    """The guess, which the browser keeps, and a button a step."""
    return fill("lesson_steps", lesson=lesson)


def outcome(lesson: Lesson, found: LessonOutcome) -> str:
    """What came out, with a place for the visitor's guess."""
    return fill("lesson_outcome", name=lesson.name, found=found, answers=json.dumps(found.answers))


def end(lesson: Lesson) -> str:
    """The question to discuss, and the sheet to print."""
    page = base64.b64encode(lesson_sheet.sheet(lesson).encode()).decode()
    return fill("lesson_end", lesson=lesson, address=f"data:text/html;base64,{page}")
