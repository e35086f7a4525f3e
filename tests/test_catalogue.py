"""The catalogue of bad inputs through the commands: each row of tables (D), Parquet and arrays (A), models and checkpoints (M)
ends with the exit code it should, and with words that name place and remedy."""

import gzip
import signal
from pathlib import Path

import pytest

from chainrule.cli import main

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
    ("D19-marker", with_cell("NA"), (), 0, ["NA"]),
    ("D19-refused", with_cell("?"), ("--missing", "error"), 1, ["a cell has no value", "t.csv:6"]),
    ("D20-infinity", with_cell("inf"), (), 1, ["not a finite number", "t.csv:6"]),
    ("D20-1e400", with_cell("1e400"), (), 1, ["larger than float64 can hold", "t.csv:6", "'1e400'"]),
    ("D21-1e39", with_cell("1e39"), ("--dtype", "float32"), 1, ["float32", "t.csv:6", "--dtype float64"]),
    ("D22-hexadecimal", with_cell("0x1F"), (), 1, ["not a decimal number", "t.csv:6"]),
    ("D22-underscore", with_cell("1_000"), (), 1, ["t.csv:6", "'1_000'"]),
    ("D22-full-width", with_cell("１２"), (), 1, ["digits other than 0 to 9", "t.csv:6"]),
    ("D22-suffix", with_cell("1e5L"), (), 1, ["is not a number", "t.csv:6"]),
    ("D22-true", with_cell("TRUE"), (), 1, ["is not a number", "t.csv:6"]),
    ("D23-dates", column_of("2024-01-31", "2023-05-01", "2022-07-09"), (), 0, ["date"]),
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
    ("D33-typo", good(rows=200) + "1,u,P\n", (), 0, ["'P'", "1 row", "line 202", "'p'"]),
    ("D33-typo-strict", good(rows=200) + "1,u,P\n", ("--strict",), 1, ["'P'"]),
    ("D34-no-label", with_cell("", column=2), (), 0, ["the target has no value in 1 of 30 rows", "line 6"]),
    ("D34-no-label-at-all", "a,y\n1,\n2,\n3,\n", (), 1, ["the target has no value in any row"]),
    ("D35-one-class", "a,y\n" + "1,p\n2,p\n" * 9, (), 1, ["only", "'p'"]),
    ("D36-too-many-folds", good(), ("--folds", "15"), 1, ["fewer rows", "folds"]),
    ("D37-text-for-regression", good(), ("--task", "regression"), 1, ["classification"]),
    ("D38-numbers-as-classes", "a,y\n" + "".join(f"{k},{k * k * 0.37:.3f}\n" for k in range(300)), ("--task", "classification"), 1, []),  # noqa: E501
    ("D39-constant", column_of("7"), (), 0, ["'b'", "same"]),
    ("D40-equal-columns", "\n".join(f"{line.split(',')[0]},{line}" for line in lines()).replace("a,a", "b,a", 1) + "\n", (), 0, ["'b'"]),  # noqa: E501
    ("D40-leak", "\n".join(f"{line[-1]},{line}" for line in lines()).replace("y,a", "b,a", 1) + "\n", (), 0, ["'b'", "target"]),
    ("D41-large", column_of(*(f"{k}e15" for k in range(1, 20))), (), 0, []),
    ("D45-columns", ",".join(f"c{k}" for k in range(10_001)) + ",y\n" + "1," * 10_001 + "p\n", (), 1, ["10,000"]),
    ("D45-no-line-end", "a" * 3_000_000, (), 1, ["longer than"]),
    ("D47-zip", b"PK\x03\x04rest", (), 1, ["zip", "Excel", "save the table as CSV"]),
    ("D47-gzip", gzip.compress(b"a\n1\n"), (), 1, ["gzip", ".csv.gz"]),
    ("D47-parquet", b"PAR1rest", (), 1, ["a Parquet file"]),
    ("D47-html", b"<!doctype html><table>", (), 1, ["web page"]),
    ("D52-names", good(header='a,"\x1b[31m\u202e<script>",y'), (), 0, ["\\u001b[31m"]),
    ("D52-names-in-errors", with_cell("five").replace("a,g", "\x1b]0;x\x07,g"), (), 1, ["\\u001b]0;x\\u0007"]),
    ("D54-ends", "\n".join(line + "," for line in lines()) + "\n", (), 0, ["the empty last column is left out"]),
    ("D54-only-in-rows", "\n".join(line + "," * (k > 0) for k, line in enumerate(lines())) + "\n", (), 1, ["t.csv:2", "end of the line"]),  # noqa: E501
    ("D55-comment", with_cell("# a,b"), (), 1, ["--comment '#'"]),
    ("D55-said", "# x\n" + good(), ("--comment", "#"), 0, []),
    ("D56-no-header", "1,2,3\n" + "1,2,3\n4,5,6\n" * 12, ("--target", "3"), 0, ["the first row looks like data", "--no-header"]),  # noqa: E501
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
