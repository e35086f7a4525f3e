"""Asks at work: each in a thread of its own under the desk's lock, so that the server goes on, and ended when nobody waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

from chainrule.errors import InputError
from chainrule.page.desk import Desk
from chainrule.phrases import say

T = TypeVar("T")

SECONDS = 60.0
"""How long an ask may take."""

WAIT = 0.1
"""Seconds between two looks at whether the desk is still waited for."""


class GoneError(Exception):
    """Nobody waits for the answer any more."""


class Turn:
    """One ask: since when it runs, and whether anybody still waits for it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._ends = time.monotonic() + seconds
        self._seconds = seconds
        self.gone = False

    @property
    def left(self) -> float:
        """Seconds that it may still take."""
        return self._ends - time.monotonic()

    def check(self) -> None:
        """The desk's beat: raises when nobody waits, or when it has taken too long."""
        if self.gone:
            raise GoneError
        if self.left < 0:
            raise late(self._seconds)

    def take(self, desk: Desk, work: Callable[[], T]) -> T:
        """Does the work while holding the desk."""
        while not desk.lock.acquire(timeout=WAIT):
            self.check()  # who has gone waits no longer: many quick clicks would leave a thread each
        try:
            self.check()
            desk.beat = self.check
            return work()
        finally:
            desk.beat = _nothing
            desk.lock.release()


def late(seconds: float) -> InputError:
    """What is said of an ask that took too long."""
    what = say("this takes more than {seconds} seconds", seconds=f"{seconds:g}")
    return InputError(what, do=say("ask for less: fewer updates, fewer rows, a smaller network"))


def _nothing() -> None:
    pass


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Starts work in a thread that does not keep the process alive: what cannot be stopped must not hinder the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def run() -> None:
        value: T | None = None
        problem: BaseException | None = None
        try:
            value = work()
        except StopIteration:
            problem = RuntimeError("StopIteration")  # a future cannot hold one
        except BaseException as error:
            problem = error
        with suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(settle, value, problem)

    threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
    return future


async def answered(desk: Desk, work: Callable[[], T], leaving: asyncio.Future[Any], seconds: float = SECONDS) -> T:
    """What the work gives. GoneError as soon as `leaving` is done; an InputError where it takes too long."""
    turn = Turn(seconds)
    return await _waited(turn, in_thread(lambda: turn.take(desk, work)), leaving)


async def _waited(turn: Turn, future: asyncio.Future[T], leaving: asyncio.Future[Any]) -> T:
    try:
        # a little later than the turn itself finds out: then the work is known to have ended
        await asyncio.wait({future, leaving}, timeout=turn.left + 0.5, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            if future.done():
                future.exception()  # it is known, and nobody reads it
            raise GoneError
        if future.done():
            return future.result()
        raise late(turn._seconds)
    finally:
        if not future.done():
            turn.gone = True
            future.cancel()


class Events:
    """A stream's events, one after the other: the next is made when the last was taken, so that none pile up."""

    def __init__(self, desk: Desk, events: Iterator[dict[str, Any]], leaving: asyncio.Future[Any]) -> None:
        self._desk, self._events, self._leaving = desk, events, leaving

    async def next(self) -> dict[str, Any] | None:
        """The next event; None if there is none. The desk is free while it is waited for."""
        return await _waited(Turn(), in_thread(lambda: next(self._events, None)), self._leaving)

    async def close(self) -> None:
        """Ends the stream: its `finally` runs before anybody else gets the desk."""
        close = getattr(self._events, "close", None)
        if close is not None:
            waiting = asyncio.get_running_loop().create_future()
            with suppress(InputError, GoneError, ValueError):  # one that is still at work finds out at its next beat
                await answered(self._desk, close, waiting)
