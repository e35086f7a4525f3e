"""Every row of the catalogue of bad tables: what is said, with its place and what to do, or what is accepted, and said."""

import gzip
import os
import stat
import sys
import threading

import pytest

from chainrule import tables
from chainrule.errors import InputError, RunError


def write(folder, data, name="t.csv"):
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def refused(source, *says, code=1, line=None, **how):
    """The error of a table that cannot be read; each of `says` stands in it."""
    kinds = how.pop("kinds", None)
    with pytest.raises(InputError) as caught:
        tables.read(source, tables.Options(**how), kinds)
    message = str(caught.value)
    for each in says:
        assert each in message
    assert caught.value.code == code
    assert all(problem.what and (problem.do or problem.what.startswith("and ")) for problem in caught.value.problems), message
    assert "Traceback" not in message
    assert "\x1b" not in message
    if line is not None:
        assert caught.value.problems[0].line == line
    return caught.value


NUMBERS = "a,b\n1,1\n2,2\n3,{}\n4,4\n5,5\n"

REFUSED = [  # id, the bytes, options, what the message has, its line
    ("D04-no-bytes", "", {}, ["the file is empty"], None),
    ("D05-only-a-header", "a,b,c\n", {}, ["a header with 3 columns, and no rows"], None),
    ("D05-one-column", "a\n", {}, ["a header with 1 column, and no rows"], None),
    ("D06-blank-lines", "\n\n  \n", {}, ["the file is empty"], None),
    ("D06-only-a-mark", b"\xef\xbb\xbf", {}, ["the file is empty"], None),
    ("D08-utf16", "a,b\n1,2\n".encode("utf-16"), {}, ["UTF-16", "--encoding utf-16"], None),
    ("D08-utf16-without-mark", "a,b\n1,2\n".encode("utf-16-le"), {}, ["UTF-16", "--encoding utf-16-le"], None),
    ("D09-latin-1", b"a,b\n1,x\n2,caf\xe9\n", {}, ["0xe9 at offset 13", "byte 6 of the line", "--encoding latin-1", "café"], 3),
    ("D09-wrong-encoding-said", b"a,b\n1,caf\xe9\n", {"encoding": "ascii"}, ["not UTF-8"], 2),
    ("D10-zero-byte", b"a,b\n1,2\n3,\x004\n", {}, ["zero byte", "byte 3 of the line"], 3),
    (
        "D11-too-many-cells",
        "a,b,c\n1,2,3\n1,2,3,4\n",
        {},
        ["this row has 4 cells; the header has 3", "extra cell '4'", "quotes"],
        3,
    ),
    ("D12-too-few-cells", "a,b,c\n1,2,3\n1,2\n5,6,7\n", {}, ["this row has 2 cells; the header has 3"], 3),
    ("D13-two-readings", "a;b,c\n1;2,3\n4;5,6\n", {}, ["more than one way", "1;2 | 3", "1 | 2,3", "--sep ',' or --sep ';'"], 1),
    ("D14-comma-in-comma-file", 'a,b\n"0,5",x\n"1,25",y\n', {}, ["decimal comma", 'column "a"', "--decimal ,"], 2),
    ("D14-commas-and-points", "a;b\n0,5;x\n1.25;y\n1.5;z\n", {}, ["decimal comma", "'0,5'"], 2),
    ("D15-comma", "a;b\n1,000;x\n2,500;y\n", {}, ["two ways, as 1000 and as 1.000", "--thousands , or --decimal ,"], 2),
    ("D15-blank", "a;b\n1 000;x\n2 500;y\n", {}, ["thousands", "--thousands ' '"], 2),
    ("D15-apostrophe", "a;b\n1'000;x\n2'500;y\n", {}, ["thousands", """--thousands "'\""""], 2),
    ("D15-point", "a;b\n1.000,5;x\n2.500,25;y\n", {}, ["--thousands . and --decimal ,"], 2),
    ("D15-among-numbers", NUMBERS.format('"1,000"'), {}, ["two ways"], 4),
    ("D16-currency", "a,b\n$5,1\n$6,2\n", {}, ["a number with a unit", "'$5'", "write the number alone"], 2),
    ("D16-percent", "a,b\n1,5%\n2,6%\n", {}, ["a number with a unit", "'5%'", 'column "b"'], 2),
    ("D16-unit", "a,b\n5 kg,1\n6 kg,2\n", {}, ["a number with a unit", "'5 kg'"], 2),
    ("D16-among-numbers", NUMBERS.format("3 kg"), {}, ["a number with a unit"], 4),
    ("D17-text", NUMBERS.format("three"), {}, ["is not a number", 'column "b"', "'three'", "--categorical b"], 4),
    ("D17-counted", "a\n1\nx\n2\ny\n3\n4\n5\n", {}, ["is not a number", "2 cells of this column do not fit"], 3),
    ("D18-missing-error", "a,b\n1,x\n,\n3,y\n", {"missing": "error"}, ["a cell has no value", 'column "a"', 'column "b"'], 3),
    ("D20-inf", NUMBERS.format("inf"), {}, ["not a finite number", "'inf'"], 4),
    ("D20-Infinity", NUMBERS.format("-Infinity"), {}, ["not a finite number"], 4),
    ("D20-1e400", NUMBERS.format("1e400"), {}, ["larger than float64 can hold", "'1e400'"], 4),
    ("D22-hexadecimal", NUMBERS.format("0x1F"), {}, ["not a decimal number", "'0x1F'"], 4),
    ("D22-underscore", NUMBERS.format("1_000"), {}, ["_ is no part", "'1_000'"], 4),
    ("D22-full-width", NUMBERS.format("１２"), {}, ["digits other than 0 to 9"], 4),
    ("D22-suffix", NUMBERS.format("1e5L"), {}, ["is not a number", "'1e5L'"], 4),
    ("D22-true", NUMBERS.format("TRUE"), {}, ["is not a number", "write 1 or 0"], 4),
    ("D22-two-signs", NUMBERS.format("+-3"), {}, ["is not a number", "'+-3'"], 4),
    ("D22-arabic-digits", NUMBERS.format("٣"), {}, ["digits other than 0 to 9"], 4),
    ("D23-other-dates", "a,b\n05/06/2024,1\n06/07/2024,2\n", {}, ["a date that is not written as YYYY-MM-DD"], 2),
    ("D23-no-such-day", "a,b\n2024-01-31,1\n2023-02-29,2\n2024-03-01,3\n", {}, ["no day of the calendar", "'2023-02-29'"], 3),
    ("D23-mixed", "a,b\n2024-01-31,1\n31.1.2024,2\n2024-03-01,3\n", {}, ["not written as YYYY-MM-DD"], 3),
    ("D23-date-among-numbers", NUMBERS.format("2024-01-31"), {}, ["a date among numbers"], 4),
    ("D24-unclosed", 'a,b\n1,"x\n2,y\n3,z\n', {}, ["opened and never closed"], 2),
    ("D24-another-quote-later", 'a,b\n1,"x\n2,y\n3,"z"\n', {}, ["opened and never closed"], 2),
    ("D25-in-a-cell", 'a,b\n1,x\n1,5"6\n', {}, ["in the middle of a cell", "sign 4 of the line"], 3),
    ("D25-in-a-quoted-cell", 'a,b\n1,x\n1,"5"6"\n', {}, ["in the middle of a cell", "sign 5 of the line"], 3),
    ("D25-blank-before", 'a,b\n1, "x"\n', {}, ["a blank stands between", "take the blank out"], 2),
    ("D28-same-names", "x,y,x\n1,2,3\n", {}, ["columns 1 and 3 have the same name", "'x'"], 1),
    ("D29-no-name", "x,,z\n1,2,3\n", {}, ["column 2 has no name"], 1),
    (
        "D45-columns",
        ",".join(f"c{i}" for i in range(10_001)) + "\n" + "1," * 10_000 + "1\n",
        {},
        ["10,001 columns", "10,000"],
        1,
    ),
    ("D45-no-line-end", b"a" * 5_000_000, {}, ["longer than 2,000,000 bytes"], None),
    ("D47-zip", b"PK\x03\x04rest", {}, ["a zip file, perhaps an Excel table", "save the table as CSV"], None),
    ("D47-xls", b"\xd0\xcf\x11\xe0rest", {}, ["an old Excel file"], None),
    ("D47-gzip", gzip.compress(b"a\n1\n"), {}, ["a gzip file", ".csv.gz"], None),
    ("D47-parquet", b"PAR1rest", {}, ["a Parquet file"], None),
    ("D47-html", b"\n<!DOCTYPE html><html>", {}, ["a web page"], None),
    ("D47-json", b'{"a": 1}', {}, ["this is JSON"], None),
    ("D54-only-in-rows", "a,b\n1,2,\n3,4,\n", {}, ["3 cells; the header has 2", "an empty extra cell", "end of the line"], 2),
    ("D54-once", "a,b\n1,2\n3,\n4,5,\n", {}, ["3 cells; the header has 2"], 4),
    ("D54-not-empty", "a,b,\n1,2,\n3,4,5\n", {}, ["column 3 has no name"], 1),
    ("D55-above", "# from somewhere\na,b\n1,2\n3,4\n", {}, ["--comment '#'"], 1),
    ("D55-between", "a,b\n1,2\n# one, two, three\n3,4\n", {}, ["--comment '#'"], 3),
    ("D55-one-column", "a\n1\n# hm\n3\n4\n5\n", {}, ["--comment '#'"], 3),
    ("D57-title", "My table\na,b\n1,2\n3,4\n", {}, ["line 1 has 1 cell, the lines from 2 on have 2", "title"], 1),
    ("D57-second-table", "a,b\n1,2\n3,4\nx,y,z\n1,2,3\n1,2,3\n", {}, ["from line 4 on the rows have 3", "second table"], 4),
    ("kinds-number", "a\n1\nx\n", {"kinds": {"a": "number"}}, ["is not a number", "'x'"], 3),
    ("kinds-date", "a\n2024-01-01\nx\n", {"kinds": {"a": "date"}}, ["is not a date"], 3),
    ("kinds-boolean", "a\nyes\n7\n", {"kinds": {"a": "boolean"}}, ["neither true nor false"], 3),
]


