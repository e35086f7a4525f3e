"""Files of models and checkpoints: every row of the catalogue of bad files, and what good ones keep."""

import errno
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import MISSING, fields

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import chainrule as cr
from chainrule import files, models
from chainrule.cli import main
from chainrule.course import Epoch
from chainrule.files import container, disk
from made_files import forged, network, resummed, small_checkpoint, small_model, state, taken_apart

# The catalogue: rows of (id, what is wrong, a function that makes the file and returns its path, texts of the message).
# Each must end in a RunError (exit code 1) that names the file, in no more than a second.
ROWS = []


def row(name, what, *texts):
    def keep(make):
        ROWS.append(pytest.param(make, texts, id=f"{name}-{what.replace(' ', '-')}"))
        return make

    return keep


def rewritten(folder, change, **options):
    """A model file whose parts are changed, with checksums that agree."""
    path = small_model(folder / "m.safetensors")
    places, inner, payload = taken_apart(path.read_bytes())
    changed = change(places, inner, payload)
    places, inner, payload = changed if changed is not None else (places, inner, payload)
    path.write_bytes(forged(places, inner, payload, **options))
    return path


def raw(folder, data, name="m.safetensors"):
    (folder / name).write_bytes(data)
    return folder / name


def with_length(folder, length):
    data = small_model(folder / "m.safetensors").read_bytes()
    return raw(folder, length.to_bytes(8, "little") + data[8:])


@row("M01", "cut in the tensors", "cut: ", " bytes", "older copy")
def _(folder):
    path = small_model(folder / "m.safetensors")
    return raw(folder, path.read_bytes()[:-100])


@row("M01", "cut in the header", "cut: 1,024 of 2,", " bytes")
def _(folder):
    return raw(folder, small_model(folder / "m.safetensors").read_bytes()[:1024])


@row("M01", "cut in the first bytes", "cut: 30 of at least 1,", " bytes")
def _(folder):
    return raw(folder, small_model(folder / "m.safetensors").read_bytes()[:30])


@row("M01", "empty", "the file is empty")
def _(folder):
    return raw(folder, b"")


@row("M02", "a bit of a tensor flipped", "damaged: the checksum of the tensors differs", "'layers.1.W'")
def _(folder):
    data = bytearray(small_model(folder / "m.safetensors").read_bytes())
    data[8 + int.from_bytes(data[:8], "little") + 3] ^= 16
    return raw(folder, data)


@row("M02", "a bit of the header flipped", "damaged: the checksum of the header differs")
def _(folder):
    data = bytearray(small_model(folder / "m.safetensors").read_bytes())
    data[700] ^= 1
    return raw(folder, data)


@row("M03", "trailing bytes", "3 bytes too many at the end")
def _(folder):
    return raw(folder, small_model(folder / "m.safetensors").read_bytes() + b"end")


@row("M03", "twice the same file", "bytes too many at the end")
def _(folder):
    return raw(folder, small_model(folder / "m.safetensors").read_bytes() * 2)


for length in (2**63, 2**64 - 1, 2**40, 100_000_000):

    @row("M04", f"header length {length}", "the header's length is impossible", f"{length:,} bytes in a file of ")
    def _(folder, length=length):
        return with_length(folder, length)


@row("M04", "header length 0", "damaged: the checksum of the header differs")
def _(folder):
    return with_length(folder, 0)


@row("M04", "header length 0 of a bare file", "zeros only")
def _(folder):
    return raw(folder, bytes(64))


@row("M04", "header a byte longer than it is", "damaged: the checksum of the header differs")
def _(folder):
    path = small_model(folder / "m.safetensors")
    return with_length(folder, int.from_bytes(path.read_bytes()[:8], "little") + 1)


@row("M05", "header not JSON", "the header is not JSON")
def _(folder):
    return raw(folder, (20).to_bytes(8, "little") + b'{"a": 1, this is not}')


@row("M05", "a tensor twice", "the header has the key 'layers.1.b' twice")
def _(folder):
    return rewritten(folder, lambda *_: None, after=',"layers.1.b":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}')


@row("M05", "a key of the document twice", "the metadata has the key 'a' twice")
def _(folder):
    def change(places, inner, payload):
        text = json.dumps(inner, separators=(",", ":"))[1:]
        return places, text.replace('"about":{', '"about":{"a":1,"a":2,'), payload

    return rewritten(folder, change)


@row("M05", "metadata not JSON", "the metadata is not JSON")
def _(folder):
    return rewritten(folder, lambda places, inner, payload: (places, "no JSON", payload))


