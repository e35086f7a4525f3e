"""The sections of a report, each from its facts to elements; none if there is nothing to show."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from chainrule.explain.markup import Markup, el, together
from chainrule.report import charts
from chainrule.report.facts import Facts, Scatter
from chainrule.report.figures import aligned, alike, compact, grid, scrolled
from chainrule.tables.table import day

SHOWN = 20
"""Columns whose importance is drawn; of more, the rest is summed up."""

CLASSES = 20
"""Classes whose confusion is told in full; of more, the pairs that are confused most."""

STYLES = 12
"""Styles of a layer's curve, from the first layer's to the last one's."""


def section(identity: str, title: str, *inner: str | None) -> Markup:
    return el("section", el("h2", title), *inner, id=identity)


def result(facts: Facts) -> Markup:
    """What the model is worth, beside what is had without it."""
    parts: list[str | None] = []
    if facts.scores:
        low = any(score.low is not None for score in facts.scores)
        rows = []
        for place, score in enumerate(facts.scores):
            bar = charts.bar(score.part, "" if place == 0 else "other", score.low, score.high)
            rows.append(
                el("tr", el("th", score.name, scope="row"), el("td", score.text, class_="n"), el("td", bar, class_="wide"))
            )
        name = "accuracy" if facts.task == "classification" else "explained variation (R2)"
        caption = f"{name[:1].upper()}{name[1:]} on the rows held out"
        note = (
            "The line on each bar is where the true figure lies in 95 of 100 cases; fewer rows, longer line." if low else None
        )
        parts += [
            el("table", el("caption", caption), el("tbody", *rows), class_="bars-table"),
            note and el("p", note, class_="note"),
        ]
    if facts.figures:
        figures = [("", *facts.models), *((name, *alike(values)) for name, values in facts.figures)]
        parts.append(grid(figures, "Figures on the rows held out"))
    if facts.folds:
        count = "Cross-validation: mean ± standard deviation over the folds"
        parts.append(grid(facts.folds, count))
    return section("result", "Result", *parts)


def findings(facts: Facts) -> Markup:
    """What the doctor says."""
    told = [each for each in facts.findings if each.kind != "data"]
    if not told:
        text = "Nothing stands out: gradients, units, learning rate, fit, classes and baselines were looked at."
        return section("findings", "Findings", el("p", text, class_="quiet"))
    items = [
        el(
            "li",
            el("span", each.severity, class_=f"severity {each.severity}"),
            el("strong", each.kind),
            el("p", each.what),
            el("p", each.do, class_="do") if each.do else None,
        )
        for each in told
    ]
    return section("findings", "Findings", el("ul", *items, class_="findings"))


def learning(facts: Facts) -> Markup | None:
    """Both losses, epoch by epoch."""
    losses = [(number, loss) for number, loss, _ in facts.epochs if math.isfinite(loss)]
    held = [(number, each) for number, _, each in facts.epochs if each is not None and math.isfinite(each)]
    if len(losses) < 2:
        return None
    values = [value for _, value in (*losses, *held)]
    log = min(values) > 0 and max(values) > 8 * min(values)
    y = charts.logarithmic(values) if log else charts.linear([0.0, *values] if min(values) > 0 else values)
    x = _epochs(losses[0][0], losses[-1][0])
    curves = [charts.Curve("training", tuple(losses), "training")]
    if held:
        curves.append(charts.Curve(facts.curve, tuple(held), "validation"))
    mark = (float(facts.kept), f"kept: epoch {facts.kept:,}") if facts.curve == "validation" and facts.kept else None
    (first, start), (last, end) = losses[0], losses[-1]
    told = f"The training loss goes from {start:.4g} in epoch {first} to {end:.4g} in epoch {last:,}"
    if held:
        best = min(held, key=lambda each: each[1])
        whose = "the validation rows" if facts.curve == "validation" else "the rows held out, which nothing is decided by,"
        told += (
            f", that of {whose} from {held[0][1]:.4g} to {held[-1][1]:.4g}; it is lowest in epoch {best[0]:,}, {best[1]:.4g}"
        )
    legend = el("ul", *(el("li", charts.swatch(curve.style), f" {curve.name}") for curve in curves), class_="legend")
    chart = charts.lines(curves, x, y, f"{told}.", below="epoch", beside="loss" + (", logarithmic" if log else ""), mark=mark)
    note = f"{told}."
    if math.isfinite(facts.blind):
        known = "how frequent each class is" if facts.task == "classification" else "the mean"
        note += f" Who knows only {known} has {facts.blind:.4g}."
    return section("learning", "Learning", el("figure", legend, chart, el("figcaption", note), class_="chart"))