@pytest.mark.parametrize(("data", "how", "says", "line"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(tmp_path, data, how, says, line):
    path = write(tmp_path, data)
    assert str(path) in str(refused(path, *says, line=line, **how))


NAN = None  # a gap

ACCEPTED = [  # id, the bytes, options, {column: (kind, cells)}, what stands in the description
    ("D07-mark", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", {}, {"a": ("number", [1, 3]), "b": ("number", [2, 4])}, []),
    ("D07-mark-and-quotes", b'\xef\xbb\xbf"a",b\n1,2\n3,4\n', {}, {"a": ("number", [1, 3])}, []),
    ("D08-said", "a,b\n1,é\n".encode("utf-16"), {"encoding": "utf-16"}, {"b": ("category", ["é"])}, ["read as utf-16"]),
    ("D09-said", b"a,b\n1,caf\xe9\n", {"encoding": "latin-1"}, {"b": ("category", ["café"])}, ["read as iso8859-1"]),
    ("D13-semicolons", "a;b\n1;2\n", {}, {"a": ("number", [1]), "b": ("number", [2])}, ["separated by semicolons"]),
    ("D13-tabs", "a\tb\n1\t\n", {}, {"a": ("number", [1]), "b": ("number", [NAN])}, ["separated by tabs"]),
    ("D13-bars", "a|b\n1|2\n", {}, {"b": ("number", [2])}, ["separated by bars"]),
    ("D13-said", "a;b,c\n1;2,3\n", {"separator": ","}, {"a;b": ("category", ["1;2"]), "c": ("number", [3])}, []),
    ("D13-other-sign", "a:b\n1:2\n", {"separator": ":"}, {"a": ("number", [1])}, []),
    (
        "D14-whole-column",
        "a;b\n0,5;x\n1,25;y\n2;z\n",
        {},
        {"a": ("number", [0.5, 1.25, 2])},
        ["a: numbers have a decimal comma"],
    ),
    ("D14-late", "a;b\n" + "1;x\n" * 40_000 + "0,5;x\n", {}, {}, ["a: numbers have a decimal comma"]),
    ("D14-said", 'a,b\n"0,5",x\n', {"decimal": ","}, {"a": ("number", [0.5])}, []),
    ("D15-said", "a;b\n1.000,5;x\n2;y\n", {"thousands": ".", "decimal": ","}, {"a": ("number", [1000.5, 2])}, []),
    ("D15-apostrophe", "a,b\n1'000'000,x\n", {"thousands": "'"}, {"a": ("number", [1e6])}, []),
    ("D17-told", "a,b\n1,2\nx,3\n", {"categorical": ("a",)}, {"a": ("category", ["1", "x"])}, []),
    ("D18", "a,b\n1,x\n,\n3,y\n", {}, {"a": ("number", [1, NAN, 3]), "b": ("category", ["x", NAN, "y"])}, []),
    ("D19", "a,b\n1,x\nNA,N/A\nnull,?\n-,NaN\n3,y\n", {}, {"a": ("number", [1, NAN, NAN, NAN, 3])}, ["3 (1 NA, 1 null, 1 -)"]),
    ("D19-own", "a,b\n1,x\n-99,y\n", {"markers": ("-99",)}, {"a": ("number", [1, NAN])}, ["1 (1 -99)"]),
    ("D19-no-value", "a,b\n1,\n2,NA\n", {}, {"b": ("number", [NAN, NAN])}, ["b: no cell has a value"]),
    ("D23-dates", "a,b\n2024-01-31,1\n,2\n1969-12-31,3\n", {}, {"a": ("date", [19753, NAN, -1])}, ["1969-12-31 to 2024-01-31"]),
    ("D23-times", "a,b\n2024-01-31T12:00,1\n2024-02-29 06:00:00,2\n", {}, {"a": ("date", [19753.5, 19782.25])}, ["ISO dates"]),
    ("D26", 'a,b\n1,"x\ny"\n2,"say ""z"""\n', {}, {"b": ("category", ["x\ny", 'say "z"'])}, []),
    ("D27-returns", "a,b\r1,2\r3,4\r", {}, {"a": ("number", [1, 3])}, ["carriage return alone"]),
    ("D27-mixed", "a,b\r\n1,2\n3,4\r\n", {}, {"a": ("number", [1, 3])}, ["different line ends"]),
    ("D27-all-alike", "a,b\r\n1,x\r\n3,y\r\n", {}, {"b": ("category", ["x", "y"])}, []),
    ("D30", "Age,age\n1,2\n", {}, {"Age": ("number", [1])}, ["look alike", "U+0041 U+0067 U+0065"]),
    (
        "D52",
        '"a\n\x1b[31m","\u202e<script>"\n1,2\n',
        {},
        {"a\n\x1b[31m": ("number", [1])},
        ["a\\u000a\\u001b[31m", "\\u202e<script>"],
    ),
    (
        "D54",
        "a,b,\n1,2,\n3,4,\n",
        {},
        {"a": ("number", [1, 3]), "b": ("number", [2, 4])},
        ["the empty last column is left out"],
    ),
    ("D55-said", '# x " y\na,b\n1,2\n', {"comment": "#"}, {"a": ("number", [1])}, ["1 comment line left out"]),
    ("D56", "1,2\n3,4\n", {}, {"1": ("number", [3])}, ["the first row looks like data", "--no-header"]),
    ("D56-said", "1,2\n3,4\n", {"header": False}, {"column 1": ("number", [1, 3])}, []),
    ("blank-lines", "a,b\n1,2\n\n  \n3,4\n", {}, {"a": ("number", [1, 3])}, ["2 blank lines left out"]),
    (
        "booleans",
        "a,b\nyes,TRUE\nno,false\n,NA\n",
        {},
        {"a": ("boolean", [1, 0, NAN]), "b": ("boolean", [1, 0, NAN])},
        ["no is 0"],
    ),
    ("one-truth-is-a-category", "a,b\nyes,1\nyes,2\n", {}, {"a": ("category", ["yes", "yes"])}, []),
    ("blanks", "a,b\n 1 , x\n2,x \n", {}, {"a": ("number", [1, 2]), "b": ("category", ["x", "x"])}, ["blanks around texts"]),
    ("one-column", "a\n1\n2\n", {}, {"a": ("number", [1, 2])}, []),
    ("no-last-line-end", "a,b\n1,2\n3,4", {}, {"b": ("number", [2, 4])}, []),
    ("mostly-text", "a,b\nA1,1\nB2,2\n7,3\n", {}, {"a": ("category", ["A1", "B2", "7"])}, ["1 of 3 values are numbers"]),
    ("few-units", "a,b\n3rd,1\n1st,2\n2nd,3\n", {}, {"a": ("category", ["3rd", "1st", "2nd"])}, []),
    ("only", "a,b\n1,2\nx,3\n", {"only": ("b",)}, {"b": ("number", [2, 3])}, []),
    ("kinds-category", "a,b\n1,2\n01,3\n", {"kinds": {"a": "category"}}, {"a": ("category", ["1", "01"])}, []),
    ("kinds-unknown", "a,b\n1,2\n", {"kinds": {"z": "number"}}, {"a": ("number", [1])}, []),
]


def cells(column):
    if column.kind == "category":
        return [column.levels[code] if code >= 0 else NAN for code in column.values.tolist()]
    return [NAN if value != value else value for value in column.values.tolist()]


@pytest.mark.parametrize(("data", "how", "columns", "says"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(tmp_path, data, how, columns, says):
    how = dict(how)
    kinds = how.pop("kinds", None)
    table = tables.read(write(tmp_path, data), tables.Options(**how), kinds)
    for name, (kind, values) in columns.items():
        column = table.column(name)
        assert (column.kind, cells(column)) == (kind, values)
        assert column.found.gaps == values.count(NAN)
        assert sum(column.found.markers.values()) == values.count(NAN)
        assert column.levels == tuple(sorted(column.levels)) or kind == "boolean"
    told = str(table.describe())
    for each in says:
        assert each in told
    assert "\x1b" not in told


# --- files that are none, or cannot be read ---------------------------------------------------------------------------


def test_d01_absent_files_are_guessed_at(tmp_path):
    write(tmp_path, "a\n1\n", "iris.csv")
    refused(tmp_path / "iri.csv", "there is no such file", str(tmp_path / "iri.csv"), "did you mean iris.csv?")
    refused(tmp_path / "zoo.parquet", "the folder holds iris.csv")
    refused(tmp_path / "no" / "wine.csv", "there is no folder")


def test_d02_a_folder_is_told_with_what_it_holds(tmp_path):
    write(tmp_path, "a\n1\n")
    refused(tmp_path, "this is a folder", "it holds t.csv")
    (tmp_path / "inner").mkdir()
    refused(tmp_path / "inner", "this is a folder", "it holds no table")


def test_d03_rights_are_told(tmp_path, monkeypatch):
    path = write(tmp_path, "a\n1\n")
    path.chmod(0)
    if os.geteuid() == 0:  # nothing is closed to root: the system's refusal is put in its place
        import builtins

        real = builtins.open

        def closed(name, *rest, **more):
            if os.fspath(name) == str(path):
                raise PermissionError(13, "Permission denied", str(path))
            return real(name, *rest, **more)

        monkeypatch.setattr(builtins, "open", closed)
    refused(path, "may not be read", "owner ", "mode ----------")


def test_d46_a_file_that_changes_is_not_read_half(tmp_path, monkeypatch):
    path = write(tmp_path, "a,b\n1,2\n")
    from chainrule.tables import duck

    first = duck.Reader.csv

    def grown(self, *given, **more):
        with open(path, "a") as stream:
            stream.write("5,6\n")
        yield from first(self, *given, **more)

    monkeypatch.setattr(duck.Reader, "csv", grown)
    refused(path, "the file changed while it was read", "8 bytes before, 12 after")


def test_d48_bombs_are_not_unpacked(tmp_path):
    refused(write(tmp_path, gzip.compress(b"0" * 150_000_000), "t.csv.gz"), "more than 200 times", "104,857,600")


def test_gzip(tmp_path):
    table = tables.read(write(tmp_path, gzip.compress(b"a,b\n1,x\n2,y\n"), "t.csv.gz"))
    assert cells(table.column("b")) == ["x", "y"]
    assert table.place(1)[1] == 3
    whole = gzip.compress(b"a,b\n1,2\n" * 1000)
    refused(write(tmp_path, whole[:-9], "t.csv.gz"), "the gzip file is cut")
    broken = whole[:40] + bytes([whole[40] ^ 255]) + whole[41:]
    refused(write(tmp_path, broken, "t.csv.gz"), "the gzip file is")
    assert tables.read(write(tmp_path, b"a,b\n1,2\n", "t.csv.gz")).rows == 1  # called so, and not packed


class Terminal:
    closed = False

    def __init__(self, data=None):
        import io

        self.buffer = io.BytesIO(data or b"")
        self.data = data

    def isatty(self):
        return self.data is None


def test_d49_the_standard_input(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    refused("-", "that is a terminal", code=2)
    monkeypatch.setattr(sys, "stdin", Terminal(b""))
    refused("-", "nothing came from the standard input")
    monkeypatch.setattr(sys, "stdin", Terminal(b"a,b\n1,2\n3,x\n4,5\n"))
    error = refused("-", "is not a number")
    assert (error.problems[0].file, error.problems[0].line) == ("standard input", 3)
    monkeypatch.setattr(sys, "stdin", Terminal(b"a,b\n1,2\n"))
    assert tables.read("-").files == ("standard input",)


def test_d50_pipes_and_devices_have_no_end(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    done = []
    thread = threading.Thread(
        target=lambda: done.append(refused(tmp_path / "pipe.csv", "not a regular file but a pipe")), daemon=True
    )
    thread.start()
    thread.join(20)
    assert done, "reading waits for the pipe"
    if stat.S_ISCHR(os.stat("/dev/zero").st_mode):
        refused("/dev/zero", "not a regular file but a device")


def test_d51_links_that_lead_nowhere(tmp_path):
    (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
    refused(tmp_path / "round.csv", "round in a circle")
    (tmp_path / "gone.csv").symlink_to("nothing.csv")
    refused(tmp_path / "gone.csv", "leads to no file", "nothing.csv")
    write(tmp_path, "a\n1\n", "real.csv")
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert tables.read(tmp_path / "link.csv").rows == 1


def test_c15_c16_names_of_files(tmp_path):
    for name in ("with blank.csv", "it's.csv", "a[1]*.csv", "new\nline.csv", "é" * 60 + ".csv", "-.csv", "{x}.csv", 'a"b.csv'):
        assert tables.read(write(tmp_path, "a\n1\n2\n", name)).rows == 2
    refused(tmp_path / "*.nothing", "no file matches this pattern")
    refused("", "cannot be the name", code=2)
    refused("a\0b", "cannot be the name", code=2)
    refused([], "no file is named", code=2)
    refused(7, "name of a file", code=2)


OPTIONS = [
    ({"separator": ";;"}, "--sep"),
    ({"separator": '"'}, "--sep"),
    ({"decimal": "x"}, "--decimal"),
    ({"decimal": ",", "thousands": ","}, "cannot be the same"),
    ({"missing": "zero"}, "--missing"),
    ({"encoding": "klingon"}, "--encoding"),
    ({"encoding": "base64"}, "--encoding"),
    ({"categorical": "a"}, "--categorical"),
    ({"categorical": ("a",), "numeric": ("a",)}, "both a category and a number"),
]


@pytest.mark.parametrize(("how", "says"), OPTIONS, ids=[says for _, says in OPTIONS])
def test_options_are_checked_before_anything_is_read(how, says):
    with pytest.raises(InputError) as caught:
        tables.Options(**how)
    assert says in str(caught.value)
    assert caught.value.code == 2


def test_options_that_name_no_column(tmp_path):
    path = write(tmp_path, "age,b\n1,2\n")
    refused(path, "no column of this name", "did you mean age?", code=2, categorical=("agee",))
    refused(path, "no such kind", code=2, kinds={"age": "colour"})


def test_all_problems_are_collected_and_counted(tmp_path):
    rows = "".join(f"{i},x{i}\n" if i % 2 else f"{i},{i}\n" for i in range(100)) + "1,2,3\n" + "1,2\n" * 100
    error = refused(write(tmp_path, "a,b\n" + rows), "50 cells of this column do not fit", "this row has 3 cells")
    assert [problem.line for problem in error.problems] == [3, 5, 7, 9, 11, 102]
    many = refused(write(tmp_path, "a,b\n" + "1,2\n1,2,3\n" * 50), "and 30 more mistakes")
    assert len(many.problems) == 21


def test_a_bad_cell_far_down_is_named(tmp_path):
    lines = ["a,b,c"] + ["1.5,2.25,3"] * 999_997 + ["1.5,x,3", "1,2,3"]
    refused(write(tmp_path, "\n".join(lines) + "\n"), "999999:2", 'column "b"', "'x'", line=999_999)


def test_d53_large_places():
    from chainrule.tables.table import Part, Table

    table = Table(("big.csv",), 2**33, (), parts=(Part("big.csv", 0, 2**33, lambda row: row + 2),))
    assert table.place(2**32 + 5) == ("big.csv", 2**32 + 7)
    assert table.row_at(2**32 + 7) == 2**32 + 5


def test_errors_are_run_errors(tmp_path):
    with pytest.raises(RunError):
        tables.read(write(tmp_path, ""))
