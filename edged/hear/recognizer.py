"""Vosk: sound in, utterances out. Nothing else in edged imports it."""

from __future__ import annotations

import json
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from edged.errors import ModelError
from edged.hear.pcm import SAMPLE_RATE_HZ, duration_ns
from edged.hear.vocabulary import UNKNOWN_SYMBOL, Grammar
from edged.types import AudioChunk, Utterance

_log = logging.getLogger(__name__)

REPEATED_BYTES = 2 * SAMPLE_RATE_HZ
"""A second of sound: Vosk tells a word up to about half a second after its beginning."""

OnPartial: TypeAlias = Callable[[str], None]

SILENT_LOG_LEVEL = -1

FST_MAGIC = b"\xd6\xfd\xb2\x7e"
"""How a file of OpenFst begins. Vosk loads a model with another HCLr.fst and crashes at the first sound."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One result of Vosk."""

    text: str
    confidence: float
    """0..1."""
    start_s: float
    """Of the first word, on the recogniser's own clock; as end_s, 0 where nothing was heard."""
    end_s: float


class SpeechModel:
    """A Vosk model in memory. It may be shared by recognisers on several threads."""

    def __init__(self, path: Path) -> None:
        """Loads the model, about 2 s and 535 MB for the Korean one.

        Raises:
            ModelError: the folder is missing, is no Vosk model, or cannot be loaded.
        """
        check_model_folder(path)
        import vosk

        vosk.SetLogLevel(SILENT_LOG_LEVEL)
        try:
            self._model = vosk.Model(str(path))
        except Exception as error:  # vosk raises nothing narrower
            raise ModelError("cannot be loaded by Vosk", where=str(path), remedy="edged models verify") from error
        self._new_recognizer = vosk.KaldiRecognizer
        self._takes_grammar = any((path / folder / "HCLr.fst").is_file() for folder in ("graph", "."))
        self._path = path

    def knows(self, word: str) -> bool:
        """Whether the word is in the model's vocabulary."""
        return int(self._model.vosk_model_find_word(word)) >= 0

    def new_recognizer(self, grammar: Grammar | None) -> Any:  # noqa: ANN401 - vosk is untyped
        """A Vosk recogniser, held to the grammar if there is one and the model can be held to it."""
        if grammar is not None and not self._takes_grammar:
            _log.warning("%s has a fixed graph, which takes no vocabulary at run time: it listens freely", self._path)
            grammar = None
        if grammar is None:
            return self._new_recognizer(self._model, float(SAMPLE_RATE_HZ))
        return self._new_recognizer(self._model, float(SAMPLE_RATE_HZ), grammar.to_json())


