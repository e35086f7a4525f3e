"""What nobody but the page itself may send to its server: hostile requests, as the bytes that go over the wire.

Each attack is an honest ask with one thing wrong, so that this one thing has to be what it is refused for.
"""

from __future__ import annotations

import itertools
import json
import zlib
from dataclasses import dataclass

TARGET = "/api/look"
EVIL = "http://attacker.test"


@dataclass(frozen=True)
class Honest:
    """What an honest client knows: the port, the key and the cookie."""

    port: int
    key: str
    cookie: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """As the page sends them."""
        return {
            "Host": self.host,
            "Origin": f"http://{self.host}",
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "cors",
            "Content-Type": "application/json",
            "X-Chainrule-Token": self.key,
            "Cookie": self.cookie,
        }

    @property
    def opening(self) -> dict[str, str]:
        """As a browser sends them when it opens the page."""
        return {"Host": self.host, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Cookie": self.cookie}


def wire(method, target, headers, body=b"", version="HTTP/1.1", length=True):
    """A request as bytes. headers: a dict, or pairs where one comes twice; of a value that is None nothing is sent."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    if length and method == "POST" and not any(name.lower() == "content-length" for name, _ in pairs):
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in pairs if value is not None)]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def ask(honest, target=TARGET, body=b"{}", method="POST", **changed):
    """The honest ask with some headers changed; names with _ for -."""
    headers = {**honest.headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return wire(method, target, headers, body)


def hosts(honest):
    """Names that lead to this machine and are not its own, and everything that could be taken for one that is."""
    port = honest.port
    names = [
        "attacker.test", "localhost.evil.com", "127.0.0.1.nip.io", "127.0.0.1.xip.test", "127.1", "127.0.1", "2130706433",
        "0x7f.1", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]",
        "127.0.0.1.", "localhost.", "LOCALHOST", "Localhost", "localhost.localdomain", "ip6-localhost", "127.0.0.2",
        "127.0.0.1%00", "evil@127.0.0.1", "127.0.0.1@evil", "x:y@localhost", "127.0.0.1/", "127.0.0.1?", "127.0.0.1#", "::1",
        "localhost\t.evil", "127.0.0.1 evil", "127.0.0.1,evil", "192.168.0.1", "169.254.169.254", "www.localhost",
        "ⓛocalhost",
        "127。0。0。1", "xn--localhost",
    ]  # fmt: skip
    for name in names:
        for origin in (f"http://{honest.host}", f"http://{name}:{port}"):
            yield ask(honest, Host=f"{name}:{port}", Origin=origin)
    for whole in ("127.0.0.1", "localhost", "[::1]", f"127.0.0.1:{port + 1}", "127.0.0.1:80", f"127.0.0.1:0{port}",
                  f"127.0.0.1:{port}:{port}", f":{port}", "", str(port), f"http://{honest.host}",
                  f"127.0.0.1:{port}/"):  # fmt: skip
        yield ask(honest, Host=whole)
    rest = [(name, value) for name, value in honest.headers.items() if name != "Host"]
    for first, second in (("attacker.test", honest.host), (honest.host, "attacker.test"), (honest.host, honest.host)):
        yield wire("POST", TARGET, [("Host", first), *rest, ("Host", second)], b"{}")
    yield ask(honest, Host=None)
    yield wire("POST", TARGET, [*rest], b"{}", version="HTTP/1.0")
    yield wire("POST", TARGET, [("X-Forwarded-Host", honest.host), ("Host", "attacker.test"), *rest], b"{}")
    yield wire("POST", f"http://attacker.test{TARGET}", honest.headers, b"{}")
    yield wire("POST", f"http://{honest.host}{TARGET}", {**honest.headers, "Host": "attacker.test"}, b"{}")
    yield wire("POST", TARGET, [("Host", f"{honest.host}\r\n evil"), *rest], b"{}")
    yield wire("POST", TARGET, [("Host ", honest.host), *rest], b"{}")


def origins(honest):
    """Other sites, and none said."""
    port = honest.port
    forms = [
        None, "null", "", EVIL, "https://attacker.test", f"https://{honest.host}", f"http://127.0.0.1:{port + 1}",
        "http://127.0.0.1", f"http://localhost:{port}", f"http://[::1]:{port}", "file://", "file:///",
        "chrome-extension://abcd",
        "moz-extension://abcd", f"http://{honest.host}.evil.test", f"http://evil.test/{honest.host}",
        f"http://{honest.host}/",
        f"HTTP://{honest.host}", f" http://evil http://{honest.host}", f"http://evil@{honest.host}", "data:", "about:blank",
        f"ws://{honest.host}", f"http://{honest.host}, {EVIL}", f"http://{honest.host} {EVIL}",
    ]  # fmt: skip
    for form in forms:
        yield ask(honest, Origin=form)
    for site in ("cross-site", "same-site", "none", "", "Same-Origin", "same-origin, cross-site", "unknown"):
        yield ask(honest, Sec_Fetch_Site=site)
        yield wire("GET", "/page.js", {**honest.opening, "Sec-Fetch-Site": site})
    for site in ("cross-site", "same-site", "", "NONE"):
        yield wire("GET", "/", {**honest.opening, "Sec-Fetch-Site": site})
    for mode in ("cors", "no-cors", "websocket", ""):
        yield wire("GET", "/", {**honest.opening, "Sec-Fetch-Mode": mode})
    pairs = list(honest.headers.items())
    yield wire("POST", TARGET, [*pairs, ("Origin", EVIL)], b"{}")
    yield wire("POST", TARGET, [("Origin", EVIL), *pairs], b"{}")
    yield wire("POST", TARGET, [*pairs, ("Sec-Fetch-Site", "cross-site")], b"{}")
    yield wire("GET", "/", {**honest.opening, "Origin": EVIL})


def tokens(honest):
    """Keys and cookies that are not ours, or not where they belong."""
    key, cookie = honest.key, honest.cookie
    name, _, secret = cookie.partition("=")
    other = key[::-1]
    for form in (None, "", " ", other, key[:-1], key + "A", key * 2, "A" * 43, "A" * 15_000, key.swapcase(), key.lower(),
                 f'"{key}"', f"Bearer {key}", f"{key},{key}", f"{key}\x00", "null", "undefined", "0", secret,
                 "é" * 20):  # fmt: skip
        yield ask(honest, X_Chainrule_Token=form)
    for form in (None, "", name, f"{name}=", f"{name}={other}", f"{name}={secret[:-1]}", f"{name}={secret}A", f"{name}={key}",
                 f"{name.upper()}={secret}", f"chainrule={secret}", f"chainrule-{honest.port + 1}={secret}",
                 f'{name}="{secret}"',
                 f"{name}={secret.swapcase()}", f"{name}=x; {name}={secret}", f"{name}={secret}; {name}=x",
                 f"{name}={'A' * 12_000}", f"a={name}={secret}"):  # fmt: skip
        yield ask(honest, Cookie=form)
    both = {"X_Chainrule_Token": None, "Cookie": None}
    yield ask(honest, **both)
    for place in (f"?token={key}", f"?key={key}", f"?X-Chainrule-Token={key}", f"#{key}", f"/{key}", f";key={key}"):
        yield ask(honest, target=TARGET + place, X_Chainrule_Token=None)
    yield ask(honest, body=json.dumps({"key": key, "token": key}).encode(), X_Chainrule_Token=None)
    yield ask(honest, **both, Authorization=f"Bearer {key}")
    yield ask(honest, **both, X_Token=key, X_Auth_Token=key)
    pairs = list(honest.headers.items())
    yield wire("POST", TARGET, [*pairs, ("X-Chainrule-Token", key)], b"{}")
    for token in ("", "A" * 43, key, secret, None, 0, [], {}, True, [key], "A" * 10_000):
        yield ask(honest, target="/api/enter", body=json.dumps({"token": token}).encode(), **both)
    yield ask(honest, target="/api/enter", body=b"{}", **both)


FORMS = (
    ("application/x-www-form-urlencoded", b"sample=1"),
    ("application/x-www-form-urlencoded", b"%7B%7D"),
    ("text/plain", b"{}"),
    ("text/plain; application/json", b"{}"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{}\r\n--x--\r\n'),
    ("", b"{}"),
    (None, b"{}"),
    ("application/json5", b"{}"),
    ("text/json", b"{}"),
    ("application/json, text/plain", b"{}"),
    ("application/json; charset=utf-16", "{}".encode("utf-16")),
    ("application/csp-report", b"{}"),
)
"""What a form, a beacon or a script of another site can send without being asked first, and what is close to it."""


def forgeries(honest):
    """What a page of another site that the person has open can make their browser send."""
    for kind, body in FORMS:
        yield ask(honest, body=body, Content_Type=kind)  # even if it knew the key
        yield ask(honest, body=body, Content_Type=kind, X_Chainrule_Token=None)  # the cookie is sent by the browser
        yield ask(honest, body=body, Content_Type=kind, X_Chainrule_Token=None, Origin=EVIL, Sec_Fetch_Site="cross-site")
    for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "post", "POST2"):
        yield ask(honest, method=method, body=b"")
        if method != "GET":
            yield wire(method, "/", honest.opening)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        yield wire("GET", TARGET, {**honest.opening, name: "POST", "X-Chainrule-Token": honest.key})
        yield wire("GET", f"{TARGET}?_method=POST", {**honest.opening, name: "POST", "X-Chainrule-Token": honest.key})
    yield wire("POST", "/", honest.headers, b"{}")
    yield wire("POST", "/page.js", honest.headers, b"{}")
    preflight = {"Host": honest.host, "Origin": EVIL, "Access-Control-Request-Method": "POST"}
    for asked in ("x-chainrule-token,content-type", "content-type", "x-chainrule-token"):
        yield wire("OPTIONS", TARGET, {**preflight, "Access-Control-Request-Headers": asked})
        yield wire("OPTIONS", TARGET, {**preflight, "Access-Control-Request-Private-Network": "true"})
    embedded = {"Host": honest.host, "Sec-Fetch-Site": "cross-site", "Cookie": honest.cookie, "Referer": EVIL}
    for kind, target in itertools.product(("image", "script", "iframe", "style", "object"), ("/", "/page.js", TARGET)):
        yield wire("GET", target, {**embedded, "Sec-Fetch-Dest": kind, "Sec-Fetch-Mode": "no-cors"})
    socket = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "eA==", "Sec-WebSocket-Version": "13"}
    for target in ("/", TARGET, "/ws"):
        yield wire("GET", target, {"Host": honest.host, "Origin": EVIL, "Cookie": honest.cookie, **socket})
        yield wire("GET", target, {**honest.opening, **socket, "Origin": f"http://{honest.host}"})
    yield wire("GET", "/", {**honest.opening, "Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": ""})
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


UPWARDS = (
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..\\", "..%5c", "%2e%2e%5c", "....//", "..;/",
    ".%2e/", "%c0%ae%c0%ae/",
    "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae/", "..%c1%9c", "..%u2215", "%uff0e%uff0e/", "..%00/",
)  # fmt: skip
FOUND = ("etc/passwd", "page/server.py", "windows/win.ini")
ELSEWHERE = (
    "//etc/passwd", "/etc/passwd", "/proc/self/environ", "/proc/self/cmdline", "/static/page.js", "/static/", "/page.js/",
    "/page.js/..", "/page.js%00", "/page.js%00.html", "/page.js::$DATA", "/page.js::%24DATA", "/PAGE~1.JS",
    "/PAGE.JS", "/page.css.",
    "/page.css%20", "/./page.js", "//page.js", "/page.js;a=b", "/page.js?", "/page.js?x=1", "/%70age.js",
    "/page%2ejs", "/index.html",
    "/.git/config", "/.env", "/server.py", "/api", "/api/", "/api/look/", "//api/look", "/api//look", "/API/LOOK",
    "/api/%6cook",
    "/api/look%00", "/api/__class__", "/api/open.json", "/api/enter/../look", "/%5c%5cserver%5cshare", "\\\\server\\share",
    "file:///etc/passwd", "/file:///etc/passwd", "http://attacker.test/", "/http://attacker.test/", "*", "",
    "page.js", "?", "/" * 5_000,
    "/" + "a" * 15_000, "/" + "../" * 4_000, "/\x00", "/\xff\xfe", "/page.js\tx", "/page.js x", "/COM1", "/CON", "/aux.js",
)  # fmt: skip


def traversals(honest):
    """Paths that are not in the table, most of them to files."""
    for upwards, found in itertools.product(UPWARDS, FOUND):
        yield wire("GET", f"/{upwards * 5}{found}", honest.opening)
    for path in ELSEWHERE:
        yield wire("GET", path, honest.opening)
        yield wire("POST", path, honest.headers, b"{}")
    for upwards in UPWARDS:
        yield wire("GET", f"/page.js/{upwards}{upwards}page.css", honest.opening)
        yield wire("POST", f"/api/{upwards}look", honest.headers, b"{}")


def bodies(honest):
    """What is no JSON of ours, or not as long as it says."""
    deep = 100_000
    texts = [
        b"", b" ", b"null", b"1", b'"text"', b"[]", b"[{}]", b"true", b"{", b"}", b"{}}", b"{}{}", b"{},", b"{'sample': 1}",
        b'{"sample": 1,}', b'{"sample" 1}', b"{sample: 1}", b'{"sample": 01}', b'{"sample": +1}',
        b'{"sample": .5}', b'{"sample": 0x1}',
        b'{"sample": NaN}', b'{"sample": Infinity}', b'{"sample": -Infinity}', b'{"sample": 1e999}', b'{"sample": -1e999}',
        b'{"sample": 1e308}', b'{"sample": 1' + b"0" * 999_999 + b"}", b'{"sample": 0.' + b"1" * 999_999 + b"}",
        b'{"sample": 1, "sample": 2}', b'{"sample": 1, "s\\u0061mple": 2}', b'{"x": {"a": 1, "a": 2}}',
        b"[" * deep, b'{"a":' * deep,
        b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep, b'{"sample": ' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"sample": "\xff\xfe"}', b'{"sample": "\xc0\xae"}', b'{"sample": "\xed\xa0\x80"}', b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"\x00{}", b"{}\x00", b'{"sample": "\n"}', b'{"sample": "\\x41"}', b'{"sample": "\\ud800"}', b"// a\n{}",
        b"/* a */{}", b"{}#",
        b'{"sample": 1000000000}', b'{"sample": -1}', b'{"sample": 1.5}', b'{"sample": true}', b'{"sample": "1"}',
        b'{"sample": []}',
        b'{"sample": {}}', b'{"after": 1000000000000000000}', b'{"after": -1}', b'{"after": 1e3}', b'{"rows": 1000000000}',
        b'{"__proto__": {}}', b'{"": 1}', b'{"sample": "' + b"a" * 2_000_000 + b'"}',
        b'{"sample": [' + b"1," * 500_000 + b"1]}",
        json.dumps({str(number): number for number in range(100_000)}).encode(), b"a=1&b=2", b"<xml/>", b"%7B%7D",
        b"\x1f\x8b\x08",
    ]  # fmt: skip
    for text in texts:
        yield ask(honest, body=text)
    for opened in (
        b'{"id": 5}',
        b'{"id": ""}',
        b'{"id": "' + b"x" * 5_000 + b'"}',
        b'{"id": null}',
        b"{}",
        b'{"id": "../../etc"}',
    ):
        yield ask(honest, target="/api/open", body=opened)
    for coding in ("gzip", "deflate", "br", "zstd", "identity, gzip", "x"):
        yield ask(honest, body=zlib.compress(b'{"x": "' + b"0" * 10_000_000 + b'"}'), Content_Encoding=coding)


def lengths(honest):
    """Bodies that do not end where they say, or never come."""
    base = honest.headers
    for length in ("-1", "+2", "0x2", "2.0", "1e3", "", "two", "2,3", "9" * 30, "99999999999", str(32 * 2**20 + 1), "²", "2;x"):
        yield wire("POST", TARGET, {**base, "Content-Length": length}, b"{}")
    pairs = list(base.items())
    yield wire("POST", TARGET, [*pairs, ("Content-Length", "2"), ("Content-Length", "3")], b"{}")
    yield wire("POST", TARGET, base, b"", length=False)
    yield wire("POST", TARGET, base, b"{}", length=False)
    yield wire("POST", TARGET, {**base, "Content-Length": "5"}, b'{"sample": 1}')
    yield wire("POST", TARGET, {**base, "Content-Length": "0"}, b"{}")
    chunked = b"2\r\n{}\r\n0\r\n\r\n"
    smuggled = b"0\r\n\r\n" + ask(honest)
    for coding in (
        "chunked",
        "Chunked",
        "gzip, chunked",
        "chunked, identity",
        "identity",
        "chunked, chunked",
        "xchunked",
        " chunked",
    ):
        yield wire("POST", TARGET, {**base, "Transfer-Encoding": coding}, chunked, length=False)
        yield wire("POST", TARGET, {**base, "Transfer-Encoding": coding, "Content-Length": "2"}, chunked)
        yield wire("POST", TARGET, {**base, "Transfer-Encoding": coding, "Content-Length": str(len(smuggled))}, smuggled)
    yield wire("POST", TARGET, {**base, "Transfer-Encoding": "chunked"}, b"FFFFFFFFFFFFFFFF\r\n{}", length=False)
    yield wire("POST", TARGET, {**base, "Transfer-Encoding": "chunked"}, b"zz\r\n{}\r\n", length=False)
    yield wire("GET", "/", {**honest.opening, "Content-Length": str(len(ask(honest)))}, ask(honest, Cookie=None))
    yield wire("GET", "/", {**honest.opening, "Transfer-Encoding": "chunked"}, smuggled)
    yield wire("POST", TARGET, {**base, "X-Long": "a" * 20_000}, b"{}")
    yield wire("POST", TARGET, {**base, **{f"X-{number}": "a" * 100 for number in range(300)}}, b"{}")
    yield wire("POST", TARGET, {**base, "X-Bad\x00": "a"}, b"{}")
    yield wire("POST", TARGET, {**base, "X-Bad": "a\x00b"}, b"{}")
    yield wire("POST", TARGET, base, b"{}", version="HTTP/9.9")
    yield wire("POST", TARGET, base, b"{}", version="")
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100  # the beginning of TLS
    yield b"\x00" * 1_000
    yield b"\r\n" * 10_000
    yield b"SSH-2.0-x\r\n"
    yield b"EHLO x\r\nMAIL FROM:<x>\r\n"


def halves(honest):
    """Requests that never come to their end: each of them is waited for, but not for long."""
    whole = ask(honest, body=b'{"sample": 1}')
    head = whole.index(b"\r\n\r\n") + 4
    for cut in (1, 4, 20, head - 30, head - 2, head, head + 1, len(whole) - 1):
        yield whole[:cut]
    yield wire("POST", TARGET, {**honest.headers, "Content-Length": "1000000"}, b"{" + b" " * 5_000)
    yield wire("POST", TARGET, {**honest.headers, "Content-Length": "2", "Expect": "100-continue"}, b"")


GROUPS = {
    "hosts": (hosts, 60),
    "origins": (origins, 40),
    "tokens": (tokens, 40),
    "forgeries": (forgeries, 60),
    "traversals": (traversals, 80),
    "bodies": (bodies, 60),
    "lengths": (lengths, 30),
    "halves": (halves, 10),
}
"""Each group with the requests that it has at least."""
