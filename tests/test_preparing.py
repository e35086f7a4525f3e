"""From a table's columns to a network's inputs: what becomes of each kind of column, told as data, and the same bits always."""

from __future__ import annotations

import datetime
import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import InputError, RunError
from chainrule.preparing import (
    Boolean,
    Category,
    Goal,
    LeftOut,
    Note,
    Number,
    OnDisk,
    Preparation,
    fit,
    goal_of,
    labelled,
    recognise,
    sample_weights,
    summed_up,
)
from chainrule.preparing import blocks as reading
from chainrule.preparing.columns import KINDS
from chainrule.preparing.schema import SCHEMAS
from chainrule.preparing.statistics import GATHERED, numbers, quantiles, summary
from chainrule.readers import Floats
from chainrule.rules.preparation import Robust
from chainrule.tables.table import Table
from small_tables import column, table

RNG = np.random.default_rng(5)
NORMAL = RNG.normal(10, 2, 400)


def only(cells: Any, rows: Any = None, **options: Any) -> tuple[Any, list[str]]:
    """What becomes of one column, and what is said about it."""
    made, notes = fit(table(c=cells, t=np.arange(len(cells)) % 2.0), rows, "t", **options)
    return made.columns[0], [note.text for note in notes]


# Numbers


def test_numbers_are_brought_to_mean_0_and_deviation_1() -> None:
    made, notes = only(NORMAL)
    assert made == Number("c", float(np.median(NORMAL)), pytest.approx(NORMAL.mean()), pytest.approx(NORMAL.std()))
    assert notes == []
    x = Preparation((made,)).matrix(table(c=NORMAL))
    assert x.mean() == pytest.approx(0, abs=1e-14)
    assert x.std() == pytest.approx(1, abs=1e-14)


def test_missing_numbers_are_the_training_median_and_marked() -> None:
    cells = [1.0, 2.0, None, 4.0, 100.0, None]
    made, notes = only(cells, rows=np.array([0, 1, 2, 3]))
    assert (made.fill, made.indicator) == (2.0, True)
    assert notes == ["has no value in 1 of 4 training rows: the median 2 stands in, and an input says where"]
    prepared = Preparation((made,))
    assert prepared.inputs == ("c", "c is missing")
    x = prepared.matrix(table(c=cells))
    assert x[:, 1].tolist() == [0, 0, 1, 0, 0, 1]
    assert x[2, 0] == x[5, 0] == x[1, 0]


def test_only_the_training_rows_are_looked_at() -> None:
    cells = np.concatenate([NORMAL, np.full(50, 1e300), np.full(50, np.nan)])
    assert only(cells, rows=np.arange(400))[0] == only(NORMAL)[0]
    assert only(cells, rows=np.arange(400)[::-1])[0] == only(NORMAL)[0], "and their order does not count"