@row("M05", "100 MB of keys", "the header's length is impossible", "100,000,0")
def _(folder):
    keys = b",".join(b'"k%08d":1' % i for i in range(100_000_000 // 13))
    body = small_model(folder / "m.safetensors").read_bytes()[8:400] + keys
    return raw(folder, (100_000_000).to_bytes(8, "little") + body.ljust(100_000_008))


@row("M05", "a million keys", "settings, names and history are too long: 1,000,", "a file takes 500,000")
def _(folder):
    keys = "".join(f',"k{i}":1' for i in range(1_000_000))
    return rewritten(folder, lambda *_: None, after=keys)


@row("M05", "nested 100000 deep", "the metadata is nested deeper than 16 levels")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, '"x":' + "[" * 100_000 + "]" * 100_000 + "}", d))


@row("M05", "nested 17 deep", "the metadata is nested deeper than 16 levels")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, {**i, "x": json.loads("[" * 16 + "]" * 16)}, d))


@row("M05", "a number of a million digits", "the metadata has a number of too many digits")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, '"x":' + "1" * 1_000_000 + "}", d))


@row("M05", "a number beyond float64", "the metadata has a number beyond what float64 holds")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, '"x":1e999}', d))


@row("M05", "NaN in the document", "the metadata has NaN, which is no JSON")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, '"x":NaN}', d))


@row("M05", "a text of 5000 characters", "the metadata has a text of 5,000 characters", "at most 4,096")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, {**i, "x": "a" * 5000}, d))


@row("M05", "an unknown key", "the header has an entry of no meaning", "'more'")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, {**i, "more": 1}, d))


@row("M05", "more metadata", "the header has an entry of no meaning", "'format'")
def _(folder):
    data = rewritten(folder, lambda *_: None).read_bytes()
    return raw(folder, resummed(data, b'"},"layers.1.W"', b'","format":"pt"},"layers.1.W"'))


@row("M05", "a key missing", "the header lacks what every file has", "'kind'")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, {key: i[key] for key in i if key != "kind"}, d))


@row("M05", "not UTF-8", "the header is not UTF-8")
def _(folder):
    data = rewritten(folder, lambda *_: None, after=',"XXXX":1').read_bytes()
    return raw(folder, resummed(data, b"XXXX", b"\xff\xfe\xfd\xfc"))


def moved(name, **change):
    def function(places, inner, payload):
        places[name] = {**places[name], **change}

    return function


@row("M06", "overlapping offsets", "tensors overlap", "'layers.2.gamma'")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", data_offsets=[48, 72]))


@row("M06", "a gap", "tensors leave a gap", "'layers.2.gamma'")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", data_offsets=[80, 104]))


@row("M06", "offsets beyond the file", "tensors leave a gap")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", data_offsets=[10**12, 10**12 + 24]))


@row("M06", "negative offsets", "a tensor's entry in the header is not as it must be", "'layers.2.gamma'")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", data_offsets=[-24, 0]))


@row("M06", "offsets the wrong way round", "shape and bytes of a tensor differ", "'layers.2.gamma'")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", data_offsets=[96, 72]))


@row("M06", "offsets that are texts", "a tensor's entry in the header is not as it must be")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", data_offsets=["72", "96"]))


@row("M06", "bytes that no tensor has", "tensors and file differ in length", "bytes of tensors")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, i, d + bytes(8)))


@row("M07", "a shape whose product overflows", "shape and bytes of a tensor differ", "4294967296, 4294967296, 16")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", shape=[2**32, 2**32, 16]))


@row("M07", "a shape of more numbers than bytes", "shape and bytes of a tensor differ", "(4,) of F64, 24 bytes")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", shape=[4]))


@row("M07", "a negative shape", "a tensor's entry in the header is not as it must be")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", shape=[-3]))


@row("M07", "a shape of 64 axes", "a tensor's entry in the header is not as it must be")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", shape=[1] * 63 + [3]))


@row("M07", "an unknown dtype", "a tensor's entry in the header is not as it must be")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", dtype="F8_E4M3"))


@row("M08", "a tensor missing", "the tensors are not those that the network needs", "missing: 'layers.3.b'")
def _(folder):
    def change(places, inner, payload):
        del places["layers.3.b"], inner["crc32"]["layers.3.b"]
        return places, inner, payload[:-16]

    return rewritten(folder, change)


@row("M08", "a tensor of another name", "missing: 'layers.3.b'; not needed: 'layers.3.c'")
def _(folder):
    def change(places, inner, payload):
        places["layers.3.c"] = places.pop("layers.3.b")
        inner["crc32"]["layers.3.c"] = inner["crc32"].pop("layers.3.b")

    return rewritten(folder, change)


