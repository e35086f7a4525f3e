"""JSON that a file holds, read strictly: nothing in it may cost more than it says, or mean two things."""

from __future__ import annotations

import json
import math
from typing import Any

from chainrule.errors import Problem, RunError, shown

DEEPEST = 16
"""So many lists and tables may stand in one another."""

LONGEST = 4096
"""The longest text, in characters."""

AGAIN = "take an older copy: a run keeps its newest checkpoints"


class FileError(RunError):
    """A file that cannot be used, and why; `at` puts the file's name to it."""

    def __init__(self, what: str, where: str = "", got: str = "", do: str = AGAIN, file: str = "") -> None:
        super().__init__(Problem(what, where=where, got=got, do=do, file=file))

    def at(self, path: str) -> FileError:
        """The same, of this file."""
        (problem,) = self.problems
        return FileError(problem.what, problem.where, problem.got, problem.do, path)


def parsed(text: bytes | str, what: str, measure: bool = True) -> dict[str, Any]:
    """The table that a text holds. Refused: keys that stand twice, NaN and infinities, more than DEEPEST levels, texts
    longer than LONGEST; the last two only if they are to be measured. Raises FileError."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except _RefusedError as error:
        raise FileError(f"{what} has {error}") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{what} is not UTF-8", got=f"byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise FileError(f"{what} is not JSON: {error.msg}", got=f"at character {error.pos + 1}") from None
    except RecursionError:
        raise FileError(f"{what} is nested deeper than {DEEPEST} levels") from None
    except ValueError:
        raise FileError(f"{what} has a number of too many digits") from None
    if not isinstance(value, dict):
        raise FileError(f"{what} is not a table", got=shown(value))
    if measure:
        measured(value, what)
    return value


class _RefusedError(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RefusedError(f"the key {shown(twice)} twice")
    return table


def _no_number(name: str) -> None:
    raise _RefusedError(f"{name}, which is no JSON")


def fits(value: Any, shape: Any) -> bool:
    """Whether plain data is of a shape: a dict of shapes has these keys and no others, a list has a shape for each of its
    entries, a tuple has shapes of which one will do; float is a number, int a whole one, None itself."""
    if isinstance(shape, dict):
        return type(value) is dict and set(value) == set(shape) and all(fits(value[key], shape[key]) for key in shape)
    if isinstance(shape, list):
        return isinstance(value, (list, tuple)) and all(fits(each, shape[0]) for each in value)
    if isinstance(shape, tuple):
        return any(fits(value, each) for each in shape)
    if shape is float:
        return type(value) is float or (type(value) is int and abs(value) < 2**1000)
    return value is None if shape is None else type(value) is shape


def measured(value: Any, what: str) -> None:
    """FileError if anything in the table is too deep, too long or too large."""
    level = [value]
    for depth in range(DEEPEST + 1):
        below: list[Any] = []
        for table in level:
            for entry in table:
                if type(entry) is str and len(entry) > LONGEST:
                    raise FileError(f"{what} has a text of {len(entry):,} characters", got=f"at most {LONGEST:,}")
            for entry in table.values() if type(table) is dict else table:
                if type(entry) is dict or type(entry) is list:
                    below.append(entry)
                elif type(entry) is str and len(entry) > LONGEST:
                    raise FileError(f"{what} has a text of {len(entry):,} characters", got=f"at most {LONGEST:,}")
                elif type(entry) is float and not math.isfinite(entry):
                    raise FileError(f"{what} has a number beyond what float64 holds")
        if not below:
            return
        level = below
        if depth == DEEPEST - 1:
            raise FileError(f"{what} is nested deeper than {DEEPEST} levels")
