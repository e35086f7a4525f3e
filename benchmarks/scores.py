"""Score and time of chainrule's estimators beside scikit-learn's, on scikit-learn's bundled data, as a Markdown table.

    python benchmarks/scores.py [--engine auto]

5 folds, the same folds and the same parameters for both; inputs (and a regressor's targets) brought to mean 0 and
deviation 1. The two fit alternately. A score is the mean over the folds and their standard deviation (accuracy, R^2); a time is
the median second of a fit.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import sklearn.neural_network as theirs
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_friedman1,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import chainrule

SETS = {
    "iris": (load_iris, False),
    "wine": (load_wine, False),
    "breast_cancer": (load_breast_cancer, False),
    "digits": (load_digits, False),
    "diabetes": (load_diabetes, True),
    "friedman1": (lambda return_X_y: make_friedman1(n_samples=1000, noise=1.0, random_state=0), True),
}
SETTINGS = {
    "defaults": {},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.05},
    "lbfgs": {"solver": "lbfgs", "alpha": 1.0, "max_iter": 100, "hidden_layer_sizes": (30,)},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.01, "validation_fraction": 0.2},
}


def fit_and_score(model, regression, x, y, train, test):
    model = make_pipeline(StandardScaler(), model)
    if regression:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    begun = time.perf_counter()
    model.fit(x[train], y[train])
    return model.score(x[test], y[test]), time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto")
    engine = parser.parse_args().engine
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| data | parameters | score: ours | scikit-learn's | seconds: ours | scikit-learn's | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, (load, regression) in SETS.items():
        x, y = load(return_X_y=True)
        folds = (KFold if regression else StratifiedKFold)(5, shuffle=True, random_state=0)
        kind = "MLPRegressor" if regression else "MLPClassifier"
        for label, options in SETTINGS.items():
            found = ([], [])
            for seed, (train, test) in enumerate(folds.split(x, y)):
                ours = getattr(chainrule, kind)(random_state=seed, engine=engine, **options)
                other = getattr(theirs, kind)(random_state=seed, **options)
                for model, kept in zip((ours, other), found, strict=True):
                    kept.append(fit_and_score(model, regression, x, y, train, test))
            scores, seconds = ([[each[k] for each in kept] for kept in found] for k in (0, 1))
            cells = [f"{np.mean(kept):.3f} ± {np.std(kept):.3f}" for kept in scores]
            times = [statistics.median(kept) for kept in seconds]
            row = (name, label, *cells, f"{times[0]:.2f}", f"{times[1]:.2f}", f"{times[1] / times[0]:.2f}")
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
