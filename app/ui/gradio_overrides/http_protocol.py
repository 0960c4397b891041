"""uvicorn's HTTP/1.1 with limits on how long and how often a client may hold a connection."""

import asyncio
from typing import Any, cast

import h11
from starlette.datastructures import Headers
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.security import timeouts
from app.security.rate_limit import client_of

CONNECTIONS = 256
"""Connections of one address: room for a class of forty, whose browsers open six each."""


class HeaderTimeoutProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which hangs up on who holds a connection for nothing.

    It waits `IDLE_TIMEOUT_S` seconds for the head of a request, which has 64 KiB at most, `LINGER_S` for the
    rest of a body that was answered before it had come, and `UNREAD_TIMEOUT_S` for a client that does not read
    its answer. Given to uvicorn as `http=`, so that another parser that
    happens to be installed changes neither.

    Args:
        most: connections of one address; None where all come from a proxy.
    """

    def __init__(self, *args: Any, most: int | None = CONNECTIONS, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.most, self.address = most, ""
        self._head: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.address = client_of({"client": self.client}, Headers(), proxies=0)
        held = sum(getattr(other, "address", None) == self.address for other in self.connections)
        if self.most is not None and held > self.most:
            self.transport.abort()
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self._rest:
            self._rest = self.loop.call_later(timeouts.LINGER_S, self.transport.close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(timeouts.UNREAD_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread = _cancelled(self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._head, self._rest, self._unread = map(_cancelled, (self._head, self._rest, self._unread))

    def _watch(self) -> None:
        waiting = self.conn.their_state is h11.IDLE
        if waiting and not self._head:
            self._head = self.loop.call_later(timeouts.IDLE_TIMEOUT_S, self.transport.close)
        elif not waiting:
            self._head = _cancelled(self._head)
        if self.conn.their_state is not h11.SEND_BODY:
            self._rest = _cancelled(self._rest)


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """None, in place of a timer that is no longer needed."""
    if timer:
        timer.cancel()
    return None