def answers(facts: Facts) -> Markup | None:
    """Which rows held out are right, and which are not."""
    if facts.confusion:
        shown = _confusion(facts) if len(facts.classes) <= CLASSES else _confused(facts)
        return section("answers", "Right and wrong", shown, _misses(facts))
    if facts.scatter is not None:
        return section("answers", "Predicted and actual", _scatter(facts, facts.scatter), _misses(facts))
    return None


def _confusion(facts: Facts) -> Markup:
    head = [el("td"), *(el("th", name, scope="col") for name in facts.classes)]
    head += [el("th", "recall", scope="col", class_="sum"), el("th", "rows", scope="col")]
    rows = []
    for place, (name, counts) in enumerate(zip(facts.classes, facts.confusion, strict=True)):
        total = sum(counts)
        cells = []
        for other, count in enumerate(counts):
            shade = f"q{min(9, math.ceil(9 * count / total))}" if total and count else "zero"
            cells.append(el("td", f"{count:g}" if count else "·", class_=f"n {shade}" + " right" * (place == other)))
        cells.append(el("td", f"{counts[place] / total:.0%}" if total else "-", class_="n sum"))
        cells.append(el("td", f"{total:g}", class_="n"))
        rows.append(el("tr", el("th", name, scope="row"), *cells))
    taken = [sum(line[place] for line in facts.confusion) for place in range(len(facts.classes))]
    right = [facts.confusion[place][place] for place in range(len(facts.classes))]
    foot = [el("td", f"{a / b:.0%}" if b else "-", class_="n") for a, b in zip(right, taken, strict=True)]
    rows.append(el("tr", el("th", "precision", scope="row"), *foot, el("td", class_="sum"), el("td"), class_="foot"))
    caption = "Actual classes down, predicted ones across; right answers are framed"
    table = el("table", el("caption", caption), el("thead", el("tr", *head)), el("tbody", *rows), class_="confusion")
    return scrolled(table, caption)


def _confused(facts: Facts) -> Markup:
    pairs = [
        (count, facts.classes[i], facts.classes[j])
        for i, line in enumerate(facts.confusion)
        for j, count in enumerate(line)
        if i != j and count
    ]
    pairs.sort(key=lambda pair: -pair[0])
    rows = [("actual", "predicted", "rows"), *((a, b, f"{count:g}") for count, a, b in pairs[:12])]
    caption = f"{len(facts.classes)} classes: the pairs that are confused most"
    return grid(rows, caption, texts=2) if pairs else el("p", "No row is wrong.")


def _scatter(facts: Facts, found: Scatter) -> Markup:
    pairs = list(zip(found.actual, found.predicted, strict=True))
    axis = charts.linear([*found.actual, *found.predicted], 5, day if found.date else None)
    errors = [predicted - actual for actual, predicted in pairs]
    whole = f"{found.of:,} rows held out" if len(pairs) == found.of else f"{len(pairs):,} of {found.of:,} rows held out"
    told = f"Predicted against actual {facts.target} of {whole}: on the line both are the same."
    first = el(
        "figure", charts.points(pairs, axis, told, below=f"actual {facts.target}", beside=f"predicted {facts.target}"),
        el("figcaption", told), class_="chart half",
    )  # fmt: skip
    spread = max((abs(error) for error in errors), default=0.0) or 1.0
    bins = 2 * min(12, max(4, round(math.sqrt(len(errors)))))
    reach = charts.linear([-spread, spread], 4).high
    counts = [0] * bins
    for error in errors:
        counts[min(bins - 1, max(0, int((error + reach) / (2 * reach) * bins)))] += 1
    x = charts.linear([-reach, reach], 4)
    above = sum(error > 0 for error in errors)
    said = f"Predicted less actual: {above:,} predictions are too high, {len(errors) - above:,} are not."
    second = el(
        "figure", charts.columns(counts, x, said, below="predicted - actual", beside="rows", mark=(0.0, "")),
        el("figcaption", said), class_="chart half",
    )  # fmt: skip
    return el("div", first, second, class_="pair")


