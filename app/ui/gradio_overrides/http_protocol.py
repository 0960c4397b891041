"""uvicorn's parser of HTTP/1.1 with a limit on how long the head of a request may take."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.security import timeouts


class HeaderTimeoutProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which waits `IDLE_TIMEOUT_S` seconds for the head of a request and then hangs up.

    A head has 64 KiB at most; given to uvicorn as `http=`, so that another parser that happens to be installed
    changes neither.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer:
            self._timer.cancel()

    def _watch(self) -> None:
        waiting = self.conn.their_state is h11.IDLE
        if waiting and not self._timer:
            self._timer = self.loop.call_later(timeouts.IDLE_TIMEOUT_S, self.transport.close)
        elif not waiting and self._timer:
            self._timer.cancel()
            self._timer = None
