"""What comes in: rows, targets and weights, checked as scikit-learn checks them, and a few things more."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_array, column_or_1d, validate_data

from chainrule.errors import InputError, shown
from chainrule.estimators.parameters import SHARE, free_memory

FLOATS = (np.float64, np.float32)


def rows(estimator: Any, x: Any, dtype: Any, reset: bool) -> Any:
    """X as (rows, features) of the dtype (None: float32 stays, the rest becomes float64). Sparse input is made dense.

    Raises InputError, or scikit-learn's ValueError and TypeError, for what cannot be used.
    """
    _refuse(x, "X")
    kinds = FLOATS if dtype is None else dtype
    x = validate_data(estimator, x, accept_sparse=("csr", "csc", "coo"), dtype=kinds, reset=reset, ensure_all_finite=False)
    if sparse.issparse(x):
        needed, free = x.shape[0] * x.shape[1] * x.dtype.itemsize, free_memory()
        if needed > SHARE * free:
            raise InputError(
                f"X needs {needed / 2**30:,.1f} GiB as a dense array", got=f"{free / 2**30:,.1f} GiB free", field="X"
            )
        x = x.toarray()
    finite(x, "X", type(estimator).__name__)
    return np.ascontiguousarray(x)


def _refuse(values: Any, name: str) -> None:
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(f"{name} is masked in places", do="fill or drop the masked entries", field=name)
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "MmUSV":
        raise InputError(f"{name} must hold numbers", got=f"dtype {dtype}", field=name)


def finite(values: Any, name: str, estimator: str = "") -> None:
    """An InputError with the first place that is NaN or infinite, and how many there are."""
    good = np.isfinite(values)
    if good.all():
        return
    place = tuple(int(i) for i in np.argwhere(~good)[0])
    where = f"row {place[0] + 1}" + (f", column {place[1] + 1}" if len(place) > 1 else "")
    kind = "NaN" if np.isnan(values[place]) else f"infinity or a value too large for {values.dtype!r}"
    count = int(good.size - good.sum())
    raise InputError(
        f"Input {name} contains {kind}",
        where=where,
        got=f"{count} such {'entry' if count == 1 else 'entries'}",
        do=f"{estimator or 'this'} does not accept missing values encoded as NaN natively: impute or drop them",
        field=name,
    )


def weights(given: Any, count: int) -> Any:
    """Sample weights as (rows,) of float64, or None. At least one is above 0, none below."""
    if given is None:
        return None
    array = np.asarray(given)
    if array.dtype.kind not in "fiub":
        array = np.asarray(check_array(given, ensure_2d=False, dtype=np.float64, input_name="sample_weight"))
    if array.ndim == 0:
        array = np.full(count, float(array))
    if array.ndim != 1:
        raise InputError("Sample weights must be 1D array or scalar", got=f"shape {array.shape}", field="sample_weight")
    if len(array) != count:
        raise InputError(f"sample_weight needs one number for each of {count} rows", got=f"{len(array)}", field="sample_weight")
    array = array.astype(float)
    finite(array, "sample_weight")
    if (array < 0).any():
        row = int(np.argmax(array < 0))
        raise InputError(
            "sample_weight must not be negative", where=f"row {row + 1}", got=f"{array[row]:g}", field="sample_weight"
        )
    if not array.any():
        raise InputError("sample_weight is zero for every row", do="give at least one row a weight", field="sample_weight")
    return array


def gathered(x: Any, t: Any, weight: Any) -> tuple[Any, Any, Any, Any]:
    """(x, t, weight, row): equal rows as one that weighs as much, in an order that only depends on what they are; `row` is
    where each was first.

    For training on all rows at once, where order means nothing: then a row of weight 3 is three rows to the last bit, in
    float32 too, where adam turns the last bit of a sum into a step of its own.
    """
    table = np.hstack([x, t]) + 0.0  # -0 becomes 0
    whole = table.view(np.dtype((np.void, table.itemsize * table.shape[1]))).ravel()
    order = np.argsort(whole, kind="stable")
    starts = np.flatnonzero(np.r_[True, whole[order[1:]] != whole[order[:-1]]])
    counts = np.add.reduceat(np.ones(len(x)) if weight is None else weight[order], starts)
    first = order[starts]
    return x[first], t[first], None if (counts == 1).all() else counts, first


def same_length(x: Any, y: Any) -> None:
    """An InputError with both lengths if they differ."""
    if y.shape[0] != x.shape[0]:
        raise InputError(
            "Found input variables with inconsistent numbers of samples",
            got=f"{x.shape[0]} rows of X and {y.shape[0]} of y",
            field="y",
        )


def numbers(y: Any, dtype: Any, estimator: str) -> Any:
    """Targets of a regressor as (rows,) or (rows, outputs) of the dtype."""
    if y is None:
        raise ValueError(f"This {estimator} estimator requires y to be passed, but the target y is None.")
    _refuse(y, "y")
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y", estimator=estimator)
    if y.dtype.kind not in "fiub":
        y = y.astype(np.float64)
    finite(y, "y", estimator)
    with np.errstate(over="ignore"):
        y = y.astype(dtype)
    finite(y, "y", estimator)
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def labels(y: Any, estimator: str) -> tuple[Any, str, Any]:
    """(targets, "binary", "multiclass" or "multilabel-indicator", classes in order) of a classifier's y."""
    if y is None:
        raise ValueError(f"This {estimator} estimator requires y to be passed, but the target y is None.")
    if isinstance(y, np.ma.MaskedArray):
        _refuse(y, "y")
    y = check_array(
        y, ensure_2d=False, dtype=None, accept_sparse="csr", ensure_all_finite=False, input_name="y", estimator=estimator
    )
    if y.dtype.kind == "f" and not sparse.issparse(y):
        finite(y, "y", estimator)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        where = ""
        if y.ndim == 2 and y.dtype.kind in "fiu":
            off = ~np.isin(y, (0, 1)).all(axis=1)
            where = f"row {int(np.argmax(off)) + 1}"
        do = "a classifier wants one label a row, or a 0 or 1 for each label: Maybe you are trying to fit a classifier, " \
            "which expects discrete classes on a regression target with continuous values."  # fmt: skip
        raise InputError(f"Unknown label type: {kind}", where=where, got=_sample(y, where), do=do, field="y")
    if sparse.issparse(y):
        y = y.toarray()
    return y, kind, unique_labels(y)


def _sample(y: Any, where: str) -> str:
    return shown(y[int(where.removeprefix("row ")) - 1]) if where else ""