def _misses(facts: Facts) -> Markup | None:
    if not facts.misses:
        return el("p", "No row held out is wrong.", class_="quiet") if facts.confusion else None
    last = "how sure it was" if facts.confusion else "predicted - actual"
    rows = [
        ("row", "actual", "predicted", last),
        *((each.place, each.actual, each.predicted, each.off) for each in facts.misses),
    ]
    what = "The rows farthest off"
    if facts.confusion:
        what = (
            f"The {len(facts.misses)} rows that are most wrong, of {facts.missed:,}"
            if facts.missed > len(facts.misses)
            else "The rows that are wrong"
        )
    return grid(rows, what, texts=3 if facts.confusion else 1)


def importance(facts: Facts) -> Markup | None:
    """How much worse the model is without each column."""
    found = facts.importance
    if found is None or not found.columns:
        return None
    largest = max(max(worse + spread for _, worse, spread in found.columns), 1e-300)
    part = found.measure == "accuracy"
    told = [(f"{100 * worse:.1f}" if part else compact(worse)) for _, worse, _ in found.columns]
    rows = []
    for (name, worse, spread), text in zip(found.columns[:SHOWN], aligned(told)[:SHOWN], strict=True):
        bar = charts.bar(worse / largest, "", (worse - spread) / largest, (worse + spread) / largest)
        rows.append(el("tr", el("th", name, scope="row"), el("td", text, class_="n"), el("td", bar, class_="wide")))
    rest = found.columns[SHOWN:]
    more = None
    if rest:
        most = f"{100 * rest[0][1]:.1f} points" if part else compact(rest[0][1])
        more = el("p", f"The other {len(rest):,} columns matter less: at most {most} each.", class_="note")
    unit = "points of accuracy lost" if part else f"growth of the mean absolute error of {facts.target}"
    looked = (
        f"{found.rows:,} rows held out"
        if found.rows == found.of
        else f"{found.rows:,} of {found.of:,} rows held out, enough for these figures"
    )
    note = (
        f"Each column's cells were exchanged at random among {looked}, {found.repeats} times; the line on each bar is the "
        "standard deviation. Columns that say the same can stand in for one another: each then seems to matter less than "
        "both do."
    )
    table = el("table", el("caption", unit[:1].upper() + unit[1:]), el("tbody", *rows), class_="bars-table")
    return section("importance", "Which columns matter", table, more, el("p", note, class_="note"))


def inside(facts: Facts) -> Markup | None:
    """Gradients and units, layer by layer."""
    if not facts.measured:
        return None
    names = {layer.number: layer for layer in facts.layers}
    curves = []
    for place, layer in enumerate(facts.layers):
        style = f"l{round(place * (STYLES - 1) / max(1, len(facts.layers) - 1))}"
        found = [
            (float(epoch), float(each["spread"]))
            for epoch, layers in facts.measured
            for each in layers
            if each["layer"] == layer.number and each.get("spread")
        ]
        if found:
            curves.append(charts.Curve(layer.name, tuple(found), style, str(place + 1)))
    figure = None
    if curves and len(facts.measured) > 1:
        epochs = [epoch for epoch, _ in facts.measured]
        x = charts.Axis(epochs[0], epochs[-1], True, _measured(epochs))
        y = charts.logarithmic([value for curve in curves for _, value in curve.points])
        told = f"The size of each layer's gradient, epoch {epochs[0]} to {epochs[-1]:,}: the root mean square of dE/dW."
        if len(curves) > 1:
            ratio = curves[0].points[-1][1] / curves[-1].points[-1][1]
            told += f" At the end the first layer's gradient is {ratio:.3g} times the last one's."
        legend = el(
            "ul", *(el("li", charts.swatch(curve.style), f" {curve.label}: {curve.name}") for curve in curves), class_="legend"
        )
        chart = charts.lines(curves, x, y, told, below="epoch, logarithmic", beside="gradient, logarithmic")
        figure = el("figure", legend, chart, el("figcaption", told), class_="chart")
    epoch, layers = facts.measured[-1]
    head = ("layer", "sizes", "rules", "sums", "±", "outputs", "±", "dead", "saturated", "gradient", "largest update")
    rows: list[Sequence[str]] = [head]
    for number, each in enumerate(layers, 1):
        layer = names[each["layer"]]
        z, a = each.get("z") or [None, None], each.get("a") or [None, None]
        rows.append(
            (
                f"{number}: {layer.name}", layer.sizes, layer.rules, compact(z[0]), compact(z[1]), compact(a[0]), compact(a[1]),
                _percent(each.get("dead")), _percent(each.get("saturated")), compact(each.get("gradient")),
                _percent(_largest(facts, each["layer"]), 2),
            )
        )  # fmt: skip
    caption = f"After epoch {epoch:,}, on {facts.probe:,} training rows"
    note = (
        "Sums and outputs: mean ± standard deviation. Dead: units that no row moves. Saturated: outputs at an end of their "
        "range. "
        "Gradient: the length of dE/dW. Largest update: how far one update moved the weights, in parts of their length."
    )
    table = grid(rows, caption, texts=3)
    return section("inside", "Inside the network", figure, table, el("p", note, class_="note"))


