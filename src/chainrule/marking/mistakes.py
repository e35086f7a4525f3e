"""Mistakes of a whole step: one misunderstanding, made wherever it can be made.

Each is told as other formulas for some of the step's cells. Where a rule says what the formula would be - another loss's
derivative, a slope at another place - that rule is run on terms; no mathematics stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.marking.choices import TWO_SAMPLES, Broken, plainly
from chainrule.marking.sheet import Change, Sheet, leaves
from chainrule.marking.trees import key, node_of, renamed
from chainrule.naming import Cell
from chainrule.phrases import Phrase, phrase, say
from chainrule.rules import find, names
from chainrule.rules.layers import Dense
from chainrule.rules.rule import Activation
from chainrule.terms.lattice import Lattice
from chainrule.terms.reader import Terms
from chainrule.terms.term import Term, named, term


@dataclass(frozen=True)
class Mistake:
    """A misunderstanding. learner, author: one sentence for each of them. ways: each in words and as formulas."""

    name: str
    learner: Phrase
    author: Phrase
    broken: Broken
    ways: Callable[[Sheet], Iterator[tuple[str, Change]]]
    rare: bool = False


def _formulas(sheet: Sheet, *symbols: str) -> Iterator[tuple[Cell, Term]]:
    """The cells with these symbols that have a formula, shares of a sum and their parts included."""
    for cell in sheet.cells:
        formula = sheet.formulas[cell]
        if cell.symbol in symbols and formula is not None:
            yield cell, formula


def _depth(sheet: Sheet) -> int:
    return len(sheet.trace.network.layers)


def _scaled(sheet: Sheet, symbol: str, layer: int, op: str, by: int) -> dict[Cell, Term]:
    cells = [(cell, formula) for cell, formula in _formulas(sheet, symbol) if cell.layer == layer and not cell.via]
    return {cell: node_of(op, formula, term(by)) for cell, formula in cells}


def _averaged(sheet: Sheet, count: int, samples: bool, has: bool, over: Phrase) -> Iterator[tuple[str, Change]]:
    """A mean in place of a sum, or a sum in place of a mean: in the loss and its derivative, or in one of them only."""
    if count == 1:
        return
    op = "*" if has else "/"
    how = {"word": phrase("summed") if has else phrase("averaged"), "over": over}
    whole = [cell for cell, _ in _formulas(sheet, "E") if not cell.units and (not cell.sample or not samples)]
    loss = {
        cell: node_of(op, sheet.formulas[cell] or term(0), term(count)) for cell in whole if samples or _lowest(sheet, cell)
    }
    slope = _scaled(sheet, "dE/da", _depth(sheet), op, count)
    yield say("the loss and its derivative {word} over {over}", **how), {**loss, **slope}
    yield say("the loss {word} over {over}, its derivative not", **how), loss
    yield say("the derivative of the loss {word} over {over}, the loss not", **how), slope


def _lowest(sheet: Sheet, cell: Cell) -> bool:
    """Whether a loss is the one in which outputs are put together: with several samples that is each sample's."""
    return bool(cell.sample) or sheet.trace.scope.rows == 1