class Recognizer:
    """Transcribes one stream of sound; it belongs to one thread."""

    def __init__(self, model: SpeechModel, *, lang: str, source: str, grammar: Grammar | None = None) -> None:
        """Makes a recogniser (42 ms with 1,000 phrases).

        Args:
            model: the loaded model.
            lang: what the utterances' `lang` says.
            source: what the utterances' `source` says.
            grammar: what can be said; free without it.
        """
        self._model = model
        self._lang, self._source = lang, source
        self._next: deque[Grammar] = deque(maxlen=1)
        self._start(grammar)

    def set_grammar(self, grammar: Grammar) -> None:
        """Listens for this from the end of the utterance under way on; from any thread."""
        self._next.append(grammar)

    def transcribe(self, chunks: Iterable[AudioChunk], on_partial: OnPartial | None = None) -> Iterator[Utterance]:
        """Yields each utterance when its end is heard; silence yields none.

        Args:
            chunks: the sound.
            on_partial: told what has been heard of an utterance so far, each time that changes.
        """
        partial, end_ns = "", 0
        for chunk in chunks:
            ended = self._accept(chunk.pcm)
            end_ns = chunk.start_ns + duration_ns(len(chunk.pcm))
            if ended:
                partial = ""
                self._recent.clear()
                yield from self._utterances(self._vosk.Result(), end_ns)
            elif on_partial is not None:
                heard = self._words(json.loads(self._vosk.PartialResult()).get("partial", ""))
                if heard and heard != partial:
                    partial = heard
                    on_partial(heard)
        self._recent.clear()  # what follows, if anything does, is not of this time
        yield from self._utterances(self._vosk.FinalResult(), end_ns)

    def _start(self, grammar: Grammar | None) -> None:
        self._vosk = self._model.new_recognizer(grammar)
        self._vosk.SetWords(True)
        self._grammar = grammar
        self._heard_bytes = 0
        self._recent: deque[bytes] = deque()

    def _accept(self, pcm: bytes) -> bool:
        """Hears a chunk; with a new grammar where one waits and no word has been heard since the last utterance.

        The start of a word may have sounded already: the new recogniser hears the last moment once more.
        """
        if self._next and not json.loads(self._vosk.PartialResult()).get("partial", ""):
            recent = b"".join(self._recent)
            self._start(self._next.pop())
            pcm = recent + pcm
        self._recent.append(pcm)
        while sum(map(len, self._recent)) - len(self._recent[0]) >= REPEATED_BYTES:
            self._recent.popleft()
        self._heard_bytes += len(pcm)
        return bool(self._vosk.AcceptWaveform(pcm))

    def _utterances(self, result: str, end_ns: int) -> Iterator[Utterance]:
        """The utterance of a result, if it holds words. `end_ns` is when the sound so far ended."""
        heard = parse_result(result)
        text = self._words(heard.text)
        if not text:
            return
        stream_begin_ns = end_ns - duration_ns(self._heard_bytes)
        yield Utterance(
            id=uuid.uuid4().hex,
            text=text,
            lang=self._lang,
            asr_confidence=heard.confidence,
            start_ns=stream_begin_ns + round(heard.start_s * 1e9),
            end_ns=stream_begin_ns + round(heard.end_s * 1e9),
            source=self._source,
        )

    def _words(self, text: str) -> str:
        """A text with single blanks and whole words.

        What the grammar has no words for stays as [unk] between words, since without it another command could remain;
        at either end it is noise and goes.
        """
        words = text.split()
        while words and words[0] == UNKNOWN_SYMBOL:
            words.pop(0)
        while words and words[-1] == UNKNOWN_SYMBOL:
            words.pop()
        joined = " ".join(words)
        return self._grammar.join(joined) if self._grammar else joined


def check_model_folder(path: Path) -> None:
    """Looks whether a folder holds what Vosk needs, for Vosk itself may end the process where it does not.

    Raises:
        ModelError: it does not.
    """
    if not path.is_dir():
        raise ModelError("is no folder with a Vosk model", where=str(path), remedy="edged models fetch")
    nested = (path / "am" / "final.mdl").is_file()
    graph, conf = (path / "graph", path / "conf") if nested else (path, path)
    graphs = [graph / "HCLG.fst"] if (graph / "HCLG.fst").is_file() else [graph / "HCLr.fst", graph / "Gr.fst"]
    needed = [path / "am" / "final.mdl" if nested else path / "final.mdl", conf / "mfcc.conf"]
    for file in (*needed, *graphs):
        if not file.is_file() or file.stat().st_size == 0:
            raise _broken(path, file, "is missing or empty")
    for file in graphs:
        with file.open("rb") as opened:
            if opened.read(len(FST_MAGIC)) != FST_MAGIC:
                raise _broken(path, file, "is no graph")


def _broken(model: Path, file: Path, how: str) -> ModelError:
    return ModelError(
        f"is no whole Vosk model: {file.relative_to(model)} {how}",
        where=str(model),
        remedy="edged models verify says what is wrong, edged models fetch mends it",
    )


def parse_result(result: str) -> Hypothesis:
    """Reads a result of Vosk: a text, and its words with confidences and times."""
    parsed = json.loads(result)
    words = parsed.get("result", [])
    if not words:
        return Hypothesis(parsed.get("text", ""), 0.0, 0.0, 0.0)
    confidence = min(1.0, max(0.0, sum(word["conf"] for word in words) / len(words)))
    return Hypothesis(parsed["text"], confidence, float(words[0]["start"]), float(words[-1]["end"]))
