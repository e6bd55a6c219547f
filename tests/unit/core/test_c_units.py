"""Runs the C tests, plain and under the address and undefined-behaviour sanitisers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "core" / "run.sh"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the C tests are built with gcc")
@pytest.mark.parametrize("variant", ["plain", "sanitized"])
def test_the_c_tests_pass(variant: str, tmp_path: Path) -> None:
    result = subprocess.run([SCRIPT, variant, tmp_path], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
