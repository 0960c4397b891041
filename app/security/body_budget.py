"""How many bytes of bodies all requests in progress may hold together."""

from collections import Counter

from app.security.settings import MAX_BODY

HELD = 16 * MAX_BODY
"""Bytes of bodies that all requests in progress may hold together; those of one client, a quarter of it."""


class BodyBudget:
    """What is held of bodies, by client."""

    def __init__(self):
        self._held = Counter()

    def hold(self, client: str, size: int) -> bool:
        """Count bytes that a client sent; whether they still fit."""
        self._held[client] += size
        return self._held.total() <= HELD and self._held[client] <= HELD // 4

    def release(self, client: str, size: int) -> None:
        """Forget bytes that are no longer held."""
        self._held[client] -= size
        if not self._held[client]:
            del self._held[client]