@row("M08", "a tensor more", "not needed: 'layers.4.W'")
def _(folder):
    def change(places, inner, payload):
        places["layers.4.W"] = {"dtype": "F64", "shape": [1], "data_offsets": [len(payload), len(payload) + 8]}
        inner["crc32"]["layers.4.W"] = 0
        return places, inner, payload + bytes(8)

    return rewritten(folder, change)


@row("M08", "a tensor that nothing refers to", "tensors that nothing refers to", "'extra'")
def _(folder):
    def change(places, inner, payload):
        places["extra"] = {"dtype": "F64", "shape": [1], "data_offsets": [len(payload), len(payload) + 8]}
        inner["crc32"]["extra"] = 0
        return places, inner, payload + bytes(8)

    return rewritten(folder, change)


@row("M08", "I64 instead of F64", "a tensor is not as the network needs it", "int64 of shape (3,)", "float64 of shape (3,)")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", dtype="I64"))


@row("M08", "F16 instead of F64", "a tensor is not as the network needs it", "float16 of shape (12,)", "'layers.2.gamma'")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", dtype="F16", shape=[12]))


@row("M08", "another shape", "a tensor is not as the network needs it", "(3, 1)", "float64 of shape (3,)")
def _(folder):
    return rewritten(folder, moved("layers.2.gamma", shape=[3, 1]))


def nonfinite(value, place):
    def change(places, inner, payload):
        start, stop = places["layers.1.W"]["data_offsets"]
        numbers = np.frombuffer(payload[start:stop]).copy()
        numbers[place] = value
        return places, inner, payload[:start] + numbers.tobytes() + payload[stop:]

    return change


@row(
    "M09",
    "NaN in a weight",
    "1 numbers are not finite",
    "'layers.1.W'[2, 2]",
    "got nan",
    "--allow-nonfinite",
)
def _(folder):
    return rewritten(folder, nonfinite(np.nan, 3))


@row("M09", "infinity in a weight", "not finite", "'layers.1.W'[1, 1]", "got -inf", "--allow-nonfinite")
def _(folder):
    return rewritten(folder, nonfinite(-np.inf, 0))


def described_otherwise(change):
    def function(places, inner, payload):
        change(inner["document"]["network"])

    return function


NETWORKS = {
    "more units than weights": (lambda net: net["layers"][0]["fields"].update(units=4), "a tensor is not as the network needs"),
    "a billion units": (lambda net: net["layers"][0]["fields"].update(units=10**9), "float64 of shape (1000000000, 2)"),
    "units a text": (lambda net: net["layers"][0]["fields"].update(units="3"), "units must be a whole number"),
    "units 0": (lambda net: net["layers"][0]["fields"].update(units=0), "units must be a whole number"),
    "an unknown activation": (
        lambda net: net["layers"][0]["fields"]["activation"].update(name="tanhh"),
        "unknown activation", "did you mean tanh?",
    ),
    "a loss as a layer": (lambda net: net["layers"].append(net["loss"]), "the network's layers are not layers"),
    "no layers": (lambda net: net.update(layers=[]), "the network's layers are not layers"),
    "10001 layers": (lambda net: net.update(layers=net["layers"][:1] * 10_001), "the network's layers are not layers"),
    "a layer as a loss": (lambda net: net.update(loss=net["layers"][0]), "the network's loss is not a loss"),
    "an activation that is a loss": (
        lambda net: net["layers"][0]["fields"].update(activation=net["loss"]), "must be a rule or the name of one",
    ),
    "a loss that does not fit": (
        lambda net: net["loss"].update(name="softmax_cross_entropy"), "the network's description: softmax_cross_entropy takes",
    ),
    "a field of no meaning": (
        lambda net: net["layers"][1]["fields"].update(speed=1), "batch_norm has no such field", "'speed'",
    ),
    "a field out of range": (lambda net: net["layers"][1]["fields"].update(momentum=7), "momentum must be"),
    "a kind of no meaning": (lambda net: net["layers"][1].update(rule="module"), "unknown kind of rule", "'module'"),
    "a path for a name": (lambda net: net["layers"][1].update(name="os.system"), "unknown layer", "'os.system'"),
    "an entry of no meaning": (lambda net: net.update(url="https://x"), "the network's description is not as it must be"),
    "inputs -1": (lambda net: net.update(inputs=-1), "inputs are not a number"),
    "inputs true": (lambda net: net.update(inputs=True), "inputs are not a number"),
    "seed 1.5": (lambda net: net.update(seed=1.5), "seed is not a seed"),
    "dtype float16": (lambda net: net.update(dtype="float16"), "unknown dtype"),
    "dtype float32 of float64 weights": (lambda net: net.update(dtype="float32"), "it needs float32"),
    "a reference to nothing": (
        lambda net: net["layers"][1]["fields"].update(momentum={"$tensor": "x"}), "refers to nothing that is there",
    ),
    "penalties twice": (lambda net: net.update(penalties=net["penalties"] * 2), "a network takes one penalty of a kind"),
    "penalties a number": (lambda net: net.update(penalties=3), "penalties are not penalties"),
    "not a table": (lambda net: net.update(layers=[1, None, "x"]), "the network's layers are not layers"),
}  # fmt: skip
for what, (change, *texts) in NETWORKS.items():

    @row("M10", what, *texts)
    def _(folder, change=change):
        return rewritten(folder, described_otherwise(change))


