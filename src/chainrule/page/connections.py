"""The connections of the local page: how many, how long they may be silent, and where they are listened for."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from chainrule.errors import InputError, shown
from chainrule.page.answers import HEAD, HEADERS

MOST, MOMENT = 64, 0.05
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
            min(idle, key=lambda each: each._number).transport.abort()

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


def is_loopback(host: str) -> bool:
    """Whether a host to listen at is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sockets(host: str, port: int | None) -> list[socket.socket]:
    """Sockets that listen at a host: at both forms of loopback where there are both. port: None for any that is free.

    Raises InputError for a port that is taken or not allowed, and for a host that is not of this machine.
    """
    both = host in ("127.0.0.1", "localhost")
    for _ in range(20):
        opened = [_listening("127.0.0.1" if both else host, port or 0)]
        number = opened[0].getsockname()[1]
        if not both:
            return opened
        try:
            opened.append(_listening("::1", number))
        except InputError:
            opened[0].close()  # somebody else is `localhost` at this port, for some browsers
            if port:
                raise
            continue
        except OSError:
            pass  # this machine has no IPv6
        return opened
    raise InputError("no port is free at both 127.0.0.1 and ::1", do="name one with --port")


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise InputError("this host is not known", got=shown(host), do="leave it out: 127.0.0.1", field="--host") from None
    opened = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was ours a moment ago
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(128)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE or isinstance(error, PermissionError):
            what = "this port may not be used" if isinstance(error, PermissionError) else "this port is in use"
            raise InputError(what, got=str(port), do=f"--port {_free(host, port)} is free", field="--port") from None
        if error.errno == errno.EADDRNOTAVAIL and host != "::1":
            do = "name an address of this machine, or leave it out: 127.0.0.1"
            raise InputError("this host is not of this machine", got=shown(host), do=do, field="--host") from None
        raise
    return opened


def _free(host: str, port: int) -> int:
    """The next port that is free, from 1024 on; any if there is none close by."""
    for number in [*range(max(port + 1, 1024), min(max(port, 1024) + 100, 65_536)), 0]:
        with suppress(OSError), socket.create_server((host, number)) if ":" not in host else socket.socket() as found:
            return int(found.getsockname()[1]) if number == 0 else number
    return 0
