"""What `edged run` hears with: the configured source of sound, or satellites, and a recogniser for each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from edged.config import Config, HearConfig
from edged.hear.hearing import Hearing
from edged.hear.recognizer import Recognizer, SpeechModel
from edged.hear.sources import open_source
from edged.hear.vocabulary import make_grammar
from edged.intents.catalog import Catalog
from edged.intents.spoken.phrases import list_phrases
from edged.intents.spoken.replies import list_replies
from edged.models import find_model, speech_model_name

if TYPE_CHECKING:
    from edged.hear.satellite import Satellite
    from edged.hear.satellites import Satellites


class LookAhead(Protocol):
    """What is done with words that are still being spoken."""

    def __call__(self, words: str, lang: str) -> None:
        """Does it."""


class LookAheadIn(Protocol):
    """What is done with words that are still being spoken in an area."""

    def __call__(self, words: str, lang: str, area: str | None) -> None:
        """Does it."""


@dataclass(frozen=True, slots=True)
class Ears:
    """What hears, and how it learns what can be said."""

    prepare: Callable[[Catalog], Callable[[], None]]
    """Does what takes time for a new catalog, and gives what then puts it in force."""
    hearing: Hearing | None = None
    satellites: tuple[Hearing, ...] = ()
    network: Satellites | None = None


def open_hearing(config: Config, catalog: Catalog, listen: LookAhead, anticipate: LookAheadIn) -> Ears:
    """The configured source of sound, or one a satellite, with recognisers for what can be said; none for none.

    Args:
        config: names the source and the language.
        catalog: what can be said.
        listen: has the LM read what was said so far in a language.
        anticipate: has it understood, in case nothing follows.

    Raises:
        AudioError: the source is not fully configured.
        ModelError: the speech model is missing or damaged.
    """
    hear = config.hear
    lang = hear.lang
    source = open_source(hear, sys.stdin.buffer)
    network = _open_satellites(hear)
    if source is None and network is None:
        return Ears(lambda _catalog: lambda: None)
    model = SpeechModel(find_model(speech_model_name(lang), config.models_directory))
    vocabulary = Vocabulary(model, catalog, lang, also=list_replies(lang) if config.mqtt.ask_s else ())

    def hearing_of(satellite: Satellite) -> Hearing:
        return Hearing(
            satellite,
            partial(satellite.transcribe, vocabulary.recognizer(satellite.source)),
            may_pause=True,
            prefill=lambda words: listen(words, lang),
            anticipate=lambda words: anticipate(words, lang, satellite.area),
            name=f"hear {satellite.name}",
            comes_again=True,
        )

    hearing = None
    if source is not None:
        hearing = Hearing(
            source,
            vocabulary.recognizer(source.name).transcribe,
            may_pause=source.name == "stdin",
            prefill=lambda words: listen(words, lang),
            anticipate=lambda words: anticipate(words, lang, None),
        )
    satellites = tuple(hearing_of(satellite) for satellite in network.satellites) if network else ()
    return Ears(vocabulary.prepare, hearing, satellites, network)


def _open_satellites(hear: HearConfig) -> Satellites | None:
    if not hear.satellites:
        return None
    from edged.hear.satellites import Satellites  # asyncio and wyoming: only where there are satellites

    return Satellites(hear.satellites, lang=hear.lang, listens=hear.listening)


class Vocabulary:
    """What can be said, which all recognisers of one model are held to."""

    def __init__(self, model: SpeechModel, catalog: Catalog, lang: str, also: Sequence[str] = ()) -> None:
        """`also` can be said under every catalog."""
        self._model, self._lang, self._also = model, lang, tuple(also)
        self._phrases = (*list_phrases(catalog, lang), *self._also)
        self._grammar = make_grammar(self._phrases, model.knows, lang)
        self._recognizers: list[Recognizer] = []

    def recognizer(self, source: str) -> Recognizer:
        """A new one for a source."""
        self._recognizers.append(Recognizer(self._model, lang=self._lang, source=source, grammar=self._grammar))
        return self._recognizers[-1]

    def prepare(self, changed: Catalog) -> Callable[[], None]:
        """Does what takes time for a new catalog, and gives what has it listened for."""
        phrases = (*list_phrases(changed, self._lang), *self._also)
        if phrases == self._phrases:
            return lambda: None
        grammar = make_grammar(phrases, self._model.knows, self._lang)

        def listen() -> None:
            for recognizer in self._recognizers:
                recognizer.set_grammar(grammar)
            self._phrases = phrases

        return listen
