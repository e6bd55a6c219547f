"""The real model: drafts, forced runs and batches change what an answer costs, and never the answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from edged.core import Canonical, Matcher
from edged.intents.accept import text_matcher
from edged.intents.catalog import Catalog
from edged.intents.grounding import ground
from edged.types import Utterance
from edged.understand.answers import FORMS, FormName
from edged.understand.ask import Asker, Judged, Limits
from edged.understand.decode import MAX_TOKENS, Choice, Decoded, Decoder
from edged.understand.lm import LanguageModel
from edged.understand.parser import Parser
from edged.understand.prompt import Lines
from tests.unit.understand.utterances import by_other_people, made_up, say

pytestmark = pytest.mark.model

SAMPLE = {"short": 40, "json": 10}
"""Made-up utterances a run: one takes 0.2 s in the short form, and 0.6 in the other."""
SAMPLE_OF_OTHERS = {"short": 20, "json": 5}
FORM_NAMES: list[FormName] = ["short", "json"]


class GreedyDecoder:
    """Reads one token after the other and takes the best that is legal: no draft, nothing in advance."""

    def __init__(self, lm: LanguageModel) -> None:
        self._lm = lm
        self._pieces = lm.pieces()

    def decode(
        self, matcher: Matcher, question: Sequence[int], _draft: Sequence[int] = (), _redraft: object = None
    ) -> Decoded | None:
        self._lm.rewind()
        known, text, choices = list(question), bytearray(), []
        for _ in range(MAX_TOKENS):
            pick = matcher.pick(self._lm.read(known))
            choices.append(Choice(len(text), math.exp(pick.log_prob), math.exp(pick.log_share), pick.margin))
            text += self._pieces[pick.token]
            matcher.advance(pick.token)
            if matcher.is_finished:
                return Decoded(bytes(text), tuple(choices))
            known.append(pick.token)
        return None


class Pair:
    """One model that is asked in both ways."""

    def __init__(self, parser: Parser, form: FormName) -> None:
        self.lm, self.vocab, self.catalog = parser.lm, parser.vocab, parser.readable
        self.form = FORMS[form]
        self.prompt = Lines(self.lm, json=form == "json")
        self.asker = self._asker()
        self.greedy_asker = self._asker()
        self.greedy = GreedyDecoder(self.lm)
        self.greedy_asker._decoder = self.greedy  # type: ignore[assignment]
        self.decoder = Decoder(self.lm, self.vocab)

    def _asker(self) -> Asker:
        return Asker(self.lm, self.vocab, self.form, self.prompt, Limits(0.5))

    def ask(self, utterance: Utterance) -> tuple[Judged, Judged]:
        """What the daemon makes of an utterance, and what plain greedy decoding does."""
        self.lm.rewind()
        return self.asker.ask(self.catalog, utterance), self.greedy_asker.ask(self.catalog, utterance)

    def matcher(self, utterance: Utterance) -> Matcher:
        said = self.asker._hear(self.catalog, utterance).said
        return Matcher(self.vocab, self.form.compile(self.catalog, said, ()), canonical=self.canonical)

    @property
    def canonical(self) -> Canonical:
        return self.asker._canonical

    def question(self, utterance: Utterance) -> list[int]:
        return self.prompt.question(self.catalog, utterance.text, utterance.lang)


@pytest.fixture(scope="module", params=FORM_NAMES)
def pair(request: pytest.FixtureRequest, parser: Parser) -> Iterator[Pair]:
    yield Pair(parser, request.param)
    parser.lm.rewind()


def form_of(pair: Pair) -> str:
    return next(name for name, form in FORMS.items() if form is pair.form)


def test_made_up_utterances_mean_what_greedy_decoding_makes_of_them(pair: Pair, catalog: Catalog) -> None:
    for utterance in made_up(catalog, SAMPLE[form_of(pair)], seed=5):
        mine, greedy = pair.ask(utterance)
        assert mine == greedy, utterance.text


def test_sentences_of_other_people_mean_what_greedy_decoding_makes_of_them(pair: Pair, shared: Path) -> None:
    for utterance in Random(5).sample(by_other_people(shared), SAMPLE_OF_OTHERS[form_of(pair)]):
        mine, greedy = pair.ask(utterance)
        assert mine == greedy, utterance.text


def drafts(pair: Pair, answers: Sequence[list[int]], own: list[int], random: Random) -> Iterator[list[int]]:
    """What a draft may be at worst."""
    anything = [random.randrange(len(pair.vocab)) for _ in range(random.randrange(1, 20))]
    cut = random.randrange(len(own) + 1)
    yield from ([], anything, random.choice(answers), own, [*own, *anything], [*own[:cut], *anything], own[:cut])
    yield [own[0]] * 100
    yield own[::-1]


def test_no_draft_changes_an_answer(pair: Pair, catalog: Catalog) -> None:
    random = Random(7)
    utterances = list(made_up(catalog, SAMPLE[form_of(pair)] // 5, seed=11))
    greedy = []
    for utterance in utterances:
        decoded = pair.greedy.decode(pair.matcher(utterance), pair.question(utterance))
        assert decoded is not None
        greedy.append(decoded)
    answers = [pair.lm.tokenize(decoded.text) for decoded in greedy]
    for utterance, decoded, answer in zip(utterances, greedy, answers, strict=True):
        for draft in drafts(pair, answers, answer, random):
            assert pair.decoder.decode(pair.matcher(utterance), pair.question(utterance), draft) == decoded, draft


def test_long_utterances_mean_what_greedy_decoding_makes_of_them(pair: Pair, catalog: Catalog) -> None:
    """Of more tokens than one call takes."""
    said = " and ".join(utterance.text for utterance in made_up(catalog, 40, seed=13))
    for text in (said[:300], f"{said[:480]} light on", "불 켜 줘 " * 60):
        mine, greedy = pair.ask(say(text, "ko" if "불" in text else "en"))
        assert mine == greedy, text


def test_every_short_answer_is_tokenised_as_the_model_does(parser: Parser, catalog: Catalog) -> None:
    """Both ways: what the grammar lets through is the model's own tokens, and they are all let through."""
    random, pieces = Random(17), parser.lm.pieces()
    for utterance in made_up(catalog, 25, seed=17):
        program = FORMS["short"].compile(catalog, ground(catalog, utterance.text, utterance.lang), ())
        matcher = Matcher(parser.vocab, program, canonical=parser._asker._canonical)
        for _ in range(8):
            tokens = []
            matcher.reset()
            while not matcher.is_finished:
                tokens.append(random.choice(matcher.legal()))
                matcher.advance(tokens[-1])
            text = b"".join(pieces[token] for token in tokens)
            assert parser.lm.tokenize(text) == tokens, text
        letters = text_matcher(program)
        for _ in range(8):
            letters.reset()
            written = b""
            while not letters.is_finished:
                written += bytes((random.choice(letters.next_bytes()),))
                letters.advance_bytes(written[-1:])
            matcher.reset()
            for token in parser.lm.tokenize(written):
                matcher.advance(token)
            assert matcher.is_finished, written
