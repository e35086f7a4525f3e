"""What is trained: networks and their batches, and the same data and first weights for every contestant."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

CHUNK = 2**16
"""Rows whose targets are calculated at once: making the data must not need more memory than the data."""

ORDERS = 4
"""Shuffled epochs that are drawn beforehand; a contestant runs through them again and again."""


class Workload(NamedTuple):
    """A network and its batches. An epoch goes over the rows `passes` times."""

    name: str
    widths: tuple[int, ...]
    activation: str
    last: str
    loss: str
    rows: int
    batch: int
    passes: int = 1
    rate: float = 0.001
    optimizer: str = "adam"
    dtype: str = "float32"

    @property
    def work(self) -> float:
        """Floating-point operations of an update's matrix products: forward, dW, and dx but for the first layer."""
        products = [a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]
        return 2.0 * self.batch * (3 * sum(products) - products[0])

    @property
    def updates(self) -> int:
        """Updates of an epoch; the rows divide into whole batches."""
        return self.passes * self.rows // self.batch

    @property
    def classes(self) -> bool:
        return self.last == "softmax"

    @property
    def shape(self) -> str:
        first, *hidden, last = self.widths
        alike = len(hidden) > 2 and len(set(hidden)) == 1
        return f"{first}-({hidden[0]}x{len(hidden)})-{last}" if alike else "-".join(map(str, self.widths))


def classifier(name: str, widths: tuple[int, ...], batch: int, rows: int, activation: str = "relu") -> Workload:
    return Workload(name, widths, activation, "softmax", "cross_entropy", rows, batch)


WORKLOADS = {
    each.name: each
    for each in (
        Workload(
            "tiny", (2, 2, 2), "sigmoid", "sigmoid", "half_squared_error", 1, 1, 10_000, 0.5, "sgd", "float64"
        ),  # the example of many textbooks, 10,000 times
        Workload("tab_s", (16, 32, 32, 1), "relu", "identity", "mean_squared_error", 6400, 64),
        classifier("tab_m", (32, 128, 128, 10), 256, 25600),
        classifier("mnist", (784, 100, 10), 200, 20000),
        classifier("deep", (64, *[64] * 8, 10), 128, 12800, "tanh"),
        classifier("wide", (1024, 1024, 1024, 10), 512, 8192),
    )
}


class Table(NamedTuple):
    """Inputs (rows, n_in), and targets as numbers (rows, n_out); of classes also as one whole number a row."""

    x: Any
    t: Any
    labels: Any


def inputs(workload: Workload) -> Any:
    if workload.name == "tiny":
        return np.array([[0.05, 0.10]])
    return np.random.default_rng(0).standard_normal((workload.rows, workload.widths[0]), dtype=workload.dtype)


def table(workload: Workload) -> Table:
    """Data with something to learn: which of random directions a row points to most, or how far along one."""
    x, outputs = inputs(workload), workload.widths[-1]
    if workload.name == "tiny":
        return Table(x, np.array([[0.01, 0.99]]), None)
    directions = np.random.default_rng(1).standard_normal((x.shape[1], outputs), dtype=x.dtype) / np.sqrt(x.shape[1])
    labels = np.empty(workload.rows, np.int64) if workload.classes else None
    t = np.zeros((workload.rows, outputs), x.dtype)
    for start in range(0, workload.rows, CHUNK):
        part = x[start : start + CHUNK] @ directions.astype(x.dtype)
        if labels is None:
            t[start : start + CHUNK] = np.tanh(part)
        else:
            labels[start : start + CHUNK] = part.argmax(1)
    if labels is not None:
        t[np.arange(workload.rows), labels] = 1
    return Table(x, t, labels)


def first_weights(workload: Workload) -> list[tuple[Any, Any]]:
    """(W (n_in, n_out), b (n_out,)) of each layer."""
    rng, gain = np.random.default_rng(2), 2 if workload.activation == "relu" else 1
    pairs = zip(workload.widths, workload.widths[1:], strict=False)
    drawn = [(rng.standard_normal((a, b)) * np.sqrt(gain / a), np.zeros(b)) for a, b in pairs]
    return [(w.astype(workload.dtype), b.astype(workload.dtype)) for w, b in drawn]


def orders(workload: Workload) -> list[Any]:
    """Shuffled epochs: row numbers, (updates, batch) each."""
    if workload.passes > 1:
        return [np.zeros((workload.updates, workload.batch), np.int64)]
    rng = np.random.default_rng(3)
    count = workload.updates * workload.batch
    return [rng.permutation(workload.rows)[:count].reshape(-1, workload.batch) for _ in range(ORDERS)]


def loss(workload: Workload, weights: list[tuple[Any, Any]], data: Table) -> float:
    """The workload's loss of all rows, by NumPy, whoever trained the weights."""
    total = 0.0
    for start in range(0, workload.rows, CHUNK // 16):
        y, t = data.x[start : start + CHUNK // 16], data.t[start : start + CHUNK // 16]
        for place, (w, b) in enumerate(weights, 1):
            y = _activate(workload.last if place == len(weights) else workload.activation, y @ w + b)
        if workload.classes:
            total -= float((t * np.log(np.maximum(y, 1e-30))).sum())
        else:
            total += float(np.square(y - t).sum()) / (2 if workload.loss.startswith("half") else t.shape[1])
    return total / workload.rows


def _activate(name: str, z: Any) -> Any:
    if name == "softmax":
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    if name == "sigmoid":
        return 1 / (1 + np.exp(-z))
    return {"relu": lambda: np.maximum(z, 0), "tanh": lambda: np.tanh(z), "identity": lambda: z}[name]()
