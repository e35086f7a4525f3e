"""Scores and times of what `chainrule train` does when nothing is said, beside scikit-learn's trees and networks.

    python benchmarks/defaults.py [--write] [--seeds 40]

Each table goes through a CSV file and chainrule's own reading and preparing, in each fold anew; the others get the same
prepared inputs, and their networks and linear models a StandardScaler before them. All with their defaults, but for
max_iter=2000 of the networks and linear models, that they may converge. 5 folds, the same for all; all fit one after the other
in each fold, each on one thread. A score is accuracy or R^2: the mean over the folds and their standard deviation. A time is
the median second of a fit; ours has the trials in it. --write puts the tables into docs/defaults.md.
"""

import argparse
import csv
import platform
import statistics
import tempfile
import time
import warnings
from importlib import resources
from pathlib import Path

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from chainrule import preparing, recipes, splits, tables, trials
from chainrule.course import Rows
from chainrule.epochs import learn

DOCS = Path(__file__).parent.parent / "docs" / "defaults.md"
PENGUINS = resources.files("chainrule") / "examples" / "penguins.csv"


def sparse():
    return datasets.make_classification(10_000, 100, n_informative=8, n_redundant=0, flip_y=0.02, random_state=0)


def imbalanced():
    return datasets.make_classification(10_000, 20, n_informative=8, weights=[0.95], flip_y=0.02, random_state=0)


def skewed():
    x, y = datasets.make_classification(10_000, 20, n_informative=8, n_redundant=0, flip_y=0.02, random_state=0)
    x[:, ::2] = np.exp(x[:, ::2])
    return x, y


def weak():
    """Two of 40 columns say a little."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(800, 40))
    return x, (x[:, 0] + 0.5 * x[:, 1] + 1.5 * rng.normal(size=800) > 0).astype(int)


def weak_number():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(300, 25))
    return x, x[:, 0] + 0.5 * x[:, 1] + 2 * rng.normal(size=300)


def edges():
    """Steps, and an interaction: what trees are made for."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(10_000, 15))
    return x, np.floor(x[:, 0] * 2) + np.where(x[:, 1] > 0.3, 2, 0) * np.sign(x[:, 2]) + 0.5 * rng.normal(size=10_000)


# name -> (how to get it, or the target of the penguins; regression; folds that are run)
BUNDLED = {
    "iris": (lambda: datasets.load_iris(return_X_y=True), False, 5),
    "wine": (lambda: datasets.load_wine(return_X_y=True), False, 5),
    "breast_cancer": (lambda: datasets.load_breast_cancer(return_X_y=True), False, 5),
    "digits": (lambda: datasets.load_digits(return_X_y=True), False, 5),
    "penguins: species": ("species", False, 5),
    "diabetes": (lambda: datasets.load_diabetes(return_X_y=True), True, 5),
    "friedman1": (lambda: datasets.make_friedman1(1000, noise=1.0, random_state=0), True, 5),
    "penguins: body_mass_g": ("body_mass_g", True, 5),
}
MADE = {
    "weak signal": (weak, False, 5),
    "weak signal, number": (weak_number, True, 5),
    "8 of 100 columns": (sparse, False, 1),
    "5 % of one class": (imbalanced, False, 1),
    "skewed columns": (skewed, False, 1),
    "steps": (edges, True, 1),
    "friedman1, 20,000 rows": (lambda: datasets.make_friedman1(20_000, 20, noise=1.0, random_state=0), True, 1),
    "friedman1, 100,000 rows": (lambda: datasets.make_friedman1(100_000, 30, noise=2.0, random_state=0), True, 1),
}
NEW = {
    "moons": (lambda: datasets.make_moons(600, noise=0.25, random_state=11), False, 5),
    "gaussian quantiles": (
        lambda: datasets.make_gaussian_quantiles(n_samples=1500, n_features=6, n_classes=3, random_state=11),
        False,
        5,
    ),
    "hastie 10.2": (lambda: datasets.make_hastie_10_2(3000, random_state=11), False, 5),
    "blobs in 5 classes": (lambda: datasets.make_blobs(400, 8, centers=5, cluster_std=6.0, random_state=11), False, 5),
    "6 of 30 columns": (
        lambda: datasets.make_classification(
            1200, 30, n_informative=6, n_classes=4, n_clusters_per_class=1, flip_y=0.05, random_state=11
        ),
        False,
        5,
    ),
    "friedman2": (lambda: datasets.make_friedman2(700, noise=125.0, random_state=11), True, 5),
    "friedman3": (lambda: datasets.make_friedman3(700, noise=0.1, random_state=11), True, 5),
    "sparse uncorrelated": (lambda: datasets.make_sparse_uncorrelated(500, 20, random_state=11), True, 5),
    "friedman1, 7,000 rows": (lambda: datasets.make_friedman1(7000, 12, noise=3.0, random_state=11), True, 2),
}
"""Tables that nobody had looked at when the defaults were settled."""
OURS, TREES = "chainrule", ("boosted trees", "histogram trees")
NAMES = (OURS, *TREES, "MLP", "linear")
SLOW = 6000  # rows beyond which GradientBoosting would take minutes


