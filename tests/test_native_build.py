"""What a build for one instruction set defines, no other part of the extension may define: the linker keeps one of two, and a
machine without AVX-512 could be handed the one with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chainrule.engines import native

ROOT = Path(__file__).parent.parent
BUILDS = ("baseline", "avx2", "avx512")
DATA = ("_ZTIN9chainrule6EngineE", "_ZTSN9chainrule6EngineE", "DW.ref.__gxx_personality_v0")  # no code: whichever is kept


def foreign(symbols: str, build: str) -> list[str]:
    """Of what `nm --defined-only --extern-only --format=posix` prints, all that is not in the build's own namespace."""
    names = (line.split()[0] for line in symbols.splitlines() if line)
    return [name for name in names if f"9chainrule{len(build)}{build}" not in name and name not in DATA]


def objects() -> dict[str, Path]:
    """The object file of each build from the newest build folder: an installation leaves it, a wheel has none."""
    found = sorted(
        ROOT.glob("build/*/CMakeFiles/engine_baseline.dir/native/engine.cpp.o"), key=lambda file: file.stat().st_mtime
    )
    if not found:
        return {}
    folder = found[-1].parents[2]
    paths = {build: folder / f"engine_{build}.dir" / "native" / "engine.cpp.o" for build in BUILDS}
    return {build: path for build, path in paths.items() if path.exists()}


@pytest.mark.skipif(native._built is None, reason="chainrule was installed without a compiler")
def test_a_build_defines_nothing_outside_its_namespace() -> None:
    files = objects()
    if not files:
        pytest.skip("no build folder here: chainrule was installed from a wheel")
    assert set(files) >= set(native._built.builds())
    for build, path in files.items():
        command = ["nm", "--defined-only", "--extern-only", "--format=posix", str(path)]
        symbols = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "make_engine" in symbols
        assert foreign(symbols, build) == [], f"templates or inline functions of others in the {build} build"


def test_what_would_be_shared_is_seen() -> None:
    own = "_ZN9chainrule6avx51211make_engineERKNS_4TaskEi T 0 3a\n_ZN9chainrule6avx5124keepIdEEvmmmdllPT_ W 0 12\n"
    assert foreign(own, "avx512") == []
    vector, inline = "_ZNSt6vectorIlSaIlEE17_M_realloc_insertIJlEEEvN9", "_ZN9chainrule6EngineD0Ev"
    assert foreign(f"{own}{vector} W 0 9\n{inline} W 0 9\n", "avx512") == [vector, inline]
    assert len(foreign(own, "avx2")) == 2
