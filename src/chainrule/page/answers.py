"""What the server answers: plain data as JSON, refusals as problems in words, and the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chainrule.errors import InputError, Problem
from chainrule.page.conflicts import ConflictError
from chainrule.phrases import phrase, say

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer, whatever it is."""

RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

HEAD = 16 * 2**10
"""Bytes that the head of a request may have."""

DETAILS = {
    400: (phrase("this is not a request that the page sends"), phrase("reload the page")),
    401: (phrase("this tab has no key"), phrase("open the link that stands in the terminal")),
    403: (phrase("this request does not come from the page"), phrase("open the link that stands in the terminal")),
    404: (phrase("there is nothing here"), phrase("open the link that stands in the terminal")),
    405: (phrase("this method is not for this address"), phrase("reload the page")),
    408: (phrase("the request took too long to arrive"), phrase("send it again")),
    411: (phrase("the length of what is sent must be told"), phrase("reload the page")),
    413: (phrase("this is too large"), phrase("send at most 32 MB")),
    415: (phrase("only JSON is taken, and not compressed"), phrase("reload the page")),
    431: (phrase("the headers are too long"), phrase("delete this site's cookies, and reload the page")),
    429: (phrase("too many wrong keys"), phrase("wait a minute, then open the link that stands in the terminal")),
}
"""What a refusal says, in fixed words: nothing of the request comes back."""


class RefusedError(Exception):
    """A request that is not served."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def said(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Plain data as JSON."""
    return Response(written(data), status, headers, media_type="application/json")


def written(data: Any) -> bytes:
    """Plain data as one line of JSON. A number that is none is a mistake of ours: whoever makes the data says it as text."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


class EventStream(Response):
    """Events as they come, each written as JSON, until there are none: `events` ends by itself when nobody listens any more."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for event in self._events:
            await send({"type": "http.response.body", "body": b"data: " + event + b"\n\n", "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def refused(status: int, headers: dict[str, str] | None = None) -> Response:
    """A refusal in fixed words."""
    what, do = DETAILS[status]
    return said(trouble([Problem(say(what), do=say(do))]), status, headers)


def problems(error: InputError) -> Response:
    """What a user got wrong: 409 if it goes against how things stand, 422 otherwise."""
    return said(trouble(error.problems[:20]), 409 if isinstance(error, ConflictError) else 422)


def trouble(found: Any, name: str = "") -> dict[str, Any]:
    """Problems as the page reads them; name: what the terminal calls them too."""
    return {"error": {"id": name, "problems": [_plain(each) for each in found]}}


def _plain(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "where": problem.place, "got": problem.got, "do": problem.do, "field": problem.field}
