"""What a table says about itself before anything is learned from it: the rows of the catalogue that know the target."""

import numpy as np
import pytest

from chainrule import tables
from chainrule.errors import InputError, RunError
from test_tables import write

ROWS = 40
CHANCE = np.random.default_rng(0).normal(size=ROWS).round(3).tolist()


def table_of(folder, name="t.csv", **columns):
    lines = [",".join(columns)] + [",".join(str(cell) for cell in row) for row in zip(*columns.values(), strict=True)]
    return tables.read(write(folder, "\n".join(lines) + "\n", name))


def labels(one="a", other="b"):
    return [one if value > 0 else other for value in CHANCE]


FINDINGS = [  # id, columns, how it is examined, kind, severity, columns it is about, what is said
    ("D33-case", {"x": CHANCE, "y": ["A", *labels()[1:]]}, {}, "label", "warn", ["y"], ["'A' has 1 row (line 2", "'a'"]),
    ("D33-blank", {"x": CHANCE, "y": [*labels()[1:], "a-"]}, {}, "label", "warn", ["y"], ["'a-' has 1 row (line 41"]),
    (
        "D34-some",
        {"x": CHANCE, "y": ["", "", *labels()[2:]]},
        {},
        "target",
        "warn",
        ["y"],
        ["2 rows have no value", "line 2, line 3"],
    ),
    ("D34-all", {"x": CHANCE, "y": [""] * ROWS}, {}, "target", "error", ["y"], ["no row has a value"]),
    ("D35", {"x": CHANCE, "y": ["a"] * ROWS}, {}, "target", "error", ["y"], ["only one class, 'a'"]),
    (
        "D36",
        {"x": CHANCE, "y": ["c", *labels()[1:]]},
        {"folds": 5},
        "rare",
        "error",
        ["y"],
        ["'c' has 1 row, fewer than the 5"],
    ),
    ("D37", {"x": CHANCE, "y": labels()}, {"task": "number"}, "target", "error", ["y"], ["is text", "classes instead"]),
    ("D38", {"x": labels(), "y": CHANCE}, {"task": "classes"}, "target", "warn", ["y"], ["looks like regression"]),
    ("D39-number", {"x": [7] * ROWS, "y": labels()}, {}, "constant", "warn", ["x"], ["the same in every row", "7"]),
    ("D39-text", {"x": ["q"] * ROWS, "y": labels()}, {}, "constant", "warn", ["x"], ["'q'"]),
    ("D39-empty", {"x": [""] * ROWS, "z": CHANCE, "y": labels()}, {}, "empty", "warn", ["x"], ["no cell"]),
    ("D40-equal", {"x": CHANCE, "z": CHANCE, "y": labels()}, {}, "equal", "warn", ["x", "z"], ["equal in every row"]),
    ("D40-text", {"x": labels("p", "q"), "z": labels("p", "q"), "y": CHANCE}, {}, "equal", "warn", ["x", "z"], ["equal"]),
    ("D40-leak", {"x": CHANCE, "y": CHANCE}, {}, "leak", "warn", ["x", "y"], ["equal to the target"]),
    ("D40-scaled", {"x": [2 * c + 1 for c in CHANCE], "y": CHANCE}, {}, "leak", "warn", ["x", "y"], ["times a number"]),
    ("D40-spelt", {"x": labels("1", "2"), "y": labels()}, {}, "leak", "warn", ["x", "y"], ["in other words"]),
    ("D41", {"x": [c * 1e16 for c in CHANCE], "y": labels()}, {}, "large", "warn", ["x"], ["very large", "--scale"]),
    ("id-text", {"x": [f"n{i}" for i in range(ROWS)], "y": labels()}, {}, "identifier", "warn", ["x"], ["identifier"]),
    ("id-count", {"x": range(100, 100 + ROWS), "y": labels()}, {}, "identifier", "warn", ["x"], ["counts the rows"]),
    (
        "D30",
        {"Age": CHANCE, "AGE ": CHANCE[::-1], "y": labels()},
        {},
        "names",
        "warn",
        ["Age", "AGE"],
        ["look alike", "U+0041"],
    ),
]