def read(source, folder):
    """A table through a CSV file, and the name of its target."""
    if isinstance(source, str):
        with resources.as_file(PENGUINS) as path:
            return tables.read(str(path)), source
    x, y = source()
    path = Path(folder) / "table.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(f"x{i + 1}" for i in range(x.shape[1])), "target"])
        writer.writerows([*map(repr, map(float, row)), value] for row, value in zip(x, y.tolist(), strict=True))
    return tables.read(str(path)), "target"


def network(rows, goal, labels, inputs, seed):
    """Our network of a table's prepared training rows, trained with nothing said."""
    recipe = recipes.recipe(len(rows.x), inputs, goal.outputs, goal.kind)
    by = {} if labels is None else {"labels": labels}
    recipe, _ = trials.tried(recipe, rows, goal.outputs, seed, threads=1, **by)
    held = None
    if recipe.validation_fraction:
        part = splits.hold_out(len(rows.x), recipe.validation_fraction, seed, draw=1, **by)
        rows, held = (Rows(rows.x[places], rows.t[places]) for places in part)
    made = recipe.network(inputs, goal.outputs, seed)
    learned = learn(made, rows, recipe.rule(), recipe.course(len(rows.x), threads=1), validation=held)
    kept = learned.best if recipe.keeps == "best" else learned.last
    made.parameters, made.memory = kept.parameters, kept.memory
    return made


def others(regression, rows, seed):
    """The other models by their names, with their defaults."""
    if regression:
        mlp = TransformedTargetRegressor(MLPRegressor(max_iter=2000, random_state=seed), transformer=StandardScaler())
        found = (GradientBoostingRegressor(random_state=seed), HistGradientBoostingRegressor(random_state=seed), mlp, RidgeCV())
    else:
        found = (
            GradientBoostingClassifier(random_state=seed), HistGradientBoostingClassifier(random_state=seed),
            MLPClassifier(max_iter=2000, random_state=seed), LogisticRegression(max_iter=2000),
        )  # fmt: skip
    boosted, histogram, mlp, linear = found
    models = dict(
        zip(NAMES[1:], (boosted, histogram, *(make_pipeline(StandardScaler(), each) for each in (mlp, linear))), strict=True)
    )
    if rows > SLOW:
        del models[TREES[0]]
    return models


def fold(table, target, part, regression, seed, beside=True):
    """name -> (score, seconds) in one fold."""
    preparation, _ = preparing.fit(table, part.train, target)
    goal = preparing.goal_of(table, part.train, target, preparing.recognise(table, target).kind)
    x, held = preparation.matrix(table, part.train), preparation.matrix(table, part.test)
    column = table.column(target)
    if regression:
        y, actual = (np.asarray(column.values)[each] for each in part)
        labels = None
    else:
        y, actual = (goal.codes(column, each) for each in part)
        labels = y
    begun = time.perf_counter()
    made = network(Rows(x, goal.targets(column, part.train)), goal, labels, x.shape[1], seed)
    seconds = time.perf_counter() - begun
    outputs = made.predict(held)
    if regression:
        score = 1 - ((goal.values(outputs) - actual) ** 2).sum() / ((actual - actual.mean()) ** 2).sum()
    else:
        score = (goal.probabilities(outputs).argmax(1) == actual).mean()
    found = {OURS: (float(score), seconds)}
    for name, model in others(regression, len(x), seed).items() if beside else ():
        begun = time.perf_counter()
        model.fit(x, y)
        seconds = time.perf_counter() - begun
        found[name] = (float(model.score(held, actual)), seconds)
    return found


