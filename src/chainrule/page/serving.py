"""`chainrule page`, from its start to its end: what lies on the desk, the address, the browser, the signals.

The browser is started as soon as it is known that there is something to see: while it opens, the rest is loaded.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from chainrule.page import listening
from chainrule.page.keys import Keys
from chainrule.phrases import language, say

if TYPE_CHECKING:
    from chainrule.page.desk import Desk


def serve(what: str, host: str = "127.0.0.1", port: int | None = None, spoken: str = "en", browser: bool = True) -> int:
    """Serves a spec, an example or a run until a signal comes; the exit code. The address is printed, and opened."""
    opened = listening.sockets(host, port)
    try:
        from chainrule.page.desk import laid

        desk = laid(what)
        desk.trace  # noqa: B018 - what cannot be derived is said here, and not in the browser
    except BaseException:
        for each in opened:
            each.close()
        raise
    number = opened[0].getsockname()[1]
    named = "127.0.0.1" if listening.is_loopback(host) and host != "::1" else f"[{host}]" if ":" in host else host
    address = f"http://{named}:{number}/"

    def announce(token: str) -> None:
        with suppress(OSError, ValueError):  # nobody may be there to read it
            print(f"{address}#{token}", flush=True)

    keys = Keys(announce)
    announce(keys.link)
    if browser:
        open_browser(f"{address}#{keys.link}")
    with suppress(OSError, AttributeError), language(spoken):
        sys.stderr.write(say("The page is open until you press Ctrl-C.") + "\n")
        sys.stderr.flush()
    try:
        return _run(desk, keys, opened, spoken)
    finally:
        desk.close()


def _run(desk: Desk, keys: Keys, opened: list[Any], spoken: str) -> int:
    import logging

    from chainrule.page.connections import listener
    from chainrule.page.server import Page

    logging.getLogger("uvicorn.error").disabled = True  # what happens here is said by us
    page = Page(desk, keys, opened[0].getsockname()[1], spoken)
    server = listener(page.guard)

    def end() -> None:
        server.should_exit = True
        page.end()

    code = _until_told(end)
    server.run(opened)
    return code[0]


def _until_told(end: Callable[[], None]) -> list[int]:
    """The first signal ends the server, a second one the process; the exit code that the first one means, once it came."""
    code = [0]

    def note(number: int, frame: FrameType | None) -> None:
        if code[0]:
            os._exit(128 + number)
        code[0] = 128 + number
        end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return code


def open_browser(link: str) -> bool:
    """Opens the link in a window, if there are windows: a browser inside the terminal would take the terminal away."""
    import threading
    import webbrowser

    screen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if screen:
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()  # some browsers keep whoever calls them
    return screen
