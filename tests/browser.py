"""The page in a real browser: Debian's Chromium, driven by Playwright. A missing browser fails a test; it is never skipped.

    def test_something(open_page):
        page = open_page("mazur")           # a server of its own, and a Playwright page that is at it
        page.get_by_role("button", name="Step").click()

What the page says on its console, throws, or asks of any other place fails the test when it ends.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCREENS = ROOT / "out" / "screens"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REFUSAL = r"Failed to load resource: the server responded with a status of 4\d\d"
"""What Chromium itself says on the console of an answer that is a refusal; for `open_page(..., expected=[REFUSAL])`."""


def chromium():
    """Where the browser is; the test fails where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.fail("there is no Chromium for the tests of the page - run scripts/browser, which installs it", pytrace=False)


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests of this process."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class PageServer:
    """`chainrule page WHAT` in a process of its own: `link` works once, `origin` is where it is."""

    def __init__(self, what="mazur", *options, cwd=None, env=None):
        command = [sys.executable, "-m", "chainrule", "page", str(what), "--no-browser", *options]
        self.process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.link = self.process.stdout.readline().strip()
        if not self.link:
            _, errors = self.process.communicate(timeout=30)
            raise AssertionError(f"the page did not start: {errors}")
        self.origin, _, self.token = self.link.partition("/#")
        self.port = int(self.origin.rpartition(":")[2])

    def fresh_link(self):
        """The next link that it prints; waits for it."""
        return self.process.stdout.readline().strip()

    def stop(self, number=signal.SIGTERM):
        """Ends it; the exit code and what it had said on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            _, errors = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, errors

    def enter(self):
        """Comes in with the link; what an honest client sends with each further ask."""
        status, headers, answer = self.post("enter", {"token": self.token})
        assert status == 200, answer
        return {"X-Chainrule-Token": answer["key"], "Cookie": headers["Set-Cookie"].partition(";")[0]}

    def post(self, verb, body, headers=()):
        """An ask as the page sends it: status, headers, data."""
        told = {"Content-Type": "application/json", "Origin": self.origin, "Sec-Fetch-Site": "same-origin", **dict(headers)}
        request = urllib.request.Request(f"{self.origin}/api/{verb}", json.dumps(body).encode(), told, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, json.loads(error.read() or b"null")


@pytest.fixture
def page_server():
    """Starts servers, and ends them with the test."""
    started = []

    def start(what="mazur", *options, **places):
        server = PageServer(what, *options, **places)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def open_page(browser, page_server):
    """Opens `chainrule page WHAT` in a context of its own; the test fails for whatever a page must not do.

    width, height, scheme ("light" or "dark"): of the window; expected: patterns of console messages that are meant, as REFUSAL;
    options: of the command. Further keywords go to the browser's context. The page's `server` is its PageServer.
    """
    contexts, wrong = [], []

    def start(what="mazur", *options, width=1280, height=900, scheme="light", expected=(), server=None, **context):
        server = server or page_server(what, *options)
        made = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **context)
        contexts.append(made)
        watch(made, server.origin, wrong, expected)
        page = made.new_page()
        page.server = server
        page.goto(server.link)
        page.wait_for_selector(".page h1")
        return page

    yield start
    for made in contexts:
        made.close()
    assert not wrong, "\n".join(wrong)


def watch(context, origin, wrong, expected=()):
    """Collects in `wrong` what no page of ours does: say something on the console, throw, ask another place."""

    def heard(message):
        if not any(re.search(pattern, message.text) for pattern in expected):
            wrong.append(f"console {message.type}: {message.text}")

    def asked(request):
        if not request.url.startswith((f"{origin}/", "data:", "blob:")):
            wrong.append(f"request to elsewhere: {request.url}")

    context.on("console", heard)
    context.on("weberror", lambda error: wrong.append(f"error: {error.error}"))
    context.on("request", asked)


def screenshot(page, name, full=True):
    """Keeps what is seen as out/screens/NAME.png; where it is."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    path = SCREENS / f"{name}.png"
    page.screenshot(path=path, full_page=full)
    return path


def axe(page, **options):
    """What axe finds against the page as it is now: a line for each violation with where it is. An empty list is the goal."""
    if not AXE.is_file():
        pytest.fail("axe-core is not there for the tests of the page - run scripts/web", pytrace=False)
    page.evaluate(AXE.read_text("utf-8") + "; 0")
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {node['target']} {node['html'][:200]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