@pytest.mark.parametrize("far", [1e15, -1e15, 1e300])
def test_what_is_far_out_is_squeezed_and_leaves_the_others_where_they_were(far: float) -> None:
    cells = NORMAL.copy()
    cells[:4] = far
    made, notes = only(cells)
    assert made.far
    assert f"up to {far:g}" in notes[0]
    assert made.center == pytest.approx(NORMAL.mean(), abs=0.3)
    assert made.scale == pytest.approx(NORMAL.std(), rel=0.15)
    x = Preparation((made,)).matrix(table(c=cells))[:, 0]
    assert np.abs(x).max() <= Robust().reach
    assert x[4:].std() > 0.5
    assert np.array_equal(np.argsort(x[4:]), np.argsort(cells[4:])), "and in their order"


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        ([0.0] * 80 + [1e6] * 2 + [float(i) for i in range(1, 19)], "the 5 % and 95 % quantiles"),
        ([0.0] * 998 + [7.0, 9.0], "the standard deviation"),
        ([3.0] * 50 + [None] * 50, "1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_scale_falls_back_to(cells: Any, scale: str) -> None:
    made, _ = only(cells)
    there = np.array([cell for cell in cells if cell is not None])
    low, high = np.quantile(there, [0.05, 0.95])
    expected = {"1": 1.0, "the standard deviation": there.std()}.get(scale, (high - low) / 3.289707253902945)
    assert made.scale == pytest.approx(expected)
    assert np.isfinite(Preparation((made,)).matrix(table(c=cells))).all()


def test_extreme_numbers_do_not_overflow() -> None:
    for scale in (1e-320, 1e-300, 1e300):
        made, _ = only(NORMAL * scale)
        x = Preparation((made,)).matrix(table(c=NORMAL * scale))
        assert np.isfinite(x).all()
        assert x.std() > 0.1, scale


def test_what_even_a_difference_overflows_for_is_named_by_its_line() -> None:
    cells = np.append(np.linspace(-1.7e308, -1.6e308, 300), [1.7e308, 0.0])
    with pytest.raises(RunError, match=r'too far .* table\.csv:302, column "c" - got 1\.7e\+308'):
        Preparation((only(cells)[0],)).matrix(table(c=cells))


def test_squeezed_numbers_do_not_overflow() -> None:
    made, _ = only(np.append(NORMAL, 1e9) * 1e-200)
    assert made.far
    prepared, new = Preparation((made,)), table(c=[1e-200, 2e-200, 1e200])
    assert prepared.matrix(new)[2, 0] == pytest.approx(Robust().reach, rel=1e-11)
    assert prepared.cut(new) == (), "it makes no difference"


def test_new_numbers_farther_out_than_any_are_cut() -> None:
    """What was tame in training is standardised; a slip in the table that it is used on must not carry a prediction away."""
    made, _ = only(NORMAL)
    prepared = Preparation((made,))
    new = table(c=[11.0, 1e15, -1e300, made.center + 7.9 * made.scale, None])
    assert prepared.matrix(new)[:, 0] == pytest.approx(
        [(11 - made.center) / made.scale, 8, -8, 7.9, prepared.matrix(new)[4, 0]]
    )
    (cut,) = prepared.cut(new)
    assert (cut.column, cut.levels, cut.rows, cut.first) == ("c", ("-1e+300",), 2, 1)
    assert prepared.cut(new, np.array([0, 3, 4])) == ()
    assert prepared.cut(table(c=NORMAL)) == ()
    assert "cut at -8 and 8" in made.sentence


def test_dates_are_numbers_of_days() -> None:
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=7 * i) for i in range(50)]
    made, _ = only([*days, None])
    assert made.date
    assert made.indicator
    assert made.fill == (days[24] - datetime.date(1970, 1, 1)).days + 3.5
    assert Preparation((made,)).kinds == {"c": "date"}
    assert "days since 1970-01-01" in made.sentence


def test_booleans_are_0_and_1() -> None:
    made, _ = only([True, False, None, True])
    assert made == Boolean("c", 1.0, True)
    assert Preparation((made,)).matrix(table(c=[True, False, None])).tolist() == [[1, 0], [0, 0], [1, 1]]


# Categories


def test_a_category_is_an_input_for_each_level() -> None:
    cells = ["b", "a", "b", None, "c", "c", "a"] * 3
    made, notes = only(cells)
    assert made == Category("c", ("a", "b", "c"), False, True)
    assert notes == ["has no value in 3 of 21 training rows: a level of its own"]
    prepared = Preparation((made,))
    assert prepared.inputs == ("c = a", "c = b", "c = c", "c is missing")
    assert prepared.matrix(table(c=["c", None, "a"])).tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def test_rare_levels_are_other_and_so_are_unseen_ones() -> None:
    cells = ["a"] * 60 + ["b"] * 60 + ["x", "y", "z"]
    made, notes = only(cells)
    assert made == Category("c", ("a", "b"), True, False)
    assert notes == ["has 3 rare levels in 3 of 123 training rows ('z', say): taken together as \"other\""]
    prepared = Preparation((made,))
    new = table(c=["new", "b", "x", None, "newer", "new"])
    assert prepared.matrix(new).tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 1]]
    (unseen,) = prepared.unseen(new)
    assert (unseen.column, unseen.levels, unseen.rows, unseen.first) == ("c", ("new", "newer", "x"), 4, 0)
    (unseen,) = prepared.unseen(new, np.array([1, 4]))
    assert (unseen.levels, unseen.rows, unseen.first) == (("newer",), 1, 4)


def test_an_unseen_level_without_others_is_0_everywhere() -> None:
    made, _ = only(["a", "b"] * 10)
    assert Preparation((made,)).matrix(table(c=["new", None, "b"])).tolist() == [[0, 0], [0, 0], [0, 1]]
    assert made.sentence == "an input for each of 2 levels; any other level is 0 in all"


def test_many_levels_keep_the_most_frequent() -> None:
    cells = [f"level {i:03}" for i in range(200) for _ in range(10 + i)]
    made, notes = only(cells)
    assert len(made.levels) == 100
    assert made.levels[0] == "level 100"
    assert "100 rare levels" in notes[0]


# Left out

