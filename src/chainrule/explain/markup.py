"""Pages of ours: text made safe in one place, elements built of it, and the head that lets a page do nothing but be read."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any

from chainrule.errors import printable


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def h(text: str) -> str:
    """Any text, safe in HTML."""
    return escape(printable(text), quote=True)


def el(tag: str, *inner: str | None, **attributes: object) -> Markup:
    """An element. What is inside is text and made safe, unless it is Markup; so are the attributes' values.

    An attribute called None is left out, True stands without a value; `class_` and `stroke_width` are written as HTML has them.
    An attribute may hold a page: as Markup it is only quoted.
    """
    told = []
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-")
        if value is True:
            told.append(f" {name}")
        elif value is not None and value is not False:
            told.append(f' {name}="{escape(value) if isinstance(value, Markup) else h(str(value))}"')
    return Markup(f"<{tag}{''.join(told)}>{together(*inner)}</{tag}>")


def together(*parts: str | None) -> Markup:
    """Parts one after the other, each text made safe; None is nothing."""
    return Markup("".join(part if isinstance(part, Markup) else h(part) for part in parts if part is not None))


def digest(text: str) -> str:
    """What a content security policy calls a script or a style that stands in the page itself."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def embedded(data: Any) -> str:
    """Plain data as JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return "".join(_IN_SCRIPT.get(sign, sign) for sign in text)


_IN_SCRIPT = {sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def page(title: str, style: str, body: str, script: str = "", language: str = "en") -> str:
    """A whole page, self-contained: nothing is requested, no form leads anywhere, and no script runs but `script`."""
    runs = f"script-src {digest(script)}; require-trusted-types-for 'script'; " if script else ""
    policy = f"default-src 'none'; {runs}style-src {digest(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    code = f"<script>{script}</script>\n" if script else ""
    return (
        f'<!doctype html>\n<html lang="{h(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{h(title)}</title>\n<style>{style}</style>\n</head>\n'
        f"<body>\n{body}\n{code}</body>\n</html>\n"
    )
