"""Who may come in: a link that works once is swapped for a key and a cookie, and every later ask needs both."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable

WRONG = 20
"""So many wrong secrets a minute are answered at once; further ones wait."""

PAUSE = 10.0
"""Seconds between two fresh links."""


class Keys:
    """The secrets of one server, 256 bits each. They are made anew at every start and are never written down.

    announce: is told a fresh token when one is needed; the first is in `link` from the beginning.
    """

    def __init__(self, announce: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.key, self.cookie, self.link = (secrets.token_urlsafe(32) for _ in range(3))
        self._used = False
        self._announce, self._clock = announce, clock
        self._announced = clock() - PAUSE
        self._wrong: deque[float] = deque(maxlen=WRONG)

    def enter(self, token: str) -> bool:
        """Whether the link's token is right and was not used before; from now on it is used."""
        if self._used or not _same(token, self.link):
            return False
        self._used = True
        return True

    def admits(self, key: str, cookie: str) -> bool:
        """Whether an ask brings both secrets."""
        return _same(key, self.key) & _same(cookie, self.cookie)

    def renew(self) -> None:
        """A used link is replaced by a fresh one, which is announced; not more often than every PAUSE seconds."""
        now = self._clock()
        if self._used and now - self._announced >= PAUSE:
            self._announced = now
            self.link, self._used = secrets.token_urlsafe(32), False
            self._announce(self.link)

    def failed(self) -> bool:
        """Notes a wrong secret; whether there were too many of them within a minute."""
        now = self._clock()
        crowded = len(self._wrong) == WRONG and now - self._wrong[0] < 60
        self._wrong.append(now)
        return crowded


def _same(given: str, right: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