DIFFERENT = "it is a different text in every row, and names the rows rather than describes them"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([7.0] * 30, "it is the same in every row"),
        (["x"] * 30, "it is the same in every row"),
        ([True] * 30, "it is the same in every row"),
        ([None] * 30, "it has no value in any row"),
        (
            [f"name {i}" for i in range(30)],
            "it is a different text in every row, and names the rows rather than describes them",
        ),
        ([*(f"name {i}" for i in range(29)), "name 1"], None),
        ([float(i) for i in range(1001, 1031)], "it numbers the rows, from 1001 to 1030"),
        ([float((7 * i) % 31) for i in range(1, 31)], "it numbers the rows, from 1 to 30"),
        ([float(i) for i in range(29)] + [28.0], None),
        ([i + 0.5 for i in range(30)], None),
        ([float(i) for i in range(10)], None),
    ],
)
def test_what_says_nothing_is_left_out(cells: Any, why: str | None) -> None:
    made, notes = fit(table(c=cells, d=np.arange(len(cells)) % 3 * 1.0, t=[0.0, 1.0] * (len(cells) // 2)), None, "t")
    if why is None:
        assert not isinstance(made.columns[0], LeftOut) or "rare" in made.columns[0].why
    else:
        assert made.columns[0] == LeftOut("c", why)
        assert str(notes[0]) == f"column 'c' left out: {why}"
        assert notes[0].warning == ("same" in why)


def test_an_identifier_is_found_in_the_whole_table_and_may_be_kept() -> None:
    cells, rest = [float(i) for i in range(40)], [1.0, 2.0, 5.0, 3.0] * 10
    rows = np.array([0, 3, 4, 9, 20, 21, 39])
    assert isinstance(fit(table(c=cells, d=rest, t=rest), rows, "t")[0].columns[0], LeftOut)
    assert isinstance(fit(table(c=cells, d=rest, t=rest), rows, "t", keep=["c"])[0].columns[0], Number)
    made = fit(table(customer_id=[i * 17.0 % 1009 for i in range(40)], d=rest, t=rest), rows, "t")[0]
    assert "is called an id" in made.columns[0].sentence


def test_columns_may_be_left_out_as_asked_and_the_target_is_none() -> None:
    made, _ = fit(table(a=NORMAL, w=NORMAL, t=NORMAL), None, "t", leave_out=["w"])
    assert [column.name for column in made.columns] == ["a", "w"]
    assert made.columns[1] == LeftOut("w", "as asked for")
    assert made.inputs == ("a",)


def test_nothing_left_to_predict_from() -> None:
    with pytest.raises(RunError, match="no column to predict from"):
        fit(table(a=[1.0] * 5, t=[1.0, 2.0, 3.0, 4.0, 5.0]), None, "t")
    with pytest.raises(RunError, match="no training rows"):
        fit(table(a=[1.0] * 5, t=[1.0, 2.0, 3.0, 4.0, 5.0]), [], "t")


# What gives the target away


def test_what_gives_the_target_away_is_flagged_and_used_all_the_same() -> None:
    classes = ["a", "b", "c"] * 40
    code = [{"a": 1.0, "b": 5.0, "c": 9.0}[each] + 0.1 * (i % 4) for i, each in enumerate(classes)]
    words = [each * 2 for each in classes]
    made, notes = fit(table(x=NORMAL[:120], code=code, words=words, t=classes), None, "t")
    told = {note.column: note for note in notes if note.warning}
    assert set(told) == {"code", "words"}
    assert "separates all classes" in told["code"].text
    assert "tells the target in every row" in told["words"].text
    assert {"x", "code"} <= set(made.inputs)


def test_the_target_in_other_units_is_flagged() -> None:
    noisy = NORMAL + RNG.normal(0, 0.3, 400)
    _, notes = fit(table(x=noisy, other=NORMAL * 2.54 + 3, t=NORMAL), None, "t")
    assert [(note.column, "other units" in note.text) for note in notes if note.warning] == [("other", True)]


def test_a_column_that_is_there_twice_is_flagged() -> None:
    _, notes = fit(table(x=NORMAL, again=NORMAL, t=RNG.normal(size=400)), None, "t")
    assert [str(note) for note in notes if note.warning] == ["column 'again' is the same as column 'x': leave one of them out"]


def test_few_rows_prove_nothing() -> None:
    _, notes = fit(table(x=[1.0, 2.0, 3.0, 4.0], t=["a", "a", "b", "b"]), None, "t")
    assert not [note for note in notes if note.warning]


# The matrix


def mixed(rows: int = 1000, seed: int = 3) -> Table:
    rng = np.random.default_rng(seed)
    gaps = rng.normal(size=rows) ** 3 * 5
    gaps[rng.random(rows) < 0.1] = np.nan
    texts = [None if draw < 0.1 else f"level {int(draw * 7)}" for draw in rng.random(rows)]
    first = datetime.date(2000, 1, 1)
    dates = [first + datetime.timedelta(days=int(day)) for day in rng.integers(0, 5000, rows)]
    yes = [None if draw < 0.05 else draw > 0.6 for draw in rng.random(rows)]
    return table(plain=rng.normal(size=rows), gaps=gaps, texts=texts, dates=dates, yes=yes, t=rng.normal(size=rows))


def test_columns_are_found_by_name_whatever_their_order() -> None:
    whole = mixed()
    made, _ = fit(whole, None, "t")
    other = replace(whole, columns=whole.columns[::-1])
    assert np.array_equal(made.matrix(whole), made.matrix(other))
    made.check(other, besides=["t"])


def test_other_columns_are_named() -> None:
    whole = mixed()
    made, _ = fit(whole, None, "t")
    fewer = replace(whole, columns=whole.columns[1:])
    with pytest.raises(RunError, match=r"missing: 'plain'; not known: 't'"):
        made.check(fewer)
    with pytest.raises(RunError, match="has no column 'plain'"):
        made.matrix(fewer)
    texts = replace(whole, columns=(column("plain", ["a", "b"] * 500), *whole.columns[1:]))
    with pytest.raises(RunError, match="'plain' must be of kind number, as in training - got category"):
        made.check(texts, besides=["t"])


def test_left_out_columns_need_not_be_there() -> None:
    whole = replace(mixed(), columns=(*mixed().columns, column("same", [1.0] * 1000)))
    made, _ = fit(whole, None, "t")
    assert isinstance(made.columns[-1], LeftOut)
    made.check(mixed(), besides=["t"])
    made.check(whole, besides=["t"])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_are_the_same_however_they_are_asked_for(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mixed(5000)
    made, _ = fit(whole, None, "t")
    x = made.matrix(whole, dtype=dtype)
    assert x.dtype == dtype
    assert np.isfinite(x).all()
    rows = np.random.default_rng(0).permutation(5000)[:777]
    assert np.array_equal(made.matrix(whole, rows, dtype), x[rows])
    assert np.array_equal(made.matrix(whole.take(rows), None, dtype), x[rows])
    out = np.empty((777, len(made.inputs)), dtype)
    assert made.matrix(whole, rows, out=out) is out
    assert np.array_equal(out, x[rows])
    monkeypatch.setattr("chainrule.preparing.preparation.BLOCK", 8)
    assert np.array_equal(made.matrix(whole, dtype=dtype), x)
    with pytest.raises(ValueError, match="out must have the shape"):
        made.matrix(whole, out=out)


def on_disk(whole: Table, folder: Any) -> Table:
    columns = []
    for each in whole.columns:
        file = folder / f"{each.name}.bin"
        each.values.tofile(file)
        columns.append(replace(each, values=np.memmap(file, each.values.dtype, "r")))
    return replace(whole, columns=tuple(columns))


@pytest.mark.parametrize("rows", [None, "some", "shuffled"])
def test_a_table_on_disk_gives_the_same_bits(rows: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 2 * GATHERED + 1234
    whole = mixed(count)
    chosen = None if rows is None else np.sort(np.random.default_rng(1).permutation(count)[: count // 2])
    chosen = np.random.default_rng(2).permutation(chosen) if rows == "shuffled" else chosen
    apart = on_disk(whole, tmp_path)
    if rows == "some":
        monkeypatch.setattr(reading, "NEAR", 1000)
    made, notes = fit(whole, chosen, "t")
    assert fit(apart, chosen, "t") == (made, notes)
    x = made.matrix(whole, chosen, np.float32)
    written = made.write(apart, chosen, tmp_path / "rows.bin")
    assert written.shape == x.shape
    assert np.array_equal(written.take(slice(None)), x)
    assert goal_of(apart, chosen, "t", "number") == goal_of(whole, chosen, "t", "number")


# Rows on disk


@pytest.fixture
def stored(tmp_path: Any) -> tuple[OnDisk, Any]:
    x = np.random.default_rng(1).normal(size=(1000, 7)).astype(np.float32)
    x.tofile(tmp_path / "x.bin")
    return OnDisk(str(tmp_path / "x.bin"), 1000, 7, np.float32), x


def test_rows_on_disk_are_taken_as_from_an_array(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, x = stored
    assert (len(rows), rows.shape, rows.ndim, rows.dtype, rows.nbytes) == (1000, (1000, 7), 2, np.float32, 28_000)
    for wanted in (
        [3, 1, 1, 999, 0],
        np.arange(0),
        np.random.default_rng(0).permutation(1000),
        slice(10, 20),
        slice(990, 2000),
    ):
        assert np.array_equal(rows.take(wanted), x[wanted if isinstance(wanted, slice) else np.asarray(wanted, int)])
    monkeypatch.setattr("chainrule.preparing.ondisk.READ", 100)
    assert np.array_equal(rows.take(slice(None)), x)
    assert np.array_equal(rows.take([8, 9, 10, 3, 3]), x[[8, 9, 10, 3, 3]])


def test_rows_on_disk_can_be_sent_elsewhere(stored: Any) -> None:
    import copy
    import pickle

    rows, x = stored
    rows.take([1])
    for other in (copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))):
        assert other == rows
        assert np.array_equal(other.take([5]), x[[5]])


def test_rows_that_are_not_there(stored: Any, tmp_path: Any) -> None:
    rows, _ = stored
    for wrong in ([1000], [-1], slice(0, 10, 2)):
        with pytest.raises(IndexError):
            rows.take(wrong)
    longer = OnDisk(rows.file, 1001, 7, np.float32)
    with pytest.raises(RunError, match="cut short"):
        longer.take(slice(None))
    with pytest.raises(RunError, match="cut short"):
        longer.take([5, 1000])
    with pytest.raises(RunError, match="cut short"):
        longer.take([1000])
    with pytest.raises(RunError, match="cannot be read"):
        OnDisk(str(tmp_path / "none.bin"), 1, 1, np.float32).take([0])
    with pytest.raises(RunError, match="cannot be written"):
        fit(mixed(), None, "t")[0].write(mixed(), None, tmp_path / "no" / "such")


# Statistics


@pytest.mark.parametrize("count", [1, 2, 5, GATHERED, 3 * GATHERED + 1])
@pytest.mark.parametrize("kind", ["normal", "skewed", "few", "same", "close", "signs"])
def test_quantiles_are_exact(kind: str, count: int) -> None:
    rng = np.random.default_rng(count)
    values = {
        "normal": lambda: rng.normal(size=count),
        "skewed": lambda: np.exp(30 * rng.normal(size=count)),
        "few": lambda: rng.integers(-2, 3, count).astype(float),
        "same": lambda: np.full(count, -7.25),
        "close": lambda: 1e9 + rng.integers(0, 1000, count) * 1e-6,
        "signs": lambda: rng.choice([-0.0, 0.0, 5e-324, -1e308, 1e308], count),
    }[kind]()
    shares = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]
    with np.errstate(over="ignore", invalid="ignore"):
        ordered = np.sort(values)
    found = quantiles(numbers(values, None), count, shares)
    for share, each in zip(shares, found, strict=True):
        place = share * (count - 1)
        low, high = ordered[math.floor(place)], ordered[min(math.floor(place) + 1, count - 1)]
        with np.errstate(over="ignore"):
            gap = high - low
        assert each == (low + gap * (place - math.floor(place)) if gap < math.inf else low / 2 + high / 2)


def test_quantiles_are_found_even_where_a_sample_misleads() -> None:
    step = (3 * GATHERED) // 20_000
    values = np.arange(3.0 * GATHERED)
    values[::step] = -1.0  # all that the sample sees
    shares = [0.25, 0.5, 0.75]
    found = quantiles(numbers(values, None), len(values), shares)
    assert found == pytest.approx(np.quantile(values, shares), rel=1e-15)


def test_means_and_deviations() -> None:
    for values in (NORMAL, NORMAL * 1e-310, NORMAL * 1e306, np.array([1.7e308, -1.7e308]), 1e12 + NORMAL):
        found = summary(values, None)
        exact = [float(value) / 2**600 if abs(value) > 1e200 else float(value) for value in values]
        back = 2.0**600 if max(abs(values)) > 1e200 else 1.0
        mean = math.fsum(exact) / len(exact)
        assert found.mean == pytest.approx(mean * back, rel=1e-14)
        if max(abs(values)) > 1e-200:
            assert found.deviation / back == pytest.approx(
                math.sqrt(math.fsum((each - mean) ** 2 for each in exact) / len(exact)), rel=1e-9
            )
        assert found.deviation > 0


# Data


names = st.text(max_size=8)
floats = st.floats(allow_nan=False, allow_infinity=False)
columns = st.one_of(
    st.builds(Number, names, floats, floats, floats.map(abs).filter(bool), st.booleans(), st.booleans(), st.booleans()),
    st.builds(Boolean, names, st.sampled_from([0.0, 1.0]), st.booleans()),
    st.builds(Category, names, st.lists(names, unique=True, max_size=4).map(tuple), st.booleans(), st.booleans()),
    st.builds(LeftOut, names, names),
)
preparations = st.lists(columns, unique_by=lambda each: each.name, max_size=5).map(lambda each: Preparation(tuple(each)))
goals = st.one_of(
    st.builds(
        lambda column, center, scale, read_as: Goal(column, "number", read_as, center=center, scale=scale),
        names, floats, floats.map(abs).filter(bool), st.sampled_from(["number", "date"]),
    ),
    st.builds(
        lambda column, classes: Goal(column, "yes_or_no" if len(classes) == 2 else "classes", "category", tuple(classes)),
        names, st.lists(names, unique=True, min_size=2, max_size=5),
    ),
    st.builds(
        lambda column, values: Goal(
            column, "yes_or_no" if len(values) == 2 else "classes", "number", tuple(map(repr, values)), tuple(values)
        ),
        names, st.lists(floats, unique_by=lambda each: each + 0.0, min_size=2, max_size=5),
    ),
)  # fmt: skip


@settings(deadline=None)
@given(preparations)
def test_a_preparation_goes_through_json(preparation: Preparation) -> None:
    text = json.dumps(preparation.data(), allow_nan=False)
    assert Preparation.made(json.loads(text)) == preparation


@settings(deadline=None)
@given(goals)
def test_a_goal_goes_through_json(goal: Goal) -> None:
    assert Goal.made(json.loads(json.dumps(goal.data(), allow_nan=False))) == goal


def test_the_schema_knows_every_field() -> None:
    for kind in KINDS.values():
        assert set(SCHEMAS[kind]) == {entry.name for entry in fields(kind)}


NUMBER = {
    "kind": "number", "name": "c", "fill": 1.0, "center": 0.0, "scale": 2.0, "far": False, "indicator": True, "date": False,
}  # fmt: skip
LEVELS = {"kind": "category", "name": "d", "levels": ["a"], "other": True, "missing": False}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "preparation must be a table"),
        ([], "preparation must be a table"),
        ({}, "a table with columns"),
        ({"columns": {}}, "must be a list"),
        ({"columns": [], "more": 1}, "got 'more'"),
        ({"columns": [1]}, r"columns\[1\] must be a table"),
        ({"columns": [{}]}, "kind must be one of"),
        ({"columns": [{"kind": ["number"]}]}, "kind must be one of"),
        ({"columns": [{"kind": "Number"}]}, "kind must be one of"),
        ({"columns": [{**NUMBER, "url": "x"}]}, r"columns\[1\] must be a table of .* - got 'url'"),
        ({"columns": [{k: v for k, v in NUMBER.items() if k != "fill"}]}, "a table with fill"),
        ({"columns": [NUMBER, NUMBER]}, "different columns"),
        *[
            ({"columns": [{**NUMBER, key: value}]}, rf"columns\[1\]\.{key} must be")
            for key, value in [
                ("scale", 0.0), ("scale", -1), ("scale", math.inf), ("scale", "2"), ("center", math.nan), ("fill", None),
                ("fill", True), ("far", 1), ("name", 5), ("name", "x" * 5000), ("fill", 10**400),
            ]
        ],
        *[
            ({"columns": [{**LEVELS, key: value}]}, rf"columns\[1\]\.{key}")
            for key, value in [("levels", ["a", "a"]), ("levels", "ab"), ("levels", [1]), ("other", "yes")]
        ],
        ({"columns": [{"kind": "boolean", "name": "e", "fill": 0.5, "indicator": False}]}, "must be 0 or 1"),
    ],
)  # fmt: skip
def test_data_that_is_no_preparation(data: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        Preparation.made(data)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "maybe"}, {"kind": None}, {"classes": ["a"]}, {"classes": ["a", "a", "b"]}, {"stand_for": [1]},
        {"read_as": "number"}, {"read_as": "pickle"}, {"more": 1}, {"kind": "yes_or_no"}, {"kind": "number"}, {"column": 1},
        {"stand_for": "abc"},
    ],
    ids=str,
)  # fmt: skip
def test_data_that_is_no_goal(change: dict[str, Any]) -> None:
    whole = Goal("c", "classes", "category", ("a", "b", "c")).data()
    Goal.made(whole)
    with pytest.raises(RunError):
        Goal.made(whole | change)
    with pytest.raises(RunError):
        Goal.made([])  # type: ignore[arg-type]


