"""Where the local page listens: on this machine alone, at a port that is free."""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import suppress

from chainrule.errors import InputError, shown


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
