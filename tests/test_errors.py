"""Every error of FaceWhy says what happened, then what was received, then what to do.

A first sentence that states the wished-for state ("The models are ready") reads as the opposite of what it means. All
places that raise are read as source, so a sentence is checked even where no test reaches it.
"""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from models.errors import BusyError, FaceWhyError

ROOT = Path(__file__).parents[1]
PACKAGES = ("models", "explain", "training", "app")
WISHES = (Path(__file__).parent / "wishes.txt").read_text(encoding="utf-8").splitlines()
"""First sentences as they once were: what ought to be, said as if it were."""
LONGEST = 200
"""Characters of a message, with `GUESS` for each value that is put in."""
GUESS = 12
GAP = "…"
"""Stands for a value that is put in."""
PASSED_ON = "Passed on"
"""Stands for the words of another error, or of what the caller gives, which are checked where they are written."""

FAILURE = re.compile(
    r"\b(not|no|none|nothing|neither|cannot|without|failed|fails|missing|unknown|lacks?|too|already|refused|differ|"
    r"unreadable|empty|outside (its|the) range|(?<!it )was|(?<!they )were|changed|stopped|exists already|in use|"
    r"still|is gone|wrong|more than|went wrong)\b",
    re.IGNORECASE,
)
"""What says that something did not go as it should; the past tense does, for a rule stands in the present."""
WISH = re.compile(
    r"\b(must|should|ought|needs?|at most|at least|no (more|fewer|less|larger|longer|later|worse|older)|has no|"
    r"have no|may|only)\b",
    re.IGNORECASE,
)
"""What says how things ought to be, also where it holds a word of failure: "A name has no colon"."""
RULE = re.compile(r"(A|An|Any|Every|Each|All|Both|Nobody|Nothing|These) ")
"""How a sentence begins that is about all of a kind, so that its "not" forbids instead of telling."""
EVENT = re.compile(r"\b(could not|was|were|is missing|failed)\b")
"""What tells of one case nevertheless: "A label is missing"."""


def states_a_wish(sentence: str) -> bool:
    """Whether a first sentence says what ought to be instead of what happened."""
    told = sentence.rpartition(": ")[2] if sentence.startswith(GAP) else sentence
    if WISH.search(told) or not FAILURE.search(told):
        return True
    return bool(RULE.match(told)) and not EVENT.search(told)


class Site(NamedTuple):
    """A place that raises an error, with every text that its three parts can have."""

    place: str
    happened: list[str]
    received: list[str]
    advice: list[str]


def texts(node: ast.expr | None) -> list[str]:
    """The texts that an expression can be, values that are put in as a gap."""
    match node:
        case None:
            return [""]
        case ast.Constant(str() as text):
            return [text]
        case ast.JoinedStr(parts):
            return ["".join(each) for each in itertools.product(*(texts(part) for part in parts))]
        case ast.BinOp(left, ast.Add(), right):
            return ["".join(each) for each in itertools.product(texts(left), texts(right))]
        case ast.IfExp(_, one, other):
            return texts(one) + texts(other)
        case ast.FormattedValue(value) if isinstance(value, ast.IfExp | ast.Name | ast.Attribute):
            return texts(value)
        case ast.Name("happened") | ast.Attribute(_, "happened"):
            return [PASSED_ON]
    return [GAP]


TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"), key=lambda path: path.name != "errors.py")
}


def errors() -> dict[str, list[str]]:
    """What takes the first sentence of an error, with its parameters: the errors, and every class with `happened`."""
    known = {"FaceWhyError": ["happened", "received", "advice"]}
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
                if "happened" in fields:
                    known[node.name] = fields
                elif any(isinstance(base, ast.Name) and base.id in known for base in node.bases):
                    known[node.name] = known["FaceWhyError"]
    return known


def helpers(tree: ast.Module) -> dict[str, list[str]]:
    """The functions of a file that take the first sentence of an error, with their parameters."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name != "__init__"]
    parameters = {node.name: [each.arg for each in node.args.args] for node in functions}
    return {name: names for name, names in parameters.items() if "happened" in names}


def sites() -> Iterator[Site]:
    """Every place in the packages where an error gets its words."""
    everywhere = errors()
    for path, tree in TREES.items():
        known = everywhere | helpers(tree)
        for node in ast.walk(tree):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            if name in known:
                given = dict(zip(known[name], node.args, strict=False)) | {
                    each.arg: each.value for each in node.keywords
                }
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield Site(place, *(texts(given.get(part)) for part in ("happened", "received", "advice")))


SITES = list(sites())
EVERY = [pytest.param(site, id=site.place) for site in SITES]


def test_the_places_that_raise_are_found():
    assert len(SITES) > 200 and {site.place.partition("/")[0] for site in SITES} == set(PACKAGES)


def test_what_is_passed_on_under_the_name_happened_is_a_parameter():
    nodes = [node for tree in TREES.values() for node in ast.walk(tree)]
    fields = [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
    set_here = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    assert "happened" not in {node.id for node in set_here if node not in fields}


@pytest.mark.parametrize("wish", WISHES)
def test_a_sentence_that_states_what_ought_to_be_is_recognised(wish):
    assert states_a_wish(wish)


@pytest.mark.parametrize(
    "sentence",
    [
        "No face was found in the picture",
        "The Hub failed",
        "Too many pictures are on their way to us",
        "…/card.json: the field 'name' is not 'cnn'",
        "A label is missing among the faces of the fit",
    ],
)
def test_a_sentence_that_says_what_happened_passes(sentence):
    assert not states_a_wish(sentence)


@pytest.mark.parametrize("site", EVERY)
def test_an_error_says_first_what_happened(site):
    for sentence in site.happened:
        assert PASSED_ON in sentence or not states_a_wish(sentence), sentence


@pytest.mark.parametrize("site", EVERY)
def test_the_parts_of_an_error_are_sentences(site):
    for part in (site.happened, site.received, site.advice):
        for text in part:
            assert text == text.strip() and not re.search(r"[.!?,;:]$|  |\n|\.\.", text), text
    for text in site.happened + site.advice:
        assert re.match(r"[A-Z…\"-]|$", text), text
    for parts in itertools.product(site.happened, site.received, site.advice):
        assert len(str(FaceWhyError(*(part.replace(GAP, "x" * GUESS) for part in parts)))) < LONGEST


def test_a_message_is_put_together_with_one_full_stop_a_sentence():
    assert str(FaceWhyError("It failed", "HTTP status 500", "Try again")) == (
        "It failed. Received: HTTP status 500. Try again."
    )
    assert str(FaceWhyError("It failed", "a message that ends.")) == "It failed. Received: a message that ends."
    assert str(BusyError("Too many ask", seconds=3)) == "Too many ask."