def _largest(facts: Facts, layer: int) -> float:
    """The largest update of a layer that was measured, in parts of its weights."""
    found = [each.get("update") or 0.0 for _, layers in facts.measured for each in layers if each["layer"] == layer]
    return float(max(found))


def _epochs(first: int, last: int) -> charts.Axis:
    """From the first epoch to the last one, and round numbers in between that do not cover them."""
    axis = charts.linear([first, last], 6, snug=True)
    near = (last - first) / 14
    between = [value for value, _ in axis.ticks if value == int(value) and first + near < value < last - near]
    return charts.Axis(first, last, False, tuple((float(value), f"{value:,.0f}") for value in (first, *between, last)))


def _measured(epochs: Sequence[int]) -> tuple[tuple[float, str], ...]:
    """Ticks at the epochs that were measured, as far as they do not cover one another."""
    last = epochs[-1]
    kept = [epoch for epoch in epochs[:-1] if last > epoch * 1.5]
    while len(kept) > 6:
        kept = kept[::2]
    return tuple((float(epoch), f"{epoch:,}") for epoch in (*kept, last))


def data(facts: Facts) -> Markup:
    """The table: each column, and what was done with it."""
    shares = el("ul", *(el("li", el("b", count), f" {name}") for count, name in facts.rows), class_="shares")
    head = el("tr", *(el("th", name, scope="col") for name in ("column", "kind", "values", "gaps", "what was done")))
    rows = [
        el(
            "tr",
            el("th", line.name, scope="row"),
            el("td", line.kind + (", target" if line.use == "target" else "")),
            el("td", line.values),
            el("td", line.gaps, class_="gaps") if line.gaps else el("td"),
            el("td", el("em", "left out: ") if line.use == "left out" else None, line.done),
            class_=line.use.replace(" ", "-"),
        )
        for line in facts.columns
    ]
    table = el("table", el("caption", facts.data), el("thead", head), el("tbody", *rows), class_="columns")
    notes = el("ul", *(el("li", note) for note in facts.notes), class_="notes") if facts.notes else None
    heading = el("h3", "What was noticed") if facts.notes else None
    return section(
        "data",
        "Data",
        el("p", "Rows:", class_="visually-hidden"),
        shares,
        scrolled(table, facts.data),
        heading,
        notes,
    )


def settings(facts: Facts) -> Markup:
    """Every setting, and why."""
    rows = [
        el("tr", el("th", name, scope="row"), el("td", value, class_="value"), el("td", reason, class_="reason"))
        for name, value, reason in facts.settings
    ]
    head = el("tr", *(el("th", name, scope="col") for name in ("setting", "value", "why")))
    return section("settings", "Settings", el("table", el("thead", head), el("tbody", *rows), class_="settings"))


def again(facts: Facts) -> Markup:
    """How to have all this once more, and how to look into it."""
    return section(
        "again", "Open a number, and do it again",
        el("p", "Every number of this run can be opened: the replay is held against what was recorded, bit by bit."),
        *_commands(facts.opening), el("h3", "Use it, and repeat it"), *_commands(facts.commands), el("h3", "Made with"),
        el("table", el("tbody", *(el("tr", el("th", n, scope="row"), el("td", v)) for n, v in facts.versions)), class_="head"),
    )  # fmt: skip


def _commands(pairs: Sequence[tuple[str, str]]) -> Iterator[Markup]:
    for what, command in pairs:
        yield together(el("p", what[:1].upper() + what[1:] + ":", class_="command"), el("pre", el("code", command), tabindex=0))


def _percent(value: float | None, digits: int = 0) -> str:
    if value is None:
        return ""
    return f"{100 * value:.{digits}f} %"


def contents(sections: Sequence[tuple[str, str]]) -> Markup:
    """Links to the sections."""
    return el("nav", el("ul", *(el("li", el("a", title, href=f"#{name}")) for name, title in sections)), aria_label="Sections")


SECTIONS = (result, findings, learning, answers, importance, inside, data, settings, again)


def everything(facts: Facts) -> list[Markup]:
    """All sections that have something to show."""
    return list(itertools.chain(made for each in SECTIONS if (made := each(facts)) is not None))
