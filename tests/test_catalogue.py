"""The catalogue of bad inputs through the commands: each row of tables (D), Parquet and arrays (A), models and checkpoints (M)
ends with the exit code it should, and with words that name place and remedy."""

import errno
import gzip
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from chainrule import files
from chainrule.cli import main
from chainrule.files import container, disk
from chainrule.runs import Run

QUICK = ("--epochs", "1", "--hidden", "2", "--checkpoint-every", "0")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def run(capsys, *args):
    """Exit code, and everything that was said."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    captured = capsys.readouterr()
    return ended.value.code, captured.out + captured.err


def lines(rows=30, header="a,g,y", cells="{a},{g},{y}"):
    """A table that is well: a number, a category, two classes."""
    made = [cells.format(a=k * 0.5 + 0.25, g="uvw"[k % 3], y="pq"[k * 7 % 10 < 4]) for k in range(rows)]
    return [header, *made]


def good(**how):
    return "\n".join(lines(**how)) + "\n"


def with_cell(cell, row=4, column=0):
    """The table with another cell: row 4 stands in line 6."""
    made = lines()
    cells = made[row + 1].split(",")
    cells[column] = cell
    made[row + 1] = ",".join(cells)
    return "\n".join(made) + "\n"


def column_of(*cells, name="b"):
    """The table with one column more, these cells again and again."""
    made = lines()
    return "\n".join([f"{name},{made[0]}", *(f"{cells[k % len(cells)]},{line}" for k, line in enumerate(made[1:]))]) + "\n"


DISTINCT = "a,y\n" + "".join(f"{k * 37 % 91},{k * k * 0.37:.3f}\n" for k in range(300))
TWINS = "\n".join(f"{line.split(',')[0]},{line}" for line in lines()).replace("a,a", "b,a", 1) + "\n"
LEAK = "\n".join(f"{line[-1]},{line}" for line in lines(rows=60)).replace("y,a", "b,a", 1) + "\n"
ENDS = "\n".join(line + "," * (k > 0) for k, line in enumerate(lines())) + "\n"

TABLES = [  # id, bytes, options, exit code, what is said
    ("D04-nothing", "", (), 1, ["the file is empty", "t.csv"]),
    ("D05-only-a-header", "a,g,y\n", (), 1, ["a header with 3 columns, and no rows"]),
    ("D06-blank-lines", "\n\n \n", (), 1, ["the file is empty"]),
    ("D06-only-a-mark", b"\xef\xbb\xbf", (), 1, ["the file is empty"]),
    ("D07-mark", b"\xef\xbb\xbf" + good().encode(), ("--features", "a"), 0, []),
    ("D08-utf-16", good().encode("utf-16"), (), 1, ["UTF-16", "--encoding utf-16"]),
    ("D08-utf-16-said", good().encode("utf-16"), ("--encoding", "utf-16"), 0, []),
    ("D09-latin-1", with_cell("é", column=1).encode("latin-1"), (), 1, ["0xe9", "t.csv:6", "--encoding latin-1"]),
    ("D09-latin-1-said", with_cell("é", column=1).encode("latin-1"), ("--encoding", "latin-1"), 0, []),
    ("D10-zero-byte", with_cell("\0"), (), 1, ["zero byte", "t.csv:6"]),
    ("D11-too-many-cells", with_cell("1,5"), (), 1, ["4 cells", "the header has 3", "t.csv:6"]),
    ("D12-too-few-cells", good() + "1,u\n", (), 1, ["2 cells", "the header has 3", "t.csv:32"]),
    ("D13-semicolons", good().replace(",", ";"), (), 0, ["separated by semicolons"]),
    ("D13-tabs", good().replace(",", "\t"), (), 0, ["separated by tabs"]),
    ("D13-bars", good().replace(",", "|"), (), 0, ["separated by bars"]),
    ("D13-two-readings", "a;b,y\n1;2,3\n4;5,6\n", (), 1, ["more than one way", "--sep ',' or --sep ';'"]),
    ("D13-said", good().replace(",", ":"), ("--sep", ":"), 0, []),
    ("D14-whole-column", good().replace(",", ";").replace(".", ","), (), 0, ["decimal comma"]),
    ("D14-mixed", good().replace(",", ";").replace("2.25", "2,25"), (), 1, ["decimal comma", "t.csv:6", '"a"']),
    ("D15-thousands", with_cell('"1,000"'), (), 1, ["1000", "--thousands"]),
    ("D15-blanks", column_of("1 000", "2 500"), (), 1, ["--thousands ' '"]),
    ("D16-currency", column_of("$5", "$7"), (), 1, ["a number with a unit", "t.csv:2", "write the number alone"]),
    ("D16-percent", with_cell("5%"), (), 1, ["a number with a unit", "t.csv:6"]),
    ("D16-unit", with_cell("5 kg"), (), 1, ["a number with a unit", "t.csv:6"]),
    ("D17-text", with_cell("five"), (), 1, ["is not a number", "t.csv:6", 'column "a"', "'five'", "--categorical a"]),
    ("D17-said", with_cell("five"), ("--categorical", "a"), 0, []),
    ("D18-gap", with_cell(""), (), 0, []),
    ("D18-refused", with_cell(""), ("--missing", "error"), 1, ["a cell has no value", "t.csv:6"]),
    ("D19-marker", with_cell("NA"), (), 0, ["Read as no value: 'NA' (1 time)"]),
    ("D19-refused", with_cell("?"), ("--missing", "error"), 1, ["a cell has no value", "t.csv:6"]),
    ("D20-infinity", with_cell("inf"), (), 1, ["not a finite number", "t.csv:6"]),
    ("D20-1e400", with_cell("1e400"), (), 1, ["larger than float64 can hold", "t.csv:6", "'1e400'"]),
    ("D21-1e39", with_cell("1e39"), ("--dtype", "float32"), 0, ["'a' has numbers that are far out, up to 1e+39"]),
    ("D22-hexadecimal", with_cell("0x1F"), (), 1, ["not a decimal number", "t.csv:6"]),
    ("D22-underscore", with_cell("1_000"), (), 1, ["t.csv:6", "'1_000'"]),
    ("D22-full-width", with_cell("１２"), (), 1, ["digits other than 0 to 9", "t.csv:6"]),
    ("D22-suffix", with_cell("1e5L"), (), 1, ["is not a number", "t.csv:6"]),
    ("D22-true", with_cell("TRUE"), (), 1, ["is not a number", "t.csv:6"]),
    ("D23-dates", column_of("2024-01-31", "2023-05-01", "2022-07-09"), (), 0, ["ISO dates"]),
    ("D23-other-dates", column_of("31/01/2024", "01/05/2023"), (), 1, ["YYYY-MM-DD", "t.csv:2"]),
    ("D24-unclosed-quote", with_cell('"u', column=1), (), 1, ["opened and never closed", "t.csv:6"]),
    ("D25-stray-quote", with_cell('5"6', column=1), (), 1, ["in the middle of a cell", "t.csv:6"]),
    ("D26-line-end-in-quotes", column_of('"x\ny"', "z"), ("--leave-out", "b"), 0, []),
    ("D27-returns", good().replace("\n", "\r"), (), 0, ["carriage return"]),
    ("D27-mixed", good().replace("\n", "\r\n", 3), (), 0, ["different line ends"]),
    ("D28-same-names", good(header="a,a,y"), (), 1, ["columns 1 and 2 have the same name"]),
    ("D29-no-name", good(header="a,,y"), (), 1, ["column 2 has no name"]),
    ("D30-alike", good(header="Y,g,y"), (), 0, ["look alike", "U+0059", "U+0079"]),
    ("D31-no-target", good(header="a,g,yy"), (), 2, ["did you mean yy?"]),
    ("D32-target-as-feature", good(), ("--features", "a,y"), 2, ["the target cannot be among features too"]),
    ("D33-typo", good(rows=200) + "1,u,P\n", ("--test", "0"), 0, ["'P'", "1 row", "line 202", "'p'"]),
    ("D33-typo-strict", good(rows=200) + "1,u,P\n", ("--strict",), 1, ["'P'"]),
    ("D34-no-label", with_cell("", column=2), (), 0, ["the target has no value in 1 of 30 rows", "line 6"]),
    ("D34-no-label-at-all", "a,y\n1,\n2,\n3,\n", (), 1, ["the target has no value in any row"]),
    ("D35-one-class", "a,y\n" + "1,p\n2,p\n" * 9, (), 1, ["only", "'p'"]),
    ("D36-too-many-folds", good(), ("--folds", "15"), 1, ["fewer rows", "folds"]),
    ("D37-text-for-regression", good(), ("--task", "regression"), 1, ["classification"]),
    ("D38-numbers-as-classes", DISTINCT, ("--task", "classification", "--test", "0"), 0, ["regression"]),
    ("D39-constant", column_of("7"), (), 0, ["'b'", "same"]),
    ("D40-equal-columns", TWINS, (), 0, ["'b'"]),
    ("D40-leak", LEAK, (), 0, ["'b'", "target"]),
    ("D41-large", column_of(*(f"{k}e15" for k in range(1, 20))), (), 0, []),
    ("D45-columns", ",".join(f"c{k}" for k in range(10_001)) + ",y\n" + "1," * 10_001 + "p\n", (), 1, ["10,000"]),
    ("D45-no-line-end", "a" * 3_000_000, (), 1, ["longer than"]),
    ("D47-zip", b"PK\x03\x04rest", (), 1, ["zip", "Excel", "save the table as CSV"]),
    ("D47-gzip", gzip.compress(b"a\n1\n"), (), 1, ["gzip", ".csv.gz"]),
    ("D47-parquet", b"PAR1rest", (), 1, ["a Parquet file"]),
    ("D47-html", b"<!doctype html><table>", (), 1, ["web page"]),
    ("D52-names", good(header='a,"\x1b[31m\u202e<script>",y'), (), 0, []),
    ("D52-names-in-errors", with_cell("five").replace("a,g", "\x1b]0;x\x07,g"), (), 1, ["\\u001b]0;x\\u0007"]),
    ("D54-ends", "\n".join(line + "," for line in lines()) + "\n", (), 0, ["the empty last column is left out"]),
    ("D54-only-in-rows", ENDS, (), 1, ["t.csv:2", "end of the line"]),
    ("D55-comment", with_cell("# a,b"), (), 1, ["--comment '#'"]),
    ("D55-said", "# x\n" + good(), ("--comment", "#"), 0, []),
    ("D56-no-header", "1,2,3\n" + "1,2,3\n4,5,6\n" * 12, ("--target", "3"), 0, ["looks like data", "--no-header"]),
    ("D57-title", "My table\n" + good(), (), 1, ["line 1 has 1 cell", "title"]),
    ("D57-two-tables", good() + "x,z\n1,2\n3,4\n5,6\n", (), 1, ["from line 32 on", "second table"]),
    ("D58-negative", column_of("1", "-1"), ("--weights", "b"), 1, ["negative", "t.csv"]),
    ("D58-zero", column_of("0"), ("--weights", "b"), 1, ["0"]),
    ("D58-missing", column_of("1", ""), ("--weights", "b"), 1, ["b"]),
    ("D58-text", good(), ("--weights", "g"), 1, ["weights must be numbers"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "options", "code", "says"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_tables(capsys, data, options, code, says):
    Path("t.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    target = () if "--target" in options else ("--target", "y")
    ended, told = run(capsys, "train", "t.csv", *target, *QUICK, "-o", "out", *options)
    assert ended == code, told
    for each in says:
        assert each in told
    assert "Traceback" not in told
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert ("error: " in told) == bool(code)
    assert Path("out").exists() == (code == 0), "a run that never began leaves nothing"


# --- files that are none, or cannot be read (D) ---------------------------------------------------------------------------


def absent(monkeypatch):
    Path("iris.csv").write_text(good())
    return ("iri.csv",), 1, ["there is no such file", os.path.abspath("iri.csv"), "did you mean iris.csv?"]


def folder(monkeypatch):
    Path("data").mkdir()
    Path("data/t.csv").write_text(good())
    return ("data",), 1, ["this is a folder", "it holds t.csv"]


def closed(monkeypatch):
    Path("t.csv").write_text(good())
    Path("t.csv").chmod(0)
    if os.geteuid() == 0:  # nothing is closed to root: the system's refusal is put in its place
        import builtins

        real = builtins.open

        def refusing(name, *rest, **more):
            if str(name) == "t.csv":
                raise PermissionError(errno.EACCES, "Permission denied", "t.csv")
            return real(name, *rest, **more)

        monkeypatch.setattr(builtins, "open", refusing)
    return ("t.csv",), 1, ["may not be read", "owner ", "mode ----------"]


def changing(monkeypatch):
    from chainrule.tables import duck

    Path("t.csv").write_text(good())
    first = duck.Reader.csv

    def grown(self, *given, **more):
        with open("t.csv", "a") as stream:
            stream.write("5,u,p\n")
        yield from first(self, *given, **more)

    monkeypatch.setattr(duck.Reader, "csv", grown)
    return ("t.csv",), 1, ["the file changed while it was read", "bytes before"]


def bomb(monkeypatch):
    Path("t.csv.gz").write_bytes(gzip.compress(b"0" * 150_000_000, 1))
    return ("t.csv.gz",), 1, ["more than 200 times"]


def nothing_piped(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    return ("-",), 1, ["nothing came from the standard input"]


def terminal(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(b""))
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", stream)
    return ("-",), 2, ["that is a terminal"]


def pipe(monkeypatch):
    os.mkfifo("t.csv")
    return ("t.csv",), 1, ["not a regular file but a pipe"]


def device(monkeypatch):
    return ("/dev/zero",), 1, ["not a regular file but a device"]


def circle(monkeypatch):
    Path("t.csv").symlink_to("t.csv")
    return ("t.csv",), 1, ["round in a circle"]


def no_match(monkeypatch):
    return ("no*.csv",), 1, ["no file matches this pattern", "no*.csv"]


def damaged_parquet(monkeypatch):
    Path("t.parquet").write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    return ("t.parquet",), 1, ["Parquet", "t.parquet"]


def cut_parquet(monkeypatch):
    parquet("t.parquet", a=list(range(30)), y=["p", "q"] * 15)
    Path("t.parquet").write_bytes(Path("t.parquet").read_bytes()[:-10])
    return ("t.parquet",), 1, ["cut", "t.parquet"]


def parquet(name, **columns):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), name)


def nested_parquet(monkeypatch):
    parquet("t.parquet", a=[[1, 2]] * 30, y=["p", "q"] * 15)
    return ("t.parquet",), 1, ['column "a"', "BIGINT[]", "leave the column out"]


def large_whole_numbers(monkeypatch):
    parquet("t.parquet", a=[2**53 + k for k in range(30)], y=["p", "q"] * 15)
    return ("t.parquet",), 0, ['"a"', "rounded"]


def dictionary(monkeypatch):
    import pyarrow

    parquet("t.parquet", a=pyarrow.array(["u", "v", "w"] * 10).dictionary_encode(), y=["p", "q"] * 15)
    return ("t.parquet",), 0, []


def extension(monkeypatch):
    import pyarrow

    kind = pyarrow.json_(pyarrow.string()) if hasattr(pyarrow, "json_") else pyarrow.uuid()
    array = pyarrow.ExtensionArray.from_storage(kind, pyarrow.array(["{}"] * 30))
    parquet("t.parquet", a=array, y=["p", "q"] * 15)
    return ("t.parquet",), 1, ["a column of an extension type"]


def encrypted(monkeypatch):
    Path("t.parquet").write_bytes(b"PARE" + b"x" * 100 + b"PARE")
    return ("t.parquet",), 1, ["encrypted"]


def objects(monkeypatch):
    np.save("t.npy", np.array([{"a": 1}] * 5, object), allow_pickle=True)
    return ("t.npy",), 1, ["object", "can run code"]


def strange_archive(monkeypatch):
    np.savez("t.npz", a=np.arange(30.0), y=np.arange(20.0))
    return ("t.npz",), 1, ["t.npz"]


def archive_bomb(monkeypatch):
    with zipfile.ZipFile("t.npz", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.npy", b"\x93NUMPY" + b"0" * 150_000_000)
    return ("t.npz",), 1, ["t.npz"]


FILES = {
    "D01": absent, "D02": folder, "D03": closed, "D46": changing, "D48": bomb, "D49-nothing": nothing_piped,
    "D49-terminal": terminal, "D50-pipe": pipe, "D50-device": device, "D51": circle, "C16": no_match,
    "A01-damaged": damaged_parquet, "A01-cut": cut_parquet, "A02": nested_parquet, "A03": large_whole_numbers,
    "A04": dictionary,
    "A05": extension, "A06": encrypted, "A08": objects, "A09-lengths": strange_archive, "A09-bomb": archive_bomb,
}  # fmt: skip


@pytest.mark.parametrize("row", FILES)
def test_files(capsys, monkeypatch, row):
    data, code, says = FILES[row](monkeypatch)
    done = []
    with monkeypatch.context():
        done.append(run(capsys, "train", *data, "--target", "y", *QUICK, "-o", "out"))
    ((ended, told),) = done
    assert ended == code, told
    for each in says:
        assert each in told
    assert "Traceback" not in told
    assert ("error: " in told) == bool(code)
    assert Path("out").exists() == (code == 0)


def test_d53_the_last_of_a_million_lines_is_named(capsys):
    Path("t.csv").write_text("a,y\n" + "1.5,p\n2.5,q\n" * 500_000 + "five,p\n")
    code, told = run(capsys, "train", "t.csv", "--target", "y", *QUICK, "-o", "out")
    assert code == 1
    assert "t.csv:1000002" in told


# --- predict and evaluate (D42 to D44) ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run; each test gets a copy of it."""
    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        Path("t.csv").write_text(good(rows=60))
        with pytest.raises(SystemExit) as ended:
            main(["train", "t.csv", "--target", "y", "--epochs", "6", "--hidden", "3", "--checkpoint-every", "0", "-o", "run"])
        assert not ended.value.code
    return place


