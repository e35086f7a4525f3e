"""The connections of the local page: how many, and how long they may be silent."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from chainrule.page.answers import HEAD, HEADERS

MOST, MOMENT = 64, 1.0
"""Connections at a time. Of more than that, those that ask nothing for a moment (seconds) are ended, the oldest first."""

CROWD = 256
"""Of more than that, at once."""

PATIENCE = 10.0
"""Seconds within which the head of a request must be there."""

_SEALS = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
_numbers = itertools.count()


def _bare(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n{_SEALS}\r\n".encode()


class Connection(H11Protocol):
    """One connection; silent ones are ended, and what is no HTTP is answered in fixed words."""

    _deadline: asyncio.TimerHandle | None = None
    _number = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._number = next(_numbers)
        self._arm()
        if len(self.connections) > CROWD:
            self._make_room()
        elif len(self.connections) > MOST:
            self.loop.call_later(MOMENT, self._make_room)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            self._arm()
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._disarm()

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _make_room(self) -> None:
        idle = [each for each in self.connections if isinstance(each, Connection) and each.is_idle]
        if len(self.connections) > MOST and idle:
            min(idle, key=lambda each: each._number).transport.close()

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(PATIENCE, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self.is_idle and not self.transport.is_closing():  # a late body is answered by whoever reads it
            if self.cycle is None and self.conn.trailing_data[0]:
                self.transport.write(_bare("408 Request Timeout"))
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_bare("400 Bad Request"))
        self.transport.close()


class Listener(Server):
    """uvicorn without its own signals: the command decides how it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listener(app: Any) -> Listener:
    """A server for an app, with every extra of uvicorn off: no web sockets, no trust in proxies, no names of its own."""
    return Listener(
        Config(
            app,
            http=Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            h11_max_incomplete_event_size=HEAD,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
        )
    )
