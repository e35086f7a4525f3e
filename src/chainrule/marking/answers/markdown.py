"""Numbers marked in a Markdown document: `0.75136507<!-- out_o1 -->`. What marks them is not seen when it is rendered.

A comment directly behind a number (or the signs that close it: `$`, `**`, a unit) holds its name; with several names, the
last numbers before it. `<!-- chainrule: mazur after=1 -->` says whose numbers follow. Comments in code are code.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from chainrule.marking.answers.answer import Answer
from chainrule.marking.answers.marks import State, marked, names

LONGEST = 300
"""A comment longer than this is no mark."""

_LIKE_A_NAME = re.compile(r"[^\s,;]*\d[^\s,;]*(?: via \S+| shortcut)?|E(?:_\w+)?|eta|η")


def read(text: str, file: str) -> list[Answer]:
    """The marked numbers of a text."""
    answers: list[Answer] = []
    state, last, line, blocks = State(), 0, 1, _Blocks(text)
    place = ticks = 0
    for start, end, words in _comments(text):
        chunk = text[place:start]
        line += chunk.count("\n")
        ticks = ticks * ("\n" not in chunk) + chunk[chunk.rfind("\n") + 1 :].count("`")
        place = start
        if ticks % 2 or blocks.is_code(start):  # a mark that is shown, not meant
            continue
        if words.startswith("chainrule:"):
            fault = state.directive(words.removeprefix("chainrule:"))
            answers += [Answer(words, "", file, line, fault=fault)] if fault else []
            last = end
            continue
        wanted = names(words)
        if not _is_mark(wanted, touching=start > 0 and not text[start - 1].isspace()):
            continue
        before = text[max(last, blocks.before(start)) : start]
        answers += marked(wanted, _plain(before), line - before.count("\n"), file, state)
        last = end
    return answers


def _is_mark(wanted: list[str], touching: bool) -> bool:
    """Whether a comment's words are names of numbers: anything that looks like them, or one word right behind a number."""
    alike = all(map(_LIKE_A_NAME.fullmatch, wanted))
    return bool(wanted) and (alike or (touching and not any(" " in name for name in wanted)))


def _comments(text: str) -> Iterator[tuple[int, int, str]]:
    place = 0
    while (start := text.find("<!--", place)) >= 0:
        end = text.find("-->", start)
        if end < 0:
            return
        place = end + 3
        if end - start <= LONGEST:
            yield start, place, text[start + 4 : end].strip()


def _plain(text: str) -> str:
    """Raised text as a power, in as many signs: 10<sup>-3</sup>."""
    return re.sub(r"<sup>\s*([+\-−]?\d+)\s*</sup>", lambda match: f"^{match[1]}".ljust(len(match[0])), text)


class _Blocks:
    """Where paragraphs begin and where code stands: blank lines inside code and displayed formulas separate nothing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts: list[int] = [0]
        self._code: list[tuple[int, int]] = []
        fence, place, opened = "", 0, 0
        for line in text.split("\n"):
            stripped = line.strip()
            mark = stripped[:3]
            if not fence and mark in ("```", "~~~"):
                fence, opened = mark, place
            elif fence and stripped.startswith(fence) and fence != "$$":
                self._code.append((opened, place + len(line)))
                fence = ""
            elif stripped.startswith("$$") and stripped.count("$$") == 1 and fence in ("", "$$"):
                fence = "" if fence else "$$"
            elif not fence and not stripped:
                self.starts.append(place + len(line))
            place += len(line) + 1
        if fence in ("```", "~~~"):
            self._code.append((opened, len(text)))

    def before(self, place: int) -> int:
        """Where the paragraph of a place begins; if nothing stands in it before the place, the paragraph before."""
        while place > 0 and self.text[place - 1].isspace():
            place -= 1
        return self.starts[max(0, bisect_right(self.starts, place - 1) - 1)]

    def is_code(self, place: int) -> bool:
        """Whether a place stands in a block of code."""
        block = bisect_right(self._code, (place, len(self.text))) - 1
        return block >= 0 and self._code[block][0] <= place < self._code[block][1]
