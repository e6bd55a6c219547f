import pytest

from edged.bench.command import describe_gains, measure_commands
from edged.bench.sentences import SENTENCES
from edged.config import Config

pytestmark = pytest.mark.model


def test_each_path_has_its_row_and_streaming_leaves_less_to_read(config: Config) -> None:
    sentences = [SENTENCES[0], *SENTENCES[10:12]]
    found, gains = measure_commands(config, sentences, streamed=True, rounds=1)
    rows = {row.path: row for row in found}
    ours = ["edged-lm", "edged-lm stream"]
    assert list(rows) == ["edged", *ours, "edged-lm paused stream", *(f"{name} floor" for name in ours), "stock"]
    assert rows["edged"].sentences == 3
    assert {row.sentences for name, row in rows.items() if name != "edged"} == {2}
    assert rows["edged-lm stream"].lm_tokens < rows["edged-lm"].lm_tokens
    assert rows["edged-lm"].lm_calls < rows["stock"].lm_calls
    for name in ours:
        floor = rows[f"{name} floor"]
        assert (floor.lm_tokens, floor.lm_calls) == (rows[name].lm_tokens, rows[name].lm_calls)
    assert [name for name, row in rows.items() if row.listen_cpu_ms is not None] == [
        "edged-lm stream",
        "edged-lm paused stream",
    ]
    assert (rows["edged-lm paused stream"].lm_tokens, rows["edged-lm paused stream"].lm_calls) == (0, 0)
    for row in found:
        assert 0 < row.cpu_ms_min <= row.cpu_ms_median <= row.cpu_ms_max
    assert [gain.path for gain in gains] == [name for name in rows if name not in ("edged", "stock")]
    assert all(gain.times > 1 for gain in gains)
    assert f"{gains[0].times:.1f} times that of edged-lm," in describe_gains(gains)


def test_without_streaming_there_is_no_streamed_row(config: Config) -> None:
    found, _ = measure_commands(config, SENTENCES[10:11], rounds=1)
    assert [row.path for row in found] == ["edged", "edged-lm", "edged-lm floor", "stock"]
