"""Every bit of a file counts: each one flipped, every length it may be cut to, and mutations of all kinds."""

import copy
import os
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import chainrule as cr
from chainrule import files, models
from chainrule.files import container
from chainrule.files.texts import FileError
from made_files import forged, network, penguins, prepared_model, small_checkpoint, small_model, state, taken_apart

MUTATIONS = int(os.environ.get("CHAINRULE_MUTATIONS", "600"))
"""How many mutated files are read; 10,000 take a minute."""

PARTS = 8
"""Into so many tests the bits are shared out."""


@pytest.fixture(scope="module", params=["model", "checkpoint", "prepared"])
def whole(request, tmp_path_factory):
    """(kind, bytes) of a small file."""
    path = tmp_path_factory.mktemp("whole") / "file.safetensors"
    {"model": small_model, "checkpoint": small_checkpoint, "prepared": prepared_model}[request.param](path)
    return "checkpoint" if request.param == "checkpoint" else "model", path.read_bytes()


def parsed(data, kind):
    whole = np.frombuffer(bytes(data), np.uint8)
    return container.parse(len(whole), lambda start, count: whole[start : start + count].copy(), (kind,), False)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_flipped_bit_is_found_and_what_it_belongs_to_is_named(whole, part):
    kind, data = whole
    places = taken_apart(data)[0]
    begin = 8 + int.from_bytes(data[:8], "little")
    owner = {}
    for name, place in places.items():
        for at in range(*place["data_offsets"]):
            owner[begin + at] = name
    assert sorted(owner) == list(range(begin, len(data))), "a byte of the payload belongs to no tensor"
    for at in range(part, len(data), PARTS):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(FileError) as caught:
                parsed(flipped, kind)
            message = str(caught.value)
            if at in owner:
                assert "damaged: the checksum of the tensors differs" in message
                assert f"got '{owner[at]}' -" in message
            else:
                assert message.startswith("damaged: "), f"byte {at}, bit {bit}: {message}"


def test_every_cut_is_found_and_says_how_much_is_there(whole, tmp_path):
    kind, data = whole
    begin = data.index(b"payload_sha256") - 2  # from there on the length of the whole is known
    path = tmp_path / "cut.safetensors"
    path.write_bytes(data)
    for size in range(len(data) - 1, -1, -1):
        os.truncate(path, size)
        with pytest.raises(cr.RunError) as caught:
            files.read(path, kind)
        message = str(caught.value)
        if size >= begin:
            assert message.startswith(f"cut: {size:,} of {len(data):,} bytes - {path}"), message
        elif size >= 8:
            assert re.match(rf"cut: {size:,} of at least [\d,]+ bytes", message), message
        else:
            assert message.startswith("cut: " if size else "the file is empty"), message


@pytest.mark.parametrize("more", [b"\0", b"\n", b" " * 8, b"PK\3\4", bytes(5000)])
def test_bytes_after_the_end_are_found(whole, more, tmp_path):
    kind, data = whole
    path = tmp_path / "longer.safetensors"
    path.write_bytes(data + more)
    with pytest.raises(cr.RunError, match=f"{len(more):,} bytes too many at the end"):
        files.read(path, kind)


def mutated(draw, data):
    """A damaged or forged variant of a file."""
    data, kind = bytearray(data), draw.randrange(9)
    at = draw.randrange(len(data))
    if kind == 0:
        for _ in range(draw.randrange(1, 20)):
            data[draw.randrange(len(data))] = draw.randrange(256)
    elif kind == 1:
        del data[at : at + draw.randrange(1, 50)]
    elif kind == 2:
        data[at:at] = draw.randbytes(draw.randrange(1, 50))
    elif kind == 3:
        data[at : at + 8] = draw.choice([0, 1, 2**31, 2**63, 2**64 - 1, len(data)]).to_bytes(8, "little")
    elif kind == 4:
        data[:8] = draw.randrange(2 ** draw.randrange(1, 64)).to_bytes(8, "little")
    elif kind == 5:
        other = draw.randrange(len(data))
        data[at : at + 100] = data[other : other + 100]
    else:  # somebody who knows the format
        places, inner, payload = taken_apart(bytes(data))
        for _ in range(draw.randrange(1, 4)):
            target = draw.choice([places, inner, inner["document"]])
            spots = [(table, key) for table in _tables(target) for key in (table if type(table) is dict else range(len(table)))]
            table, key = draw.choice(spots)
            change = draw.randrange(4)
            if change == 0:
                del table[key]
            elif change == 1 and type(table) is dict:
                table[draw.choice(["x", "__metadata__", "$tensor", "$records", "$float", ""])] = table[key]
            else:
                table[key] = copy.deepcopy(draw.choice(VALUES))
            if not isinstance(inner.get("document"), (dict, list)):
                break
        return forged(places, inner, payload, resum=draw.random() < 0.9)
    return bytes(data)


