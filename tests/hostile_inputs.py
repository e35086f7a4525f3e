"""What nobody should feed a command with: tables, documents, run folders and options, mutated by a drawing of numbers."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import files
from chainrule.errors import InputError
from chainrule.files import container, disk

NASTY = [
    "", " ", "NA", "nan", "-", "?", "null", "inf", "-Infinity", "1e400", "-1e308", "1e-400", "5e-324", "0x1F", "1_000", "１２",
    "٣",
    "1,5", "1.5.2", "--1", "+-3", "1e", "e5", "$5", "5%", "5 kg", "TRUE", "yes", "no", "2024-02-30", "2024-01-31", "31.1.2024",
    "2024-01-31T12:00:00Z", "0000-00-00", "9999-12-31", "99999-01-01", "1'000", "1 000", "1,000", '"', '""', '"x', 'x"y', "'",
    "\x00", "\x01", "\x1b[31mred", "\x1b]0;t\x07", "\x7f", "\x85", "\x9b31m", "\u2028", "\u202e", "\u200b", "\ufeff",
    "\ufffd", "\U0001f600",
    "e\u0301", "é", "ı", "<script>alert(1)</script>", "]]>", "=1+1", "@x", "-2+3", "a\nb", "a\r\nb", "\t", "#", "# x",
    "a" * 5000,
    "9" * 400, "0." + "0" * 400 + "1", "18446744073709551616", "9007199254740993", "-0", "1e15", "1e300", "{}", "[1]", "%s%n",
    "{0}",
    "../../etc/passwd", "$(id)", "`id`", "\\", "\\n", "\\u0000", ";", "|", ",", ":", "None", "true",
]  # fmt: skip
"""Cells, names, values of options and of entries in files."""

NUMBERS: list[Any] = [0, -1, 1, 2, 1.5, -0.0, 1e308, 5e-324, 2**31, 2**63, 2**64, 10**30, 10**400, 1e-300, True, False]
ODD: list[Any] = [
    None,
    [],
    {},
    [[]],
    {"": None},
    [None],
    {"$tensor": "x"},
    {"$float": "7ff8000000000000"},
    {"$tuple": []},
    *NUMBERS,
    *NASTY,
]
"""Values in a JSON file."""

TOML = [
    "",
    "nan",
    "inf",
    "-1",
    "0",
    "1",
    "3",
    "1e400",
    "1.5",
    "true",
    "[]",
    "[[]]",
    '[""]',
    '["a", 1]',
    "[1, 2]",
    "{}",
    "{a = 1}",
    '""',
]
TOML += [
    '"x"',
    '"\\u001b"',
    "2024-01-01",
    "12:00:00",
    "9223372036854775808",
    "'",
    "-0.0",
    '"none"',
    '"auto"',
    '"species"',
    '["species"]',
]


def table(draw: random.Random, rows: int) -> list[list[str]]:
    """A small table with gaps, as rows of cells; the first has the names."""
    lines = [["bill", "island", "sex", "when", "mass", "species"]]
    for _ in range(rows):
        kind = draw.randrange(3)
        bill = f"{38 + 5 * kind + draw.gauss(0, 2):.1f}" if draw.random() > 0.07 else draw.choice(["", "NA"])
        island = draw.choice(["Biscoe", "Dream", "Torgersen"][kind:] or ["Biscoe"])
        when = f"20{draw.randrange(10, 25)}-0{draw.randrange(1, 10)}-1{draw.randrange(10)}"
        sex = draw.choice(["male", "female", ""])
        lines.append([bill, island, sex, when, str(3000 + 500 * kind + draw.randrange(400)), "ACG"[kind]])
    return lines


def text(rows: list[list[str]], sign: str = ",", end: str = "\n") -> str:
    return "".join(sign.join(row) + end for row in rows)


# mutations of bytes, of tables, of documents


def bytes_of(draw: random.Random, data: bytes) -> bytes:
    """Some bytes changed, put in, taken out, doubled; or the end cut off."""
    found = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 1, 2, 5])):
        at, length = draw.randrange(len(found) + 1), draw.choice([1, 1, 2, 8, 100])
        how = draw.randrange(6)
        if how == 0 and found:
            found[min(at, len(found) - 1)] ^= 1 << draw.randrange(8)
        elif how == 1 and found:
            found[min(at, len(found) - 1)] = draw.randrange(256)
        elif how == 2:
            found[at:at] = bytes(draw.choice([0, 10, 13, 27, 34, 44, 59, 255, draw.randrange(256)]) for _ in range(length))
        elif how == 3:
            del found[at : at + length]
        elif how == 4:
            found[at:at] = found[at : at + length]
        else:
            found[at:at] = draw.choice(NASTY).encode("utf-8", "surrogatepass")
    if draw.random() < 0.15:
        del found[draw.randrange(len(found) + 1) :]
    return bytes(found)


def rows_of(draw: random.Random, rows: list[list[str]]) -> list[list[str]]:
    """A table with some cells, rows, names or columns that are not as they should be."""
    rows = [list(row) for row in rows]
    for _ in range(draw.choice([1, 1, 2, 3])):
        how = draw.randrange(15)
        row = draw.randrange(len(rows)) if rows else 0
        column = draw.randrange(len(rows[0])) if rows and rows[0] else 0
        if not rows or not rows[row]:
            break
        if how in (0, 1, 2):
            for _ in range(draw.choice([1, 1, 2, 10])):
                row = draw.randrange(len(rows))
                if rows[row]:
                    rows[row][draw.randrange(len(rows[row]))] = draw.choice(NASTY)
        elif how == 3:
            some, share = draw.sample(NASTY, draw.choice([1, 2, 3])), draw.choice([0.2, 0.9, 1.0])
            for each in rows[1:]:
                if column < len(each) and draw.random() < share:
                    each[column] = draw.choice(some)
        elif how == 4:
            rows[0][min(column, len(rows[0]) - 1)] = draw.choice(NASTY)
        elif how == 5:
            rows[0][min(column, len(rows[0]) - 1)] = draw.choice(rows[0])
        elif how == 6:
            del rows[row]
        elif how == 7:
            rows = rows[: draw.choice([0, 1, 2, 3, 4, 6])]
        elif how == 8:
            rows[row] = rows[row][: draw.randrange(len(rows[row]) + 1)]
        elif how == 9:
            rows[row] = rows[row] + [draw.choice(NASTY) for _ in range(draw.choice([1, 1, 5]))]
        elif how == 10:
            rows.insert(row, draw.choice([[""], ["#c"], ["title"], rows[0], [""] * len(rows[0]), list(map(str, range(9)))]))
        elif how == 11:
            rows = [[cell for k, cell in enumerate(each) if k != column] for each in rows]
        elif how == 12:
            rows = rows[1:]
        elif how == 13:
            order = draw.sample(range(len(rows[0])), len(rows[0]))
            rows = [[each[k] for k in order if k < len(each)] for each in rows]
        else:
            rows = rows + [list(rows[row]) for _ in range(draw.choice([1, 30]))]
    return rows


CODES = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "utf-7", "shift_jis", "cp037"]


def file_of(draw: random.Random, rows: list[list[str]], path: Path) -> Path:
    """A table in a file of some kind, which may be damaged; its name."""
    if draw.random() < 0.8:
        rows = rows_of(draw, rows)
    how = draw.randrange(20)
    sign = draw.choice(",,,,,,,,,,;;\t|: ")
    written = text(rows, sign, draw.choice(["\n"] * 16 + ["\r\n", "\r", "\n\n", "\x0b", "\u2028"]))
    if draw.random() < 0.05:
        written = written.replace(".", ",")
    if draw.random() < 0.05:
        written = written.rstrip("\n")
    code = draw.choice(CODES) if draw.random() < 0.1 else "utf-8"
    data = written.encode(code, "surrogatepass" if code.startswith("utf") and code != "utf-7" else "replace")
    if draw.random() < 0.15:
        data = bytes_of(draw, data)
    if how == 0:
        path, data = path.with_suffix(".csv.gz"), gzip.compress(data, mtime=0)
    elif how == 1:
        return _parquet(draw, rows, path.with_suffix(".parquet"))
    elif how == 2:
        return _arrays(draw, path)
    elif how == 3:
        path = path.with_suffix(
            draw.choice([".txt", ".tsv", ".xlsx", ".npy", ".npz", ".parquet", "", ".json", ".csv.gz", ".CSV"])
        )
    if how == 0 and draw.random() < 0.5:
        data = bytes_of(draw, data)
    path.write_bytes(data)
    return path


def _parquet(draw: random.Random, rows: list[list[str]], path: Path) -> Path:
    from chainrule.tables.writing import write_parquet

    width = len(rows[0]) if rows else 0
    names = [f"{name}{k}" if name in rows[0][:k] else name or "x" for k, name in enumerate(rows[0])] if rows else []
    columns: dict[str, Any] = {}
    for k in range(width):
        cells = [row[k] if k < len(row) else "" for row in rows[1:]]
        try:
            columns[names[k]] = np.array([float(cell or "nan") for cell in cells])
        except ValueError:
            columns[names[k]] = cells
    try:
        write_parquet(path, columns)
    except Exception:  # what cannot be written is no table to read
        path.write_bytes(b"PAR1")
    if draw.random() < 0.5:
        path.write_bytes(bytes_of(draw, path.read_bytes()))
    return path


def _arrays(draw: random.Random, path: Path) -> Path:
    shape = draw.choice([(20, 6), (20,), (0, 6), (20, 0), (), (2, 3, 4), (20, 1)])
    kind = draw.choice(["f8", "f4", "f2", "i8", "u8", "?", "U3", "S3", "M8[D]", "c16", ">f8", "O"])
    array = (
        np.zeros(shape, kind) if kind in ("U3", "S3", "M8[D]", "O") else np.arange(np.prod(shape)).reshape(shape).astype(kind)
    )
    out = io.BytesIO()
    path = path.with_suffix(draw.choice([".npy", ".npz"]))
    if path.suffix == ".npy":
        np.save(out, array, allow_pickle=True)
    else:
        name = draw.choice(["X", "x", "y", "species", "arr_0", "\x1b", "../x"])
        np.savez(out, **{name: array, draw.choice(["y", "species", "bill"]): np.arange(draw.choice([20, 19]))})
    path.write_bytes(bytes_of(draw, out.getvalue()) if draw.random() < 0.4 else out.getvalue())
    return path


def document_of(draw: random.Random, value: Any) -> Any:
    """A document of which one entry is another, gone, or has company."""
    value = json.loads(json.dumps(value))
    for _ in range(draw.choice([1, 1, 1, 2])):
        here: Any = value
        while isinstance(here, (dict, list)) and here:
            key = draw.choice(sorted(here)) if isinstance(here, dict) else draw.randrange(len(here))
            below = here[key]
            if not isinstance(below, (dict, list)) or not below or draw.random() < 0.15:
                how = draw.randrange(8)
                if how == 0:
                    del here[key]
                elif how == 1 and isinstance(here, dict):
                    here[draw.choice(NASTY)] = draw.choice(ODD)
                elif how == 1:
                    here.insert(key, draw.choice(ODD))
                elif how == 2 and isinstance(below, (int, float)) and not isinstance(below, bool):
                    here[key] = draw.choice([-below, below + 1, below * 10, below - 1, float(below), str(below)])
                elif how == 3 and isinstance(here, list):
                    here.append(below)
                else:
                    here[key] = draw.choice(ODD)
                break
            here = below
    return value


def sealed(draw: random.Random, path: Path) -> None:
    """A model or a checkpoint with another content, and with checksums that are right: what somebody made who knows how."""
    held = files.reading.read_all(path, ("model", "checkpoint"), allow_nonfinite=True)
    tensors, document = dict(held.tensors), held.document
    if draw.random() < 0.75:
        document = document_of(draw, document)
    else:
        name = draw.choice(sorted(tensors))
        array = tensors[name]
        how = draw.randrange(6)
        if how == 0:
            del tensors[name]
        elif how == 1:
            tensors[draw.choice(["x", "layers.9.W", "\x1b[31m", name + "~2"])] = array
        elif how == 2:
            tensors[name] = array.reshape(-1)[: max(0, array.size - 1)]
        elif how == 3:
            tensors[name] = array.astype(draw.choice(["f4", "f8", "i8", "?", "f2"]))
        elif how == 4:
            tensors[name] = array.T if array.ndim > 1 else array.reshape(1, -1)
        else:
            with np.errstate(invalid="ignore"):  # a history is an array of bytes
                tensors[name] = np.full(array.shape, draw.choice([np.nan, np.inf, 1e300, 0.0, -1.0])).astype(array.dtype)
    with contextlib.suppress(ValueError, TypeError, InputError):
        disk.save(path, container.prepare(held.kind, tensors, document))


def lines_of(draw: random.Random, path: Path) -> None:
    """A history with lines that are others."""
    lines = path.read_text("utf-8", "replace").splitlines()
    how = draw.randrange(6)
    at = draw.randrange(len(lines)) if lines else 0
    if how == 0 and lines:
        del lines[at]
    elif how == 1:
        lines.insert(
            at, draw.choice(["", "{}", "[]", "null", "1", '"x"', "{", "[" * 100_000, '{"a":1,"a":2}', '{"number": NaN}'])
        )
    elif how == 2 and lines:
        lines += [lines[at]] * 3
    elif lines:
        with contextlib.suppress(ValueError, RecursionError):
            lines[at] = json.dumps(document_of(draw, json.loads(lines[at])))
    path.write_text("\n".join(lines) + draw.choice(["\n", "\n", ""]), "utf-8", "surrogatepass")


def toml_of(draw: random.Random, path: Path) -> None:
    """Settings of which some have other values."""
    lines = path.read_text("utf-8", "replace").splitlines()
    for _ in range(draw.choice([1, 1, 1, 3]) if lines else 0):
        at = draw.randrange(len(lines))
        name, equals, _ = lines[at].partition(" = ")
        how = draw.randrange(8)
        if how == 0:
            del lines[at]
        elif how == 1:
            lines.insert(
                at, draw.choice(["[data]", "[x]", "[[data]]", "x = 1", "data = 1", "=", '"\\u0000" = 1', "a.b = 1", "seed = 1"])
            )
        elif how == 2:
            lines[at] = lines[at] + draw.choice(["9", " x", '"', "]", "\x1b", "\x00"])
        elif equals:
            lines[at] = f"{name} = {draw.choice(TOML)}"
        if not lines:
            break
    path.write_text("\n".join(lines) + "\n", "utf-8", "surrogatepass")


def folder_of(draw: random.Random, run: Path) -> None:
    """A run folder in which something is not as it was left."""
    for _ in range(draw.choice([1, 1, 1, 2])):
        steps = sorted((run / "checkpoints").glob("*"))
        paths = [run / "run.toml", run / "history.jsonl", run / "history.jsonl", run / "model.safetensors", *steps[-2:]]
        path = draw.choice(paths)
        if not path.is_file():
            continue
        how = draw.randrange(24)
        if how == 0:
            path.unlink()
            if draw.random() < 0.5:
                path.mkdir()
        elif how == 1:
            path.write_bytes(draw.choice([b"", b"\n", b"\x00" * 100, b"PK\x03\x04", b"\x80\x04.", b"{}", b"\xff\xfe"]))
        elif how in (2, 3, 4):
            path.write_bytes(bytes_of(draw, path.read_bytes()))
        elif how == 5:
            other = draw.choice(paths)
            path.write_bytes(other.read_bytes() if other.is_file() else b"x")
        elif path.suffix == ".toml":
            toml_of(draw, path)
        elif path.suffix == ".jsonl":
            lines_of(draw, path)
        else:
            with contextlib.suppress(InputError):
                sealed(draw, path)


# options

COLUMNS = ["bill", "island", "sex", "when", "mass", "species", "bil", "species,sex", "bill,bill", ",", "species "]
VALUES: dict[str, list[str]] = {
    "--target": COLUMNS, "--weights": COLUMNS, "--features": COLUMNS, "--leave-out": COLUMNS, "--keep": COLUMNS,
    "--categorical": COLUMNS, "--numeric": COLUMNS, "--by": COLUMNS, "--missing": ["impute", "error"],
    "--sep": [",", ";", "\t", "|", ":", " ", "a", "1", "."], "--decimal": [".", ","], "--thousands": [",", ".", " ", "'"],
    "--encoding": ["utf-8", "latin-1", "utf-16", "ascii", "cp037", "utf-8-sig", "hex", "idna", "rot13", "punycode",
    "undefined"],
    "--comment": ["#", "A", "b"], "--split": ["stratified", "random", "grouped", "time"],
    "--test": ["0", "0.2", "0.5", "0.99", "1e-9", "1"], "--folds": ["0", "1", "2", "3", "9", "1000"],
    "--task": ["classification", "regression"], "--preset": ["auto", "textbook"],
    "--hidden": ["none", "1", "4", "4,4", "0", "-1", "1000000000", "4,", "64,1,64", "99999999999999999999"],
    "--activation": ["relu", "tanh", "softmax", "sigmoid", "gelu", "identity", "maxout", "exp"], "--norm": ["none", "layer",
    "batch"],
    "--dropout": ["0", "0.5", "0.999", "1", "-0.1"], "--optimizer": ["sgd", "adam", "lbfgs", "nadam", "rmsprop", "lion"],
    "--learning-rate": ["0", "1e-300", "0.1", "1e5", "1e6", "1e7", "nan"], "--schedule": ["constant", "cosine", "one_cycle"],
    "--weight-decay": ["0", "0.1", "1e300", "-1"], "--clip-norm": ["1", "0", "1e-300", "1e300"],
    "--batch-size": ["1", "2", "7", "1000000", "0", "1e3"], "--epochs": ["1", "2", "3", "0", "1.5", "abc"],
    "--validation": ["0", "0.2", "0.9", "0.999", "1"], "--patience": ["1", "5", "0"], "--class-weight": ["none", "balanced"],
    "--dtype": ["float64", "float32", "float16"], "--seed": ["0", "1", "-1", str(2**63 - 1), str(2**63), "1e3", "0x1"],
    "--engine": ["auto", "native", "reference", "torch"], "--threads": ["1", "2", "256", "257", "0"],
    "--time-limit": ["0.001", "0.1", "0", "-1", "nan"], "--checkpoint-every": ["0", "0.01", "1e9", "-1"],
    "--memory": ["0.0001", "0.001", "1", "0", "1e300", "inf"],
    "--header": [], "--no-header": [], "--strict": [], "--no-strict": [], "--quiet": [], "--json": [], "--overwrite": [],
    "--force-new": [],
    "-o": ["out", "run", "stopped", ".", "", "no/such/folder", "t.csv", "run/run.toml", "\x1b[31m", "a\nb", "n" * 300],
    "--resume": ["run", "stopped", "."], "--config": ["run/run.toml", "own.toml", "t.csv", "."],
    "--unseen": ["other", "error"], "--probabilities": [], "--no-guard": [], "--along": COLUMNS, "--debug-me": ["x"],
    "--step": ["1", "2", "3", "6", "999", "0", "x"], "--after": ["0", "1", "5", "-1"], "--row": ["2", "5", "1", "0",
    "t.csv:3", "zz:1", "9" * 30],
    "--sample": ["1", "2", "all", "0", "99", "²"], "--digits": ["1", "5", "17", "18"], "--names": ["textbook", "matrix"],
    "--of": ["W[1][1,1]", "dE/dW[1][1,1]", "b[2][1]", "a[3][1]", "x[1]", "x[1]@2", "z[1][1]", "E", "W[1][1,1]+", "raw[1]",
    "W[0][0,0]", "W[1]"],
    "--format": ["text", "markdown", "latex", "html", "json"], "--fragment": [], "--no-time": [], "--data": ["t.csv",
    "birds.csv", "none.csv"],
    "--from": ["1", "2", "9", "0"], "--to": ["1", "3", "6", "99"], "--most": ["1", "5", "1000", "0"], "--set": ["a=b",
    "update.order=x"],
    "--until": ["0.1", "nan"], "--patience-of": ["1"],
}  # fmt: skip
READING = ["--sep", "--decimal", "--thousands", "--encoding", "--comment", "--missing"]
_NOT_TRAIN = ["-o", "--resume", "--config", "--overwrite", "--force-new", "--time-limit"]
_OF_OTHERS = list(VALUES)[list(VALUES).index("--unseen") :]
TRAIN = [name for name in VALUES if name not in (*_NOT_TRAIN, *_OF_OTHERS)]
EXPLAIN = ["--of", "--after", "--step", "--row", "--data", "--sample", "--format", "--digits", "--names", "--fragment"]
EXPLAIN += ["--no-time", "--set", "--until", "--json", "-o"]
FOR = {
    "train": TRAIN,
    "predict": [*READING, "-o", "--probabilities", "--along", "--unseen", "--no-guard", "--json"],
    "evaluate": [*READING, "--unseen", "--json"],
    "explain": EXPLAIN,
    "why-changed": ["--from", "--to", "--most", "--data", "--digits", "--json", "-o"],
    "doctor": ["--json"],
}
SWITCHES = {name for name, values in VALUES.items() if not values}


def options_of(draw: random.Random, command: str, count: int) -> list[str]:
    """Options of a command, now and then with a value that is none, or of another command."""
    found: list[str] = []
    for _ in range(count):
        name = draw.choice(FOR[command] if draw.random() < 0.97 else sorted(VALUES))
        if name in found and draw.random() < 0.9:
            continue
        found.append(name)
        if name not in SWITCHES and draw.random() < 0.99:
            value = draw.choice(VALUES[name]) if draw.random() < 0.85 else draw.choice(NASTY)
            found.append(value.replace("\x00", "") if draw.random() < 0.98 else "\udcff")
    return found
