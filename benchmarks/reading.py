"""Reading a large CSV file into arrays, beside DuckDB's own ways: time, and the memory of a process that does nothing else.

    python benchmarks/reading.py [--rows 1000000] [--columns 30] [--rounds 3]

Each reading is a process of its own, in turn with the others; the shortest time of each counts. What is wanted: at most 1.5
times the best of DuckDB's own ways, and at most twice the arrays plus 200 MB of memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

DUCKDB = """import duckdb
duckdb.sql("SET enable_progress_bar = false")
names = open(path).readline().strip().split(",")
start = time.perf_counter()
"""
WAYS = {
    "chainrule": "from chainrule import tables\nstart = time.perf_counter()\ntable = tables.read(path)",
    "duckdb.read_csv().fetchnumpy()": DUCKDB + "table = duckdb.read_csv(path).fetchnumpy()",
    "duckdb, columns declared": DUCKDB
    + "table = duckdb.read_csv(path, dtype=dict.fromkeys(names, 'DOUBLE'), header=True, sep=',').fetchnumpy()",
    "duckdb, nothing sniffed": DUCKDB
    + """columns = "{" + ", ".join(f"'{name}': 'DOUBLE'" for name in names) + "}"
how = f"columns = {columns}, header = true, auto_detect = false, delim = ',', quote = '\\"'"
table = duckdb.sql(f"FROM read_csv('{path}', {how})").fetchnumpy()""",
}
ENDING = """
spent = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
try:  # what a process took before it became Python counts in ru_maxrss, and not here
    peak = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
except (OSError, StopIteration):
    pass
print(spent, used.ru_utime + used.ru_stime, peak)
"""
FACTOR, EXTRA = 1.5, 200 * 2**20
"""Times DuckDB's own time, and bytes beside twice the arrays, that are wanted at most."""


def write(path: Path, rows: int, columns: int, bad: bool = False) -> None:
    """A CSV of normally distributed numbers in full precision; bad: with a word for a number in the last line but two."""
    chance = np.random.default_rng(0)
    with open(path, "w", encoding="ascii") as stream:
        stream.write(",".join(f"x{place}" for place in range(1, columns + 1)) + "\n")
        for start in range(0, rows, 10_000):
            block = chance.normal(size=(min(10_000, rows - start), columns)).tolist()
            lines = [",".join(map(repr, row)) for row in block]
            if bad and start + 10_000 >= rows:
                lines[-3] = lines[-3][: lines[-3].rindex(",")] + ",oops"
            stream.write("\n".join(lines) + "\n")


def measured(way: str, path: Path) -> tuple[float, float, int]:
    """Seconds, seconds of all cores together, and bytes of one reading, in a process of its own."""
    code = f"import resource, sys, time\npath = sys.argv[1]\n{WAYS[way]}{ENDING}"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    seconds, work, peak = done.stdout.split()
    return float(seconds), float(work), int(peak)


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rows", type=int, default=1_000_000)
    ask.add_argument("--columns", type=int, default=30)
    ask.add_argument("--rounds", type=int, default=3)
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.csv"
        write(path, asked.rows, asked.columns)
        arrays = asked.rows * asked.columns * 8
        print(f"{asked.rows:,} x {asked.columns}: {path.stat().st_size / 1e6:,.0f} MB of CSV, {arrays / 1e6:,.0f} MB of arrays")
        best = dict.fromkeys(WAYS, (float("inf"), float("inf"), 2**62))
        for _ in range(asked.rounds):
            for way in WAYS:
                spent, work, peak = measured(way, path)
                best[way] = min(best[way][0], spent), min(best[way][1], work), min(best[way][2], peak)
        own = min(seconds for way, (seconds, *_) in best.items() if way != "chainrule")
        for way, (spent, work, peak) in best.items():
            print(f"{way:32} {spent:7.2f} s  {spent / own:5.2f} times  {work:7.2f} s of cores  {peak / 1e6:7,.0f} MB")
        factor, peak = best["chainrule"][0] / own, best["chainrule"][2]
        most = 2 * arrays + EXTRA
        print(f"wanted: at most {FACTOR} times (it is {factor:.2f}), at most {most / 1e6:,.0f} MB (it is {peak / 1e6:,.0f})")
        write(path, asked.rows, asked.columns, bad=True)
        start = time.perf_counter()
        found = _bad_cell(path)
        print(f"a bad cell in line {asked.rows - 1:,}: {found} ({time.perf_counter() - start:.2f} s)")
    return int(factor > FACTOR or peak > most or f":{asked.rows - 1}:" not in found)


def _bad_cell(path: Path) -> str:
    from chainrule import tables
    from chainrule.errors import InputError

    try:
        tables.read(path)
    except InputError as error:
        return str(error).replace(str(path), path.name)
    return "not found"


if __name__ == "__main__":
    sys.exit(main())
