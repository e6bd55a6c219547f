from dataclasses import asdict

import pytest

from edged.bench.decode import FLOOR, WAYS, measure_decoding
from edged.bench.sentences import SENTENCES
from edged.config import Config
from edged.errors import UsageError

pytestmark = pytest.mark.model


def test_each_way_has_its_row_and_the_floor_reads_what_the_last_one_reads(config: Config) -> None:
    rows = {row.path: row for row in measure_decoding(config, SENTENCES[8:12], rounds=1)}
    assert list(rows) == [*(way.name for way in WAYS), FLOOR]
    for row in rows.values():
        assert row.cpu_ms_median > 0
        assert 0 < row.wall_ms_q1 <= row.wall_ms_median <= row.wall_ms_q3
    assert (rows[FLOOR].exact, rows[FLOOR].questions) == (None, None)
    drafted = rows["short, draft"]
    assert (rows[FLOOR].lm_tokens, rows[FLOOR].lm_calls) == (drafted.lm_tokens, drafted.lm_calls)


def test_what_is_forced_or_drafted_saves_calls_and_changes_no_answer(config: Config) -> None:
    # Whatever it is sure of: "last logits" cannot know how sure the model was of what is forced.
    config = config.model_copy(update={"understand": config.understand.model_copy(update={"min_confidence": 0.0})})
    rows = {row.path: asdict(row) for row in measure_decoding(config, SENTENCES[10:13], rounds=1)}
    for slow, fast in (
        ("json token by token", "json"),
        ("json", "json, last logits"),
        ("short token by token", "short, draft"),
    ):
        assert rows[fast]["lm_calls"] <= rows[slow]["lm_calls"]
        assert [rows[fast][key] for key in ("exact", "questions")] == [
            rows[slow][key] for key in ("exact", "questions")
        ]


def test_sentences_that_examples_say_are_not_for_the_model(config: Config) -> None:
    with pytest.raises(UsageError, match="no sentence is left for the language model"):
        measure_decoding(config, SENTENCES[:3], rounds=1)
