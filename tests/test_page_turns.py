"""Asks and streams at work: each ends when nobody waits, none hinders the others, and many at once are all answered."""

import http.client
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from chainrule.errors import InputError
from chainrule.page import connections, turns
from page_serving import until


def test_an_ask_that_nobody_waits_for_ends(serving):
    """Whoever goes away in the middle leaves no work behind, and the next one gets the desk."""
    ended = threading.Event()

    def long(desk, body):
        try:
            while True:
                desk.beat()
                time.sleep(0.01)
        finally:
            ended.set()

    started = serving(long=long)
    gone = started.open("long", {})
    until(lambda: started.page._leaving)
    gone.close()
    assert ended.wait(20)
    assert started.ask("look")[0] == 200


def test_an_ask_that_nobody_waits_for_does_not_wait_for_the_desk(serving):
    started, threads = serving(), threading.active_count()
    with started.desk.lock:
        gone = [started.open("look", {}) for _ in range(10)]
        until(lambda: threading.active_count() >= threads + 10)
        for each in gone:
            each.close()
        until(lambda: threading.active_count() <= threads)
    assert started.ask("look")[0] == 200


def test_updates_that_nobody_waits_for_end(serving):
    started = serving()
    gone = started.open("look", {"after": 10**9})
    until(lambda: started.page._leaving)
    gone.close()
    status, view = started.ask("look")
    assert (status, view["after"]) == (200, 0)


def test_an_ask_that_takes_too_long_is_refused(serving, monkeypatch):
    monkeypatch.setattr(turns.answered, "__defaults__", (0.3,))
    started = serving()
    status, answer = started.ask("look", {"after": 10**9})
    assert status == 422
    assert "more than 0.3 seconds" in answer["error"]["problems"][0]["what"]
    monkeypatch.undo()


def test_the_page_answers_while_an_ask_is_at_work(serving):
    let = threading.Event()
    started = serving(slow=lambda desk, body: {"waited": let.wait(20)})
    waiting = started.open("slow", {})
    link = http.client.HTTPConnection("127.0.0.1", started.port, timeout=30)
    link.request("GET", "/page.css")
    assert link.getresponse().read()
    let.set()
    assert json.loads(waiting.getresponse().read()) == {"waited": True}
    link.close()
    waiting.close()


# --- streams ---


def test_events_come_one_after_the_other(serving):
    def count(desk, body):
        for number in range(body["to"]):
            yield {"number": number, "text": "a\nb"}

    started = serving(streams={"count": count})
    link = started.open("count", {"to": 100})
    answer = link.getresponse()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = answer.read().decode().split("\n\n")
    assert events.pop() == ""
    assert [json.loads(each.removeprefix("data: "))["number"] for each in events] == list(range(100))
    link.close()


def test_a_stream_that_is_refused_at_once_is_refused_in_words(serving):
    def wrong(desk, body):
        raise InputError("there are no such data")
        yield

    status, answer = serving(streams={"wrong": wrong}).ask("wrong")
    assert (status, answer["error"]["problems"][0]["what"]) == (422, "there are no such data")


def test_what_goes_wrong_later_is_an_event(serving):
    def later(desk, body):
        yield {"number": 1}
        raise InputError("it diverged")

    link = serving(streams={"later": later}).open("later", {})
    events = link.getresponse().read().decode().split("\n\n")
    assert json.loads(events[1].removeprefix("data: "))["error"]["problems"][0]["what"] == "it diverged"
    link.close()


def test_a_stream_that_nobody_listens_to_ends_and_leaves_no_thread(serving):
    """W11. While it runs, others can ask; and no more is made than is taken."""
    ended, made = threading.Event(), []

    def endless(desk, body):
        try:
            while True:
                made.append(0)
                yield {"x": "y" * 100_000}
        finally:
            ended.set()

    started = serving(streams={"endless": endless})
    before = threading.active_count()
    link = started.open("endless", {})
    answer = link.getresponse()
    answer.read(1_000_000)
    assert started.ask("look")[0] == 200
    until(lambda: (len(made), time.sleep(0.2))[0] == len(made))  # it waits for the one who listens
    assert len(made) < 500
    answer.close()
    link.close()
    assert ended.wait(20)
    until(lambda: threading.active_count() <= before)


# --- many at once ---


def memory(process):
    """Bytes that a process has in memory."""
    with open(f"/proc/{process.pid}/statm") as found:
        return int(found.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_thousand_quick_clicks_leave_memory_as_it_was(page_server):
    """W12. Tolerance: 4 MB, the arenas of threads that were at work at the same time."""
    started = page_server("mazur")
    entered = started.enter()

    entered |= {"Content-Type": "application/json", "Origin": started.origin}

    def clicks(count):
        """As a tab makes them: one after the other on one connection."""
        link = http.client.HTTPConnection("127.0.0.1", started.port, timeout=60)
        found = set()
        for number in range(count):
            body = json.dumps({"id": f"W[{1 + number % 2}][1,{1 + number // 2 % 2}]"})
            link.request("POST", "/api/open", body, entered)
            answer = link.getresponse()
            found.add((answer.status, len(answer.read()) > 100))
        link.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(clicks, [50] * 4)) == {(200, True)}
        before = memory(started.process)
        assert set().union(*pool.map(clicks, [250] * 4)) == {(200, True)}
    assert memory(started.process) - before < 4 * 2**20


def test_two_hundred_at_once_are_all_answered(serving):
    """W12: who asks something is not the one who has to go; asks wait for each other."""
    started = serving()
    links = [started.open("open", {"id": "E"}) for _ in range(200)]
    answers = [link.getresponse() for link in links]
    assert {(answer.status, len(answer.read()) > 100) for answer in answers} == {(200, True)}
    for link in links:
        link.close()
    until(lambda: len(started._server.server_state.connections) <= connections.MOST)
