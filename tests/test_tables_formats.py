"""Tables that are no CSV: Parquet and NumPy's arrays; and tables of many files."""

import contextlib
import gzip
import os
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chainrule import tables
from chainrule.errors import RunError
from test_tables import cells, refused, write


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


# --- Parquet ----------------------------------------------------------------------------------------------------------


def test_parquet_columns_are_what_they_say(tmp_path):
    import datetime

    day = datetime.date
    path = parquet(
        tmp_path / "t.parquet",
        small=pa.array([1, None, 3], pa.int8()),
        half=pa.array([0.5, 1.5, float("nan")], pa.float32()),
        money=pa.array([1, 2, None], pa.decimal128(10, 2)),
        sure=pa.array([True, False, None]),
        when=pa.array([day(1970, 1, 2), None, day(2024, 1, 31)]),
        moment=pa.array([datetime.datetime(1970, 1, 1, 12), None, None], pa.timestamp("us")),
        text=pa.array(["b", "a", None]),
    )
    table = tables.read(path)
    kinds = {column.name: (column.kind, cells(column)) for column in table.columns}
    assert kinds == {
        "small": ("number", [1, None, 3]),
        "half": ("number", [0.5, 1.5, None]),
        "money": ("number", [1, 2, None]),
        "sure": ("boolean", [1, 0, None]),
        "when": ("date", [1, None, 19753]),
        "moment": ("date", [0.5, None, None]),
        "text": ("category", ["b", "a", None]),
    }
    assert table.place(1) == (str(path), None)
    assert table.dialect.format == "parquet"
    assert len(table.fingerprint) == 64


