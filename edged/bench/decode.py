"""Ways to decode: the same model and the same sentences, with one idea more from row to row, in one run."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from edged.bench.model import Counting, Floor, Opened, open_model
from edged.bench.sentences import Sentence
from edged.bench.timing import Sample, Work, measure, median, quartiles
from edged.config import Config
from edged.core import Matcher, Program
from edged.errors import UsageError
from edged.intents.catalog import Catalog
from edged.intents.compile import MAX_INTENTS, compile_catalog
from edged.intents.grounding import Grounding
from edged.intents.load import load_catalog, require_intents
from edged.intents.short import Fields
from edged.models import Training, find_training
from edged.types import Rejected, Utterance
from edged.understand.answers import FORMS, AnswerForm, FormName, JsonForm
from edged.understand.ask import Asker, Judged
from edged.understand.decode import MAX_AHEAD, MAX_TOKENS, Choice, Decoded, Decoder
from edged.understand.examples import read_examples
from edged.understand.parser import Parser
from edged.understand.prompt import Lines


@dataclass(frozen=True, slots=True)
class DecodeRow:
    """What the LM's part of an utterance costs on one path: medians over all sentences and rounds."""

    path: str
    exact: float | None
    """The share of the sentences whose meaning is known that came out exactly so; None: of none it is known, or nothing
    comes out."""
    questions: float | None
    """How often the LM had more than one way on."""
    lm_tokens: float
    lm_calls: float
    cpu_ms_median: float
    wall_ms_median: float
    wall_ms_q1: float
    wall_ms_q3: float


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    form: FormName
    max_forced: int = MAX_AHEAD
    drafts: bool = False
    all_logits: bool = True


WAYS: Final = (
    _Way("json token by token", "json", max_forced=0),
    _Way("json", "json"),
    _Way("json, last logits", "json", all_logits=False),
    _Way("short token by token", "short", max_forced=0),
    _Way("short", "short"),
    _Way("short, draft", "short", drafts=True),
)
"""The last one is what the product does with a model that was trained for the short form."""
FLOOR: Final = "floor"
"""What the last way has the LM read, and nothing else."""


def measure_decoding(config: Config, sentences: Sequence[Sentence], rounds: int | None = None) -> list[DecodeRow]:
    """A row for each way, over the sentences that only the LM understands.

    Raises:
        UsageError: there is none.
        ModelError: the model is missing or cannot be used.
    """
    catalog = require_intents(load_catalog(config))
    training = find_training(config)
    with open_model(config) as opened:
        readable = Parser(opened.lm, catalog, opened.limits, training, vocab=opened.vocab).readable
        asked = only_asked(sentences, catalog, readable, training)
        paths = [_Asking(way, opened, readable) for way in WAYS]
        floor = Floor(FLOOR, opened.lm, paths[-1])
        samples = measure([*paths, floor], asked, rounds)
    rows = [_row(path.name, path.share_exact, median(path.questions), samples[path.name]) for path in paths]
    return [*rows, _row(floor.name, None, None, samples[floor.name])]


def only_asked(
    sentences: Sequence[Sentence], catalog: Catalog, readable: Catalog, training: Training | None
) -> list[Sentence]:
    """The sentences that no example answers, in a language and about intents that the LM reads.

    Raises:
        UsageError: there is none.
    """
    asked = [
        sentence
        for sentence in sentences
        if (training is None or sentence.lang.split("-")[0] in training.languages)
        and all(intent.get("intent") in readable.intents for intent in sentence.expect or ())
        and read_examples(catalog, _utterance(sentence)).outcome is None
    ]
    if not asked:
        raise UsageError("no sentence is left for the language model", remedy="give sentences that no example says")
    if len(asked) < len(sentences):
        print(f"the language model is asked about {len(asked)} of {len(sentences)} sentences", file=sys.stderr)
    return asked


def _utterance(sentence: Sentence) -> Utterance:
    return Utterance("bench", sentence.text, sentence.lang, 1.0, 0, 0, "cli")