@row("M10", "no network", "the file does not hold what a model is made of")
def _(folder):
    return rewritten(folder, lambda p, i, d: (p, {**i, "document": {}}, d))


@row("M10", "a checkpoint given as a model", "the file holds a checkpoint", "a model is needed")
def _(folder):
    return small_checkpoint(folder / "m.safetensors")


@row("M11", "a newer version", "version 2 of the format", "reads up to version 1", "install a newer chainrule")
def _(folder):
    return rewritten(folder, lambda *_: None, version=2)


class _Runs:
    """Runs code when it is unpickled: touches a file whose name is in the environment."""

    def __reduce__(self):
        return os.system, ('touch "$CHAINRULE_TOUCHED"',)


for protocol in range(6):

    @row(
        "M12", f"pickle protocol {protocol}", "a pickle: not opened, because it can run code", "save the weights as safetensors"
    )
    def _(folder, protocol=protocol):
        return raw(
            folder, pickle.dumps({"weights": [1.0, 2.0], "run": _Runs()}, protocol), "m.safetensors" if protocol else "m.pkl"
        )


@row("M12", "scikit-learn pickle", "a scikit-learn pickle: not opened")
def _(folder):
    return raw(folder, pickle.dumps(cr.MLPClassifier).replace(b"chainrule", b"sklearn..", 1), "m.pkl")


@row("M12", "torch zip", "a PyTorch pickle (.pt): not opened, because it can run code", "save the weights as safetensors")
def _(folder):
    import torch

    torch.save({"w": torch.zeros(3)}, folder / "m.pt")
    return folder / "m.pt"


@row("M12", "torch zip under our name", "a PyTorch pickle (.pt): not opened")
def _(folder):
    import torch

    torch.save({"w": torch.zeros(3)}, folder / "m.safetensors")
    return folder / "m.safetensors"


@row("M12", "torch before zip", "a PyTorch pickle (.pt): not opened")
def _(folder):
    import torch

    torch.save({"w": torch.zeros(3)}, folder / "m.safetensors", _use_new_zipfile_serialization=False)
    return folder / "m.safetensors"


@row("M12", "joblib", "pickle", "not opened, because it can run code")
def _(folder):
    import joblib

    joblib.dump({"a": np.zeros(3)}, folder / "m.joblib")
    return folder / "m.joblib"


@row("M12", "joblib compressed", "pickle", "not opened, because it can run code")
def _(folder):
    import joblib

    joblib.dump({"a": np.zeros(3)}, folder / "m.safetensors", compress=3)
    return folder / "m.safetensors"


@row("M12", "HDF5", "an HDF5 file (.h5, Keras): not read")
def _(folder):
    return raw(folder, b"\x89HDF\r\n\x1a\n" + bytes(100))


@row("M12", "h5 by its name", "an HDF5 file (.h5, Keras): not read")
def _(folder):
    return raw(folder, os.urandom(4) + b"abcdefgh" * 20, "model.h5")


