"""The spec that a kept page carries: a file that `explain --format html` or the page wrote can be opened again."""

from __future__ import annotations

import json
import re
from pathlib import Path

from chainrule.errors import InputError, Problem

SUFFIXES = (".html", ".htm")

# no sign of it is looked at more than a few times, whatever the page: one that never closes what it opens is no trap
_OPENING = re.compile(r"<script\b(?=[^<>]*\bid=\"chainrule-data\")(?=[^<>]*\btype=\"application/json\")[^<>]*>")


def is_page(text: str | bytes, file: str = "") -> bool:
    """Whether a file is a page and not a spec, by its name or by how it begins."""
    head = text[:200].decode("utf-8", "replace") if isinstance(text, bytes) else text[:200]
    begins = head.lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html"))
    return begins or Path(file).suffix.lower() in SUFFIXES


def spec_of(page: str, file: str = "") -> str:
    """The spec, as TOML, in a page that was kept. An InputError if there is none in it."""
    found = _OPENING.search(page)
    end = -1 if found is None else page.find("</script>", found.end())
    if found is None or end < 0:
        what = "this page holds no step of chainrule"
        raise InputError(Problem(what, do="open a file that was kept on the page, or made by explain --format html", file=file))
    try:
        data = json.loads(page[found.end() : end])
    except (ValueError, RecursionError):
        raise InputError(Problem("the step in this page is damaged", do="keep the page once more", file=file)) from None
    spec = data.get("spec") if isinstance(data, dict) else None
    if not isinstance(spec, str) or not spec:
        do = "it shows a step of a run or of a network in Python: open the run, or keep the spec as TOML"
        raise InputError(Problem("this page carries no spec", do=do, file=file))
    return spec