AFTERWARDS = ("expects", "has no column", "must be of kind", "too far")
"""A file that says something else, rightly described, is good; it only does not fit the rows that are given to it here."""

VALUES = [
    None, True, 0, -1, 3, 2**31, 2**63, 10**30, 0.5, -0.0, 1e300, "", "x", "layers.1.W", "dense", "a" * 5000, "\ud800", [], {},
    [[]], [1, 2], {"a": 1}, {"$tensor": "layers.1.W"}, {"$tensor": []}, {"$float": "7ff8000000000000"}, {"$float": 3},
    {"$tuple": {}}, {"$numbers": "layers.1.W"}, {"$fraction": ["1", "0"]}, {"$fraction": ["1", "3"]}, {"$records": {"a": 1}},
    {"$records": {"a": [1], "b": [1, 2]}}, {"$unknown": 1}, {"$a": 1, "$b": 2}, [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],
    {"rule": "layer", "name": "dense", "fields": {"units": 2**31}}, {"rule": "layer", "name": [], "fields": {}},
    {"rule": {}, "name": "dense", "fields": {}}, {"rule": "layer", "name": "dense", "fields": []},
]  # fmt: skip


def _tables(value):
    found, todo = [], [value]
    while todo:
        table = todo.pop()
        if type(table) in (dict, list) and table:
            found.append(table)
            todo += table.values() if type(table) is dict else table
    return found or [{"x": 0}]


@pytest.mark.parametrize("part", range(4))
def test_mutated_files_end_in_words(part, tmp_path):
    makers = {"model": small_model, "prepared": prepared_model, "checkpoint": small_checkpoint}
    originals = {kind: make(tmp_path / kind).read_bytes() for kind, make in makers.items()}
    given = {"model": np.zeros((1, 2)), "prepared": penguins()}
    path, refused = tmp_path / "mutated", 0
    for number in range(part, MUTATIONS, 4):
        draw = random.Random(number)
        kind = draw.choice(sorted(originals))
        path.write_bytes(mutated(draw, originals[kind]))
        try:
            if kind != "checkpoint":
                cr.load_model(path, allow_nonfinite=draw.random() < 0.5).outputs(given[kind])
            else:
                files.read_checkpoint(path, allow_nonfinite=draw.random() < 0.5)
        except cr.InputError as error:
            refused += 1
            named = isinstance(error, cr.RunError) and str(path) in str(error)
            if not named and not any(word in str(error) for word in AFTERWARDS):
                raise AssertionError(f"mutation {number}") from error
        except Exception as error:
            raise AssertionError(f"mutation {number}") from error
    assert refused > MUTATIONS / 4 * 0.8  # some change only what may be said


numbers = st.sampled_from(["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1", "|b1", ">f8", ">i4"])
some_arrays = numbers.flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.fractions()
    | some_arrays,
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5).filter(lambda key: not key.startswith("$")), inside, max_size=4)
    ),
    max_leaves=12,
)
long_lists = (
    st.lists(st.floats(), min_size=30, max_size=40)
    | st.lists(st.integers(-(2**65), 2**65), min_size=33, max_size=40)
    | st.lists(st.fixed_dictionaries({"a": st.integers(), "b": st.floats() | st.none()}), min_size=33, max_size=40)
)