@row("M12", "Keras", "a Keras model (.keras): not read")
def _(folder):
    with zipfile.ZipFile(folder / "m.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"\x89HDF")
    return folder / "m.keras"


@row("M12", "npz", "NumPy arrays (.npz)")
def _(folder):
    np.savez(folder / "m.npz", a=np.zeros(3))
    return folder / "m.npz"


@row("M12", "npy", "a NumPy array (.npy)")
def _(folder):
    np.save(folder / "m.npy", np.zeros(3))
    return folder / "m.npy"


@row("M12", "ONNX", "an ONNX model: not read by this version")
def _(folder):
    return raw(folder, b"\x08\x07\x12\x07pytorch\x1a\x05" + bytes(50), "m.onnx")


@row("M12", "ONNX under our name", "an ONNX model, as it seems: not read by this version")
def _(folder):
    return raw(folder, b"\x08\x07\x12\x07pytorch\x1a\x05" + bytes(50))


@row("M12", "another's safetensors", "a safetensors file, but not one that chainrule wrote")
def _(folder):
    save_file({"w": np.zeros((2, 3))}, folder / "m.safetensors")
    return folder / "m.safetensors"


@row("M12", "a text", "not a model of chainrule's", "'sepal,petal")
def _(folder):
    return raw(folder, b"sepal,petal,species\n1,2,3\n" * 5)


@row("M13", "zip", "a zip archive: not unpacked")
def _(folder):
    with zipfile.ZipFile(folder / "m.safetensors", "w") as archive:
        archive.writestr("../../model.safetensors", b"x")
    return folder / "m.safetensors"


@row("M13", "empty zip", "an empty zip archive")
def _(folder):
    zipfile.ZipFile(folder / "m.safetensors", "w").close()
    return folder / "m.safetensors"


@row("M13", "tar", "a tar archive: not unpacked")
def _(folder):
    with tarfile.open(folder / "m.safetensors", "w") as archive:
        entry = tarfile.TarInfo("../../model.safetensors")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    return folder / "m.safetensors"


@row("M13", "gzip", "a gzip archive: not unpacked")
def _(folder):
    import gzip

    return raw(folder, gzip.compress(small_model(folder / "m.safetensors").read_bytes()))


@row("M14", "a folder", "a folder, not a file", "other.safetensors")
def _(folder):
    small_model(folder / "other.safetensors")
    return folder


@row("M14", "a device", "not a file but a device or a pipe")
def _(folder):
    return "/dev/zero"


@row("M14", "a pipe", "not a file but a device or a pipe")
def _(folder):
    os.mkfifo(folder / "m.safetensors")
    return folder / "m.safetensors"


@row("M14", "a socket", "")
def _(folder):
    import socket

    here = os.getcwd()
    os.chdir(folder)  # a socket's name is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("m.safetensors")
    finally:
        os.chdir(here)
    return folder / "m.safetensors"


@row("M14", "a link to nowhere", "there is no such file")
def _(folder):
    (folder / "m.safetensors").symlink_to(folder / "gone")
    return folder / "m.safetensors"


@row("M14", "a link to itself", "the file cannot be opened", "symbolic links")
def _(folder):
    (folder / "m.safetensors").symlink_to(folder / "m.safetensors")
    return folder / "m.safetensors"


@row("M14", "absent", "there is no such file", "did you mean model.safetensors?")
def _(folder):
    small_model(folder / "model.safetensors")
    return folder / "modell.safetensors"


@row("M14", "a name with NUL", "no file can have this name")
def _(folder):
    return f"{folder}/m\x00.safetensors"


@row("M14", "a name too long", "name too long")
def _(folder):
    return folder / ("m" * 300)


@pytest.mark.parametrize(("make", "texts"), ROWS)
def test_a_bad_model_is_refused_in_words(make, texts, tmp_path, monkeypatch):
    touched = tmp_path / "touched"
    monkeypatch.setenv("CHAINRULE_TOUCHED", str(touched))
    path = make(tmp_path)
    begun = time.monotonic()
    with pytest.raises(cr.RunError) as caught:
        cr.load_model(path)
    seconds = time.monotonic() - begun
    message = str(caught.value)
    for text in texts:
        assert text in message, message
    (problem,) = caught.value.problems
    assert caught.value.code == 1
    assert os.path.basename(str(path)).split("\x00")[0] in problem.file, "the message does not name the file"
    assert not touched.exists(), "code in the file was run"
    assert "\x1b" not in message
    assert seconds < 2, f"{seconds:.1f} s"  # 1 s is wanted; the machine may be busy


@pytest.mark.parametrize(("make", "texts"), [row for row in ROWS if "NUL" not in row.id])  # no command line can hold a NUL
def test_a_command_given_a_bad_model_ends_with_1_and_says_why(make, texts, tmp_path, capsys):
    path = make(tmp_path)
    data = tmp_path / "data.csv"
    data.write_text("a,b\n1,2\n")
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            main(["predict", str(path), str(data)])
    finally:
        signal.signal(signal.SIGTERM, before)
    out, told = capsys.readouterr()
    assert ended.value.code == 1, told
    assert out == ""
    assert told.startswith("error: ")
    assert "Traceback" not in told
    assert all(text in told for text in texts), told


def test_m14_a_link_is_opened_as_the_file_it_points_to_and_saved_through(tmp_path):
    (tmp_path / "there").mkdir()
    path = small_model(tmp_path / "there" / "real.safetensors")
    (tmp_path / "m.safetensors").symlink_to(path)
    assert cr.load_model(tmp_path / "m.safetensors").size == network().size
    small_model(tmp_path / "m.safetensors", title="second")
    assert (tmp_path / "m.safetensors").is_symlink()
    assert cr.load_model(path).about["title"] == "second"


def test_m09_nonfinite_weights_may_be_asked_for(tmp_path):
    path = rewritten(tmp_path, nonfinite(np.nan, 3))
    assert np.isnan(cr.load_model(path, allow_nonfinite=True).network.parameters).sum() == 1
    made = network()
    made.parameters[2] = np.inf
    with pytest.raises(cr.RunError, match=r"not finite.*'layers.1.W'\[2, 1\].*allow_nonfinite=True"):
        models.Model(made).save(tmp_path / "n.safetensors")
    assert not (tmp_path / "n.safetensors").exists()
    models.Model(made).save(tmp_path / "n.safetensors", allow_nonfinite=True)
    found = cr.load_model(tmp_path / "n.safetensors", allow_nonfinite=True)
    assert found.network.parameters.tobytes() == made.parameters.tobytes()


def test_m15_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = small_checkpoint(tmp_path / "c.safetensors", data="aaaa", settings="bbbb", seed=3)
    same = {"data": "aaaa", "settings": "bbbb", "seed": 3}
    assert files.read_checkpoint(path, same)["name"] == state()["name"]
    assert files.identity_of(path) == same
    for change, told in (
        ({"data": "cccc"}, "data: 'aaaa' there, 'cccc' here"),
        ({"seed": 4}, "seed: 3 there, 4 here"),
        ({"dtype": "float32"}, "dtype: None there, 'float32' here"),  # M20: of another dtype or engine
    ):
        with pytest.raises(cr.RunError, match="of another run") as caught:
            files.read_checkpoint(path, {**same, **change})
        assert told in str(caught.value)
        assert "--force-new" in str(caught.value)


def test_m01_the_checkpoint_before_a_broken_one_is_offered(tmp_path):
    for step in (5, 7, 9):
        small_checkpoint(tmp_path / files.step_name(step), step)
    for step, told in ((7, f"use the one before it: {files.step_name(5)}"), (5, "there is no older one in this folder")):
        path = tmp_path / files.step_name(step)
        path.write_bytes(path.read_bytes()[:1024])
        with pytest.raises(cr.RunError, match=rf"cut: 1,024 of 1,\d+ bytes - {path} - .*{told}"):
            files.read_checkpoint(path)


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(cr.RunError, match=r"cannot keep a second run out.*No locks available.*another disk"),
        files.lock(tmp_path),
    ):
        pass