def _outputs(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    network = sheet.trace.network
    yield from _averaged(sheet, network.outputs, False, network.loss.over_outputs == "mean", phrase("the outputs"))


def _samples(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    loss = sheet.trace.network.loss
    yield from _averaged(sheet, sheet.trace.scope.rows, True, loss.reduction == "mean", phrase("the samples"))


def _one_sample(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    rows = sheet.trace.scope.rows
    for row in dict.fromkeys((1, rows)) if rows > 1 else ():
        change: dict[Cell, Term] = {}
        for cell, formula in _formulas(sheet, "dE/dW", "dE/db"):
            if cell.sample == 0 and cell.via is None and formula.op == "+":
                mine = [each for each in formula.args if isinstance(each.name, Cell) and each.name.sample == row]
                if len(mine) == 1:
                    change[cell] = mine[0]
        yield say("the gradients of sample {n} only", n=row), change


def _from_gradients(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    change = {}
    for cell, formula in _formulas(sheet, "dE/da"):
        if cell.via is not None and cell.via.symbol == "z":
            delta = Cell("dE/dz", cell.via.layer, cell.via.units, cell.sample)
            gradient = Cell("dE/dW", cell.via.layer, (*cell.via.units, *cell.units), cell.sample)
            if gradient in sheet:
                change[cell] = renamed(formula, {delta: gradient})
    yield say("the error of hidden units collected from the weights' gradients instead of the deltas"), change


def _transposed(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    for symbol, words in (
        ("z", phrase("the weights of layer {n} by columns instead of rows in the weighted sums")),
        ("dE/da", phrase("the weights of layer {n} by columns instead of rows in the way back")),
    ):
        for layer in range(1, _depth(sheet) + 1):
            change = {}
            for cell, formula in _formulas(sheet, symbol):
                if (cell.via.layer if cell.via is not None else cell.layer) == layer:
                    other = {each: _mirror(sheet, each) for each in leaves(formula) if _mirror(sheet, each) != each}
                    if all(each in sheet for each in other.values()) and other:
                        change[cell] = renamed(formula, other)
            yield say(words, n=layer), change


def _mirror(sheet: Sheet, cell: Cell) -> Cell:
    """The weight in the mirrored place; anything else as it is."""
    if cell.symbol == "dz/dx":
        cell = Cell("W", cell.layer, cell.units)
    return cell._replace(units=cell.units[::-1]) if cell.symbol == "W" else cell


def _slopes(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    """The slope's rule, with the output or the weighted sum where the other belongs."""
    at_output: dict[Cell, Term] = {}
    net_inside: dict[Cell, Term] = {}
    for place, layer in enumerate(sheet.trace.network.layers, 1):
        rule = getattr(layer, "activation", layer)
        if not isinstance(rule, Activation) or rule.name == "softmax":
            continue
        m = Terms(sheet.trace.scope, {}).at(place)
        cells = [cell for cell, _ in _formulas(sheet, "da/dz") if cell.layer == place]
        for cell in cells:
            z, a = (_one(sheet, cell._replace(symbol=symbol)) for symbol in ("z", "a"))
            at_output[cell] = rule.slope(m, a, rule.value(m, a)).cell(())
            net_inside[cell] = rule.slope(m, z, z).cell(())
    yield say("slopes taken at the outputs instead of the weighted sums"), at_output
    yield say("weighted sums in place of outputs inside the slopes"), net_inside


def _one(sheet: Sheet, cell: Cell) -> Lattice:
    return Lattice((), lambda _: named(cell, np.float64(sheet.values[cell])))


def _no_slopes(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    last = _depth(sheet)
    for words, chosen in (
        (phrase("the slopes of the hidden units left out"), lambda layer: layer < last),
        (phrase("the slopes of the outputs left out"), lambda layer: layer == last),
        (phrase("all slopes left out"), lambda layer: True),
    ):
        cells = [cell for cell, _ in _formulas(sheet, "da/dz") if chosen(cell.layer)]
        yield say(words), {cell: _unit_slope(cell) for cell in cells}


def _unit_slope(cell: Cell) -> Term:
    """1 where a sum meets its own output: a slope that was left out."""
    return term(1.0 if len(cell.units) == 1 or cell.units[0] == cell.units[1] else 0.0)


def _updates(sheet: Sheet) -> Iterator[tuple[Cell, Term]]:
    for cell, formula in _formulas(sheet, *{f"{span.symbol}+" for span in sheet.trace.network.spans}):
        if not cell.of:
            yield cell, formula


def _uphill(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    change = {cell: node_of("+", *formula.args) for cell, formula in _updates(sheet) if formula.op == "-"}
    yield say("+ in place of - in every update"), change


def _no_rate(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    rate = Cell("η")
    yield say("the learning rate left out"), {rate: term(1.0)} if rate in sheet else {}


def _no_biases(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    def without(layers: set[int]) -> Change:
        change = {}
        for cell, formula in _formulas(sheet, "z"):
            rest = [each for each in formula.args if not (isinstance(each.name, Cell) and each.name.symbol == "b")]
            if cell.layer in layers and formula.op == "+" and len(rest) < len(formula.args):
                change[cell] = node_of("+", *rest)
        return change

    every = {cell.layer for cell, _ in _formulas(sheet, "z")}
    yield say("all biases left out"), without(every)
    for layer in sorted(every) if len(every) > 1 else ():
        yield say("the biases of layer {n} left out", n=layer), without({layer})


def _some_biases(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    last = _depth(sheet)
    kept = {cell: named(cell._replace(symbol="b"), 0.0) for cell, _ in _formulas(sheet, "b+")}
    hidden = {cell: old for cell, old in kept.items() if cell.layer < last}
    if len(hidden) < len(kept):
        yield say("only the biases of the outputs updated"), hidden
        outputs = {cell: old for cell, old in kept.items() if cell.layer == last}
        yield say("only the biases of the hidden units updated"), outputs


def _mean_bias(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    change = {}
    for cell, formula in _formulas(sheet, "dE/db"):
        layer = sheet.trace.network.layers[cell.layer - 1]
        if not cell.units and isinstance(layer, Dense) and layer.bias == "shared":
            change[cell] = node_of("/", formula, term(layer.units))
    yield say("the mean of the deltas for a bias that a layer shares, instead of their sum"), change


def _other_slope(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    """The first derivatives of the way back, as another loss has them."""
    network, last, rows = sheet.trace.network, _depth(sheet), sheet.trace.scope.rows
    if network.penalties or sheet.trace.weight is not None:
        return
    m = Terms(sheet.trace.scope, {}).at(last)
    y, t = (_rows(sheet, symbol, layer) for symbol, layer in (("a", last), ("t", 0)))
    if y is None or t is None:
        return
    for name in names("loss"):
        if name == network.loss.name:
            continue
        slope = find("loss", name)(reduction=network.loss.reduction).slope(m, y, t)
        change = {}
        for row in range(rows):
            for unit in range(network.outputs):
                cell = Cell("dE/da", last, (unit + 1,), row + 1 if rows > 1 else 0)
                if cell in sheet:
                    made = slope.cell((row, unit))
                    change[cell] = _opened(made, sheet)
        if all(each in sheet for formula in change.values() for each in leaves(formula)):
            other, here = plainly(name), plainly(network.loss.name)
            yield say("the derivative of {other} for a loss that is {here}", other=other, here=here), change


def _opened(tree: Term, sheet: Sheet) -> Term:
    """A formula without steps that this sheet does not have."""
    if tree.op == "name":
        return tree if tree.name in sheet or tree.definition is None else _opened(tree.definition, sheet)
    return Term(tree.op, tuple(_opened(each, sheet) for each in tree.args), tree.value) if tree.args else tree


def _rows(sheet: Sheet, symbol: str, layer: int) -> Lattice | None:
    rows, outputs = sheet.trace.scope.rows, sheet.trace.network.outputs

    def cell(index: tuple[int, ...]) -> Cell:
        return Cell(symbol, layer, (index[1] + 1,), index[0] + 1 if rows > 1 else 0)

    if cell((0, 0)) not in sheet:
        return None
    return Lattice((rows, outputs), lambda index: named(cell(index), np.float64(sheet.values[cell(index)])))


def _error_turned(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    last = _depth(sheet)
    change = {cell: node_of("neg", formula) for cell, formula in _formulas(sheet, "dE/da") if cell.layer == last}
    yield say("target and output the wrong way round in the derivative of the loss"), change


def _counted(sheet: Sheet) -> Iterator[tuple[str, Change]]:
    """Another number of updates in the powers of an optimizer's corrections."""
    number = sheet.trace.number
    for other, words in (
        (number + 1, phrase("updates counted one too many in the corrections")),
        (number - 1, phrase("updates counted one too few in the corrections")),
    ):
        if other < 1:
            continue
        change = {}
        for cell, formula in ((cell, formula) for cell, formula in _all(sheet) if cell.of or cell.symbol.endswith("+")):
            tree = _recounted(formula, other)
            if key(tree) != key(formula):
                change[cell] = tree
        yield say(words), change


def _recounted(tree: Term, number: int) -> Term:
    """A formula with another power of the β's."""
    if tree.op == "**" and isinstance(tree.args[0].name, Cell) and tree.args[0].name.symbol.startswith("β"):
        return Term("**", (tree.args[0], term(number)), 0.0)
    return Term(tree.op, tuple(_recounted(each, number) for each in tree.args), tree.value) if tree.args else tree


def _all(sheet: Sheet) -> Iterator[tuple[Cell, Term]]:
    return ((cell, formula) for cell, formula in sheet.formulas.items() if formula is not None)


MISTAKES = (
    Mistake(
        "outputs_averaged",
        phrase("The loss of several outputs is their sum for some and their mean for others; so is its derivative."),
        phrase("Check that the loss that is reported is the one that is differentiated: sum or mean over the outputs."),
        Broken("mazur", "delta_o1", "0.069249281"),
        _outputs,
    ),
    Mistake(
        "samples_averaged",
        phrase("The loss of several samples is their sum for some and their mean for others; so is its derivative."),
        phrase("Check that the loss that is reported is the one that is differentiated: sum or mean over the samples."),
        Broken("mazur", "dE/dw5", "0.110838407", TWO_SAMPLES),
        _samples,
    ),
    Mistake(
        "one_sample",
        phrase("The gradient of a batch collects what every sample adds; here one sample alone was used."),
        phrase("The gradients are those of a single sample, not of the batch."),
        Broken("mazur", "dE/dw5", "0.04108352", TWO_SAMPLES),
        _one_sample,
    ),
    Mistake(
        "error_from_gradients",
        phrase(
            "What goes back to a hidden unit is the delta of each unit it feeds, not the gradient of the weight between them."
        ),
        phrase("The hidden error was collected from dE/dw instead of the deltas."),
        Broken("mazur", "dE/dout_h1", "0.021565546"),
        _from_gradients,
    ),
    Mistake(
        "transposed_weights",
        phrase(
            "Forward, a unit weighs what comes in with its own row; back, the error returns along the same weights, by columns."
        ),
        phrase("A weight matrix was used with rows and columns exchanged."),
        Broken("mazur", "dE/dout_h1", "0.038255218"),
        _transposed,
    ),
    Mistake(
        "slope_elsewhere",
        phrase(
            "The slope belongs to the weighted sum; of a sigmoid it is out (1 - out), with the output in it and not the sum."
        ),
        phrase("The slope of the activation was taken at the wrong argument."),
        Broken("mazur", "delta_o1", "-0.08683019"),
        _slopes,
    ),
    Mistake(
        "slopes_left_out",
        phrase("On the way back through a unit the error is multiplied by the slope of its activation."),
        phrase("The slope of the activation is missing from the deltas."),
        Broken("mazur", "dE/dw1", "0.009400513"),
        _no_slopes,
    ),
    Mistake(
        "uphill",
        phrase("The update goes against the gradient: minus, not plus."),
        phrase("The weights were moved along the gradient instead of against it."),
        Broken("mazur", "E", "0.305640633", after=1),
        _uphill,
    ),
    Mistake(
        "rate_left_out",
        phrase("The gradient is multiplied by the learning rate before it is taken away."),
        phrase("The learning rate is missing from the updates."),
        Broken("lamsal", "E", "0.235118525", after=1),
        _no_rate,
    ),
    Mistake(
        "biases_left_out",
        phrase("A weighted sum ends with the bias."),
        phrase("The biases are missing from the weighted sums."),
        Broken("mazur", "E", "0.242519857"),
        _no_biases,
    ),
    Mistake(
        "some_biases",
        phrase("Biases of every layer are updated, or of none."),
        phrase("Only some of the biases were updated."),
        Broken("two-two-one", "E", "0.002571761", after=1),
        _some_biases,
    ),
    Mistake(
        "bias_mean",
        phrase("A bias that a layer shares gets the sum of its units' deltas: it moves all of them."),
        phrase("The gradient of a shared bias was averaged over the units instead of summed."),
        Broken("mazur", "E", "0.28838115", (("update.biases", "updated"),), after=1),
        _mean_bias,
    ),
    Mistake(
        "another_slope",
        phrase("The derivative has to be the one of the loss that is stated."),
        phrase("The derivative belongs to another loss than the one that is reported."),
        Broken("mazur", "delta_o1", "0.093407801"),
        _other_slope,
        rare=True,
    ),
    Mistake(
        "error_turned",
        phrase("The derivative of the squared error is output minus target."),
        phrase("The sign of the error is turned in the derivative of the loss."),
        Broken("mazur", "delta_h1", "-0.008771355"),
        _error_turned,
    ),
    Mistake(
        "miscounted",
        phrase("The corrections of adam count updates from 1."),
        phrase("The corrections for the start at 0 use another number of updates."),
        Broken("mazur", "w5+", "0.108892081", (("update.optimizer", "adam"), ("update.learning_rate", 0.1)), after=2),
        _counted,
    ),
)
"""Every mistake of a whole step."""
