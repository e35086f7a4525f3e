"""How long it takes to be told: a whole process for the smallest example, one weight of a large network.

    python benchmarks/explain.py

Processes alternate with `python -c "import numpy"`, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 15
LARGE = (784, 512, 256, 10)
ROWS = 64
ALLOWED = 0.25  # seconds above the import of NumPy


def seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
    return time.perf_counter() - start


def process() -> None:
    numpy = (sys.executable, "-c", "import numpy")
    explain = (sys.executable, "-m", "chainrule", "explain", "mazur")
    seconds(*numpy), seconds(*explain)  # the first run fills the disk cache
    pairs = [(seconds(*numpy), seconds(*explain)) for _ in range(ROUNDS)]
    above = [b - a for a, b in pairs]
    ratio = [b / a for a, b in pairs]
    print("chainrule explain mazur, the whole process, against python -c 'import numpy'")
    print(f"  import numpy      {statistics.median(a for a, _ in pairs):6.3f} s")
    print(f"  explain mazur     {statistics.median(b for _, b in pairs):6.3f} s")
    print(f"  above             {statistics.median(above):6.3f} s  ({min(above):.3f} to {max(above):.3f}; allowed {ALLOWED})")
    print(f"  ratio             {statistics.median(ratio):6.2f}    ({min(ratio):.2f} to {max(ratio):.2f})")


def one_weight() -> None:
    import numpy as np

    import chainrule as cr

    generator = np.random.default_rng(0)
    layers = [cr.Dense(512, "relu"), cr.Dense(256, "relu"), cr.Dense(10, "softmax")]
    network = cr.Network(layers, inputs=LARGE[0], loss="cross_entropy")
    x, t = generator.random((ROWS, LARGE[0])), np.eye(LARGE[-1])[generator.integers(0, LARGE[-1], ROWS)]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        trace = cr.trace(network, x, t, optimizer=cr.Adam())
        opened = time.perf_counter()
        text = trace.explain("dE/dW[1][3,7]")
        times.append((opened - start, time.perf_counter() - opened))
    step = statistics.median(a for a, _ in times)
    told = statistics.median(b for _, b in times)
    sizes = "-".join(map(str, LARGE))
    print(f"explain of one weight, {sizes}, batch {ROWS}, {network.size:,} parameters")
    print(f"  the step          {step:6.3f} s")
    print(f"  the explanation   {told:6.3f} s  ({len(text.splitlines())} lines)")
    print(f"  together          {step + told:6.3f} s  ({(step + told) / 1.0:.2f} of the second allowed)")


if __name__ == "__main__":
    process()
    one_weight()