def usable(table, target, regression):
    """The rows that have a target, and their classes."""
    rows, _ = preparing.labelled(table, target)
    labels = None if regression else np.unique(np.asarray(table.column(target).values)[rows], return_inverse=True)[1]
    return rows, labels


def run(sets, folder):
    """name -> (rows, regression, {model: [(score, seconds), ...]})."""
    results = {}
    for name, (source, regression, count) in sets.items():
        table, target = read(source, folder)
        rows, labels = usable(table, target, regression)
        kept = {}
        for seed, part in enumerate(splits.folds(len(rows), 5, 0, labels=labels)[:count]):
            part = splits.Split(rows[part.train], rows[part.test])
            for model, result in fold(table, target, part, regression, seed).items():
                kept.setdefault(model, []).append(result)
        results[name] = (len(rows), regression, kept)
        print(name, {model: f"{np.mean([s for s, _ in each]):.4f}" for model, each in kept.items()}, flush=True)
    return results


def penguins(seeds):
    """Held-out accuracy and seconds for each of the first seeds: a fifth of the rows, as `chainrule train` holds out."""
    table, target = read("species", None)
    rows, labels = usable(table, target, False)
    found = []
    for seed in range(seeds):
        part = splits.hold_out(len(rows), 0.2, seed, labels=labels)
        part = splits.Split(rows[part.train], rows[part.test])
        found.append((*fold(table, target, part, False, seed, beside=False)[OURS], len(part.test)))
    return found


def birds(found):
    """The penguins as Markdown, 20 seeds in a line."""
    lines = []
    for start in range(0, len(found), 20):
        accuracy, seconds, rows = zip(*found[start : start + 20], strict=True)
        right = sum(score >= 0.98 for score in accuracy)
        wrong = ", ".join(str(round((1 - score) * count)) for score, count in zip(accuracy, rows, strict=True))
        lines.append(
            f"- seeds {start} to {start + len(rows) - 1}: {right} of {len(rows)} give at least 98 % on the {rows[0]} rows "
            f"held out; mean {np.mean(accuracy):.4f}, least {min(accuracy):.4f}; wrong rows by seed: {wrong}; "
            f"{statistics.median(seconds):.2f} seconds (median) for trials and training"
        )
    return "\n".join(lines)


def scores(results):
    """The scores as Markdown."""
    lines = [f"| data | rows | {' | '.join(NAMES)} |", "|---|---:|" + "---:|" * len(NAMES)]
    for name, (rows, _, kept) in results.items():
        cells = []
        for model in NAMES:
            values = [score for score, _ in kept.get(model, ())]
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}" if values else "-")
        lines.append(f"| {name} | {rows:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def means(results):
    """The means over the tables of a kind, as Markdown."""
    lines = [f"| mean over the tables | {' | '.join(NAMES)} |", "|---|" + "---:|" * len(NAMES)]
    for kind, regression in (("accuracy", False), ("R2", True)):
        chosen = [kept for _, kind_of, kept in results.values() if kind_of == regression]
        cells = [f"{np.mean([np.mean([score for score, _ in kept[model]]) for kept in chosen]):.4f}" for model in NAMES]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def times(results):
    """The seconds of a fit as Markdown."""
    lines = [f"| data | {' | '.join(NAMES)} |", "|---|" + "---:|" * len(NAMES)]
    for name, (_, _, kept) in results.items():
        cells = [f"{statistics.median(s for _, s in kept[model]):.2f}" if model in kept else "-" for model in NAMES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/defaults.md")
    parser.add_argument("--seeds", type=int, default=40, help="splits of the penguins")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        bundled, made, new = run(BUNDLED, folder), run(MADE, folder), run(NEW, folder)
        found = penguins(given.seeds)
    versions = f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    parts = {
        "bundled": scores(bundled), "means": means(bundled), "made": scores(made), "new": scores(new),
        "new means": means(new), "times": times({**bundled, **made, **new}),
        "penguins": birds(found), "versions": versions,
    }  # fmt: skip
    for text in parts.values():
        print(f"\n{text}")
    if given.write:
        page = DOCS.read_text("utf-8")
        for name, text in parts.items():
            before, rest = page.split(f"<!-- {name} -->\n", 1)
            page = f"{before}<!-- {name} -->\n{text}\n<!-- end -->{rest.split('<!-- end -->', 1)[1]}"
        DOCS.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
