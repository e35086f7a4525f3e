"""Numbers in running text, the names in a mark, and what a mark says about the step."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chainrule.marking.answers.answer import Answer, whole

_POWER = (
    r"(?:[eE][+\-−]?\d+|\s?(?:[·×*]|\\cdot|\\times)\s?10(?:(?:\^|\*\*)(?:\{\s?[+\-−]?\d+\s?\}|[+\-−]?\d+)|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+))"
)
NUMBER = re.compile(
    r"(?:(?<![\w)\]}])[+\-−–])?"  # a sign, if it is none of an operation
    r"(?:\\[dt]?frac\{\d+\}\{\d+\}"
    r"|(?<![\w.^])(?<![_^]\{)"  # not inside a word, an index or an exponent
    r"(?:\d{1,3}(?:,\d{3})+\.\d+|\d+/\d+(?![\w.])|\d+(?:(?:[.,]|\{,\})\d+)?|\.\d+)"
    rf"(?:…|\.\.\.|\\l?dots)?{_POWER}?(?:\s?\\?%)?)"
)


@dataclass
class State:
    """Whose numbers follow, and of which step."""

    example: str = ""
    after: int | None = None

    def directive(self, words: str) -> str:
        """Reads `mazur after=1`; what is wrong with it, if anything."""
        example, after = "", None
        for word in words.split():
            key, equals, value = word.partition("=")
            if not equals:
                example = word
            elif key == "after" and whole(value) is not None:
                after = whole(value)
            else:
                return "say `chainrule: mazur after=1`: an example, and after how many updates"
        self.example, self.after = example or self.example, after
        return ""


def names(text: str) -> list[str]:
    """The names in a mark, between commas that do not stand in brackets."""
    parts = re.split(r"[,;](?![^\[\]]*\])", text)
    return [part.strip() for part in parts if part.strip()]


def marked(wanted: list[str], text: str, line: int, file: str, state: State) -> list[Answer]:
    """The last numbers of a text, one for each name. line: of its first sign."""
    found = list(NUMBER.finditer(text))
    taken = found[len(found) - len(wanted) :] if len(found) >= len(wanted) else []
    if not taken:
        here = line + text.count("\n")
        count = f"{len(wanted)} numbers stand" if len(wanted) > 1 else "number stands"
        fault = f"no {count} before this mark, and behind the mark before it"
        return [Answer(name, "", file, here, state.after, state.example, fault) for name in wanted]
    return [
        Answer(
            name,
            match[0].replace("{,}", ",").replace("−", "-").replace("–", "-"),
            file,
            line + text.count("\n", 0, match.start()),
            state.after,
            state.example,
        )
        for name, match in zip(wanted, taken, strict=True)
    ]
