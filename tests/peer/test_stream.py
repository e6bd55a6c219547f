"""From a recording to the intents with real models: words are read while they are spoken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edged.hear.recognizer import Recognizer, SpeechModel
from edged.hear.sources import WavSource
from edged.hear.vocabulary import Grammar, make_grammar
from edged.intents.catalog import Catalog, without_examples
from edged.intents.spoken.phrases import list_phrases
from edged.understand.parser import Parser, Understanding
from tests.conftest import ROOT

pytestmark = pytest.mark.model

RECORDINGS = sorted((ROOT / "edged" / "samples").glob("ko_*.wav"))


@pytest.fixture(scope="module")
def model(vosk_ko: Path) -> SpeechModel:
    return SpeechModel(vosk_ko)


@pytest.fixture(scope="module")
def grammar(model: SpeechModel, catalog: Catalog) -> Grammar:
    return make_grammar(list_phrases(catalog, "ko"), model.knows, "ko")


@pytest.fixture
def fresh(parser: Parser, catalog: Catalog) -> Iterator[Parser]:
    """The parser, which has to ask the LM whatever is said."""
    parser.set_catalog(without_examples(catalog))
    yield parser
    parser.set_catalog(catalog)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_the_lm_has_read_words_before_the_last_was_spoken(
    recording: Path, model: SpeechModel, grammar: Grammar, fresh: Parser
) -> None:
    def play(on_partial: Callable[[str], None] | None) -> Understanding:
        recognizer = Recognizer(model, lang="ko", source="wav", grammar=grammar)
        with WavSource(recording) as chunks:
            (understanding,) = map(fresh.parse, recognizer.transcribe(chunks, on_partial))
        return understanding

    plain = play(None)
    fresh.set_catalog(fresh._catalog)
    streamed = play(lambda words: fresh.listen(words, "ko"))
    assert streamed.answered_by == plain.answered_by == "model"
    assert 0 < streamed.lm_tokens < plain.lm_tokens
    assert streamed.confidence == plain.confidence
    assert [getattr(intent, "slots", None) for intent in _intents(streamed)] == [
        getattr(intent, "slots", None) for intent in _intents(plain)
    ]


def _intents(understanding: Understanding) -> tuple[object, ...]:
    return understanding.outcome if isinstance(understanding.outcome, tuple) else ()
