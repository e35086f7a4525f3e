"""Reading held against Python's own csv module: values to the last bit, lines, levels; and files that mischief-makers wrote."""

import csv
import gzip
import io
import math
import os
import random
import subprocess
import sys

import numpy as np
import pytest

from chainrule import tables
from chainrule.errors import InputError
from chainrule.tables import building
from test_tables import cells, write

SEEDS = range(40)


def random_table(chance):
    """Rows of texts and how a file may write them."""
    columns = chance.randint(1, 6)
    rows = chance.randint(1, 200)
    makers = [
        lambda: repr(chance.uniform(-1, 1) * 10 ** chance.randint(-300, 300)),
        lambda: str(chance.randint(-(10**18), 10**18)),
        lambda: f"{chance.random():.{chance.randint(1, 17)}e}",
        lambda: chance.choice(["x", "y", "Grün", "a,b", 'say "hi"', "two\nlines", "two\r\nlines", "; | \t"]),
        lambda: "".join(chance.choice("abcdef é'") for _ in range(chance.randint(1, 30))) + "q",
    ]
    made = [chance.choice(makers) for _ in range(columns)]
    gaps = chance.choice([0, 0, 0.2])
    return [f"c{place}" for place in range(columns)], [
        [chance.choice(["", "NA"] if columns > 1 else ["NA"]) if chance.random() < gaps else make() for make in made]
        for _ in range(rows)
    ]


