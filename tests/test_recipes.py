"""Defaults: what they are by a table's size, how they are changed, and that they do what they are for."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_friedman1

from chainrule import draws
from chainrule.course import Rows
from chainrule.epochs import learn
from chainrule.errors import InputError
from chainrule.recipes import FEW, LOTS, MANY, MIDDLE, SETTINGS, STRENGTHS, TASKS, Recipe, preset, recipe
from chainrule.splits import folds, hold_out
from chainrule.trials import Trials, tried

SIZES = [1, 2, 10, 31, 150, FEW - 1, FEW, MANY - 1, MANY, LOTS - 1, LOTS, 1_000_000]


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("task", TASKS)
def test_a_recipe_can_be_followed_whatever_the_size(rows, task):
    made = recipe(rows, 5, 3, task)
    outputs = 3 if task == "classes" else 1
    network = made.network(5, outputs, seed=1)
    assert network.outputs == outputs
    assert network.loss.name == TASKS[task][1]
    course = made.course(rows)
    assert course.schedule.rate(1.0, made.updates(rows)) < 1e-3  # it ends where training ends
    assert made.keeps == ("best" if rows >= MANY else "last")
    assert 4 <= made.epochs <= 500
    assert made.rule().learning_rate == made.learning_rate
    assert set(made.reasons) == set(SETTINGS)  # every choice has its reason
    assert [name for name, _, why in made.lines() if why] == list(SETTINGS)


@pytest.mark.parametrize(
    ("rows", "updates"), [(20, 500), (100, 500), (999, 500), (2000, 1000), (10_000, 3000), (100_000, 3000)]
)
def test_the_number_of_updates_grows_slowly_with_the_rows(rows, updates):
    """Up to whole epochs, and the rows that are kept aside."""
    assert updates * 0.95 <= recipe(rows, 5, 1, "number").updates(rows) <= updates * 1.2


def test_settings_that_were_given():
    made = recipe(200, 4, 1, "number")
    assert made.strengths == STRENGTHS
    assert (made.weight_decay, made.dropout) == STRENGTHS[MIDDLE]
    other = made.changed(hidden=(8,), epochs=7)
    assert (other.hidden, other.epochs, other.reasons["epochs"]) == ((8,), 7, "as given")
    assert other.strengths == STRENGTHS  # what was not given is still tried out
    assert made.changed(weight_decay=0.5).strengths == ()
    assert {name: why for name, _, why in other.lines()}["hidden"] == "as given"


WRONG = [
    (lambda: recipe(100, 4, 1, "number").changed(epocs=3), "did you mean epochs?"),
    (lambda: recipe(100, 4, 1, "numbers"), "did you mean number?"),
    (lambda: Recipe("number", norm="bach"), "did you mean batch?"),
    (lambda: Recipe("number", schedule="cosin"), "did you mean cosine?"),
    (lambda: Recipe("number", validation_fraction=1.0), "below 1"),
    (lambda: Recipe("number", patience=3), "needs validation rows"),
    (lambda: preset("text", "number"), "unknown preset"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[row[1] for row in WRONG])
def test_what_cannot_be(call, message):
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)


def test_every_part_of_a_network():
    made = Recipe("classes", hidden=(6, 5), activation="tanh", norm="batch", dropout=0.2, clip_norm=1.0, schedule="constant")
    kinds = [type(layer).__name__ for layer in made.network(4, 3).layers]
    assert kinds == ["Dense", "BatchNorm", "Tanh", "Dropout"] * 2 + ["Dense"]
    assert made.course(10).clipping.limit == 1.0
    assert made.course(10).schedule is None
    plain = Recipe("number", optimizer="sgd", weight_decay=0.1)
    assert [rule.strength for rule in plain.network(4, 1).penalties] == [0.1]
    assert not Recipe("number", weight_decay=0.1).network(4, 1).penalties  # AdamW has its own


@pytest.mark.parametrize("task", TASKS)
def test_the_textbook_preset_is_plain_and_learns(task):
    made = preset("textbook", task)
    kinds = {type(layer).__name__ for layer in made.network(4, 2 if task == "classes" else 1).layers}
    assert (kinds, made.optimizer, made.schedule, made.strengths) == ({"Dense"}, "sgd", "constant", ())
    x = np.random.default_rng(0).normal(size=(200, 4))
    yes = (x[:, :1] + x[:, 1:2] ** 2 > 0.5).astype(float)
    t = np.hstack([yes, 1 - yes]) if task == "classes" else yes
    found = learn(made.network(4, t.shape[1]), Rows(x, t), made.rule(), made.course(200))
    assert found.epochs[-1].loss < 0.6 * found.epochs[0].loss


def standard(x):
    return (x - x.mean(0)) / x.std(0)


def test_trials_hold_strongly_where_there_is_little_to_learn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 20))
    weak = tried(recipe(200, 20, 1, "number"), Rows(x, standard(x[:, :1] + 2 * rng.normal(size=(200, 1)))), 1)
    clear, y = make_friedman1(400, noise=0.2, random_state=0)
    strong = tried(recipe(400, 10, 1, "number"), Rows(standard(clear), standard(y)[:, None]), 1)
    assert weak[1].best == len(STRENGTHS) - 1
    assert strong[1].best <= 1
    for made, trials in (weak, strong):
        assert (made.weight_decay, made.dropout) == STRENGTHS[trials.best]
        assert made.strengths == ()
        assert "of the training rows" in made.reasons["weight_decay"]


def test_trials_are_a_function_of_rows_and_seed():
    x, y = load_iris(return_X_y=True)
    rows, made = Rows(standard(x), np.eye(3)[y]), recipe(150, 4, 3, "classes").changed(epochs=5)
    one, two = (tried(made, rows, 3, 5, labels=y)[1] for _ in range(2))
    assert one == two
    assert one.losses != tried(made, rows, 3, 6, labels=y)[1].losses
    weighted = tried(made, rows._replace(weight=np.linspace(0, 1, 150)), 3, 5, labels=y)[1]
    assert weighted.losses != one.losses


def test_trials_by_group_and_time_and_with_rare_classes():
    x, y = load_iris(return_X_y=True)
    made = recipe(150, 4, 3, "classes").changed(epochs=3)
    y = np.where(np.arange(150) == 3, 2, np.minimum(y, 1))  # one row of class 2
    rows = Rows(standard(x), np.eye(3)[y])
    for by in ({"labels": y}, {"groups": np.arange(150) % 7}, {"order": np.random.default_rng(0).random(150)}):
        assert tried(made, rows, 3, **by)[1] is not None


def test_nothing_is_tried_where_nothing_can_be():
    x = np.random.default_rng(0).normal(size=(11, 2))
    made, trials = tried(recipe(11, 2, 1, "number"), Rows(x, x[:, :1]), 1)
    assert trials is None
    assert made.strengths == ()
    assert "too few rows" in made.reasons["dropout"]
    groups = tried(recipe(40, 2, 1, "number"), Rows(np.ones((40, 2)), np.ones((40, 1))), 1, groups=np.arange(40) // 20)
    assert groups[1] is None
    large = recipe(MANY, 2, 1, "number")
    assert tried(large, Rows(x, x[:, :1]), 1) == (large, None)
    wide = tried(recipe(900, 100_000, 1, "number"), Rows(Wide(), np.ones((900, 1))), 1)
    assert "take long" in wide[0].reasons["weight_decay"]


class Wide:
    """Rows that are not in memory, and are not to be read."""

    width = 100_000

    def __len__(self):
        return 900


def test_the_middle_is_left_for_what_is_clearly_better_only():
    inf = math.inf
    assert Trials(STRENGTHS, (1.0, 0.5, 0.5, inf, 0.6), (0.0,) * 5).best == 2
    assert Trials(STRENGTHS, (1.0, 0.5, 0.55, inf, 0.6), (0.1, 0.0, 0.03, 0.0, 0.2)).best == 2
    assert Trials(STRENGTHS, (1.0, 0.5, 0.55, inf, 0.6), (0.1, 0.0, 0.02, 0.0, 0.09)).best == 1
    assert Trials(STRENGTHS, (1.0, 0.5, 0.55, inf, 0.6), (0.1, 0.0, 0.02, 0.0, 0.11)).best == 4  # the strongest as good
    assert Trials(STRENGTHS, (1.0, 0.5, 0.55, inf, 0.6), (0.1, 0.0, 0.02, 0.0, 0.09), 0.06).best == 2  # nothing to speak of
    assert Trials(STRENGTHS, (inf,) * 5, (0.0,) * 5).best == 2


def test_a_trial_that_breaks_down_is_not_taken():
    x = np.random.default_rng(0).normal(size=(60, 3))
    made = recipe(60, 3, 1, "number").changed(optimizer="sgd", learning_rate=0.01, schedule="constant")
    made = replace(made, strengths=((0.0, 0.0), (1e6, 0.0)))  # the second penalty throws the weights about
    found = tried(made, Rows(x, x[:, :1]), 1)[1]
    assert found.losses[1] == math.inf
    assert found.best == 0


def test_weights_count_in_trials():
    """Rows that count nothing say nothing, however wrong their targets are."""
    x = np.random.default_rng(0).normal(size=(80, 3))
    t = x[:, :1].copy()
    t[::2] += 100.0
    weight = np.arange(80) % 2.0
    found = tried(recipe(80, 3, 1, "number"), Rows(x, t, weight), 1)[1]
    assert min(found.losses) < 1


def test_splits_and_shuffles_draw_different_numbers():
    assert draws.words(1, "split", 0, 0, 4).tolist() != draws.words(1, "shuffle", 0, 0, 4).tolist()


def test_defaults_on_iris():
    """3 folds with nothing said: 95 % and more, which a linear model has here too."""
    x, y = load_iris(return_X_y=True)
    right = 0
    for part in folds(150, 3, 0, labels=y):
        center, scale = x[part.train].mean(0), x[part.train].std(0)
        train, t = (x[part.train] - center) / scale, np.eye(3)[y[part.train]]
        made, _ = tried(recipe(100, 4, 3, "classes"), Rows(train, t), 3, labels=y[part.train])
        network = made.network(4, 3)
        network.parameters = learn(network, Rows(train, t), made.rule(), made.course(100)).last.parameters
        right += (network.predict((x[part.test] - center) / scale).argmax(1) == y[part.test]).sum()
    assert right >= 0.95 * 150


def test_defaults_on_a_larger_table():
    """6,000 rows, the best epoch by validation rows: trees have R2 0.95 here, a linear model 0.72."""
    x, y = make_friedman1(8000, n_features=15, noise=1.0, random_state=0)
    x, t = standard(x), standard(y)[:, None]
    made = recipe(6000, 15, 1, "number")
    part = hold_out(6000, made.validation_fraction, 0, draw=1)
    network = made.network(15, 1)
    held = Rows(x[part.test], t[part.test])
    found = learn(network, Rows(x[part.train], t[part.train]), made.rule(), made.course(len(part.train)), validation=held)
    network.parameters = found.best.parameters
    assert 1 - ((network.predict(x[6000:]) - t[6000:]) ** 2).mean() / t[6000:].var() > 0.93
