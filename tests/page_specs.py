"""Specs that nobody should open on the page, sent by somebody who has its keys."""

from __future__ import annotations

import json

from page_attacks import ask

SPEC = """
[network]
loss = "half_squared_error"
[[network.layers]]
activation = "sigmoid"
weights = [[0.15, 0.20], [0.25, 0.30]]
biases = 0.35
[data]
inputs = [[0.05, 0.10]]
targets = [[0.01, 0.99]]
[update]
optimizer = "sgd"
learning_rate = 0.5
"""
WRONG = {
    "weights = [[0.15, 0.20], [0.25, 0.30]]": (
        "units = 1000000000", "units = 1000000000000000000000", "units = 499999", "units = 0", "units = -3", "units = 1.5",
        'units = "2"', "units = true", "units = [2]", "weights = []", "weights = [[]]", "weights = [[0.15, 0.20], [0.25]]",
        'weights = [["a", 0.2], [0.25, 0.3]]', "weights = [[nan, 0.2], [0.25, 0.3]]", "weights = [[inf, 0.2], [0.25, 0.3]]",
        "weights = [[1e999, 0.2], [0.25, 0.3]]", "weights = 5", "weights = [[true, 0.2], [0.25, 0.3]]",
        "weights = [[0.15, 0.20, 0.1], [0.25, 0.30, 0.1]]", "weights = [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
        "units = 2\ninitializer = \"__import__('os')\"", "weights = [[" + "9" * 2_000 + "]]", "units = 0x7fffffffffffffff",
    ),
    'activation = "sigmoid"': (
        'activation = "<script>alert(1)</script>"', 'activation = "../../etc/passwd"', "activation = 1", 'activation = ""',
        'activation = "__class__"', 'activation = "sigmoid; import os"', 'activaton = "sigmoid"', 'activation = ["sigmoid"]',
        'activation = "sigmoid"\n"<img src=x onerror=alert(1)>" = 1', 'activation = "sigmoid"\nactivation = "tanh"',
        "activation = " + '"' + "a" * 100_000 + '"', 'activation = "\\u0000"', 'kind = "eval"', 'rule = "os.system"',
    ),
    'loss = "half_squared_error"': (
        'loss = "${HOME}"', 'loss = "!!python/object/apply:os.system [id]"', 'loss = "{{7*7}}"', "loss = 1",
        'include = "/etc/passwd"',
        'loss = "half_squared_error"\nseed = -1', 'loss = "half_squared_error"\nseed = 1e400',
        'loss = "half_squared_error"\ndtype = "O"',
    ),
    "inputs = [[0.05, 0.10]]": (
        'table = "/etc/passwd"', 'table = "../../../../etc/passwd"', 'table = "http://attacker.test/x.csv"',
        'table = "/proc/self/environ"',
        'table = "/dev/zero"', 'table = "\\\\\\\\server\\\\share"', 'table = "answers/mazur.toml"',
        'table = "mazur.toml\\u0000.csv"',
        "inputs = [[0.05]]", "inputs = []", 'inputs = "0.05, 0.10"', "inputs = [[nan, 0.1]]",
        "inputs = [[0.05, 0.10]]\nrows = 1000000000",
        "inputs = [" + "[0.0, 0.0]," * 100_001 + "]",
    ),
    "learning_rate = 0.5": (
        "learning_rate = 0", "learning_rate = -1", "learning_rate = nan", "learning_rate = inf", 'learning_rate = "0.5"',
        "learning_rate = 1e999", "learning_rate = [0.5]", "learning_rate = 0.5\nmomentum = 2",
        "learning_rate = 0.5\nbatch_size = -1",
    ),
}  # fmt: skip
"""A line of the spec, and what stands there instead."""


def specs(honest):
    """Specs that would take all memory or all time, read files, run code, or are simply wrong."""
    texts = [SPEC.replace(line, wrong) for line, many in WRONG.items() for wrong in many]
    layer = '[[network.layers]]\nactivation = "sigmoid"\nunits = 2\n'
    texts += [
        SPEC.replace("[data]", "units = 999999\n" + layer + "[data]"),
        SPEC + "chainrule = 99", SPEC + "[[[[", SPEC + "a" + ".a" * 100_000 + " = 1",
        SPEC + "x = " + "[" * 100_000, "", "\x00", "- yaml",
        "network: {}", SPEC + SPEC, "a = 1\n" * 10_000, '"' + "a" * 1_000_000,
    ]  # fmt: skip
    for text in texts:
        yield ask(honest, target="/api/begin", body=json.dumps({"version": 1, "name": "x.toml", "text": text}).encode())
    many = {
        "network": {"loss": "half_squared_error", "layers": [{"units": 2}] * 100_000},
        "data": {"inputs": [[1]], "targets": [[1]]},
    }
    yield ask(honest, target="/api/begin", body=json.dumps({"version": 1, "name": "x.json", "text": json.dumps(many)}).encode())
    for name in ("x.pt", "x.pkl", "x.safetensors", "x", "../x", "x.toml\x00.pkl", "x.py", "/etc/passwd", "x.html", "x.json"):
        yield ask(honest, target="/api/begin", body=json.dumps({"version": 1, "name": name, "text": "<p>"}).encode())
    for edit in (["data.table", "/etc/passwd"], ["data.table", "../x.csv"], ["__class__", 1],
    ["network.layers[1].units", 10**9],
                 ["", 1], ["a" * 5_000, 1], ["network.layers[99999999999999].units", 1], ["network.loss", {}], [1,
                 2], [], None):  # fmt: skip
        yield ask(honest, target="/api/change", body=json.dumps({"version": 1, "edits": [edit]}).encode())
