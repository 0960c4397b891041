"""Hostile input as a table: a name, the interface it comes to, how it is sent, and what the server may say."""

from tests.app.api.hostile import bodies, clips, paths, pictures, requests
from tests.app.api.hostile.visitor import Case


def table() -> list[Case]:
    """Every case."""
    return [case for kind in (pictures, paths, clips, bodies, requests) for case in kind.cases()]
