"""Schedules: the learning rate over the updates, counted from 1."""

from __future__ import annotations

import math

from chainrule.rules.rule import Schedule, number, rule


@rule("constant")
class Constant(Schedule):
    """The same learning rate throughout."""

    def rate(self, base: float, k: int) -> float:
        return base


@rule("step")
class Step(Schedule):
    """Multiplied by factor after every so many updates."""

    every: int = number(None, at_least=1, whole=True)
    factor: float = number(0.1, above=0)

    def rate(self, base: float, k: int) -> float:
        return base * self.factor ** ((k - 1) // self.every)


@rule("exponential")
class Exponential(Schedule):
    """Multiplied by factor after every update."""

    factor: float = number(0.999, above=0)

    def rate(self, base: float, k: int) -> float:
        return base * self.factor ** (k - 1)


@rule("cosine", source="Loshchilov, Hutter 2017")
class Cosine(Schedule):
    """Down half a cosine wave, from the base at the first update to floor times the base after `updates`."""

    updates: int = number(None, at_least=1, whole=True)
    floor: float = number(0.0, at_least=0, at_most=1)

    def rate(self, base: float, k: int) -> float:
        done = min((k - 1) / self.updates, 1.0)
        return base * (self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2)


@rule("one_cycle", source="Smith, Topin 2017, with the cosine form of PyTorch")
class OneCycle(Schedule):
    """Up half a cosine wave to the base during the first `rising` part of the updates, then down to nearly nothing."""

    updates: int = number(None, at_least=2, whole=True)
    rising: float = number(0.3, above=0, below=1)
    start_divisor: float = number(25.0, at_least=1)
    end_divisor: float = number(1e4, at_least=1)

    def rate(self, base: float, k: int) -> float:
        start = base / self.start_divisor
        end = start / self.end_divisor
        top = self.rising * self.updates - 1
        done = min(k - 1, self.updates - 1)
        if done < top:  # never where top is 0 and there is nothing to rise
            return _between(start, base, done / top)
        return _between(base, end, (done - top) / (self.updates - 1 - top))


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


@rule("inverse_scaling")
class InverseScaling(Schedule):
    """Divided by the update's number to a power: scikit-learn's invscaling."""

    power: float = number(0.5, above=0)

    def rate(self, base: float, k: int) -> float:
        return float(base / k**self.power)


@rule("warm_up")
class WarmUp(Schedule):
    """Rises in equal steps to the base over the first updates; then another schedule, as from its beginning."""

    updates: int = number(None, at_least=1, whole=True)
    then: Schedule = Constant()

    def rate(self, base: float, k: int) -> float:
        return base * k / self.updates if k <= self.updates else self.then.rate(base, k - self.updates)
