r"""Numbers marked in a LaTeX document: `out_{o1} = 0.75136507 %= out_o1`, or `\checked{out_o1}{0.75136507}`.

A comment that begins with `%=` names the last numbers before it; nothing of it is set. `\checked` is for several on a line
that must not be broken, defined as `\newcommand{\checked}[2]{#2}`. `% chainrule: mazur after=1` says whose numbers follow.
"""

from __future__ import annotations

import re

from chainrule.marking.answers.answer import Answer
from chainrule.marking.answers.marks import NUMBER, State, marked, names

_MACRO = re.compile(r"\\checked\s*\{([^{}]{1,300})\}\s*\{((?:[^{}]|\{[^{}]{0,40}\}){0,300})\}")
_VERBATIM = re.compile(r"\\(begin|end)\{(?:verbatim|lstlisting|minted)\*?\}")


def read(text: str, file: str) -> list[Answer]:
    """The marked numbers of a text."""
    answers: list[Answer] = []
    state = State()
    paragraph, first = "", 1  # what stands since the last mark or blank line, and the line where it begins
    verbatim = False
    for number, line in enumerate(text.split("\n"), 1):
        switch = _VERBATIM.search(line)
        if switch or verbatim:
            verbatim = switch[1] == "begin" if switch else True
            continue
        code, comment = _apart(line)
        answers += [_macro(match, number, file, state) for match in _MACRO.finditer(code)]
        if not code.strip() and comment is None:
            paragraph, first = "", number + 1
            continue
        paragraph += code
        if comment is not None and comment.startswith("="):
            wanted = names(comment[1:].replace("\\", ""))
            answers += marked(wanted, paragraph, first, file, state)
            paragraph, first = "", number + 1
        elif comment is not None and comment.strip().startswith("chainrule:"):
            fault = state.directive(comment.strip().removeprefix("chainrule:"))
            if fault:
                answers.append(Answer(comment.strip(), "", file, number, fault=fault))
            paragraph, first = "", number + 1
        else:
            paragraph += "\n"
    return answers


def _apart(line: str) -> tuple[str, str | None]:
    """A line's code, and its comment without the sign that begins it."""
    for match in re.finditer("%", line):
        before = line[: match.start()]
        if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
            return before, line[match.end() :]
    return line, None


def _macro(match: re.Match[str], line: int, file: str, state: State) -> Answer:
    name, text = match[1].replace("\\", "").strip(), match[2].strip()
    found = NUMBER.search(text)
    written = text if found is None else found[0].replace("{,}", ",")
    return Answer(name, written, file, line, state.after, state.example)
