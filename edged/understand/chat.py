"""How a model that people bring is asked: in the form of its own chat template, with lessons from the catalog.

A conversation is rendered with a mark for the utterance: what stands in front of the mark the model reads once for a
catalog, what stands behind it is part of each question. The answer is the JSON array, and ends where the grammar does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice
from typing import Final

from edged.errors import ModelError
from edged.intents.catalog import Catalog
from edged.intents.spoken.text import normalize_text
from edged.understand.answers import AnswerForm, JsonForm
from edged.understand.frame import make_frame
from edged.understand.lessons import NOTHING, Lesson, make_instruction, make_lessons
from edged.understand.lm import LanguageModel
from edged.understand.render import Message, RenderError, render

log = logging.getLogger(__name__)

MAX_CHAT_TOKENS: Final = 640
"""What the instruction and the lessons take together. So many of Phi-3 mini, the largest model meant here, with 393 kB
each, are a state that is still kept on disk: see `prefix.MAX_STATE_BYTES`."""
MAX_INSTRUCTION_TOKENS: Final = 400
"""What the instruction may take of these with the slots' values; that of the shipped intents takes 330 of SmolLM2's."""
MAX_LESSONS: Final = 24
"""More than ever fit: the shortest lesson with its two turns takes some 25 tokens."""

PLAIN: Final = "{% for message in messages %}{{ message.content + '\n' }}{% endfor %}"
"""The template of models that have none: a sentence, and its answer in the next line."""

_MARK: Final = "here-is-what-was-said"
"""Stands for the utterance; no sentence of a lesson holds a hyphen."""
_TASK: Final = "Answer this."
_REMEDY: Final = "use a model with another chat template"


class Chat:
    """A model's chat template, and what it makes of a catalog and of utterances."""

    def __init__(self, lm: LanguageModel, template: str, lang: str) -> None:
        """Tries the template.

        Args:
            lm: the loaded model.
            template: the model's own, or `PLAIN`.
            lang: the language of the lessons.

        Raises:
            ModelError: it cannot be used with this model.
        """
        self._lm, self._template, self._lang = lm, template, lang
        lesson = Lesson("turn it on", NOTHING)
        asked = [_conversation(_TASK, [lesson], merged=merged) for merged in (False, True)]
        answered = [[*messages, {"role": "assistant", "content": NOTHING}] for messages in asked]
        texts = self._render([*asked, *answered])
        self._merged = _TASK not in (texts[0] or "")
        before, self._behind = _split(texts[self._merged])
        behind, self._blank = _with_gap(before, self._behind, texts[2 + self._merged])
        self._frame = make_frame(lm, before, behind)
        self._frame.check(before)
        last = self._frame.last_token
        # A tokenizer that puts a blank in front of texts does so behind control tokens as well.
        self._blank = self._blank or (lm.is_control(last) and _adds_blank(lm))
        self.before: int | None = last if lm.piece(last).endswith(b"\n") else None
        """The token in front of every answer, where it is known not to grow together with one."""

    @property
    def form(self) -> AnswerForm:
        """Arrays of intents, behind a blank where this model writes one."""
        return JsonForm(blank=self._blank)

    def prefix(self, catalog: Catalog) -> list[int]:
        """What the model reads once for a catalog.

        Raises:
            ModelError: the template refuses it.
        """
        instruction = self._instruction(catalog)
        lessons = list(islice(filter(self._is_plain, make_lessons(catalog, self._lang)), MAX_LESSONS))
        counts = range(len(lessons), -1, -1)
        texts = self._render([_conversation(instruction, lessons[:count], merged=self._merged) for count in counts])
        for before in map(self._before, texts):  # with fewer lessons each time
            tokens = self._frame.prefix(before)
            if len(tokens) <= MAX_CHAT_TOKENS:
                break
        self._frame.check(before)
        return tokens

    def question(self, catalog: Catalog, text: str, lang: str) -> list[int]:  # noqa: ARG002 - it reads the names
        """What the model reads of an utterance, up to where it answers."""
        return self._frame.question(normalize_text(text, lang))

    def opening(self, catalog: Catalog, said: str, lang: str) -> list[int]:  # noqa: ARG002 - it reads the names
        """What it can read of a normalised utterance that goes on."""
        return self._frame.opening(said)

    def _before(self, text: str | None) -> str:
        before, behind = _split(text)
        if behind != self._behind:
            raise ModelError("its chat template ends each conversation in another way", remedy=_REMEDY)
        return before

    def _instruction(self, catalog: Catalog) -> str:
        """In full where that leaves room to the lessons and holds no control token."""
        full = make_instruction(catalog)
        if self._count(full) <= MAX_INSTRUCTION_TOKENS and self._holds_no_control(full):
            return full
        return make_instruction(catalog, brief=True)

    def _is_plain(self, lesson: Lesson) -> bool:
        return self._holds_no_control(lesson.said + lesson.answer)

    def _holds_no_control(self, text: str) -> bool:
        """Whether a text by other people names none of the model's control tokens."""
        return not any(map(self._lm.is_control, self._lm.tokenize(text.encode(), control=True)))

    def _count(self, text: str) -> int:
        return len(self._lm.tokenize(text.encode()))

    def _render(self, conversations: Sequence[Sequence[Message]]) -> list[str | None]:
        names = self._lm.name_of(self._lm.begin_token), self._lm.name_of(self._lm.end_token)
        try:
            return render(self._template, *names, conversations)
        except RenderError as error:
            raise ModelError(f"its chat template cannot be used: {error}", remedy=_REMEDY) from error


def open_chat(lm: LanguageModel, lang: str) -> Chat | None:
    """The chat of a model in its own template, else in lines; None where its tokenizer allows neither."""
    for template in filter(None, (lm.chat_template, PLAIN)):
        try:
            return Chat(lm, template, lang)
        except ModelError as error:
            log.warning("%s", error)
    return None


def _conversation(instruction: str, lessons: Sequence[Lesson], *, merged: bool) -> list[Message]:
    """The messages up to an utterance; `merged`: the instruction begins the first thing said."""
    messages: list[Message] = []
    for lesson in lessons:
        messages += {"role": "user", "content": lesson.said}, {"role": "assistant", "content": lesson.answer}
    messages.append({"role": "user", "content": _MARK})
    if not merged:
        return [{"role": "system", "content": instruction}, *messages]
    first = {"role": "user", "content": f"{instruction}\n\n{messages[0]['content']}"}
    return [first, *messages[1:]]


def _split(text: str | None) -> tuple[str, str]:
    """What stands in front of the mark and behind it."""
    if text is None or text.count(_MARK) != 1:
        raise ModelError("its chat template does not take a conversation", remedy=_REMEDY)
    before, _, behind = text.partition(_MARK)
    return before, behind


def _with_gap(before: str, behind: str, answered: str | None) -> tuple[str, bool]:
    """What stands behind the mark up to an answer, white space that only answers have included; a blank apart."""
    spoken, found, _ = (answered or "").removeprefix(before + _MARK).partition(NOTHING)
    gap = spoken.removeprefix(behind)
    if not found or not spoken.startswith(behind) or gap.strip():
        return behind, False
    return behind + gap.removesuffix(" "), gap.endswith(" ")


def _adds_blank(lm: LanguageModel) -> bool:
    return b"".join(map(lm.piece, lm.tokenize(b"a"))).startswith(b" ")
