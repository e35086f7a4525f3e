"""The choices on which two correct calculations may differ, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import InputError, nearest, shown
from chainrule.phrases import phrase, say

CHOICES: dict[str, tuple[str, ...]] = {
    "biases": ("updated", "frozen", "updated_per_unit"),
    "order": ("simultaneous", "sequential"),
    "orientation": ("rows", "columns"),
    "intermediate": ("exact", "rounded", "truncated", "significant"),
    "print": ("rounded", "truncated", "significant"),
}


@dataclass(frozen=True)
class Conventions:
    """biases: updated, frozen, or updated_per_unit (a bias that a layer shares becomes one per unit first).
    order: simultaneous (all gradients from the old weights) or sequential (a layer's new weights already hand back).
    orientation: what the rows of a weight matrix are in the spec: receiving units, or (columns) senders.
    intermediate: every named step exact, rounded or truncated to `places` decimals, or kept to `places` significant figures.
    print: the same choice for what is only shown; "" shows numbers as they are kept, exact ones rounded.
    """

    biases: str = "updated"
    order: str = "simultaneous"
    orientation: str = "rows"
    intermediate: str = "exact"
    places: int = 9
    print: str = ""

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value not in allowed and not (name == "print" and value == ""):
                raise InputError(f"unknown {name}", got=shown(value), do=nearest(value, allowed), field=name)
        if isinstance(self.places, bool) or not isinstance(self.places, int) or not 0 <= self.places <= 17:
            raise InputError("places must be a whole number from 0 to 17", got=shown(self.places), field="places")

    @property
    def display(self) -> str:
        """How numbers are shown: rounded, truncated or significant."""
        return self.print or (self.intermediate if self.intermediate != "exact" else "rounded")

    def sentences(self) -> dict[str, str]:
        """Each choice in words, for the head of a derivation."""
        kept = {
            "exact": {
                "rounded": phrase("exact at every step, shown to {n} decimals"),
                "truncated": phrase("exact at every step, shown truncated to {n} decimals"),
                "significant": phrase("exact at every step, shown to {n} significant figures"),
            }[self.display],
            "rounded": phrase("rounded to {n} decimals at every named step"),
            "truncated": phrase("truncated to {n} decimals at every named step"),
            "significant": phrase("kept to {n} significant figures at every named step"),
        }
        biases = {
            "updated": phrase("updated"),
            "frozen": phrase("frozen: they are not updated"),
            "updated_per_unit": phrase("one per unit, updated"),
        }
        order = {
            "simultaneous": phrase("simultaneous: every gradient is taken from the old weights"),
            "sequential": phrase("sequential: a layer's new weights already carry the error back"),
        }
        orientation = {
            "rows": phrase("rows of a weight matrix are receiving units"),
            "columns": phrase("rows of a weight matrix are senders, columns are receiving units"),
        }
        return {
            "biases": say(biases[self.biases]),
            "order": say(order[self.order]),
            "orientation": say(orientation[self.orientation]),
            "numbers": say(kept[self.intermediate], n=self.places),
        }
