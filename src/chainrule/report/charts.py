"""Charts as SVG, drawn so that they fit any width while their letters keep their size: places across are parts of the width,
places down are pixels, and only curves are stretched."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule.explain.markup import Markup, el, together

HEIGHT = 240
"""Pixels of a chart, without the numbers below it."""

WIDE = 1000
"""Units across, in which curves are drawn before they are stretched."""


@dataclass(frozen=True)
class Axis:
    """From a number to a part of the axis, 0 to 1. ticks: the numbers written beside it, each with its text."""

    low: float
    high: float
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()

    def part(self, value: float) -> float:
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low) if high > low else 0.5

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.log else value


@dataclass(frozen=True)
class Curve:
    """A line through points (x, y). style: the class that says how it is drawn; label: what stands at its end."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: str
    label: str = ""


def linear(values: Sequence[float], most: int = 5, text: Callable[[float], str] | None = None, snug: bool = False) -> Axis:
    """An axis for these numbers, from one round number to another; snug: from the least to the greatest."""
    low, high = min(values), max(values)
    if not high > low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    step = _round_step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [k * step for k in range(first, last + 1)]
    if snug:
        ticks = [tick for tick in ticks if low <= tick <= high]
    else:
        low, high = ticks[0], ticks[-1]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    write = text or (lambda value: f"{value:,.{decimals}f}" if 1e-5 < step < 1e7 else _short(value))
    return Axis(low, high, False, tuple((tick, write(tick)) for tick in ticks))


