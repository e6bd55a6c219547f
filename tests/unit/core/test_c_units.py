"""Runs the checks of the C core that are quick enough for every run; `make check` has them all."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "core" / "run.sh"
MISSING_PACKAGE = 3


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the C tests are built with gcc")
@pytest.mark.parametrize("variant", ["plain", "sanitized", "sizes", "vectors", "count"])
def test_the_c_checks_pass(variant: str, tmp_path: Path) -> None:
    result = subprocess.run([SCRIPT, variant, tmp_path], capture_output=True, text=True, timeout=300, check=False)
    if result.returncode == MISSING_PACKAGE:
        pytest.skip(result.stderr.strip())
    assert result.returncode == 0, result.stdout + result.stderr
