"""Small models and checkpoints, and files forged from them: with right checksums and wrong contents."""

import hashlib
import json

import numpy as np

import chainrule as cr
from chainrule import files, models
from chainrule.preparing import fit, goal_of
from small_tables import table

SEED = 5


def network(dtype="float64"):
    layers = [cr.Dense(3, "tanh"), cr.BatchNorm(), cr.Dense(2, "softmax")]
    return cr.Network(layers, inputs=2, loss="cross_entropy", seed=SEED, penalties=[cr.L2(0.01)], dtype=dtype)


def small_model(path, **about):
    models.Model(network(), about=about).save(path)
    return path


def state(step=7):
    draw = np.random.default_rng(step)
    return {
        "parameters": draw.normal(size=5).astype(np.float32),
        "state": [{"W": {"m": draw.normal(size=(2, 3)), "v": draw.normal(size=(2, 3)) ** 2}, "b": {}}, {}],
        "order": draw.permutation(4),
        "mask": np.array([True, False]),
        "best": float("inf"),
        "first": float("nan"),
        "history": [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": -0.0}],
        "rates": (0.1, 0.05, None),
        "name": 'a\x00 "quoted" \u202e text \ud83d',
    }


def small_checkpoint(path, step=7, **identity):
    files.write_checkpoint(path, state(step), step=step, identity=identity or {"data": "d1", "seed": 0})
    return path


def taken_apart(data):
    """(tensors' places, what the metadata says, payload) of a file's bytes."""
    length = int.from_bytes(data[:8], "little")
    outer = json.loads(data[8 : 8 + length])
    inner = json.loads(outer.pop("__metadata__")["chainrule"])
    return outer, {key: inner[key] for key in inner if key not in ("version", "bytes", "header_sha256")}, data[8 + length :]


def forged(places, inner, payload, version=1, after="", resum=True):
    """A file of these parts with checksums that agree: as somebody who knows the format would make it.

    inner may be a text of JSON, without its first brace; after: more entries of the header, as JSON.
    """
    if resum and isinstance(inner, dict):
        inner = {**inner, "payload_sha256": hashlib.sha256(payload).hexdigest()}
    text = json.dumps(inner, separators=(",", ":"))[1:] if isinstance(inner, dict) else inner
    listed = places if isinstance(places, str) else json.dumps(places, separators=(",", ":"))[1:-1]
    escaped = json.dumps(text)[1:-1]

    def header(size, digest):
        first = f'{{"__metadata__":{{"chainrule":"{{\\"version\\":{version},\\"bytes\\":{size:16d},\\"header_sha256\\":\\"'
        body = (first + digest + '\\",' + escaped + '"}' + ("," if listed else "") + listed + after + "}").encode()
        body += b" " * (-len(body) % 8)
        return len(body).to_bytes(8, "little") + body

    bare = header(len(header(0, "0" * 64)) + len(payload), "0" * 64)
    return bare.replace(b"0" * 64, hashlib.sha256(bare).hexdigest().encode(), 1) + payload


def resummed(data, old, new):
    """A file with something else in its header, whose lengths and checksum agree with that."""
    end = 8 + int.from_bytes(data[:8], "little")
    body, payload = data[8:end].replace(old, new), data[end:]
    body += b" " * (-len(body) % 8)
    size, digest = body.index(b'\\"bytes\\":') + 10, body.index(b'header_sha256\\":\\"') + 18
    body = body[:size] + b"%16d" % (8 + len(body) + len(payload)) + body[size + 16 : digest] + b"0" * 64 + body[digest + 64 :]
    bare = len(body).to_bytes(8, "little") + body
    return bare.replace(b"0" * 64, hashlib.sha256(bare).hexdigest().encode(), 1) + payload


def penguins():
    """A small table with a number that has a gap, a category, a truth and a target."""
    return table(
        bill=[39.1, 39.5, None, 36.7, 50.0, 51.5] * 5,
        island=["Torgersen", "Biscoe", "Dream", None, "Biscoe", "Dream"] * 5,
        ringed=[True, False, True, False, True, None] * 5,
        species=["Adelie", "Adelie", "Gentoo", "Adelie", "Gentoo", "Chinstrap"] * 5,
    )


def prepared_model(path):
    """A model with a preparation and a goal, in a file."""
    given = penguins()
    preparation, _ = fit(given, None, "species")
    goal = goal_of(given, None, "species", "classes")
    layers = [cr.Dense(3, "tanh"), cr.Dense(goal.outputs, "softmax")]
    made = cr.Network(layers, len(preparation.inputs), "cross_entropy", seed=SEED)
    models.Model(made, preparation, goal, {"title": "Penguins"}).save(path)
    return path