def _round_step(wanted: float) -> float:
    """The least of 1, 2, 5, 10, 20 ... that is no smaller."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= wanted * (1 - 1e-9))


def logarithmic(values: Sequence[float], snug: bool = False) -> Axis:
    """An axis of powers of ten, or of 1, 2 and 5 times them where few are needed; snug: from the least to the greatest."""
    low, high = min(values), max(values)
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    every = max(1, math.ceil((last - first) / 6))
    marks = [10.0**k for k in range(first, last + 1, every)]
    if last - first <= 2:
        marks = [10.0**k * each for k in range(first, last + 1) for each in (1, 2, 5)]
    if not snug:
        low = max((mark for mark in marks if mark <= low * (1 + 1e-9)), default=marks[0])
        high = min((mark for mark in marks if mark >= high * (1 - 1e-9)), default=high)
    return Axis(low, high, True, tuple((mark, _power(mark)) for mark in marks if low * (1 - 1e-9) <= mark <= high * (1 + 1e-9)))


def _power(value: float) -> str:
    if 1e-3 <= value < 1e5:
        return f"{value:,.10g}"
    return _short(value)


def _short(value: float) -> str:
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def lines(
    curves: Sequence[Curve], x: Axis, y: Axis, told: str, *, below: str, beside: str, mark: tuple[float, str] | None = None
) -> Markup:
    """Curves over one another. told: the chart in a sentence, for who cannot see it. below, beside: what the axes are.
    mark: a place on the x axis, with its text."""
    parts = _frame(x, y)
    if mark is not None:
        place, text = x.part(mark[0]), mark[1]
        parts.append(el("line", class_="mark", x1=_across(place), x2=_across(place), y1=0, y2=HEIGHT))
        anchor = "end" if place > 0.5 else "start"
        shift = -6 if place > 0.5 else 6
        parts.append(el("text", text, class_="marked", x=_across(place), dx=shift, y=12, text_anchor=anchor))
    drawn = [
        el("path", d=_path(curve, x, y), class_=f"curve {curve.style}", vector_effect="non-scaling-stroke") for curve in curves
    ]
    parts.append(
        el(
            "svg",
            *drawn,
            viewBox=f"0 0 {WIDE} {HEIGHT}",
            preserveAspectRatio="none",
            width="100%",
            height=HEIGHT,
            class_="inner",
        )
    )
    ends = _apart([(HEIGHT * (1 - y.part(curve.points[-1][1])), curve) for curve in curves if curve.label and curve.points])
    parts += [
        el("text", curve.label, class_=f"end {curve.style}", x="100%", dx=6, y=_px(down), dy="0.35em") for down, curve in ends
    ]
    if mark is not None:
        for curve in curves:
            at = next((value for place, value in curve.points if place == mark[0]), None)
            if at is not None:
                parts.append(
                    el(
                        "circle",
                        cx=_across(x.part(mark[0])),
                        cy=_px(HEIGHT * (1 - y.part(at))),
                        r=4,
                        class_=f"dot {curve.style}",
                    )
                )
    return _chart(parts, told, below, beside)


def points(pairs: Sequence[tuple[float, float]], axis: Axis, told: str, *, below: str, beside: str) -> Markup:
    """Points of two numbers in the same unit, with the line on which both are the same."""
    parts = _frame(axis, axis)
    parts.append(el("line", class_="same", x1="0%", y1=HEIGHT, x2="100%", y2=0))
    for across, up in pairs:
        place = min(1.02, max(-0.02, axis.part(up)))
        parts.append(el("circle", cx=_across(axis.part(across)), cy=_px(HEIGHT * (1 - place)), r=3, class_="point"))
    return _chart(parts, told, below, beside)


def columns(counts: Sequence[int], x: Axis, told: str, *, below: str, beside: str, mark: tuple[float, str]) -> Markup:
    """A histogram: so many in each of as many equal parts of the x axis."""
    y = linear([0, max(counts)], 3)
    parts = _frame(x, y)
    width = 1 / len(counts)
    for number, count in enumerate(counts):
        up, left = HEIGHT * y.part(count), _across((number + 0.06) * width)
        parts.append(el("rect", x=left, width=_across(width * 0.88), y=_px(HEIGHT - up), height=_px(up), class_="column"))
    place = x.part(mark[0])
    parts.append(el("line", class_="mark", x1=_across(place), x2=_across(place), y1=0, y2=HEIGHT))
    return _chart(parts, told, below, beside)


def bar(part: float, style: str = "", low: float | None = None, high: float | None = None) -> Markup:
    """A bar of a part of the width, from 0 to 1, with an interval if one is given: beside the number that it repeats."""
    inside = [el("rect", x="0%", y=3, width=_across(min(1.0, max(0.0, part))), height=12, rx=2, class_=f"bar {style}".strip())]
    if low is not None and high is not None:
        low, high = max(0.0, low), min(1.0, high)
        for style in ("halo", "whisker"):
            inside.append(el("line", x1=_across(low), x2=_across(high), y1=9, y2=9, class_=style))
            inside += [el("line", x1=_across(each), x2=_across(each), y1=5, y2=13, class_=style) for each in (low, high)]
    return el("svg", *inside, class_="bars", width="100%", height=18, aria_hidden="true", focusable="false")


def swatch(style: str) -> Markup:
    """A piece of a curve, for a legend."""
    line = el("line", x1=0, x2=26, y1=6, y2=6, class_=f"curve {style}")
    return el("svg", line, class_="swatch", width=26, height=12, aria_hidden="true", focusable="false")


def _frame(x: Axis, y: Axis) -> list[Markup]:
    parts = []
    for value, text in y.ticks:
        down = _px(HEIGHT * (1 - y.part(value)))
        parts.append(el("line", class_="grid", x1="0%", x2="100%", y1=down, y2=down))
        parts.append(el("text", text, class_="tick", x=-8, y=down, dy="0.35em", text_anchor="end"))
    for value, text in x.ticks:
        place = _across(x.part(value))
        parts.append(el("line", class_="grid", x1=place, x2=place, y1=HEIGHT, y2=HEIGHT + 4))
        parts.append(el("text", text, class_="tick", x=place, y=HEIGHT + 18, text_anchor="middle"))
    parts.append(el("line", class_="axis", x1="0%", x2="100%", y1=HEIGHT, y2=HEIGHT))
    return parts


def _chart(parts: Sequence[Markup], told: str, below: str, beside: str) -> Markup:
    drawn = el("svg", *parts, class_="plot", role="img", aria_label=told, width="100%", height=HEIGHT + 24)
    return together(el("p", beside, class_="beside"), drawn, el("p", below, class_="below"))


def _path(curve: Curve, x: Axis, y: Axis) -> str:
    """Straight lines between the points; a point that is not finite leaves a gap."""
    told, pen = [], "M"
    for across, up in curve.points:
        if not math.isfinite(up) or (y.log and up <= 0):
            pen = "M"
            continue
        told.append(f"{pen}{WIDE * x.part(across):.1f} {HEIGHT * (1 - y.part(up)):.1f}")
        pen = "L"
    return "".join(told)


def _apart(places: Sequence[tuple[float, Curve]], least: float = 14.0) -> list[tuple[float, Curve]]:
    """Labels moved down, and then up again from the bottom, until none covers another."""
    ordered = sorted(((down, number, curve) for number, (down, curve) in enumerate(places) if math.isfinite(down)))
    downs = [down for down, _, _ in ordered]
    for i in range(1, len(downs)):
        downs[i] = max(downs[i], downs[i - 1] + least)
    if downs and downs[-1] > HEIGHT:
        downs[-1] = HEIGHT
        for i in range(len(downs) - 2, -1, -1):
            downs[i] = min(downs[i], downs[i + 1] - least)
    return [(down, curve) for down, (_, _, curve) in zip(downs, ordered, strict=True)]


def _across(part: float) -> str:
    return f"{100 * part:.2f}%"


def _px(value: float) -> str:
    return f"{value:.1f}"