def test_a01_no_parquet_and_cut_parquet(tmp_path):
    refused(write(tmp_path, b"", "t.parquet"), "the file is empty")
    refused(write(tmp_path, b"a,b\n1,2\n", "t.parquet"), "this is not a Parquet file")
    whole = parquet(tmp_path / "w.parquet", a=list(range(1000))).read_bytes()
    for size in (4, 11, 100, len(whole) // 2, len(whole) - 1):
        refused(write(tmp_path, whole[:size], "t.parquet"), f"cut at byte {size:,}")
    refused(write(tmp_path, whole[:-8] + struct.pack("<I", 10**9) + b"PAR1", "t.parquet"), "a footer of 1,000,000,000 bytes")
    for at in range(8, len(whole) - 8, max(1, len(whole) // 60)):
        broken = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        with contextlib.suppress(RunError):  # Parquet itself has no checksum here: it may be read
            tables.read(write(tmp_path, broken, "t.parquet"))


def test_a02_nested_columns(tmp_path):
    path = parquet(tmp_path / "t.parquet", a=[1, 2], inner=[{"x": 1}, {"x": 2}], many=[[1], [2, 3]])
    refused(path, 'column "inner"', "STRUCT", 'column "many"', "neither numbers nor text")
    refused(parquet(tmp_path / "b.parquet", a=[b"x"]), "BLOB")


def test_a03_precision_that_is_lost_is_told(tmp_path):
    path = parquet(tmp_path / "t.parquet", a=[2**53 + 1, 2, 2**60 + 1], d=pa.array([1, 2, 3], pa.decimal128(38, 10)))
    table = tables.read(path)
    assert any("2 values of type BIGINT" in str(each) and 'column "a"' in str(each) for each in table.warnings)
    assert not any('column "d"' in str(each) for each in table.warnings)


def test_a04_dictionaries_are_categories(tmp_path):
    path = parquet(tmp_path / "t.parquet", k=pa.array(["x", "y", "x"]).dictionary_encode())
    assert cells(tables.read(path).column("k")) == ["x", "y", "x"]


def test_a05_extension_types_are_refused(tmp_path):
    class Hidden(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.int64(), "arrow.py_extension_type")

        def __arrow_ext_serialize__(self):
            return b"cos\nsystem"

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, data):
            return cls()

    column = pa.ExtensionArray.from_storage(Hidden(), pa.array([1, 2], pa.int64()))
    refused(parquet(tmp_path / "t.parquet", a=column), "extension type", "plain numbers")


def test_a06_encrypted_files(tmp_path):
    whole = parquet(tmp_path / "t.parquet", a=[1, 2]).read_bytes()
    refused(write(tmp_path, b"PARE" + whole[4:-4] + b"PARE", "e.parquet"), "encrypted")


def test_parquet_infinities_and_gaps(tmp_path):
    path = parquet(tmp_path / "t.parquet", a=[1.0, float("inf"), 2.0])
    refused(path, "not a finite number", 'row 2, column "a"')
    path = parquet(tmp_path / "g.parquet", a=[1.0, None, 2.0])
    refused(path, "no value", "row 2", missing="error")
    refused(path, "needed as a date", kinds={"a": "date"})
    assert tables.read(path, kinds={"a": "category"}).column("a").kind == "category"


def test_parquet_without_rows(tmp_path):
    refused(parquet(tmp_path / "t.parquet", a=pa.array([], pa.int64())), "1 columns, and no rows")


# --- arrays -----------------------------------------------------------------------------------------------------------


def save(path, array):
    with open(path, "wb") as stream:
        np.lib.format.write_array(stream, array, allow_pickle=True)
    return path


ARRAYS = [
    ("rows-and-columns", np.arange(6.0).reshape(3, 2), {"column 1": [0, 2, 4], "column 2": [1, 3, 5]}),
    ("fortran", np.asfortranarray(np.arange(6.0).reshape(3, 2)), {"column 2": [1, 3, 5]}),
    ("one-column", np.array([1, 2], np.int16), {"column 1": [1, 2]}),
    ("big-endian", np.array([1.5, 2], ">f4"), {"column 1": [1.5, 2]}),
    ("half", np.array([1.5, np.nan], np.float16), {"column 1": [1.5, None]}),
    ("unsigned", np.array([0, 2**64 - 2**12], np.uint64), {"column 1": [0, 2.0**64 - 2**12]}),
    ("booleans", np.array([True, False]), {"column 1": [1, 0]}),
    ("texts", np.array(["b", "a"]), {"column 1": ["b", "a"]}),
    ("named", np.array([(1, 0.5), (2, 1.5)], [("a", "i4"), ("b", "f8")]), {"a": [1, 2], "b": [0.5, 1.5]}),
]


@pytest.mark.parametrize(("array", "columns"), [row[1:] for row in ARRAYS], ids=[row[0] for row in ARRAYS])
def test_npy(tmp_path, array, columns):
    table = tables.read(save(tmp_path / "t.npy", array))
    for name, values in columns.items():
        assert cells(table.column(name)) == values


WRONG = [
    ("A08-objects", np.array([1, "x"], object), ["Python objects", "can run code"]),
    ("A08-objects-inside", np.array([(1, "x")], [("a", "i4"), ("b", "O")]), ["Python objects"]),
    ("A13-complex", np.array([1j]), ["dtype complex128"]),
    ("A13-dates", np.array(["2024-01-01"], "datetime64[D]"), ["dtype datetime64"]),
    ("A10-three-dimensions", np.zeros((2, 2, 2)), ["3 dimensions", "(2, 2, 2)"]),
    ("A10-none", np.array(1.0), ["0 dimensions"]),
    ("A12-no-rows", np.zeros((0, 2)), ["no rows"]),
    ("A12-no-columns", np.zeros((2, 0)), ["no columns"]),
    ("A15-infinity", np.array([[1.0], [np.inf]]), ["not a finite number", 'row 2, column "column 1"']),
]


@pytest.mark.parametrize(("array", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_npy_refused(tmp_path, array, says):
    refused(save(tmp_path / "t.npy", array), *says)


def test_npy_damaged(tmp_path):
    whole = save(tmp_path / "w.npy", np.arange(100.0)).read_bytes()
    refused(write(tmp_path, whole[:-5], "t.npy"), "the array file is cut", "795 bytes where shape (100,) of float64 needs 800")
    refused(write(tmp_path, whole + b"x", "t.npy"), "more than its array")
    for size in (0, 3, 9, 40):
        refused(write(tmp_path, whole[:size], "t.npy"), "not a NumPy array file")
    refused(write(tmp_path, whole.replace(b"(100,)", b"(9**9,)"[:6]), "t.npy"), "t.npy")
    huge = whole.replace(b"'shape': (100,), ", b"'shape': (10**9,)")
    refused(write(tmp_path, huge, "t.npy"), "t.npy")


def test_npy_precision(tmp_path):
    table = tables.read(save(tmp_path / "t.npy", np.array([2**53 + 1, 5])))
    assert "1 whole numbers cannot be held exactly" in str(table.warnings[0])


def test_npz(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.arange(4.0).reshape(2, 2), y=np.array(["a", "b"]))
    table = tables.read(tmp_path / "t.npz")
    assert table.names == ("X 1", "X 2", "y")
    assert cells(table.column("y")) == ["a", "b"]
    np.savez_compressed(tmp_path / "c.npz", y=np.array([1, 2]))
    assert cells(tables.read(tmp_path / "c.npz").column("y")) == [1, 2]


def test_a09_npz_with_other_things_in_it(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, a=np.zeros(3), b=np.zeros(4))
    refused(path, "equally many rows", "a: 3, b: 4")
    np.savez(path, a=np.array([None]))
    refused(path, "Python objects", "member a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../evil.txt", "x")
    refused(path, "a member that is no array", "../evil.txt")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", save(tmp_path / "z.npy", np.zeros(15_000_000)).read_bytes())
    refused(path, "more than 200 times")
    with zipfile.ZipFile(path, "w"):
        pass
    refused(path, "has no array")
    refused(write(tmp_path, b"PK\x03\x04 no zip", "t.npz"), "not an .npz file")


# --- many files -------------------------------------------------------------------------------------------------------


def test_a_pattern_and_a_list(tmp_path):
    write(tmp_path, "a,b\n1,x\n2,y\n", "p1.csv")
    write(tmp_path, "b,a\nz,3\n", "p2.csv")
    for source in (tmp_path / "p*.csv", [tmp_path / "p1.csv", tmp_path / "p2.csv"]):
        table = tables.read(source)
        assert cells(table.column("a")) == [1, 2, 3]
        assert cells(table.column("b")) == ["x", "y", "z"]
        assert [table.place(row) for row in range(3)] == [
            (str(tmp_path / "p1.csv"), 2),
            (str(tmp_path / "p1.csv"), 3),
            (str(tmp_path / "p2.csv"), 2),
        ]
        assert table.row_at(2, str(tmp_path / "p2.csv")) == 2


def test_d43_files_with_other_columns(tmp_path):
    write(tmp_path, "a,b\n1,2\n", "p1.csv")
    write(tmp_path, "a,c\n1,2\n", "p2.csv")
    refused(tmp_path / "p*.csv", "p2.csv", "it lacks b; it has c besides")


def test_a_bad_cell_names_its_file(tmp_path):
    write(tmp_path, "a\n1\n2\n", "p1.csv")
    write(tmp_path, "a\n3\nx\n4\n", "p2.csv")
    error = refused(tmp_path / "p*.csv", "is not a number", line=3)
    assert error.problems[0].file == str(tmp_path / "p2.csv")


def test_separators_may_differ_between_files(tmp_path):
    write(tmp_path, "a,b\n1,2\n", "p1.csv")
    write(tmp_path, "a;b\n3;4\n", "p2.csv")
    assert cells(tables.read(tmp_path / "p*.csv").column("b")) == [2, 4]


def test_different_formats_are_no_table(tmp_path):
    write(tmp_path, "a\n1\n", "p.csv")
    parquet(tmp_path / "p.parquet", a=[1])
    refused(tmp_path / "p.*", "different formats")
    refused([tmp_path / "p.csv", tmp_path / "p.parquet"], "different formats")


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_a_partitioned_folder(tmp_path, kind):
    for year in (2023, 2024):
        for place in ("Aa%20Bb", "C"):
            folder = tmp_path / "data" / f"year={year}" / f"place={place}"
            folder.mkdir(parents=True)
            if kind == "parquet":
                parquet(folder / "part.parquet", x=[year * 1.0, 0.5])
            else:
                text = f"x\n{year}\n0.5\n".encode()
                write(folder, gzip.compress(text) if kind == "csv.gz" else text, f"part.{kind}")
            write(folder, "not a table", "_SUCCESS")
    table = tables.read(tmp_path / "data")
    assert table.names == ("x", "year", "place")
    assert (table.column("year").kind, set(cells(table.column("year")))) == ("number", {2023, 2024})
    assert table.column("place").levels == ("Aa Bb", "C")
    assert len(table) == 8
    assert len(table.files) == 4
    assert table.place(2)[0].endswith(os.path.join("place=C", f"part.{kind}"))


def test_partitions_that_do_not_fit(tmp_path):
    (tmp_path / "d" / "k=1").mkdir(parents=True)
    refused(tmp_path / "d", "hold no table")
    write(tmp_path / "d" / "k=1", "k,x\n1,2\n", "p.csv")
    refused(tmp_path / "d", "in the file and in its folder's name")
    write(tmp_path / "d" / "k=1", "x\n2\n", "p.csv")
    (tmp_path / "d" / "j=1").mkdir()
    write(tmp_path / "d" / "j=1", "x\n2\n", "p.csv")
    refused(tmp_path / "d", "different names", "j; k")


def test_a_folder_with_a_circle_of_links(tmp_path):
    part = tmp_path / "d" / "k=1"
    part.mkdir(parents=True)
    write(part, "x\n2\n", "p.csv")
    (part / "again").symlink_to(tmp_path / "d")
    assert len(tables.read(tmp_path / "d")) == 1
