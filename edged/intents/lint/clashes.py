"""What two intent files must not share: a name and a sentence. The earlier file, by name, stays in force."""

from __future__ import annotations

from dataclasses import dataclass

from edged.intents.catalog import Finding, IntentFile, Pointer, is_sayable
from edged.intents.lint.sentences import Placeholders, SentenceKey
from edged.intents.suggest import quote


@dataclass(frozen=True, slots=True)
class Sentence:
    """An example of an intent file: what tells it from others, and where it stands."""

    key: SentenceKey
    pointer: Pointer


def list_sentences(intent: IntentFile) -> tuple[Sentence, ...]:
    """The sentences that mean an intent in this house; those with a slot that it cannot fill are none."""
    places = Placeholders(intent.schema, intent.spoken)
    return tuple(
        Sentence(places.key_of(example.text, lang), ("x-edged", "examples", lang, index, "text"))
        for lang, examples in intent.examples.items()
        for index, example in enumerate(examples)
        if is_sayable(intent, example)
    )


class Clashes:
    """The names and sentences that intents in force have taken."""

    def __init__(self) -> None:
        self._names: dict[str, IntentFile] = {}
        self._sentences: dict[object, list[tuple[SentenceKey, IntentFile]]] = {}

    def take(self, intent: IntentFile, sentences: tuple[Sentence, ...]) -> list[Finding]:
        """Takes an intent's name and its sentences; where another has one of them, takes nothing and says which."""
        other = self._names.get(intent.name)
        if other is not None:
            what = f"there is an intent {quote(intent.name)} already, in {other.file}"
            return [Finding(("properties", "intent", "const"), what, "rename one of the two")]
        findings = []
        for sentence in sentences:
            owner = self._find_owner(sentence.key)
            if owner is not None:
                what = f"this sentence means {quote(owner.name)} already, in {owner.file}"
                findings.append(Finding(sentence.pointer, what, "reword it, or remove one of the two"))
        if not findings:
            self._names[intent.name] = intent
            for sentence in sentences:
                self._sentences.setdefault(sentence.key.words, []).append((sentence.key, intent))
        return findings

    def _find_owner(self, key: SentenceKey) -> IntentFile | None:
        return next((owner for known, owner in self._sentences.get(key.words, ()) if key.meets(known)), None)