def written(names, rows, chance, ends):
    """The rows as CSV, and the line in which each begins."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=chance.choice(",;\t|"), lineterminator=ends)
    writer.writerow(names)
    lines = []
    for row in rows:
        if chance.random() < 0.05:
            out.write(ends)
        text = out.getvalue().replace("\r\n", "\n").replace("\r", "\n")
        lines.append(text.count("\n") + 1)
        writer.writerow(row)
    return out.getvalue(), lines


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_lines_are_those_of_the_csv_module(tmp_path, seed):
    chance = random.Random(seed)
    names, rows = random_table(chance)
    text, lines = written(names, rows, chance, chance.choice(["\n", "\r\n", "\n"]))
    path = write(tmp_path, ("\ufeff" if chance.random() < 0.2 else "") + text)
    table = tables.read(path, tables.Options(separator=next(sign for sign in ",;\t|" if _cuts(text, sign, len(names)))))
    assert table.names == tuple(names)
    assert len(table) == len(rows)
    assert [table.place(row)[1] for row in range(len(rows))] == lines
    for place, column in enumerate(table.columns):
        for row, cell in zip(rows, cells(column), strict=True):
            given = row[place].strip()
            if given.lower() in tables.Options().empty:
                assert cell is None
            elif column.kind == "number":
                assert cell == float(given)
            else:
                assert cell.replace("\r\n", "\n") == given.replace("\r\n", "\n")
    for row in (0, len(rows) - 1):
        assert table.row_at(lines[row]) == row


def _cuts(text, sign, width):
    return all(len(row) in (0, width) for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign)) and (
        width == 1 or sign in text.split("\n")[0]
    )


def test_numbers_are_right_to_the_last_bit(tmp_path):
    chance = random.Random(1)
    bits = np.array([chance.getrandbits(64) for _ in range(20_000)], np.uint64).view(np.float64)
    bits = bits[np.isfinite(bits)]
    hard = [
        "0.1",
        "4.9e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "9007199254740993",
        "-0",
        "1e-400",
        "+.5",
        "5.",
    ]
    texts = [repr(value) for value in bits.tolist()] + hard + [f"{value:.25e}" for value in bits[:2000].tolist()]
    table = tables.read(write(tmp_path, "a\n" + "\n".join(texts) + "\n"))
    expected = np.array([float(text) for text in texts])
    assert table.columns[0].values.tobytes() == expected.tobytes()


def test_rows_with_line_ends_in_quotes_are_not_lost(tmp_path):
    """DuckDB 2.0 loses the last million of these rows if it reads with several threads."""
    table = tables.read(write(tmp_path, "a,b\n" + '"x\ny",2\n' * 300_000 + "z,2\n" * 100_000))
    assert len(table) == 400_000
    assert table.place(300_000)[1] == 2 + 2 * 300_000
    assert cells(table.column("a"))[-1] == "z"


def test_a_table_larger_than_memory_is_on_disk_and_has_the_same_bits(tmp_path):
    chance = np.random.default_rng(0)
    rows = "".join(f"{a!r},{'x' if a > 0 else 'y'},\n" for a in chance.normal(size=5000).tolist())
    path = write(tmp_path, "a,b,c\n" + rows)
    here = tables.read(path)
    there = tables.read(path, memory=1000)
    for one, other in zip(here.columns, there.columns, strict=True):
        assert not isinstance(one.values, np.memmap)
        assert isinstance(other.values, np.memmap) or (other.kind == "number" and not len(other.levels))
        assert one.values.tobytes() == other.values.tobytes()
        assert one.levels == other.levels
        assert not other.values.flags.writeable
        assert not one.values.flags.writeable
    assert isinstance(there.column("a").values, np.memmap)
    assert isinstance(there.column("b").values, np.memmap)


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    path = write(tmp_path, "a\n1\n2\n")
    monkeypatch.setattr(building.shutil, "disk_usage", lambda folder: type("", (), {"free": 1})())
    with pytest.raises(InputError, match="GiB are free"):
        tables.read(path, memory=1)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells what a process took at most")
def test_memory_that_is_taken(tmp_path):
    """Twice the arrays and 200 MB at most: in a process of its own, because a process never tells how little it took."""
    rows = 200_000
    chance = np.random.default_rng(0)
    lines = "\n".join(",".join(map(repr, row)) for row in chance.normal(size=(2000, 20)).tolist())
    path = write(tmp_path, ",".join(f"x{i}" for i in range(20)) + "\n" + (lines + "\n") * (rows // 2000))
    code = (
        "import sys; from chainrule import tables; t = tables.read(sys.argv[1]); "
        "print(len(t), *(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    count, peak = map(int, done.stdout.split())
    assert count == rows
    assert peak * 1024 <= 2 * rows * 20 * 8 + 200 * 2**20


def test_taking_rows(tmp_path):
    table = tables.read(write(tmp_path, "a,b\n1,x\n\n2,y\n3,z\n"))
    some = table.take([2, 0])
    assert cells(some.column("a")) == [3, 1]
    assert [some.place(row)[1] for row in range(2)] == [5, 2]
    assert some.column("b").levels == ("x", "y", "z")
    assert some.text(0, "b") == "z"
    assert some.row_at(2) == 1
    assert len(table.take(np.array([True, False, True]))) == 2
    with pytest.raises(InputError, match="no row of the table begins in this line"):
        table.row_at(3)


def test_cells_as_text(tmp_path):
    table = tables.read(write(tmp_path, "a,b,c,d\n1,2024-01-31,Yes,0.10\n2,2024-02-01T06:00,no,NA\n"))
    assert [table.text(0, name) for name in "abcd"] == ["1", "2024-01-31", "Yes", "0.1"]
    assert [table.text(1, name) for name in "abcd"] == ["2", "2024-02-01T06:00:00", "no", ""]


def test_the_fingerprint_is_that_of_the_bytes(tmp_path):
    import hashlib

    data = b"a\n1\n2\n"
    assert tables.read(write(tmp_path, data)).fingerprint == hashlib.sha256(data).hexdigest()
    both = [write(tmp_path, data, "p.csv"), write(tmp_path, data, "q.csv")]
    assert tables.read(both).fingerprint == hashlib.sha256(data + data).hexdigest()


def test_the_description_is_data_and_reads_well(tmp_path):
    path = write(tmp_path, "age;fare;town;since\n22;7,25;Rome;2024-01-31\n;71,5;Oslo;2024-02-01\nNA;8;;2024-02-03\n")
    told = tables.read(path).describe()
    assert str(told) == (
        "t.csv: 3 rows, 4 columns\n"
        "\n"
        "column  kind      values                    gaps\n"
        "age     number    22 in every row, whole    2 (1 NA)\n"
        "fare    number    7.25 to 71.5\n"
        "town    category  2 levels: Oslo, Rome      1\n"
        "since   date      2024-01-31 to 2024-02-03\n"
        "\n"
        "cells are separated by semicolons\n"
        "fare: numbers have a decimal comma\n"
        "since: ISO dates, counted in days"
    )
    data = told.data()
    assert data["columns"][0] == {
        "name": "age",
        "kind": "number",
        "values": "22 in every row, whole",
        "gaps": 2,
        "markers": {"": 1, "NA": 1},
        "notes": [],
    }


# --- anything at all --------------------------------------------------------------------------------------------------

STARTS = [
    b"a,b,c\n1,2,x\n3,4,y\n5,6,z\n",
    b'name;value;day\n"x;y";0,5;2024-01-31\n"say ""hi""";1,5;2024-02-01\n;NA;\n',
    b"a\tb\r\n1\t2\r\n3\t\r\n",
    "name,größe\nÄ,1\nö,2\n".encode(),
    b'a,b\n1,"x\ny"\n2,z\n',
    b"x\n1\n2\n3\n",
]
PIECES = [
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b"|",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"#",
    b"NA",
    b"inf",
    b"1e999",
    b"1_0",
    b"+-1",
    b"0x1F",
    b"1,5",
    b"2024-02-30",
    b"true",
    b" ",
    b"''",
    b'""',
    b"\\",
    b"\xe2\x80\xa8",
    b"1" * 400,
    b"\x1f\x8b",
    b"PAR1",
    b"\xff\xfe",
    b"$5",
    b"\n\n",
]


