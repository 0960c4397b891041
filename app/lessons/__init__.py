"""Lessons of ten minutes: a guess, a path of steps through the tabs, an outcome that is computed, a question.

A lesson is a Markdown file beside this one: facts between two lines of `---`, then a section a step, whose first lines
say what it opens, and a last section `Discuss`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from explain.lab.steps import Experiment
from models.errors import ParameterError

NAMES = ("smile", "map", "three", "wrong")
"""In the order in which they are taught."""
LAST = "Discuss"
MINUTES = 10
FACTS = ("title", "summary", "question", "options")
OPENS = ("open", "example", "model", "method", "emotion", "lab")


@dataclass(frozen=True)
class Step:
    """A step of a lesson.

    Attributes:
        title: what is done.
        text: what to look at.
        tab: the tab that it opens.
        example: the picture of `examples` that it opens, without its ending; "" for what is open.
        model, method, emotion: what Explain opens with; "" for what it is at.
        experiment: what the Lab opens with; None where it is another tab.
    """

    title: str
    text: str
    tab: str
    example: str = ""
    model: str = ""
    method: str = ""
    emotion: str = ""
    experiment: Experiment | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        name: one of `NAMES`.
        title, summary: for people.
        question: what the visitor guesses.
        options: the guesses.
        steps: the path through the tabs.
        discuss: the question at the end.
    """

    name: str
    title: str
    summary: str
    question: str
    options: tuple[str, ...]
    steps: tuple[Step, ...]
    discuss: str


@cache
def load(name: str) -> Lesson:
    """A lesson by name.

    Raises:
        ParameterError: there is no such lesson.
    """
    if name not in NAMES:
        raise ParameterError("No lesson has this name", repr(name)[:40], f"Use one of {', '.join(NAMES)}")
    return parse(name, Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8"))


def every() -> tuple[Lesson, ...]:
    """All lessons, in the order in which they are taught."""
    return tuple(load(name) for name in NAMES)


def parse(name: str, text: str) -> Lesson:
    """A lesson from its file.

    Args:
        name: of the lesson.
        text: Markdown, see above.

    Raises:
        ParameterError: a fact is missing, a step opens nothing, or there is no question at the end.
        UnknownNameError: an experiment has a step that does not exist.
    """
    _, head, body = text.split("---\n", 2) if text.count("---\n") > 1 else ("", "", text)
    facts = _values(head.strip().splitlines())
    titles = [section.partition("\n") for section in ("\n" + body).split("\n## ")[1:]]
    if missing := [fact for fact in FACTS if not facts.get(fact)]:
        raise ParameterError(
            f"A fact is missing in the lesson {name!r}", f"no {missing[0]}", "Write it between the --- lines"
        )
    if not titles or titles[-1][0].strip() != LAST:
        raise ParameterError(
            f"A question at the end was not found in the lesson {name!r}", "none", f"Add a section {LAST}"
        )
    options = tuple(option.strip() for option in facts["options"].split(";"))
    steps = tuple(_step(name, title.strip(), content) for title, _, content in titles[:-1])
    return Lesson(name, facts["title"], facts["summary"], facts["question"], options, steps, titles[-1][2].strip())


def _step(lesson: str, title: str, content: str) -> Step:
    opens, _, text = content.strip().partition("\n\n")
    values = _values(opens.splitlines())
    if "open" not in values or set(values) - set(OPENS) or not text:
        raise ParameterError(
            f"A step that opens a tab was not found in the lesson {lesson!r}",
            title,
            f"Begin it with lines of {', '.join(OPENS)}",
        )
    given = values.pop("lab", None)
    experiment = None if given is None else Experiment.from_json(json.loads(given))
    named: dict[str, Any] = {key: value for key, value in values.items() if key != "open"}
    return Step(title, " ".join(text.split()), values["open"], experiment=experiment, **named)


def _values(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}