@pytest.mark.parametrize(
    ("columns", "how", "kind", "severity", "names", "says"), [row[1:] for row in FINDINGS], ids=[row[0] for row in FINDINGS]
)
def test_found(tmp_path, columns, how, kind, severity, names, says):
    found = [each for each in tables.examine(table_of(tmp_path, **columns), "y", **how) if each.kind == kind]
    assert [(list(each.columns), each.severity) for each in found] == [(names, severity)]
    for each in says:
        assert each in str(found[0])
    assert found[0].problem.do


def test_nothing_is_found_where_nothing_is(tmp_path):
    clean = table_of(tmp_path, x=CHANCE, z=CHANCE[::-1], k=["u", "v"] * 20, y=labels())
    assert tables.examine(clean, "y", folds=5) == ()
    assert tables.examine(clean) == ()
    from chainrule import examples

    penguins = tables.read(f"{examples.__path__[0]}/penguins.csv")
    assert tables.examine(penguins, "species", "classes", 10) == ()


def test_gaps_that_say_something_are_no_constant(tmp_path):
    some = table_of(tmp_path, x=[1, ""] * 20, y=labels())
    assert tables.examine(some, "y") == ()


def test_d31_d32_the_target(tmp_path):
    table = table_of(tmp_path, length=CHANCE, y=labels())
    assert tables.target_column(table, "y", ["length"]).name == "y"
    for name, inputs, says in [("lenght", [], "did you mean length?"), ("y", ["y"], "cannot be an input too")]:
        with pytest.raises(InputError) as caught:
            tables.target_column(table, name, inputs)
        assert caught.value.code == 2
        assert says in str(caught.value)
    with pytest.raises(InputError, match="its columns are length, y"):
        tables.target_column(table, "zzz")


def test_d42_rows_in_both_tables(tmp_path):
    one = table_of(tmp_path, "one.csv", x=[1, 2, 3], k=["a", "b", "c"])
    other = table_of(tmp_path, "other.csv", k=["b", "z", "c"], x=[2, 2, 4])
    found = tables.shared_rows(one, other)
    assert "1 row stands in" in str(found)
    assert "line 2 (line 3 there)" in str(found)
    assert "2 rows stand" in str(tables.shared_rows(one, other, ["k"]))
    assert tables.shared_rows(one, table_of(tmp_path, "third.csv", x=[9, 8], k=["a", "b"])) is None


def test_d43_columns_that_are_needed(tmp_path):
    table = table_of(tmp_path, b=[1, 2], a=[3, 4], more=[5, 6])
    tables.require(table, ["a", "b"])
    with pytest.raises(RunError) as caught:
        tables.require(table, ["a", "c", "d"], optional=["b"])
    assert "lacks 2 columns that the model needs: c, d" in str(caught.value)
    assert "besides those it knows: more" in str(caught.value)


WEIGHTS = [
    ("D58-negative", [1, -2, 3], "negative", 3),
    ("D58-missing", [1, "", 3], "missing", 3),
    ("D58-zero", [0, 0, 0], "all weights are 0", None),
    ("D58-text", ["a", "b", "c"], "must hold numbers", None),
]


@pytest.mark.parametrize(("weights", "says", "line"), [row[1:] for row in WEIGHTS], ids=[row[0] for row in WEIGHTS])
def test_weights(tmp_path, weights, says, line):
    table = table_of(tmp_path, x=[1, 2, 3], w=weights)
    with pytest.raises(RunError, match=says) as caught:
        tables.weights_column(table, "w")
    assert caught.value.problems[0].line == line


def test_right_weights(tmp_path):
    assert tables.weights_column(table_of(tmp_path, w=[0, 2, 3]), "w").tolist() == [0, 2, 3]


def test_d21_numbers_that_float32_cannot_hold(tmp_path):
    table = table_of(tmp_path, a=[1, "1e39", -3], b=[1, 2, 3])
    tables.fits_float32(table, ["b"])
    with pytest.raises(RunError, match="larger than float32 can hold") as caught:
        tables.fits_float32(table, ["a", "b"])
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (3, 1)