def _row(name: str, exact: float | None, questions: float | None, samples: Sequence[Sample]) -> DecodeRow:
    walls = [sample.wall_ms for sample in samples]
    return DecodeRow(
        name,
        exact,
        questions,
        median([sample.work.tokens for sample in samples]),
        median([sample.work.calls for sample in samples]),
        median([sample.cpu_ms for sample in samples]),
        median(walls),
        *quartiles(walls),
    )


class _Asking:
    """One way, from the text to intents; what was right is counted beside."""

    def __init__(self, way: _Way, opened: Opened, catalog: Catalog) -> None:
        self._form = _Counted() if way.form == "json" else None
        form = self._form or (FORMS[way.form] if way.drafts else _Undrafted(FORMS[way.form]))
        decoder = Decoder(opened.lm, opened.vocab, max_forced=way.max_forced)
        if not way.all_logits:
            decoder = _LastLogits(opened.lm, opened.vocab)
        self.name = way.name
        self._lm = opened.lm
        prompt = Lines(opened.lm, catalog.intents, json=way.form == "json")
        self._asker = Asker(opened.lm, opened.vocab, form, prompt, opened.limits, decoder)
        self._catalog = catalog
        self._judged: dict[Sentence, Judged] = {}

    def prepare(self, sentence: Sentence) -> None:
        """Forgets what was read."""
        self._lm.rewind()
        if self._form is not None:
            self._form.least = sentence.count

    def run(self, sentence: Sentence) -> Work:
        """Asks the LM."""
        counting = Counting(self._lm)
        judged = self._asker.ask(self._catalog, _utterance(sentence))
        self._judged[sentence] = judged
        return counting.work

    @property
    def questions(self) -> list[float]:
        """Of each sentence."""
        return [judged.questions for judged in self._judged.values()]

    @property
    def share_exact(self) -> float | None:
        """Of the sentences whose meaning is known."""
        known = [(sentence.expect, judged) for sentence, judged in self._judged.items() if sentence.expect is not None]
        return sum(_intents(judged) == list(expect) for expect, judged in known) / len(known) if known else None


def _intents(judged: Judged) -> list[Fields]:
    if isinstance(judged.outcome, Rejected):
        return []
    return [{"intent": intent.name, **intent.slots} for intent in judged.outcome]


class _Counted(JsonForm):
    """JSON of as many intents as the sentence has: weights that did not learn it would write none, which costs nothing.

    So its cost is that of the right amount of JSON, and its share of exact answers what the weights make of that.
    """

    least = 0

    def compile(self, catalog: Catalog, said: Grounding, needed: Collection[str]) -> Program:
        """All arrays of so many intents and more."""
        return compile_catalog(catalog, said, needed, least=min(self.least, MAX_INTENTS))


class _Undrafted:
    """A form for which no draft is made."""

    def __init__(self, form: AnswerForm) -> None:
        self._form = form
        self.compile = form.compile
        self.read = form.read

    def write(self, fields: Fields, catalog: Catalog, said: Grounding) -> str:  # noqa: ARG002
        return ""


class _LastLogits(Decoder):
    """Asks for the logits of a batch's last token alone: how sure the LM was of what the grammar forces stays unknown.

    What is forced at the end is not read at all.
    """

    def decode(
        self,
        matcher: Matcher,
        question: Sequence[int],
        draft: Sequence[int] = (),  # noqa: ARG002
        redraft: Callable[[bytes], Sequence[int]] = lambda _written: (),  # noqa: ARG002
    ) -> Decoded | None:
        """Reads `question` and writes until the grammar is finished; None if it is not after `MAX_TOKENS`."""
        known, text, choices = list(question), bytearray(), list[Choice]()
        while len(known) < len(question) + MAX_TOKENS:
            for token in matcher.forced_tokens(MAX_AHEAD):
                matcher.advance(token)
                known.append(token)
                text += self._vocab.piece(token)
            if matcher.is_finished:
                return Decoded(bytes(text), tuple(choices))
            pick = matcher.pick(self._lm.read(known))
            choices.append(Choice(len(text), math.exp(pick.log_prob), math.exp(pick.log_share), pick.margin))
            matcher.advance(pick.token)
            known.append(pick.token)
            text += self._vocab.piece(pick.token)
        return None