def mutated(data, chance):
    """A file with a few bytes left out, doubled, exchanged or put in."""
    for _ in range(chance.randint(1, 5)):
        at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        kind = chance.randrange(6)
        if kind == 0:
            data = data[:at] + data[min(len(data), at + chance.randint(1, 3)) :]
        elif kind == 1:
            data = data[:to] + data[at:to] + data[to:]
        elif kind == 2:
            data = data[:at] + chance.choice(PIECES) + data[at + 1 :]
        elif kind == 3:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif kind == 4:
            data = data[:to]
        else:
            data = data[:at] + chance.choice(PIECES) + data[at:]
    return data


def outcome(path, kinds, name):
    """The table in a file; None if an error says why there is none. Anything else fails, with the file."""
    try:
        return tables.read(path, kinds=kinds)
    except InputError as error:
        right = bool(error.problems) and bool(str(error)) and error.code in (1, 2)
    except Exception as error:
        raise AssertionError(f"{name}: {path.read_bytes()!r}") from error
    return None if right else pytest.fail(f"{name}: an error without words")


def fuzz(folder, seed, count):
    """Read mutated files: a table that is consistent, or an error with a place; anything else is raised."""
    chance = random.Random(seed)
    read = 0
    for number in range(count):
        data = mutated(chance.choice(STARTS), chance)
        name = "t.csv"
        if chance.random() < 0.1:
            data, name = gzip.compress(data, mtime=0), "t.csv.gz"
            if chance.random() < 0.5:
                data = mutated(data, chance)
        path = write(folder, data, name)
        table = outcome(path, chance.choice([None, None, None, {"a": "number", "x": "date"}]), f"file {number} of seed {seed}")
        if table is None:
            continue
        read += 1
        assert len(table) > 0, data
        assert all(len(column) == len(table) for column in table.columns)
        lines = [table.place(row)[1] for row in range(len(table))]
        assert lines == sorted(set(lines)), data
        for column in table.columns:
            assert column.found.gaps == int(column.missing.sum()), data
            if column.kind != "category":
                assert not np.isinf(column.values).any(), data
        str(table.describe())
    return read


FILES = int(os.environ.get("CHAINRULE_FUZZ", "600"))
"""Mutated files that are read; CHAINRULE_FUZZ=10000 reads more."""


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_give_a_table_or_an_error(tmp_path, seed):
    assert fuzz(tmp_path, seed, math.ceil(FILES / 4)) > 0
