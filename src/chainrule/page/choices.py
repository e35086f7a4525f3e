"""What may be chosen: every rule of the catalogue with its hyper-parameters, and every convention in words."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from chainrule.comparing import VARIED
from chainrule.conventions import CHOICES, Conventions
from chainrule.phrases import say, speaking
from chainrule.rules.layers import Dense
from chainrule.rules.rule import CATALOGUE, find, names
from chainrule.spec import Example

KINDS = ("activation", "loss", "optimizer")


def rules(kind: str) -> list[dict[str, Any]]:
    """The rules of a kind by their standard names: what each is in one sentence, and what of it can be set."""
    return [
        {"name": name, "words": _sentence(find(kind, name)), "parameters": [parameter(each) for each in settable(kind, name)]}
        for name in names(kind)
    ]


def settable(kind: str, name: str) -> list[Field[Any]]:
    """The hyper-parameters of a rule that a field can hold: numbers and words."""
    if name not in CATALOGUE[kind]:
        return []
    return [each for each in fields(CATALOGUE[kind][name]) if "check" in each.metadata and each.name != "reduction"]


def parameter(each: Field[Any]) -> dict[str, Any]:
    """A hyper-parameter: its name, its textbook's sign, what it may be, and what it is where nothing is said."""
    return {
        "name": each.name,
        "symbol": each.metadata.get("symbol", ""),
        "wanted": _wanted(each.metadata["limits"], each.metadata["whole"]) if "limits" in each.metadata else "",
        "options": list(each.metadata.get("options", ())),
        "default": None if each.default is MISSING else each.default,
    }


def spoken(name: str) -> str:
    """A hyper-parameter's name in words; a sign such as beta1 is its own word."""
    words = {
        "learning_rate": say("learning rate"),
        "momentum": say("momentum"),
        "momentum_decay": say("momentum decay"),
        "weight_decay": say("weight decay"),
        "rate": say("rate"),
        "scale": say("scale"),
        "quantile": say("quantile"),
        "cubic": say("cubic"),
        "negative_slope": say("negative slope"),
        "initial_accumulator": say("initial accumulator"),
        "epsilon_place": say("place of epsilon"),
        "bias_correction": say("bias correction"),
        "form": say("form"),
        "decay": say("decay"),
    }
    return words.get(name, name.replace("_", " "))


def conventions(places: int = Conventions.places) -> list[dict[str, Any]]:
    """The choices on which two correct calculations may differ: where each stands in a spec, and its values in words.
    places: the decimals that the words speak of."""
    spoken = {
        "update.biases": ("biases", "biases", say("Update of the biases")),
        "update.order": ("order", "order", say("Order of the update")),
        "numbers.intermediate": ("intermediate", "numbers", say("Rounding at every step")),
        "numbers.print": ("print", "numbers", say("How numbers are shown")),
    }
    told = {  # what is kept and what is only shown, each in its own words
        ("intermediate", "exact"): say("exact at every step"),
        ("print", "rounded"): say("rounded to {n} decimals", n=places),
        ("print", "truncated"): say("truncated to {n} decimals", n=places),
        ("print", "significant"): say("with {n} significant figures", n=places),
    }
    found = [
        {
            "path": path,
            "label": label,
            "options": [[value, told.get((name, value)) or _spoken(name, value, places)[words]] for value in CHOICES[name]],
        }
        for path, (name, words, label) in spoken.items()
    ]
    loss = {"path": "network.reduction", "label": say("Loss of many samples")}
    reductions = [["mean", say("the mean over the samples")], ["sum", say("the sum over the samples")]]
    return [*found, {**loss, "options": reductions}]


def varied(example: Example) -> list[list[str]]:
    """What of an example can be put side by side, each with its label: only what its network, loss and optimizer have."""
    network, optimizer = example.network, example.optimizer
    labels = {each["path"]: each["label"] for each in conventions()}
    biased = any(isinstance(layer, Dense) and layer.bias != "none" for layer in network.layers)
    found = ["update.order", *(["update.biases"] if biased else []), "numbers.intermediate"]
    found += ["network.reduction"] if len(example.x) > 1 else []
    told = [[key, labels[key]] for key in found]
    if network.loss.name in VARIED["network.loss"]:
        told.append(["network.loss", say("Loss")])
    told.append(["update.optimizer", say("Optimizer")])
    dialects = {
        "form": say("What the velocity holds"),
        "epsilon_place": say("Where epsilon stands"),
        "bias_correction": say("Correction of the means"),
        "decay": say("How weights decay"),
    }
    for each in settable("optimizer", optimizer.name):
        if options := each.metadata.get("options"):  # said with its values: a key of this name may have others elsewhere
            told.append([f"update.{each.name}={'|'.join(options)}", dialects.get(each.name, each.name.replace("_", " "))])
    return told


def way(label: str) -> str:
    """A way to choose as the command calls it, such as `order sequential`, in the language that is spoken."""
    words = {
        "order": say("order"), "simultaneous": say("simultaneous"), "sequential": say("sequential"),
        "biases": say("biases"), "updated": say("updated"), "frozen": say("frozen"),
        "updated_per_unit": say("updated_per_unit"),
        "intermediate": say("intermediate"), "exact": say("exact"), "rounded": say("rounded"),
        "truncated": say("truncated"), "significant": say("significant"),
        "reduction": say("reduction"), "mean": say("mean"), "sum": say("sum"),
        "loss": say("loss"), "optimizer": say("optimizer"), "form": say("form"), "decay": say("decay"),
        "epsilon_place": say("place of epsilon"), "bias_correction": say("bias correction"),
    }  # fmt: skip
    if speaking() == "en":
        return label  # the command's own words
    return say(", ").join(" ".join(words.get(word, word) for word in part.split(" ")) for part in label.split(", "))


def _spoken(name: str, value: str, places: int) -> dict[str, str]:
    chosen: dict[str, Any] = {name: value}
    return Conventions(places=places, **chosen).sentences()


def _sentence(cls: type[Any]) -> str:
    return say(" ".join((cls.__doc__ or "").split("\n\n")[0].split()))


def _wanted(limits: dict[str, float], whole: bool) -> str:
    """What a number may be, in words."""
    words = {
        "above": say("above {n}", n=f"{limits.get('above', 0):g}"),
        "at_least": say("at least {n}", n=f"{limits.get('at_least', 0):g}"),
        "below": say("below {n}", n=f"{limits.get('below', 0):g}"),
        "at_most": say("at most {n}", n=f"{limits.get('at_most', 0):g}"),
    }
    kind = say("a whole number") if whole else say("a number")
    return say(", ").join([kind, *(words[name] for name in words if name in limits)])
