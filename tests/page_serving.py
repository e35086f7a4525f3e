"""The page's server in a thread of the test, for what a command cannot show: asks and streams that the test brings."""

import http.client
import json
import threading
import time

import pytest

from chainrule.page import asks, connections, listening, server
from chainrule.page.desk import laid
from chainrule.page.keys import Keys


class Serving:
    """A server in a thread, for what a command cannot show: asks and streams that the test brings."""

    def __init__(self, what="mazur"):
        self.desk = laid(what)
        opened = listening.sockets("127.0.0.1", None)
        self.port = opened[0].getsockname()[1]
        self.links = []
        self.keys = Keys(self.links.append)
        self.page = server.Page(self.desk, self.keys, self.port)
        self._server = connections.listener(self.page.guard)
        self._thread = threading.Thread(target=self._server.run, args=(opened,), daemon=True)
        self._thread.start()

    def open(self, verb, body, **headers):
        """An ask that waits for its answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        told = {
            "Content-Type": "application/json",
            "Origin": f"http://127.0.0.1:{self.port}",
            "X-Chainrule-Token": self.keys.key,
            "Cookie": f"chainrule-{self.port}={self.keys.cookie}",
            **headers,
        }
        link.request("POST", f"/api/{verb}", json.dumps(body), told)
        return link

    def ask(self, verb, body=None, **headers):
        link = self.open(verb, body or {}, **headers)
        answer = link.getresponse()
        found = answer.status, json.loads(answer.read() or b"null")
        link.close()
        return found

    def end(self):
        self.page.end()
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def serving(monkeypatch):
    """Makes servers whose table of asks and streams the test has changed."""
    started = []

    def start(what="mazur", streams=None, **more):
        monkeypatch.setattr(server, "ASKS", {**asks.ASKS, **more})
        monkeypatch.setattr(server, "STREAMS", dict(streams or {}))
        started.append(Serving(what))
        return started[-1]

    yield start
    for each in started:
        each.end()


def until(what, seconds=20):
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