def test_m16_no_checkpoint_that_can_be_used(tmp_path):
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(cr.RunError, match="there is no checkpoint"):
            files.newest(folder)
    (tmp_path / (files.step_name(3) + ".tmp-12345-0123abcd")).write_bytes(b"half")
    with pytest.raises(cr.RunError, match="never finished"):
        files.newest(tmp_path)
    path = small_checkpoint(tmp_path / files.step_name(5), 5)
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / files.step_name(4)).write_bytes(b"")
    small_checkpoint(tmp_path / files.step_name(9), 8)
    with pytest.raises(cr.RunError, match="no checkpoint can be used") as caught:
        files.newest(tmp_path)
    for told in ("cut: ", "the file is empty", "it holds update 8, not 9", "never finished"):
        assert told in str(caught.value)
    files.tidy(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [files.step_name(step) for step in (4, 5, 9)]


def test_m18_one_writer_at_a_time(tmp_path):
    code = (
        "import sys, time; from chainrule import files\n"
        f"with files.lock({str(tmp_path)!r}): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(cr.RunError, match="another run writes into this folder") as caught, files.lock(tmp_path):
            pass
        assert f"process {other.pid}, since 20" in str(caught.value)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    with files.lock(tmp_path):  # a process that is killed holds nothing
        pass
    with files.lock(tmp_path):
        pass
    with pytest.raises(cr.RunError, match="cannot be locked"), files.lock(tmp_path / "absent"):
        pass


def test_m19_an_existing_file_is_kept_if_asked(tmp_path):
    path = small_model(tmp_path / "m.safetensors", title="first")
    with pytest.raises(cr.InputError, match=r"the file exists.*--overwrite") as caught:
        models.Model(network()).save(path, overwrite=False)
    assert caught.value.code == 2
    assert cr.load_model(path).about["title"] == "first"
    models.Model(network()).save(tmp_path / "other.safetensors", overwrite=False)


def test_m25_the_newest_is_the_one_of_most_updates_whatever_the_clock_says(tmp_path):
    for age, step in enumerate((900, 1100, 1000)):
        os.utime(small_checkpoint(tmp_path / files.step_name(step), step), (age, age))
    assert files.newest(tmp_path) == (tmp_path / files.step_name(1100), ())
    broken = tmp_path / files.step_name(1100)
    data = bytearray(broken.read_bytes())
    data[-1] ^= 1
    broken.write_bytes(data)
    path, skipped = files.newest(tmp_path)
    assert path.name == files.step_name(1000)
    assert [(each.name, "checksum" in why) for each, why in skipped] == [(broken.name, True)]


def test_m26_texts_in_a_file_do_not_steer_a_terminal(tmp_path):
    texts = ["\x1b[31mred", "\u202eabc", "<script>alert(1)</script>", "a\nb", "\x9b2J", "\u2028"]
    model = models.Model(network(), about=dict.fromkeys(texts, texts))
    model.save(tmp_path / "m.safetensors")
    assert dict.fromkeys(texts, texts).items() <= cr.load_model(tmp_path / "m.safetensors").about.items()
    for text in texts:

        def change(places, inner, payload, text=text):
            inner["document"]["network"]["layers"][0]["fields"]["activation"]["name"] = text
            inner["written_by"] = text

        path = rewritten(tmp_path, change)
        with pytest.raises(cr.RunError, match="unknown activation") as caught:
            cr.load_model(path)
        assert not set("\x1b\u202e\n\x9b\u2028") & set(str(caught.value))
        path = rewritten(tmp_path, lambda p, i, d, text=text: (p, {**i, "kind": text}, d))
        with pytest.raises(cr.RunError) as caught:
            cr.load_model(path)
        assert not set("\x1b\u202e\n\x9b\u2028") & set(str(caught.value))


# what a good file keeps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_model_gives_the_same_outputs_to_the_bit(dtype, tmp_path):
    made = network(dtype)
    made.memory[1]["running_mean"] += np.array([[0.1, 0.2, 0.3]], dtype)
    path = tmp_path / "m.safetensors"
    models.Model(made, about={"score": float("nan"), "n": 3}).save(path)
    found = cr.load_model(path)
    x = np.random.default_rng(0).normal(size=(50, 2))
    assert found.outputs(x).tobytes() == made.predict(x).astype(dtype).tobytes()
    assert found.outputs(x, [3, 4]).tobytes() == made.predict(x[3:5]).tobytes()
    assert (found.network.layers, found.network.loss, found.network.penalties) == (made.layers, made.loss, made.penalties)
    assert (found.network.seed, found.network.dtype) == (made.seed, made.dtype)
    assert np.isnan(found.about["score"])
    assert found.about["n"] == 3
    assert set(found.about["versions"]) == {"program", "python", "numpy"}


def test_any_safetensors_reader_opens_a_model(tmp_path):
    made = network("float32")
    path = tmp_path / "m.safetensors"
    models.Model(made).save(path)
    found = load_file(path)
    assert sorted(found) == [
        "layers.1.W", "layers.1.b", "layers.2.beta", "layers.2.gamma", "layers.2.mean", "layers.2.variance", "layers.3.W",
        "layers.3.b",
    ]  # fmt: skip
    for name, array in files.network_document(made)[0].items():
        assert found[name].dtype == np.float32
        assert (found[name] == array).all()
    small_checkpoint(tmp_path / "c.safetensors")
    assert load_file(tmp_path / "c.safetensors")["state.1.W.m"].shape == (2, 3)


def test_a_model_file_is_the_same_bytes_each_time(tmp_path):
    first, second = (small_model(tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second


def test_every_rule_goes_through_a_file():
    from chainrule.rules import CATALOGUE
    from chainrule.rules.plain import described, restored

    given = {"units": 3, "fill": 0.5, "rate": 0.5, "weights": [[1.0, 2.0]], "updates": 10, "strength": 0.1, "limit": 1.0}
    for kind, shelf in CATALOGUE.items():
        for name, cls in shelf.items():
            needed = [entry.name for entry in fields(cls) if entry.default is MISSING]
            rule = cls(**{entry: given.get(entry, 3) for entry in needed})
            tensors, document = files.apart(described(rule), columns=False)
            assert restored(files.together(tensors, json.loads(json.dumps(document)))) == rule, f"{kind} {name}"


def test_the_free_space_is_looked_at_before_anything_is_written(tmp_path, monkeypatch):
    path = small_model(tmp_path / "m.safetensors", title="first")

    class Full(disk.Calls):
        @staticmethod
        def statvfs(_):
            return os.statvfs_result((4096, 4096, 10, 0, 0, 0, 0, 0, 0, 255))

        @staticmethod
        def write(*_):
            raise AssertionError("it was written")

    monkeypatch.setattr(disk, "calls", Full())
    with pytest.raises(files.SaveError, match=r"0 free.*free some space") as caught:
        small_model(path, title="second")
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert cr.load_model(path).about["title"] == "first"
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_a_name_of_255_bytes_can_be_saved_and_a_longer_one_is_named(tmp_path):
    name = "é" * 121 + ".safetensor" + "s" * 2
    assert len(os.fsencode(name)) == 255
    small_model(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(files.SaveError, match=r"name too long.*choose a shorter name"):
        small_model(tmp_path / ("n" * 256))


def test_places_that_cannot_be_written_to_are_named(tmp_path):
    for path, told in (
        (tmp_path / "absent" / "m", "make the folder first"),
        (tmp_path, "choose another name"),
        (small_model(tmp_path / "file") / "m", "a part of this path is a file"),
        ("/proc/m", "untouched"),
    ):
        with pytest.raises(files.SaveError, match=told):
            small_model(path)
    assert os.listdir(tmp_path) == ["file"]


def test_rights_of_the_old_file_stay_and_a_new_one_follows_the_umask(tmp_path):
    path = small_model(tmp_path / "m.safetensors")
    before = os.umask(0o027)
    try:
        small_model(tmp_path / "n.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "n.safetensors").stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    small_model(path)
    assert path.stat().st_mode & 0o777 == 0o604


def test_old_checkpoints_go_and_later_ones_stay(tmp_path):
    for step in (100, 200, 300, 400, 900):
        small_checkpoint(tmp_path / files.step_name(step), step)
    files.prune(tmp_path, 2, upto=400)
    assert [step for step, _ in files.steps(tmp_path)] == [900, 400, 300]
    files.prune(tmp_path, 0, upto=400)
    assert [step for step, _ in files.steps(tmp_path)] == [900, 400]


def test_what_no_file_can_hold_is_a_mistake_of_the_program(tmp_path):
    for value, told in (({"a": {1: 2}}, "1 cannot be a key"), ({"a": object()}, "a: a file holds no object")):
        with pytest.raises(TypeError, match=told):
            files.write_checkpoint(tmp_path / "c", value, step=1, identity={})
    with pytest.raises(TypeError, match="no numbers of the kind complex128"):
        files.write(tmp_path / "c", {"a": np.zeros(2, complex)}, {})
    with pytest.raises(cr.RunError, match="a text of 5,000 characters"):
        files.write(tmp_path / "c", {}, {"a": "x" * 5000})
    assert not os.listdir(tmp_path)
    from fractions import Fraction

    made = cr.Network([cr.Dense(1)], 1, parameters=np.array([Fraction(1, 3), Fraction(1)], object))
    with pytest.raises(cr.InputError, match="float64 and float32 only"):
        models.Model(made).save(tmp_path / "c")


def test_a_long_history_is_kept_as_columns(tmp_path):
    history = [{"epoch": i, "loss": i / 7, "validation": None if i % 2 else 0.5, "best": i < 3} for i in range(1000)]
    numbers = {"history": history, "rates": [0.1 / i for i in range(1, 100)], "seen": list(range(100)), "mixed": [1, 2.5] * 50}
    files.write_checkpoint(tmp_path / "c", numbers, step=1, identity={})
    found = files.read_checkpoint(tmp_path / "c")
    assert found == numbers
    assert [type(x) for x in found["mixed"][:2]] == [int, float]
    assert list(found["history"][0]) == list(history[0])


def test_a_run_of_any_number_of_epochs_can_be_saved(tmp_path):
    epochs = [dict(vars(Epoch(i, 9 * i, 1 / i, 0.0, 0.1, best=i < 3))) for i in range(1, 100_001)]
    state = {"epochs": epochs, "history": np.frombuffer(b"{}\n" * 100_000, np.uint8), "nothing": np.frombuffer(b"", np.uint8)}
    tensors, document = files.apart(state)
    assert len(json.dumps(document)) < 1000
    files.write_checkpoint(tmp_path / "c", state, step=1, identity={})
    found = files.read_checkpoint(tmp_path / "c")
    assert found["epochs"] == epochs
    assert found["history"].tobytes() == state["history"].tobytes()
    assert len(tensors) < 20


def test_the_header_has_a_limit_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MOST_HEADER", 1000)
    with pytest.raises(cr.RunError, match=r"too long: [\d,]+ bytes.*a file takes 1,000"):
        small_model(tmp_path / "m")
