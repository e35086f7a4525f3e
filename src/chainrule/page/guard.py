"""Who may ask what: decided from the head of a request, before its body is read.

A page of another site that a browser has open can send requests here, too. What keeps it out: the Host must be one of ours
(a name of its own that leads to this machine is none), its Origin is not ours, it knows no key, and it cannot send JSON or
the header with the key without being asked first, which is never granted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainrule.page.answers import HEAD, RAW_HEADERS, RefusedError, refused
from chainrule.page.keys import Keys
from chainrule.phrases import language

LARGEST = 32 * 2**20
"""Bytes that a body may have."""

ENTERING = 1_000
"""Bytes that the body may have which brings a link's token: whoever sends it is not known yet."""

DRAINED = 2**20
"""A body up to so many bytes is read to its end although it was refused, so that whoever sends it can read why."""

SLOW = 1.0
"""Seconds that a wrong key waits for its answer where there were many."""

ENTER = "/api/enter"
KEY = b"x-chainrule-token"
PAGE = "/"

# read here, so that two of them could be read as either
SINGLE = (b"host", b"origin", b"content-type", b"content-length", b"cookie", b"sec-fetch-site", b"sec-fetch-mode", KEY)


class Guard:
    """Lets through to `app` what comes from the page, and refuses the rest in fixed words.

    routes: path -> method, all that there is; port: where the server listens; spoken: the language of all that is answered.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[str, str], keys: Keys, port: int, spoken: str = "en") -> None:
        self.app, self.routes, self.keys, self.port, self.spoken = app, routes, keys, port, spoken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with language(self.spoken):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in RAW_HEADERS}
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in ours]
                message = {**message, "headers": kept + RAW_HEADERS}
            await send(message)

        if scope["type"] != "http":
            raise RuntimeError(f"only HTTP is served, not {scope['type']}")
        try:
            self._check(scope)
        except RefusedError as refusal:
            status, headers = refusal.status, refusal.headers
            if status == 401:
                if self.keys.failed():
                    await asyncio.sleep(SLOW)
                    status, headers = 429, {"Retry-After": "60"}
                else:
                    headers = {"WWW-Authenticate": "Chainrule"}
            if _length(scope) > DRAINED:
                headers = {**headers, "Connection": "close"}
            await refused(status, headers)(scope, receive, sealed)
            return
        await self.app(scope, receive, sealed)

    def _check(self, scope: Scope) -> None:
        """RefusedError for what is not asked by the page. The order goes from who asks to what is asked."""
        headers: dict[bytes, bytes] = {}
        if scope["http_version"] != "1.1":
            raise RefusedError(400, Connection="close")
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > HEAD:
            raise RefusedError(431, Connection="close")  # the parser limits only what has not come to its end
        for name, value in scope["headers"]:
            if name in headers and name in SINGLE:
                raise RefusedError(403 if name in (b"host", b"origin") else 400)
            headers[name] = value
        host = headers.get(b"host", b"").decode("latin-1")
        if host not in self._hosts(scope):
            raise RefusedError(403)
        self._check_origin(scope, headers, host)
        path = scope["raw_path"].decode("latin-1")
        method = self.routes.get(path)
        if method is None or scope["query_string"]:
            raise RefusedError(404)
        if scope["method"] != method:
            raise RefusedError(405, Allow=method)
        if b"transfer-encoding" in headers or b"upgrade" in headers or b"expect" in headers:
            raise RefusedError(411 if method == "POST" else 400, Connection="close")
        if method == "GET":
            if headers.get(b"content-length", b"0") != b"0":
                raise RefusedError(400, Connection="close")
        else:
            self._check_post(path, headers)

    def _hosts(self, scope: Scope) -> set[str]:
        """What the Host may be: this machine's own names for itself, and the address that was connected to."""
        hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}", f"[::1]:{self.port}"}
        reached = (scope.get("server") or ("", None))[0]
        if reached and not ip_address(reached.partition("%")[0]).is_loopback:
            hosts.add(f"[{reached}]:{self.port}" if ":" in reached else f"{reached}:{self.port}")
        return hosts

    def _check_origin(self, scope: Scope, headers: Mapping[bytes, bytes], host: str) -> None:
        site = headers.get(b"sec-fetch-site")
        opening = scope["method"] == "GET" and scope["raw_path"] == PAGE.encode()
        if site not in (None, b"same-origin") and not (site == b"none" and opening):
            raise RefusedError(403)
        if opening and headers.get(b"sec-fetch-mode") not in (None, b"navigate"):
            raise RefusedError(403)  # the page is looked at, and not read by a script
        origin = headers.get(b"origin")
        if origin is None and scope["method"] == "POST":
            raise RefusedError(403)  # every browser says it with a POST
        if origin is not None and origin.decode("latin-1") != f"http://{host}":
            raise RefusedError(403)

    def _check_post(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        if path != ENTER:
            key = headers.get(KEY, b"").decode("latin-1")
            cookie = cookies(headers.get(b"cookie", b"").decode("latin-1")).get(self.cookie_name, "")
            if not self.keys.admits(key, cookie):
                if self.keys.admits(self.keys.key, cookie):
                    self.keys.renew()  # the browser has been here, and its tab was closed: a new link lets it in again
                raise RefusedError(401)
        if headers.get(b"content-type", b"").lower() not in (b"application/json", b"application/json; charset=utf-8"):
            raise RefusedError(415)
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise RefusedError(415)
        length = headers.get(b"content-length")
        if length is None:
            raise RefusedError(411, Connection="close")
        if not length.isdigit() or len(length) > 12 or int(length) > (ENTERING if path == ENTER else LARGEST):
            raise RefusedError(413, Connection="close")

    @property
    def cookie_name(self) -> str:
        """Named with the port: cookies do not know ports, and two servers must not take each other's."""
        return f"chainrule-{self.port}"


def cookies(header: str) -> dict[str, str]:
    """The cookies of a request; of two with one name neither, since it is not known whose they are."""
    found: dict[str, str] = {}
    twice = set()
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            twice |= {name} & found.keys()
            found[name] = value
    return {name: value for name, value in found.items() if name not in twice}


def _length(scope: Scope) -> int:
    """Bytes that the body is said to have; more than can be where it is not said."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 13 else LARGEST
    return 0 if scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE", "TRACE") else LARGEST