# What the target means


@pytest.mark.parametrize(
    ("cells", "kind", "why"),
    [
        (["a", "b", "c"] * 10, "classes", "holds texts"),
        ([True, False] * 10, "classes", "yes and no"),
        ([0.0, 1.0] * 20, "classes", "two different numbers"),
        ([1.5, 2.5] * 20, "classes", "two different numbers"),
        ([float(i % 10) for i in range(100)], "classes", "10 different whole numbers"),
        ([float(i % 10) for i in range(40)], "number", "10 different numbers in few rows"),
        ([float(i % 11) for i in range(500)], "number", "many different numbers"),
        ([float(i % 3) / 2 for i in range(100)], "number", "decimals"),
        ([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)] * 20, "number", "dates"),
    ],
)
def test_the_task_is_recognised_and_said(cells: Any, kind: str, why: str) -> None:
    found = recognise(table(x=list(range(len(cells))), t=cells), "t")
    assert (found.kind, found.warnings) == (kind, ())
    assert why in found.why
    assert found.why.startswith("Classification" if kind == "classes" else "Regression")


def test_an_unknown_target_or_task_is_a_mistake_of_the_command_line() -> None:
    some = table(species=["a", "b"])
    with pytest.raises(InputError, match="did you mean species") as caught:
        recognise(some, "specie")
    assert caught.value.code == 2
    with pytest.raises(InputError, match="did you mean regression") as caught:
        recognise(some, "species", "regresion")
    assert caught.value.code == 2