@pytest.fixture
def here(trained, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    text = Path("run/run.toml").read_text()
    assert str(trained) in text  # the table lies where it lay
    return tmp_path


def test_d42_rows_of_the_training_table(capsys, here):
    code, told = run(capsys, "evaluate", "run", "t.csv")
    assert code == 0
    assert "60 of 60 rows stand in the table of the training run too" in told


def test_d43_other_columns(capsys, here):
    rows = [line.split(",") for line in lines()]
    Path("order.csv").write_text("\n".join(",".join(row[::-1]) for row in rows) + "\n")
    Path("same.csv").write_text(good())
    one, two = run(capsys, "predict", "run", "order.csv"), run(capsys, "predict", "run", "same.csv")
    assert one == two
    assert one[0] == 0
    less = "\n".join(f"{row[0]},{row[2]},{k}" for k, row in enumerate(rows)) + "\n"
    Path("less.csv").write_text(less.replace("a,y,0", "a,y,z"))
    code, told = run(capsys, "predict", "run", "less.csv")
    assert code == 1
    assert "g" in told
    assert "z" in told


def test_d44_unseen_levels(capsys, here):
    Path("new.csv").write_text(with_cell("x", column=1))
    code, told = run(capsys, "predict", "run", "new.csv")
    assert code == 0
    assert told.count("'x'") == 1
    assert "1 row" in told
    code, told = run(capsys, "predict", "run", "new.csv", "--unseen", "error")
    assert code == 1
    assert "new.csv:6" in told


# --- models and checkpoints (M) -------------------------------------------------------------------------------------------


def changed(name, **how):
    """A model's or a checkpoint's file with other contents, and checksums that are right."""
    held = files.reading.read_all(name, ("model", "checkpoint"), allow_nonfinite=True)
    tensors, document = dict(held.tensors), json.loads(json.dumps(held.document))
    how.get("tensors", lambda tensors: None)(tensors)
    how.get("document", lambda document: None)(document)
    disk.save(name, container.prepare(held.kind, tensors, document))


def bytes_changed(name, change):
    data = bytearray(Path(name).read_bytes())
    Path(name).write_bytes(bytes(change(data)))


def flipped(data):
    data[-9] ^= 4
    return data


def header(text):
    return lambda data: len(text).to_bytes(8, "little") + text


def first(tensors):
    return sorted(name for name in tensors if name.startswith("layers."))[0]


MODEL = "run/model.safetensors"
MODELS = [
    ("M01-cut", lambda: bytes_changed(MODEL, lambda data: data[: len(data) // 2]), ["cut: ", " of "]),
    ("M01-empty", lambda: bytes_changed(MODEL, lambda data: b""), ["the file is empty"]),
    ("M02-flipped", lambda: bytes_changed(MODEL, flipped), ["checksum", "layers."]),
    ("M03-trailing", lambda: bytes_changed(MODEL, lambda data: data + b"xyz"), ["3 bytes too many at the end"]),
    ("M04-length", lambda: bytes_changed(MODEL, lambda data: (2**63).to_bytes(8, "little") + data[8:]), ["length"]),
    ("M04-zero", lambda: bytes_changed(MODEL, lambda data: bytes(8) + data[8:]), ["damaged"]),
    ("M05-no-json", lambda: bytes_changed(MODEL, header(b"{nonsense")), [MODEL]),
    ("M05-twice", lambda: bytes_changed(MODEL, header(b'{"a":{},"a":{}}')), [MODEL]),
    ("M06-overlap", lambda: bytes_changed(
        MODEL, header(b'{"W":{"dtype":"F64","shape":[1],"data_offsets":[-8,0]}}')), [MODEL]),
    ("M07-shape", lambda: bytes_changed(
        MODEL, header(b'{"W":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,8]}}')), [MODEL]),
    ("M08-missing", lambda: changed(MODEL, tensors=lambda t: t.pop(first(t))), ["missing"]),
    ("M08-extra", lambda: changed(MODEL, tensors=lambda t: t.update({"layers.9.W": np.zeros(3)})), ["layers.9.W"]),
    ("M08-dtype", lambda: changed(MODEL, tensors=lambda t: t.update({first(t): t[first(t)].astype("i8")})), ["layers."]),
    ("M08-shape", lambda: changed(MODEL, tensors=lambda t: t.update({first(t): np.zeros(99)})), ["layers."]),
    ("M09-not-finite", lambda: changed(
        MODEL, tensors=lambda t: t.update({first(t): t[first(t)] * np.nan})), ["not finite", "layers."]),
    ("M10-disagrees", lambda: changed(MODEL, document=lambda d: d["network"].update(inputs=7)), ["layers."]),
    ("M11-newer", lambda: bytes_changed(MODEL, newer), ["version 7", "install a newer chainrule"]),
    ("M12-pickle", lambda: Path(MODEL).write_bytes(pickle.dumps({"a": 1})), ["can run code"]),
    ("M12-h5", lambda: Path(MODEL).write_bytes(b"\x89HDF\r\n\x1a\nrest"), ["HDF5"]),
    ("M13-zip", lambda: zipfile.ZipFile(MODEL, "w").writestr("a.txt", "x"), ["zip"]),
    ("M14-folder", lambda: (Path(MODEL).unlink(), Path(MODEL).mkdir()), ["a folder"]),
    ("M14-device", lambda: (Path(MODEL).unlink(), Path(MODEL).symlink_to("/dev/null")), ["device"]),
]  # fmt: skip


def newer(data):
    """A file of a later version of the format, whole."""
    import hashlib

    text = bytes(data).replace(b'\\"version\\":1,', b'\\"version\\":7,', 1)
    length = 8 + int.from_bytes(text[:8], "little")
    place = text.index(b'header_sha256\\":\\"') + len(b'header_sha256\\":\\"')
    bare = text[:place] + b"0" * 64 + text[place + 64 : length]
    return text[:place] + hashlib.sha256(bare).hexdigest().encode() + text[place + 64 :]


@pytest.mark.parametrize(("damage", "says"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS])
def test_models(capsys, here, damage, says):
    damage()
    begun = time.monotonic()
    model = MODEL if Path(MODEL).is_dir() or Path(MODEL).is_symlink() else "run"
    for command in ("predict", "evaluate"):
        code, told = run(capsys, command, model, "t.csv")
        assert code == 1, told
        assert told.startswith("error: ")
        for each in says:
            assert each in told
        assert "Traceback" not in told
    assert time.monotonic() - begun < 10


def test_m14_a_link_to_a_model_is_read_as_the_file(capsys, here):
    shutil.move(MODEL, "elsewhere.safetensors")
    Path(MODEL).symlink_to("../elsewhere.safetensors")
    assert run(capsys, "predict", "run", "t.csv")[0] == 0


def steps():
    return sorted(Path("run/checkpoints").glob("step-*"))


def resumed(capsys, *more):
    return run(capsys, "train", "--resume", "run", *more)


def test_m01_a_cut_checkpoint_is_skipped_for_an_older_one(capsys, here):
    bytes_changed(steps()[-1], lambda data: data[:-50])
    code, told = resumed(capsys)
    assert code == 0
    assert f"{steps()[-1].name} is skipped: cut: " in told or "is skipped: cut: " in told


def test_m15_a_checkpoint_of_another_table(capsys, here, trained):
    table = trained / "t.csv"
    before = table.read_text()
    try:
        table.write_text(before.replace("0.25", "0.75", 1))
        code, told = resumed(capsys)
        assert code == 1
        assert "another run" in told
        assert "data: " in told
        assert "--force-new" in told
        code, told = resumed(capsys, "--force-new")
        assert code == 0
        assert "begins anew" in told
    finally:
        table.write_text(before)


def test_m16_no_checkpoint_can_be_used(capsys, here):
    for path in steps():
        bytes_changed(path, flipped)
    Path("run/checkpoints/step-000000000099.safetensors.tmp-1-00000000").write_bytes(b"x")
    code, told = resumed(capsys)
    assert code == 1
    assert "no checkpoint can be used" in told
    assert told.count("checksum") >= len(steps())
    assert "begin" in told
    for path in steps():
        path.unlink()
    code, told = resumed(capsys)
    assert code == 0
    assert "there is no checkpoint yet" in told


def test_m17_a_disk_that_is_full(capsys, here, monkeypatch):
    """Training goes on, what stands there is not lost, and the last save that must succeed says why it did not."""
    before = Path(MODEL).read_bytes()

    def full(self, *given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk.Calls, "write", full)
    code, told = run(capsys, "train", "t.csv", "--target", "y", *QUICK, "-o", "run", "--overwrite")
    assert code == 1
    assert "no space left" in told
    assert "free some space" in told
    assert Path(MODEL).read_bytes() == before
    assert "Traceback" not in told


def test_m17_a_folder_that_cannot_be_written(capsys, here, monkeypatch):
    if os.geteuid() == 0:
        Path("closed").write_text("a file where a folder should be")
        code, told = run(capsys, "train", "t.csv", "--target", "y", *QUICK, "-o", "closed/run")
    else:
        Path("closed").mkdir(mode=0o500)
        code, told = run(capsys, "train", "t.csv", "--target", "y", *QUICK, "-o", "closed/run")
    assert code == 2
    assert "cannot be made" in told
    code, told = run(capsys, "train", "t.csv", "--target", "y", *QUICK, "-o", "n" * 300)
    assert code == 2
    assert "name too long" in told


def test_m18_one_writer(capsys, here):
    holder = Run(Path("run"))
    with holder.lock():
        done = subprocess.run(
            [sys.executable, "-m", "chainrule", "train", "--resume", "run"], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 1
    assert f"process {os.getpid()}, since " in done.stderr


def test_m19_what_exists_is_not_replaced(capsys, here):
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file() and path.name != "lock"}
    code, told = run(capsys, "train", "t.csv", "--target", "y", *QUICK, "-o", "run")
    assert code == 2
    assert "--overwrite" in told
    for wrong in (("--target", "nothing"), ("--target", "y", "--missing", "error", "--sep", ";")):
        code, told = run(capsys, "train", "t.csv", *wrong, *QUICK, "-o", "run", "--overwrite")
        assert code in (1, 2)
    after = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file() and path.name != "lock"}
    assert after == before, "nothing is deleted before the inputs are checked"


def test_m20_a_checkpoint_of_another_dtype(capsys, here):
    text = Path("run/run.toml").read_text()
    Path("run/run.toml").write_text(text.replace('dtype = "float64"', 'dtype = "float32"'))
    code, told = resumed(capsys)
    assert code == 1
    assert "another run" in told
    assert "settings: " in told


def test_m25_the_newest_is_the_one_with_most_updates(capsys, here):
    for number, path in enumerate(reversed(steps())):
        os.utime(path, (10**9 + number, 10**9 + number))  # the newest has the oldest time
    most = int(steps()[-1].stem.split("-")[1])
    assert files.newest("run/checkpoints")[0] == steps()[-1]
    code, told = resumed(capsys)
    assert code == 0
    assert "skipped" not in told
    assert Run(Path("run")).history()[-1]["updates"] == most


def test_m26_what_a_model_says_cannot_steer(capsys, here):
    def named(document):
        document["about"]["title"] = "\x1b[31m<script>\u202e"
        for each in document["preparation"]["columns"]:
            if each["name"] == "a":
                each["name"] = "a\x1b[31m"

    changed(MODEL, document=named)
    code, told = run(capsys, "predict", "run", "t.csv")
    assert code == 1
    assert "\x1b" not in told
    assert "\\x1b[31m" in told
