"""The local page's server: how it starts and ends, who comes in, and what it answers."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from browser import PageServer
from chainrule.errors import InputError
from chainrule.page import asks, listening, server
from chainrule.page import serving as starting
from chainrule.page.desk import OutdatedError, laid
from chainrule.page.keys import PAUSE, WRONG, Keys
from page_serving import until


def run(*options, env=None):
    """`chainrule page` with options that it refuses: exit code, stderr."""
    command = [sys.executable, "-m", "chainrule", "page", *options]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})})
    assert not found.stdout
    assert "Traceback" not in found.stderr
    return found.returncode, found.stderr


# --- how it starts ---


def test_the_address_is_printed_and_works(page_server):
    started = page_server("mazur")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#[\w-]{43}", started.link)
    entered = started.enter()
    status, _, view = started.post("look", {}, entered)
    assert (status, view["title"]) == (200, "A step by step backpropagation example")


def test_where_there_is_a_browser_it_gets_the_address(page_server, tmp_path):
    note = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {note}.part; mv {note}.part {note}\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "chainrule", "page"]
    process = subprocess.Popen(
        command, env={**os.environ, "BROWSER": str(browser)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        link = process.stdout.readline().strip()
        until(note.exists)
        assert note.read_text() == link
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 143


def test_where_there_is_no_screen_no_browser_is_started(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("webbrowser.open", lambda link: pytest.fail("a browser in the terminal was started"))
    assert not starting.open_browser("http://127.0.0.1:1/")


def test_a_port_can_be_chosen_and_one_in_use_is_refused_with_a_free_one(page_server):
    started = page_server("mazur")
    code, said = run("--port", str(started.port), "--no-browser")
    assert code == 2
    assert "in use" in said
    assert str(started.port) in said
    free = int(re.search(r"--port (\d+) is free", said)[1])
    assert page_server("mazur", "--port", str(free)).port == free


def test_a_port_that_is_not_allowed_is_refused_with_a_free_one(monkeypatch):
    bind = socket.socket.bind

    def refuse(self, address):
        if address[1] == 80:
            raise PermissionError(13, "Permission denied")
        return bind(self, address)

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(InputError, match=r"may not be used - --port - got 80 - --port \d{4,} is free"):
        listening.sockets("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "70000"], "70000"),
        (["--port", "0"], "0"),
        (["--port", "abc"], "abc"),
        (["--host", "0.0.0.0"], "--i-know"),
        (["--host", "::"], "--i-know"),
        (["--host", "192.168.0.1"], "--i-know"),
        (["--host", "attacker.test"], "--i-know"),
        (["--host", "203.0.113.9", "--i-know"], "not of this machine"),
        (["--host", "no such host", "--i-know"], "not known"),
        (["nothing-like-this"], "no bundled example"),
        (["--language", "xx"], "xx"),
        (["mazur", "penguins"], "penguins"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_refused_before_anything_starts(options, words):
    code, said = run(*options, "--no-browser")
    assert code == 2
    assert words in said


def test_on_the_network_the_page_warns_and_still_asks_for_keys(page_server):
    started = page_server("mazur", "--host", "0.0.0.0", "--i-know")
    status, _, _ = started.post("look", {}, {"Host": f"127.0.0.1:{started.port}", "Origin": f"http://127.0.0.1:{started.port}"})
    assert status == 401
    _, said = started.stop()
    assert "warning: others on the network can reach the page" in said


def test_both_forms_of_loopback_are_listened_at():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        both = 2
    except OSError:
        both = 1  # this machine has no IPv6
    opened = listening.sockets("127.0.0.1", None)
    assert len(opened) == both
    assert len({each.getsockname()[1] for each in opened}) == 1
    for each in opened:
        each.close()


# --- how it ends ---


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_quietly(page_server, number, code):
    started = page_server("mazur")
    started.enter()
    ended, said = started.stop(number)
    assert ended == code
    assert said.strip() == "The page is open until you press Ctrl-C."


def test_it_ends_while_somebody_waits(serving):
    """An ask that does not look at the clock, and an open connection, do not hinder the end."""
    let = threading.Event()
    with_ask = serving(slow=lambda desk, body: let.wait(30) or {})
    held = socket.create_connection(("127.0.0.1", with_ask.port))
    waiting = with_ask.open("slow", {})
    until(lambda: with_ask.page._leaving)
    began = time.monotonic()
    with_ask.end()
    assert time.monotonic() - began < 10
    let.set()
    held.close()
    waiting.close()


def test_nobody_at_the_terminal_is_no_reason_to_end():
    command = [sys.executable, "-m", "chainrule", "page", "--no-browser"]
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(command, stdout=full, stderr=subprocess.PIPE, text=True)
        assert process.stderr.readline() == "The page is open until you press Ctrl-C.\n"
        process.terminate()
        process.communicate(timeout=20)


# --- who comes in ---


def test_a_link_works_once_and_a_fresh_one_is_announced(page_server):
    started = page_server("mazur")
    entered = started.enter()
    status, _, answer = started.post("enter", {"token": started.token})
    assert status == 401
    assert "link" in answer["error"]["problems"][0]["do"]
    fresh = started.fresh_link()
    assert fresh.startswith(f"{started.origin}/#")
    started.token = fresh.partition("#")[2]
    assert started.enter() == entered  # the same keys: other tabs go on
    assert started.post("look", {}, entered)[0] == 200


def test_a_tab_that_was_closed_is_told_where_the_fresh_link_is(page_server):
    started = page_server("mazur")
    cookie = started.enter()["Cookie"]
    status, _, answer = started.post("look", {}, {"Cookie": cookie})
    assert (status, answer["error"]["problems"][0]["do"]) == (401, "open the link that stands in the terminal")
    assert started.fresh_link() != started.link


def test_fresh_links_are_announced_now_and_then_only():
    now, announced = [0.0], []
    keys = Keys(announced.append, lambda: now[0])
    keys.renew()
    assert not announced  # the first was not used yet
    assert keys.enter(keys.link)
    for _ in range(5):
        keys.renew()
        keys.enter(keys.link)
    assert len(announced) == 1
    now[0] += PAUSE
    keys.renew()
    assert len(announced) == 2


def test_many_wrong_keys_are_slowed_down_and_the_right_one_is_not():
    now = [0.0]
    keys = Keys(lambda link: None, lambda: now[0])
    assert [keys.failed() for _ in range(WRONG + 5)] == [False] * WRONG + [True] * 5
    assert keys.admits(keys.key, keys.cookie)
    now[0] += 61
    assert not keys.failed()


def test_a_server_that_was_started_again_knows_no_old_key(page_server):
    """W13."""
    first = page_server("mazur")
    entered = first.enter()
    first.stop()
    second = page_server("mazur", "--port", str(first.port))
    status, _, answer = second.post("look", {}, entered)
    assert status == 401
    assert "terminal" in answer["error"]["problems"][0]["do"]


# --- what it answers ---


def test_the_page_itself_is_open_and_holds_nothing(page_server):
    started = page_server("mazur", "--language", "zh")
    link = http.client.HTTPConnection("127.0.0.1", started.port, timeout=30)
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css"), ("/favicon.ico", None)):
        link.request("GET", path)
        answer = link.getresponse()
        body = answer.read().decode()
        assert answer.status == (200 if kind else 204)
        assert (answer.headers["Content-Type"] or "").partition(";")[0] == (kind or "")
        assert "require-trusted-types-for 'script'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] is None
        assert "backpropagation example" not in body
    link.request("GET", "/")
    page = link.getresponse().read().decode()
    assert '<html lang="zh">' in page
    assert "<noscript>" in page
    link.close()


def test_what_a_user_gets_wrong_comes_back_as_problems(page_server):
    started = page_server("mazur")
    entered = started.enter()
    status, _, answer = started.post("open", {"id": "w99"}, entered)
    assert status == 422
    assert answer["error"]["problems"][0].keys() >= {"what", "where", "got", "do"}
    assert "w99" in answer["error"]["problems"][0]["what"]


def test_what_is_refused_is_refused_in_the_page_s_language(page_server):
    started = page_server("mazur", "--language", "zh")
    entered = started.enter()
    assert started.post("look", {}, {"Cookie": "x=y"})[2]["error"]["problems"][0]["what"] == "此标签页没有密钥"
    assert started.post("enter", {"token": "x"})[2]["error"]["problems"][0]["do"] == "请打开终端里显示的链接"
    assert started.post("look", {}, entered)[2]["language"] == "zh"


def test_a_change_of_something_outdated_is_a_conflict(serving):
    """W20."""

    def change(desk, body):
        raise OutdatedError("this was changed in another tab")

    assert serving(change=change).ask("change")[0] == 409


def test_a_mistake_of_ours_has_a_name_on_the_page_and_its_trace_in_the_terminal(serving, capfd):
    def stumble(desk, body):
        raise KeyError("where we keep our secrets")

    status, answer = serving(stumble=stumble).ask("stumble")
    assert status == 500
    assert "secrets" not in json.dumps(answer)
    said = capfd.readouterr().err
    assert f"error {answer['error']['id']}:" in said
    assert "where we keep our secrets" in said


def test_all_that_can_be_asked_is_there():
    desk = laid("mazur")
    for verb, ask in {**asks.ASKS, **asks.STREAMS}.items():
        with pytest.raises(InputError, match=r"unknown key 'nonsense'|must be|unknown|needs|version"):
            next(iter(ask(desk, {"nonsense": 1})), verb)


def test_the_files_of_the_page_are_in_the_package():
    for path in ("page.js", "page.css"):
        assert len(server._bytes(path)) > 1_000


def test_a_page_server_that_cannot_start_says_why():
    with pytest.raises(AssertionError, match="no bundled example"):
        PageServer("nothing-like-this")
