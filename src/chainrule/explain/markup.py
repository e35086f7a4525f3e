"""Pages of ours: text made safe in one place, elements built of it, and the head that lets a page do nothing but be read."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from chainrule.errors import printable
from chainrule.phrases import speaking


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def h(text: str) -> str:
    """Any text, safe in HTML."""
    return escape(printable(text), quote=True)


def el(tag: str, *inner: str | None, **attributes: object) -> Markup:
    """An element. What is inside is text and made safe, unless it is Markup; so are the attributes' values.

    An attribute called None is left out, True stands without a value; `class_` and `stroke_width` are written as HTML has them.
    """
    told = []
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-")
        if value is True:
            told.append(f" {name}")
        elif value is not None and value is not False:
            told.append(f' {name}="{h(str(value))}"')
    return Markup(f"<{tag}{''.join(told)}>{together(*inner)}</{tag}>")


def together(*parts: str | None) -> Markup:
    """Parts one after the other, each text made safe; None is nothing."""
    return Markup("".join(part if isinstance(part, Markup) else h(part) for part in parts if part is not None))


def page(title: str, style: str, body: str) -> str:
    """A whole page, self-contained: no script runs in it, nothing is requested, no form leads anywhere."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{speaking()}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{h(title)}</title>\n<style>{style}</style>\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )
