"""Hostile requests to the local page: none is accepted, none learns anything, and the page goes on."""

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from browser import PageServer
from page_attacks import GROUPS, Honest, ask, wire
from page_specs import specs

GROUPS = {**GROUPS, "specs": (specs, 60)}

SECRETS = ("Traceback", "site-packages", "root:x:", "step by step", "PATH=")
"""What no answer holds: ways of ours, files of the machine, the example's title."""


@pytest.fixture(scope="module")
def server():
    started = PageServer("mazur")
    entered = started.enter()
    started.honest = Honest(started.port, entered["X-Chainrule-Token"], entered["Cookie"])
    yield started
    code, errors = started.stop()
    assert code == 143
    assert "Traceback" not in errors


def exchange(port, sent, patience=60.0):
    """Everything that comes back for some bytes, until the other side closes or is silent after an answer."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as link:
        try:
            link.sendall(sent)
            while chunk := link.recv(65_536):
                found += chunk
                link.settimeout(0.1 if whole(found) or sent.startswith(b"HEAD") else patience)
        except TimeoutError:
            assert found, "no answer, and no end either"
        except ConnectionError:
            pass  # closed before all of it was taken
    return found


def whole(found):
    head, ended, rest = found.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return bool(ended) and (length is None or len(rest) >= int(length[1]))


def statuses(found):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", found)]


def served(server):
    """Whether the honest client gets its answer."""
    found = exchange(server.port, ask(server.honest))
    return statuses(found) == [200] and b"step by step" in found and b'"version":1' in found


@pytest.mark.parametrize("group", GROUPS)
def test_no_hostile_request_is_accepted(server, group):
    make, least = GROUPS[group]
    attacks = list(dict.fromkeys(make(server.honest)))
    assert len(attacks) >= least
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(partial(exchange, server.port), attacks))
    secrets = [server.honest.key, server.honest.cookie.partition("=")[2], *SECRETS]
    for attack, answer in zip(attacks, answers, strict=True):
        shown = (attack[:300], answer[:2_000])
        assert all(400 <= status < 500 for status in statuses(answer)), shown
        assert not any(secret.encode() in answer for secret in secrets), shown
        assert b"access-control" not in answer.lower(), shown
        assert b"set-cookie" not in answer.lower(), shown
        for status in statuses(answer):
            assert b"content-security-policy: default-src 'none'" in answer.lower(), (status, shown)
    assert server.process.poll() is None
    assert served(server)


def test_at_least_four_hundred_hostile_requests_are_made(server):
    assert sum(len(set(make(server.honest))) for make, _ in GROUPS.values()) >= 400


def test_what_is_refused_does_not_come_back(server):
    """An answer without a key holds nothing of the request: no address to reflect, no text to show."""
    sign = "s1gn4l"
    for attack in (
        wire("GET", f"/{sign}", server.honest.opening),
        wire("GET", f"/?{sign}", server.honest.opening),
        ask(server.honest, Host=f"{sign}.test"),
        ask(server.honest, Origin=f"http://{sign}.test"),
        ask(server.honest, X_Chainrule_Token=sign),
        ask(server.honest, Content_Type=sign),
        wire("POST", f"/api/{sign}", server.honest.headers, b"{}"),
        ask(server.honest, X_Chainrule_Token=None, body=sign.encode()),
    ):
        answer = exchange(server.port, attack)
        assert statuses(answer)[0] in (400, 401, 403, 404, 415, 429)
        assert sign.encode() not in answer


@pytest.mark.parametrize(
    ("attack", "status"),
    [
        ({"X_Chainrule_Token": None}, (401, 429)),  # W01
        ({"X_Chainrule_Token": "wrong"}, (401, 429)),
        ({"Host": "attacker.test"}, (403,)),  # W02
        ({"Origin": "http://attacker.test"}, (403,)),  # W03
        ({"Sec_Fetch_Site": "cross-site"}, (403,)),
        ({"Content_Type": "text/plain"}, (415,)),  # W04
        ({"Content_Encoding": "gzip"}, (415,)),
        ({"body": b'{"a": }'}, (400,)),  # W05
        ({"Content_Length": str(2**30)}, (413,)),  # W06
        ({"target": "/api/nothing"}, (404,)),  # W07
        ({"target": "/api/%6cook"}, (404,)),
        ({"method": "PUT"}, (405,)),  # W08
    ],
    ids=str,
)
def test_a_refusal_has_the_status_that_says_why(server, attack, status):
    answer = exchange(server.port, ask(server.honest, **attack))
    assert statuses(answer)[0] in status
    if 405 in status:
        assert b"\r\nallow: post\r\n" in answer.lower()


def test_a_text_that_is_no_json_is_refused_with_its_place(server):
    for body, place in (
        (b'{"sample":\n 1,\n "sample": 2}', b"line 3:2"),
        (b'{"sample":\n NaN}', b"line 2:2"),
        (b'{\n"a": 1e999}', b"line 2:6"),
        (b'{"a": 1\n"b": 2}', b"line 2:1"),
        (b'{"a":' + b"[" * 16 + b"]" * 16 + b"}", b"line 1:21"),
    ):
        answer = exchange(server.port, ask(server.honest, body=body))
        assert statuses(answer) == [400]
        assert place in answer


def test_a_text_that_never_ends_is_refused_at_once(server):
    """Looked for from each quote in it, its end would be searched for hours, by whoever answers everybody."""
    body = b'{"token": "' + b'\\"' * 200_000
    begin = time.monotonic()
    assert statuses(exchange(server.port, ask(server.honest, body=body))) == [400]
    assert served(server)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"token": "\\ud800"}', {401, 429}), (b'{"token": "' + b"x" * 2_000 + b'"}', {413})]
)
def test_whoever_is_not_known_yet_is_heard_shortly(server, body, status):
    answer = exchange(server.port, ask(server.honest, "/api/enter", body))
    assert set(statuses(answer)) <= status
    assert served(server)


def test_silence_ends(server):
    """Connections that say nothing, or one sign every now and then, are ended after ten seconds."""

    def silent():
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
            return link.recv(100)

    def slow():
        sent = ask(server.honest)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
            try:
                for place in range(len(sent)):
                    link.sendall(sent[place : place + 1])
                    time.sleep(0.2)
            except ConnectionError:
                return "ended"
        return "taken to its end"

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(silent), pool.submit(slow)
        assert (first.result(), second.result()) == (b"", "ended")


def test_two_hundred_connections_do_not_keep_the_honest_one_out(server):
    """W12: who comes takes the place of who has been silent for longest."""
    held = []
    try:
        for _ in range(200):
            held.append(socket.create_connection(("127.0.0.1", server.port), timeout=20))
        assert served(server)
    finally:
        for each in held:
            each.close()
    assert served(server)