def test_d34_rows_without_a_label_are_left_out_and_counted() -> None:
    cells = ["a" if i % 3 else None for i in range(30)]
    rows, (problem,) = labelled(table(t=cells), "t")
    assert rows.tolist() == [i for i in range(30) if i % 3]
    assert "no value in 10 of 30 rows: they are left out" in str(problem)
    assert "lines 2, 5, 8, 11, 14, ..." in str(problem)
    rows, problems = labelled(table(t=[1.0, 2.0]), "t")
    assert (rows.tolist(), problems) == ([0, 1], ())
    with pytest.raises(RunError, match="no value in any row") as caught:
        labelled(table(t=[None, None]), "t")
    assert caught.value.code == 1


@pytest.mark.parametrize("cells", [["a"] * 9, [1.0] * 9, [True] * 9], ids=["text", "number", "boolean"])
def test_d35_one_class_only(cells: Any) -> None:
    some = table(t=cells)
    with pytest.raises(RunError, match=r"one class only .* got only class '.*' in 9 training rows - two are needed") as caught:
        goal_of(some, None, "t", recognise(some, "t").kind)
    assert caught.value.code == 1


def test_d36_a_class_with_too_few_rows() -> None:
    with pytest.raises(RunError, match=r"at least 5 rows .* got 'b' in 2") as caught:
        goal_of(table(t=["a"] * 9 + ["b"] * 2), None, "t", "classes", least=5)
    assert caught.value.code == 1


