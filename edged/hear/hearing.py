"""What the daemon knows of everything that hears: where sound comes from, and what is done with its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from edged.types import AudioChunk, Rejected, Utterance


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where speech comes from and who makes words of it."""

    source: AbstractContextManager[Iterator[AudioChunk]]
    transcribe: Callable[[Iterable[AudioChunk], Callable[[str], None]], Iterator[Utterance | Rejected]]
    """What else it is given is told what has been heard of an utterance so far. It may give why one came to nothing."""
    may_pause: bool
    """The source may be silent for any time, as stdin may; a microphone may not."""
    prefill: Callable[[str], None] = lambda _words: None
    """Has the LM read what has been heard so far, on the thread that understands, and changes no outcome; raises
    EdgedError where it fails."""
    anticipate: Callable[[str], None] = lambda _words: None
    """The same, for words behind which a pause is: has them understood, in case they are all."""
    name: str = "hear"
    """Of its thread."""
    comes_again: bool = False
    """The source is entered again whenever it has ended, until the daemon does."""


class Network(Protocol):
    """What brings the sound of satellites: `hear.satellites.Satellites`, or a test's."""

    def run(self, beat: Callable[[], None]) -> None:
        """Brings it until `close`, and beats."""

    def listen(self, *, on: bool) -> None:
        """Whether the satellites are to send what they hear; never waits."""

    def close(self) -> None:
        """Ends `run` and every source that waits for sound; from any thread, and never waits."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What has been heard so far of an utterance that goes on."""

    hearing: Hearing
    words: str
