"""Splits: every row once, classes shared out alike, groups whole, the past before the future, and the same for ever."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, TimeSeriesSplit

from chainrule.errors import InputError, RunError
from chainrule.splits import folds, hold_out

LABELS = st.lists(st.integers(0, 4), min_size=4, max_size=120)
FRACTIONS = st.floats(0.05, 0.6)
SEEDS = st.integers(0, 2**64 - 1)


def whole(split, rows):
    """Both parts ascending, together all rows, none twice."""
    for part in split:
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(rows))


def counts(labels, rows):
    return np.bincount(np.asarray(labels)[rows], minlength=5)


@given(LABELS, FRACTIONS, SEEDS, st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_every_class_is_held_out_by_its_share(labels, fraction, seed, draw):
    rows, labels = len(labels), np.array(labels)
    aside = max(1, round(fraction * rows))
    try:
        split = hold_out(rows, fraction, seed, labels=labels, draw=draw)
    except RunError:  # only where each row that was drawn was the last one of its class
        assert aside <= len(np.unique(labels))
        return
    whole(split, rows)
    share = counts(labels, np.arange(rows)) * aside / rows
    assert (np.abs(counts(labels, split.test) - share) <= 1).all()
    assert set(labels[split.train]) == set(labels)  # every class can be learned
    assert aside - len(split.test) <= (np.bincount(labels) > 0).sum()
    again = hold_out(rows, fraction, seed, labels=labels, draw=draw)
    np.testing.assert_array_equal(split.test, again.test)


@given(st.integers(4, 300), FRACTIONS, SEEDS)
@settings(max_examples=100, deadline=None)
def test_without_classes_as_many_rows_as_asked_for(rows, fraction, seed):
    split = hold_out(rows, fraction, seed)
    whole(split, rows)
    assert len(split.test) == max(1, round(fraction * rows))


@given(LABELS, st.integers(2, 6), SEEDS)
@settings(max_examples=200, deadline=None)
def test_folds_share_each_class_as_scikit_learn_does(labels, count, seed):
    rows, sizes = len(labels), np.bincount(labels)
    if (sizes[sizes > 0] < count).any() or rows < count:
        with pytest.raises(RunError):
            folds(rows, count, seed, labels=labels)
        return
    ours = folds(rows, count, seed, labels=labels)
    theirs = StratifiedKFold(count, shuffle=True, random_state=0).split(np.zeros(rows), labels)
    for split, (_, test) in zip(ours, theirs, strict=True):
        whole(split, rows)
        assert (np.abs(counts(labels, split.test) - counts(labels, test)) <= 1).all()
        assert abs(len(split.test) - rows / count) < 1
    np.testing.assert_array_equal(np.sort(np.concatenate([split.test for split in ours])), np.arange(rows))


@given(st.lists(st.integers(0, 12), min_size=10, max_size=100), st.integers(2, 5), FRACTIONS, SEEDS)
@settings(max_examples=200, deadline=None)
def test_groups_stay_together(groups, count, fraction, seed):
    rows, groups = len(groups), np.array(groups)
    if len(set(groups)) < 2:
        with pytest.raises(RunError, match="as many groups"):
            hold_out(rows, fraction, seed, groups=groups)
        return
    split = hold_out(rows, fraction, seed, groups=groups)
    whole(split, rows)
    assert not set(groups[split.train]) & set(groups[split.test])
    if len(set(groups)) < count:
        with pytest.raises(RunError, match="as many groups"):
            folds(rows, count, seed, groups=groups)
        return
    parts = folds(rows, count, seed, groups=groups)
    for part in parts:
        whole(part, rows)
        assert len(part.test)
        assert not set(groups[part.train]) & set(groups[part.test])


def test_groups_are_shared_out_by_size_and_class():
    groups = np.repeat(np.arange(40), np.tile([3, 8, 5, 4], 10))
    labels = (groups % 4 == 1).astype(int)  # in the groups of 8 rows
    for part in folds(len(groups), 5, 3, labels=labels, groups=groups):
        assert abs(len(part.test) - len(groups) / 5) <= 4
        assert abs((labels[part.test] == 1).sum() - labels.sum() / 5) <= 8
    held = hold_out(len(groups), 0.25, 3, labels=labels, groups=groups)
    assert abs(len(held.test) - len(groups) / 4) <= 4
    other = hold_out(len(groups), 0.25, 4, labels=labels, groups=groups)
    assert held.test.tolist() != other.test.tolist()


@given(st.lists(st.integers(-50, 50), min_size=6, max_size=80), FRACTIONS)
@settings(max_examples=200, deadline=None)
def test_the_last_rows_are_held_out_and_equal_times_stay_together(times, fraction):
    rows, times = len(times), np.array(times, float)
    if len(set(times)) == 1:
        with pytest.raises(RunError, match="the same time"):
            hold_out(rows, fraction, order=times)
        return
    split = hold_out(rows, fraction, order=times)
    whole(split, rows)
    assert times[split.train].max() < times[split.test].min()
    most = np.unique(times, return_counts=True)[1].max()
    assert abs(len(split.test) - fraction * rows) <= most + 0.5


@pytest.mark.parametrize(("rows", "count"), [(6, 5), (23, 4), (100, 7), (10, 2)])
def test_folds_in_time_are_those_of_scikit_learn(rows, count):
    times = np.random.default_rng(0).permutation(rows).astype(float)
    back = np.argsort(times)  # scikit-learn takes the rows in their order
    theirs = TimeSeriesSplit(count).split(times)
    for split, (train, test) in zip(folds(rows, count, order=times), theirs, strict=True):
        np.testing.assert_array_equal(split.train, np.sort(back[train]))
        np.testing.assert_array_equal(split.test, np.sort(back[test]))


def test_held_out_classes_are_those_of_scikit_learn():
    labels = np.repeat([0, 1, 2, 3], [500, 261, 77, 12])
    _, test = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=0).split(labels, labels))
    split = hold_out(len(labels), 0.2, 5, labels=labels)
    assert len(split.test) == len(test)
    assert (np.abs(counts(labels, split.test) - counts(labels, test)) <= 1).all()


def test_a_split_is_the_same_for_ever():
    """A run says its seed and not its rows: these numbers must never change."""
    labels = np.arange(24) % 3
    assert hold_out(24, 0.25, 7, labels=labels).test.tolist() == [8, 10, 11, 15, 16, 21]
    assert hold_out(24, 0.25, 7, labels=labels, draw=1).test.tolist() == [5, 6, 14, 16, 21, 22]
    assert [part.test.tolist() for part in folds(24, 3, 7, labels=labels)] == [
        [3, 8, 9, 10, 12, 17, 19, 22],
        [0, 1, 2, 6, 14, 16, 20, 21],
        [4, 5, 7, 11, 13, 15, 18, 23],
    ]
    assert hold_out(24, 0.25, 7, groups=np.arange(24) // 2).test.tolist() == [0, 1, 6, 7, 22, 23]


def test_rows_are_drawn_evenly():
    """Over many seeds each row is held out as often as any other: 2,000 draws of 1/4 have a deviation of 0.0097."""
    often = np.zeros(20)
    for seed in range(2000):
        often[hold_out(20, 0.25, seed, labels=np.arange(20) % 2).test] += 1
    assert np.abs(often / 2000 - 0.25).max() < 5 * 0.0097


def test_a_class_of_one_row_trains():
    labels = [0] * 10 + [1]
    for seed in range(30):
        assert 10 in hold_out(11, 0.5, seed, labels=labels).train


CLASSES = ("Adelie", "Chin\x1bstrap", "Gentoo")
WRONG = [
    ("H11 fraction 0", lambda: hold_out(10, 0), InputError, "above 0 and below 1 - fraction - got 0"),
    ("H11 fraction 1", lambda: hold_out(10, 1.0), InputError, "above 0 and below 1"),
    ("H11 fraction nan", lambda: hold_out(10, float("nan")), InputError, "above 0 and below 1"),
    ("H11 fraction text", lambda: hold_out(10, "0.2"), InputError, "above 0 and below 1"),
    ("H11 fraction true", lambda: hold_out(10, True), InputError, "above 0 and below 1"),
    ("H11 too few rows", lambda: hold_out(1, 0.2), RunError, "too few rows"),
    ("H11 all rows aside", lambda: hold_out(3, 0.9), RunError, "too few rows"),
    ("H11 only single rows", lambda: hold_out(3, 0.4, labels=[0, 1, 2]), RunError, "no row is left"),
    (
        "D36 class in no training row",
        lambda: hold_out(10, 0.2, labels=[0] * 8 + [2] * 2, order=np.arange(10), classes=CLASSES),
        RunError,
        "class `Gentoo` is in no row to train on",
    ),
    (
        "D36 class of one group",
        lambda: folds(9, 3, labels=[0, 0, 0, 1, 1, 1, 2, 2, 2], groups=[0, 0, 0, 1, 1, 1, 2, 2, 2], classes=CLASSES),
        RunError,
        "in no row to train on - fold 1",
    ),
    (
        "D36 class smaller than folds",
        lambda: folds(12, 5, labels=[0] * 9 + [1] * 3, classes=CLASSES),
        RunError,
        "class `Chin\\u001bstrap` has fewer rows than there are folds - folds - got 3 rows, 5 folds",
    ),
    ("folds 1", lambda: folds(10, 1), InputError, "at least 2"),
    ("folds 2.5", lambda: folds(10, 2.5), InputError, "at least 2"),
    ("folds true", lambda: folds(10, True), InputError, "at least 2"),
    ("folds more than rows", lambda: folds(4, 5), RunError, "5 folds need more rows"),
    ("folds in time more than rows", lambda: folds(5, 5, order=np.arange(5)), RunError, "5 folds need more rows"),
    ("folds of few times", lambda: folds(20, 4, order=np.arange(20) // 8), RunError, "the same time for 4 folds"),
    ("time and groups", lambda: hold_out(4, 0.5, order=[1, 2, 3, 4], groups=[1, 1, 2, 2]), InputError, "not by both"),
    ("a row without time", lambda: hold_out(4, 0.5, order=[1, 2, np.nan, 4]), RunError, "row 3"),
    ("labels of another length", lambda: hold_out(4, 0.5, labels=[1, 2]), InputError, "labels must be one for each"),
    ("a label below 0", lambda: hold_out(4, 0.5, labels=[1, -1, 0, 0]), InputError, "from 0"),
]


@pytest.mark.parametrize(("call", "kind", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_split_is_said(call, kind, message):
    with pytest.raises(InputError) as caught:
        call()
    assert type(caught.value) is kind
    assert message in str(caught.value)