def same(a, b):
    """Whether two values are the same to the last bit, in kind and order too."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")
            and a.shape == b.shape
            and a.astype(a.dtype.newbyteorder("<")).tobytes() == b.astype(b.dtype.newbyteorder("<")).tobytes()
        )
    if type(a) is not type(b):
        return False
    if type(a) is dict:
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return np.float64(a).tobytes() == np.float64(b).tobytes() if type(a) is float else a == b


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(max_size=5).filter(lambda key: not key.startswith("$")), plain | long_lists, max_size=5))
def test_what_goes_into_a_checkpoint_comes_out_of_it(held):
    tensors, document = files.apart(held)
    prepared = container.prepare("checkpoint", tensors, {"state": document})
    data = prepared.header + b"".join(prepared.parts)
    found = container.parse(
        len(data), lambda start, count: np.frombuffer(data, np.uint8)[start : start + count].copy(), ("checkpoint",), True
    )
    assert same(files.together(found.tensors, found.document["state"]), held)
    from safetensors.numpy import load

    other = load(data)
    assert sorted(other) == sorted(tensors)
    assert all(same(other[name], found.tensors[name]) for name in tensors)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(["tanh", "relu"]) | st.integers(1, 5).map(lambda n: cr.Dense(n, "sigmoid", bias="shared"))
        | st.integers(1, 5).map(lambda n: cr.Dense(n, bias="none", initializer="he_normal"))
        | st.sampled_from([cr.BatchNorm(momentum=0.3), cr.LayerNorm(epsilon=1e-3), cr.Dropout(0.25)]),
        min_size=1, max_size=8,
    ),
    st.integers(1, 6), st.integers(0, 2**64 - 1), st.sampled_from(["float32", "float64"]),
)  # fmt: skip
def test_any_network_gives_the_same_outputs_after_a_file(layers, inputs, seed, dtype):
    made = cr.Network(layers, inputs, "mean_squared_error", seed=seed, dtype=dtype)
    tensors, document = files.network_document(made)
    prepared = container.prepare("model", tensors, document)
    found = parsed(prepared.header + b"".join(prepared.parts), "model")
    back = files.network_from(found.document, found.tensors)
    x = np.random.default_rng(0).normal(size=(9, inputs))
    assert back.predict(x).tobytes() == made.predict(x).tobytes()
    assert back.layers == made.layers
    assert back.seed == seed
    assert back.parameters.dtype == made.parameters.dtype == dtype


def test_tensors_begin_at_multiples_of_their_numbers(tmp_path):
    tensors = {"a": np.zeros(3, np.int8), "b": np.arange(3.0), "c": np.zeros(5, np.float32), "d": np.array(True)}
    files.write(tmp_path / "t", tensors, {}, "checkpoint")
    found, _ = files.read(tmp_path / "t", "checkpoint")
    for name, array in found.items():
        assert array.flags.aligned, name
        assert array.flags.writeable, name
        assert (array == tensors[name]).all(), name


def test_more_memory_than_there_is_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    path = small_model(tmp_path / "m")
    monkeypatch.setattr(container, "free_memory", lambda: 200.0)
    with pytest.raises(cr.RunError, match=r"the tensors need .* GiB of memory"):
        cr.load_model(path)


def test_a_checkpoint_of_a_model_is_no_model(tmp_path):
    with pytest.raises(cr.RunError, match=r"the file holds a model - .* got a checkpoint is needed"):
        files.read_checkpoint(small_model(tmp_path / "m"))
    files.write(tmp_path / "c", {}, {"step": True, "identity": {}, "state": {}}, "checkpoint")
    with pytest.raises(cr.RunError, match="lacks what every checkpoint has"):
        files.read_checkpoint(tmp_path / "c")
    files.write(tmp_path / "c", {}, {"step": 1, "identity": {}, "state": []}, "checkpoint")
    with pytest.raises(cr.RunError, match="holds no table"):
        files.read_checkpoint(tmp_path / "c")
    assert same(state(3), state(3))
    assert not same(state(3), state(4))
    assert models.Model(network()).size == network().size