@pytest.mark.parametrize("cells", [["a", "b"] * 5, [True, False] * 5], ids=["text", "boolean"])
def test_d37_a_regression_on_text(cells: Any) -> None:
    with pytest.raises(RunError, match=r"regression needs numbers.*use --task classification") as caught:
        recognise(table(t=cells), "t", "regression")
    assert caught.value.code == 1


def test_d38_classes_that_look_like_numbers() -> None:
    found = recognise(table(t=np.arange(1000.0) % 950 / 7), "t", "classification")
    assert found.kind == "classes"
    assert '950 classes in 1,000 rows - column "t" - this looks like regression' in str(found.warnings[0])
    found = recognise(table(t=[f"name {i}" for i in range(100)]), "t")
    assert "names of the rows" in str(found.warnings[0])


@pytest.mark.parametrize(
    ("cells", "message"),
    [([1.0, -1.0], r"negative .* table\.csv:3"), ([1.0, None], r"missing .* table\.csv:3"), ([0.0, 0.0], "all weights are 0"),
     (["a", "b"], "must be numbers")],
    ids=["negative", "missing", "all 0", "text"],
)  # fmt: skip
def test_d58_weights_that_are_none(cells: Any, message: str) -> None:
    with pytest.raises(RunError, match=message) as caught:
        sample_weights(table(w=cells), "w")
    assert caught.value.code == 1


