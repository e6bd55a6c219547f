"""`edged transcribe FILE.wav`: what Vosk hears in a recording, with and without the runtime grammar."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.cli import options
from edged.hear.recognizer import OnPartial, Recognizer, SpeechModel
from edged.hear.sources import WavSource
from edged.hear.vocabulary import Grammar, make_grammar
from edged.intents.load import load_catalog
from edged.intents.spoken.phrases import list_phrases
from edged.models import find_model, get_model, speech_model_name
from edged.types import AudioChunk

SHOWN_PHRASES = 3
SHOWN_SPLITS = 8


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was heard in a whole recording."""

    text: str
    confidence: float


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged transcribe`."""
    parser = commands.add_parser("transcribe", help="what Vosk hears, with and without the runtime grammar")
    parser.add_argument("file", type=Path, metavar="FILE.wav", help="16 kHz mono 16-bit PCM")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints both readings of the recording and the words that cannot be heard."""
    config = options.read_config(arguments)
    lang = config.hear.lang
    name = get_model(speech_model_name(lang)).name
    with WavSource(arguments.file) as source:
        chunks = list(source)
    model = SpeechModel(find_model(name, config.models_directory))
    grammar = make_grammar(list_phrases(load_catalog(config), lang), model.knows, lang)
    partials: list[str] = []
    free = decode(model, chunks, lang)
    held = decode(model, chunks, lang, grammar, partials.append)
    if arguments.json:
        print(_as_json(free, held, grammar, len(partials)))
        return 0
    print(f"free:    {free.text or '(nothing)'}  (confidence {free.confidence:.2f})")
    print(f"grammar: {held.text or '(nothing)'}  (confidence {held.confidence:.2f}, {len(partials)} partial results)")
    _show_unknown(grammar)
    return 0


def decode(
    model: SpeechModel,
    chunks: Sequence[AudioChunk],
    lang: str,
    grammar: Grammar | None = None,
    on_partial: OnPartial | None = None,
) -> Decoded:
    """Everything that is heard in a recording, as one text."""
    recognizer = Recognizer(model, lang=lang, source=WavSource.name, grammar=grammar)
    heard = list(recognizer.transcribe(chunks, on_partial))
    words = sum(len(utterance.text.split()) for utterance in heard)
    weighted = sum(utterance.asr_confidence * len(utterance.text.split()) for utterance in heard)
    return Decoded(" ".join(utterance.text for utterance in heard), weighted / words if words else 0.0)


def _as_json(free: Decoded, held: Decoded, grammar: Grammar, partials: int) -> str:
    report = {
        "free": {"text": free.text, "confidence": round(free.confidence, 4)},
        "grammar": {"text": held.text, "confidence": round(held.confidence, 4)},
        "unknown_words": [entry.word for entry in grammar.unknown],
        "partials": partials,
    }
    return json.dumps(report, ensure_ascii=False)


def _show_unknown(grammar: Grammar) -> None:
    split = [f"{word} = {' + '.join(pieces)}" for pieces, word in grammar.pieces.items()]
    more = f" and {len(split) - SHOWN_SPLITS} more" if len(split) > SHOWN_SPLITS else ""
    print(f"{len(grammar.phrases)} phrases; split words: {', '.join(split[:SHOWN_SPLITS]) or 'none'}{more}")
    for entry in grammar.unknown:
        print(f"cannot be heard: {entry.word}, in: {', '.join(entry.phrases[:SHOWN_PHRASES])}")
    if grammar.unknown:
        print("give what holds such a word another name in home.toml or in the intent's file", file=sys.stderr)
