"""Builds the C core as `edged.core._core`: setuptools reads `ffi`; run as a script it compiles next to itself.

CFLAGS and LDFLAGS are honoured: that is how the sanitiser build is made.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from pathlib import Path

from cffi import FFI

SOURCES = (
    *("status", "image", "vocab", "draft", "graph", "words", "digits", "decode", "prune", "program"),
    *("states", "legal", "pick", "sample", "verify", "matcher", "canonical", "ahead"),
)

MODULE = "_core.abi3.so"
"""The name that setuptools gives it, so that the two ways to build never leave an old one in front of a new one."""


def declarations(header: str) -> str:
    """What cffi's parser takes of a C header: no preprocessor lines and no attributes."""
    lines = re.sub(r"^#.*$", "", header, flags=re.MULTILINE)
    return lines.replace("EDC_MUST_CHECK ", "")


def make_ffi(folder: Path) -> FFI:
    """The description of the module, not yet compiled; `folder` holds the C sources."""
    builder = FFI()
    builder.cdef(declarations((folder / "edged_core.h").read_text(encoding="utf-8")))
    builder.cdef('extern "Python" int edc_ask_python(void *, const int32_t *, size_t);')
    builder.set_source(
        "edged.core._core",
        '#include "edged_core.h"',
        sources=[f"{folder}/edc_{unit}.c" for unit in SOURCES],
        include_dirs=[str(folder)],
        libraries=["m"],
        # The two -fno let the compiler turn the loops of edc_pick.c into vector code; no result depends on them. Fused
        # multiply-adds, which change the last digits of scores, take a quarter off those loops on 64-bit ARM.
        extra_compile_args=["-std=c11", "-O3", "-fno-trapping-math", "-fno-math-errno", "-ffp-contract=fast"],
    )
    return builder


def build_in_place(folder: Path) -> None:
    """Compiles the module into `folder`.

    The work is done in an empty folder: setuptools reads the pyproject.toml of the current one, and an old setuptools
    does not understand ours.
    """
    with tempfile.TemporaryDirectory() as work, contextlib.chdir(work):
        module = make_ffi(folder).compile(tmpdir=work)
        fresh = folder / f"{MODULE}.new"
        shutil.copy2(module, fresh)
        fresh.replace(folder / MODULE)  # in one step: a process may have the old one mapped


if __name__ == "__main__":
    build_in_place(Path(__file__).resolve().parent)
else:
    ffi = make_ffi(Path("edged/core"))  # setuptools wants paths relative to the root, where it runs