def test_weights() -> None:
    some = table(w=[1.0, 0.0, 2.5, None])
    assert sample_weights(some, "w", np.array([2, 0, 1])).tolist() == [2.5, 1, 0]
    with pytest.raises(InputError, match="did you mean w"):
        sample_weights(table(w=[1.0]), "ww")


def test_targets_and_labels_of_classes() -> None:
    some = table(t=["b", "c", "a", "b", None])
    goal = goal_of(some, np.arange(4), "t", "classes")
    assert goal == Goal("t", "classes", "category", ("a", "b", "c"))
    assert (goal.outputs, goal.names) == (3, ("a", "b", "c"))
    assert goal.targets(some.column("t"), np.arange(4)).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert goal.labels([[0.2, 0.5, 0.3], [0.9, 0, 0.1]]).tolist() == ["b", "a"]
    with pytest.raises(RunError, match=r"the target has no value - table\.csv:6"):
        goal.targets(some.column("t"), place=some.place)
    with pytest.raises(RunError, match=r"was not there in training .* got 'new' - the classes are 'a', 'b', 'c'; 1 such rows"):
        goal.targets(table(t=["a", "new"]).column("t"))
    with pytest.raises(RunError, match="must be of kind category"):
        goal.targets(table(t=[1.0]).column("t"))


