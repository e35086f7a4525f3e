"""The local page's routes: a fixed table before a desk."""

from __future__ import annotations

import asyncio
import html
import secrets
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from chainrule.errors import InputError, Problem
from chainrule.page import answers, sent, turns
from chainrule.page.asks import ASKS, STREAMS, load
from chainrule.page.desk import Desk
from chainrule.page.guard import ENTER, Guard
from chainrule.page.keys import Keys
from chainrule.phrases import say, speaking

READING = 10.0
"""Seconds within which a body must be there."""

STATIC = {"/page.js": ("page.js", "text/javascript"), "/page.css": ("page.css", "text/css")}

INDEX = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>chainrule</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<div id="chainrule"></div>
<noscript><p>{noscript}</p></noscript>
</body>
</html>
"""


class Page:
    """The routes. Each ask runs under the desk's lock."""

    def __init__(self, desk: Desk, keys: Keys, port: int, spoken: str = "en") -> None:
        self.desk, self.keys = desk, keys
        self._leaving: set[asyncio.Future[Any]] = set()
        self._loaded = False
        routes = {"/": "GET", "/favicon.ico": "GET", **dict.fromkeys(STATIC, "GET"), ENTER: "POST"}
        routes |= {f"/api/{verb}": "POST" for verb in (*ASKS, *STREAMS)}
        app = Starlette(
            routes=[
                Route("/", self._index),
                Route("/favicon.ico", _nothing),
                *(Route(path, partial(_static, *found)) for path, found in STATIC.items()),
                Route(ENTER, self._served(self._enter), methods=["POST"]),
                *(Route(f"/api/{verb}", self._served(partial(self._ask, verb)), methods=["POST"]) for verb in ASKS),
                *(Route(f"/api/{verb}", self._served(partial(self._stream, verb)), methods=["POST"]) for verb in STREAMS),
            ]
        )
        app.router.redirect_slashes = False
        self.guard = Guard(app, routes, keys, port, spoken)

    async def _index(self, request: Request) -> Response:
        noscript = say("This page needs JavaScript. Without it, read the step with: chainrule explain")
        return Response(INDEX.format(language=speaking(), noscript=html.escape(noscript)), media_type="text/html")

    def _served(self, answer: Callable[[Request, dict[str, Any]], Any]) -> Callable[[Request], Any]:
        """Reads what was sent, and says in words what went wrong."""

        async def serve(request: Request) -> Response:
            try:
                body = await asyncio.wait_for(request.body(), READING)
                result: Response = await answer(request, sent.read(body))
            except TimeoutError:
                return answers.refused(408, {"Connection": "close"})
            except (ClientDisconnect, turns.GoneError):
                return Response(status_code=400)  # nobody reads it
            except sent.NotJsonError as error:
                return answers.said(answers.trouble(error.problems), 400)
            except InputError as error:
                return answers.problems(error)
            except Exception as error:
                return answers.said(failed(error), 500)
            return result

        return serve

    async def _enter(self, request: Request, body: dict[str, Any]) -> Response:
        token = body.get("token")
        if body.keys() != {"token"} or not isinstance(token, str):
            return answers.refused(400)
        if not self.keys.enter(token):
            self.keys.renew()
            if self.keys.failed():
                await asyncio.sleep(1.0)
                return answers.refused(429, {"Retry-After": "60"})
            do = say("open the link that stands in the terminal")
            problem = Problem(say("this link was used before, or is of another server"), do=do)
            return answers.said(answers.trouble([problem]), 401, {"WWW-Authenticate": "Chainrule"})
        response = answers.said({"key": self.keys.key})
        response.set_cookie(self.guard.cookie_name, self.keys.cookie, httponly=True, samesite="strict")
        return response

    async def _ask(self, verb: str, request: Request, body: dict[str, Any]) -> Response:
        leaving = self._left(request)
        try:
            data = await turns.answered(self.desk, partial(ASKS[verb], self.desk, body), leaving)
        finally:
            self._forget(leaving)
        if not self._loaded:
            self._loaded = True
            threading.Thread(target=load, daemon=True).start()  # while the first view is looked at
        return answers.said(data)

    async def _stream(self, verb: str, request: Request, body: dict[str, Any]) -> Response:
        leaving = self._left(request)
        try:
            # up to its first event, so that what is wrong with an ask is refused, and not told as an event
            stream = await turns.answered(self.desk, partial(STREAMS[verb], self.desk, body), leaving)
            events = turns.Events(self.desk, iter(stream), leaving)
            first = await events.next()
        except BaseException:
            self._forget(leaving)
            raise
        return answers.EventStream(self._told(events, first, leaving))

    async def _told(
        self, events: turns.Events, event: dict[str, Any] | None, leaving: asyncio.Future[Any]
    ) -> AsyncIterator[bytes]:
        try:
            while event is not None:
                yield answers.written(event)
                event = await events.next()
        except turns.GoneError:
            pass
        except InputError as error:
            yield answers.written(answers.trouble(error.problems[:20]))
        except Exception as error:
            yield answers.written(failed(error))
        finally:
            self._forget(leaving)
            await events.close()

    def _left(self, request: Request) -> asyncio.Future[Any]:
        """Done when whoever asks has gone, or the server ends."""

        async def wait() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        leaving = asyncio.ensure_future(wait())
        self._leaving.add(leaving)
        return leaving

    def _forget(self, leaving: asyncio.Future[Any]) -> None:
        self._leaving.discard(leaving)
        leaving.cancel()

    def end(self) -> None:
        """Ends what is still at work."""
        for leaving in list(self._leaving):
            leaving.cancel()


def failed(error: BaseException) -> dict[str, Any]:
    """A mistake of ours: the page gets its name, the terminal all of it."""
    name = secrets.token_hex(4)
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"error {name}:\n{''.join(traceback.format_exception(error))}")
        sys.stderr.flush()
    do = say("the terminal tells more under {name}: please report it", name=name)
    return answers.trouble([Problem(say("this is a mistake of chainrule, not yours"), do=do)], name)


async def _nothing(request: Request) -> Response:
    return Response(status_code=204)


async def _static(name: str, kind: str, request: Request) -> Response:
    return Response(_bytes(name), media_type=kind)


def _bytes(name: str) -> bytes:
    """A file of the front end: named here, and never by whoever asks."""
    return files("chainrule.page").joinpath("static", name).read_bytes()
