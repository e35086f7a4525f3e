"""What scaling a column as chainrule does is worth, beside plain standardising and robust scaling without a squeeze, as a
Markdown table.

    python benchmarks/preparation.py

Mean R^2 (at least -1) over 5 folds of an MLPRegressor with 32 units on 1,500 rows of 8 columns that differ in nothing but
their distribution: the target is the same function of the same normal draws, or of the columns where a line says so.
"""

import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

import chainrule
from chainrule.preparing import fit
from chainrule.tables.table import Column, Table

ROWS, COLUMNS = 1500, 8


def sets():
    """Name, inputs, targets."""
    rng = np.random.default_rng(0)
    x, y = load_diabetes(return_X_y=True)
    yield "diabetes", x, y
    z, noise = rng.normal(size=(ROWS, COLUMNS)), 0.3 * rng.normal(size=ROWS)
    y = z[:, 0] * z[:, 1] + np.sin(2 * z[:, 2]) + 0.5 * z[:, 3] + noise
    yield "normal", z, y
    for sigma in (1, 2, 3):
        yield f"lognormal, sigma {sigma}", np.exp(sigma * z), y
    yield "cubes of normal", z**3, y
    far = z.copy()
    far[rng.random(z.shape) < 0.003] = 1e15
    yield "0.3 % are 1e15", far, y
    far = z.copy()
    far[rng.random(z.shape) < 0.01] *= 50
    yield "1 % are 50 times too large", far, y
    t = rng.standard_t(1.2, size=z.shape)
    yield "Student's t, 1.2 degrees", t, np.clip(t[:, 0], -20, 20) * 0.2 + np.tanh(t[:, 1]) + noise
    u = rng.uniform(size=z.shape)
    yield "uniform", u, 5 * u[:, 0] * u[:, 1] + np.sin(6 * u[:, 2]) + noise
    zeros = np.where(rng.random(z.shape) < 0.8, 0, np.exp(z))
    yield "80 % are 0, target linear in the rest", zeros, zeros[:, 0] - zeros[:, 1] + (zeros[:, 2] > 0) + noise
    counts = rng.poisson(1.0, size=z.shape).astype(float)
    yield "counts, of 1 on average", counts, counts[:, 0] / 2 - np.sqrt(counts[:, 1]) + (counts[:, 2] > 2) + noise


def standard(x, rows):
    return (x - x[rows].mean(0)) / x[rows].std(0)


def quartiles(x, rows):
    low, middle, high = np.quantile(x[rows], [0.25, 0.5, 0.75], axis=0)
    scale = np.where(high > low, (high - low) / 1.349, x[rows].std(0))
    return (x - middle) / scale


def ours(x, rows):
    table = Table((), len(x), tuple(Column(f"c{i}", i + 1, "number", np.ascontiguousarray(each)) for i, each in enumerate(x.T)))
    return fit(table, rows, "")[0].matrix(table)


WAYS = {"standardised": standard, "median and quartiles": quartiles, "chainrule": ours}


def score(way, x, y):
    scores = []
    for train, test in KFold(5, shuffle=True, random_state=1).split(x):
        inputs, mean, deviation = way(x, train), y[train].mean(), y[train].std()
        net = chainrule.MLPRegressor(
            hidden_layer_sizes=(32,), max_iter=100, learning_rate_init=0.01, alpha=1e-3, random_state=0
        )
        net.fit(inputs[train], (y[train] - mean) / deviation)
        scores.append(max(-1.0, r2_score(y[test], mean + deviation * net.predict(inputs[test]))))
    return float(np.mean(scores))


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| columns |", " | ".join(WAYS), "|\n|---|" + "---:|" * len(WAYS))
    results = []
    for name, x, y in sets():
        results.append([score(way, x, y) for way in WAYS.values()])
        print(f"| {name} |", " | ".join(f"{each:.3f}" for each in results[-1]), "|", flush=True)
    print("| mean |", " | ".join(f"{each:.3f}" for each in np.mean(results, 0)), "|")


if __name__ == "__main__":
    main()