def test_two_classes_are_yes_or_no() -> None:
    for cells, classes, stand_for in (
        (["no", "yes", "yes"], ("no", "yes"), ()),
        ([0.0, 1.0, 1.0], ("0", "1"), (0.0, 1.0)),
        ([False, True, True], ("no", "yes"), (0.0, 1.0)),
        ([-1.5, 2.0, 2.0], ("-1.5", "2"), (-1.5, 2.0)),
    ):
        some = table(t=cells)
        goal = goal_of(some, None, "t", recognise(some, "t").kind)
        assert (goal.kind, goal.classes, goal.stand_for, goal.outputs) == ("yes_or_no", classes, stand_for, 1)
        assert goal.names == classes[1:]
        assert goal.targets(some.column("t"), dtype=np.float32).tolist() == [[0], [1], [1]]
        assert goal.probabilities([[0.25]]).tolist() == [[0.75, 0.25]]
        assert goal.labels([[0.25], [0.75]]).tolist() == list(classes)


def test_targets_of_a_regression_are_standardised_and_brought_back() -> None:
    some = table(t=[*NORMAL, None])
    rows = np.arange(400)
    goal = goal_of(some, rows, "t", "number")
    t = goal.targets(some.column("t"), rows)
    assert t.shape == (400, 1)
    assert (t.mean(), t.std()) == (pytest.approx(0, abs=1e-14), pytest.approx(1))
    assert goal.values(t) == pytest.approx(NORMAL, rel=1e-14)
    with pytest.raises(RunError, match=r"no value - table\.csv:402"):
        goal.targets(some.column("t"), place=some.place)
    with pytest.raises(RunError, match="same in every training row"):
        goal_of(table(t=[2.0, 2.0]), None, "t", "number")
    with pytest.raises(RunError, match="too small or too large"):
        goal_of(table(t=[1.7e308, -1.7e308]), None, "t", "number")


cells = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12), st.sampled_from([0.0, 1.0, 1e300])), min_size=12, max_size=12),
    st.lists(
        st.one_of(st.none(), st.sampled_from(["a", "b", "c", "other", "ünï"]), st.text(max_size=3)), min_size=12, max_size=12
    ),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=12, max_size=12),
    st.lists(st.one_of(st.none(), st.dates()), min_size=12, max_size=12),
)


@settings(deadline=None)
@given(cells, cells)
def test_whatever_stands_in_a_table_is_finite_and_the_same_after_json(first: Any, second: Any) -> None:
    whole = table(first=first, second=second, steady=NORMAL[:12], t=[0.0, 1.0] * 6)
    made, notes = fit(whole, np.arange(8), "t")
    x = made.matrix(whole)
    assert x.shape == (12, len(made.inputs))
    assert np.isfinite(x).all()
    again = Preparation.made(json.loads(json.dumps(made.data())))
    assert np.array_equal(again.matrix(whole), x)
    for place in range(len(made.inputs)):
        name, sentence = made.source(place)
        assert made.inputs[place].startswith(name)
        assert sentence
    raw = made.raw(whole, np.arange(12))
    assert raw.told is not None
    for row in range(12):
        for place in range(len(made.inputs)):
            group, text = raw.group(place), raw.told(row, place)
            if group is not None:
                column = group.places.index(place)
                cell, center, scale = group.cells[row, column], group.center[column], group.scale[column]
                assert group.rule.value(Floats(), cell, center, scale) == x[row, place]
            elif ": 1 because" in text:
                assert x[row, place] == 1
            elif ": 0 because" in text:
                assert x[row, place] == 0
            else:
                assert text
    assert all(str(note) for note in notes)


def test_what_is_said_of_many_columns_is_said_once():
    alike = [Note(f"c{k}", f"has no value in {k} rows", together="have gaps") for k in range(1, 5)]
    other = [Note("x", "is odd"), Note("y", "is odd too", together="are odd")]
    assert summed_up([other[0], *alike, other[1]]) == (
        "column 'x' is odd",
        "4 columns ('c1', 'c2', 'c3', ...) have gaps",
        "column 'y' is odd too",
    )
    assert summed_up(alike[:3]) == tuple(map(str, alike[:3]))
