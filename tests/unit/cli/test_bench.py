import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.model


def test_the_bench_of_the_core_prints_the_rows_of_the_contract() -> None:
    done = subprocess.run([sys.executable, "-m", "edged", "bench", "core", "--json"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["catalogue"] for row in rows} == {"whole", "grounded"}
    for row in rows:
        assert list(row) == [
            "engine", "model", "catalogue", "pick_us_median", "pick_us_p99", "compile_ms", "start_ms", "bytes",
        ]  # fmt: skip
        assert 0 < row["pick_us_median"] <= row["pick_us_p99"]
        assert row["bytes"] > 0
