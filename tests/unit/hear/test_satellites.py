"""Satellites over real TCP, heard by a recogniser of the test's own."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk as Sound
from wyoming.audio import AudioStop
from wyoming.info import Info
from wyoming.ping import Ping
from wyoming.pipeline import PipelineStage, RunPipeline

from edged.config import SatelliteConfig
from edged.errors import AudioError
from edged.hear import satellite as satellite_module
from edged.hear import satellite_link as link_module
from edged.hear import satellites as satellites_module
from edged.hear import wire as wire_module
from edged.hear.listening import Listening
from edged.hear.pcm import SAMPLE_RATE_HZ
from edged.hear.satellite import MAX_STREAM_S, Satellite, Stream
from edged.hear.satellites import Satellites, check_satellite
from edged.hear.wire import MAX_HEADER_BYTES, MAX_PART_BYTES
from edged.types import AudioChunk, Rejected, Utterance
from tests.peer.broker import WAIT_S, free_port
from tests.peer.satellite import OPEN, WOKEN, ScriptedSatellite, scripted

WORD, END = b"\1\1" * 1600, b"\2\2" * 1600
"""A tenth of a second each."""


class Words:
    """Hears a word in each chunk that begins with 1, and the end of an utterance in one that begins with 2."""

    def __init__(self) -> None:
        self.heard_bytes = 0
        self.reached = threading.Semaphore(0)
        """Released for each word."""

    def transcribe(self, chunks: Iterable[AudioChunk], on_partial: Callable[[str], None]) -> Iterator[Utterance]:
        words: list[str] = []
        for chunk in chunks:
            self.heard_bytes += len(chunk.pcm)
            if chunk.pcm[:1] == b"\1":
                words.append("word")
                on_partial(" ".join(words))
                self.reached.release()
            elif chunk.pcm[:1] == b"\2":
                yield self._utterance(words)
                words = []
        if words:
            yield self._utterance(words)

    def _utterance(self, words: list[str]) -> Utterance:
        return Utterance("u1", " ".join(words), "en", 1.0, 0, 0, "wyoming:kitchen")


class Listener:
    """The threads that the daemon would have."""

    def __init__(self, configs: dict[str, SatelliteConfig], *, listens: bool = True) -> None:
        self.satellites = Satellites(configs, lang="en", listens=listens, first_delay_s=0.001)
        self.heard: queue.Queue[Utterance | Rejected] = queue.Queue()
        self.words = {satellite.name: Words() for satellite in self.satellites.satellites}
        self.beats = threading.Semaphore(0)
        self._ended = False
        self._switch = Listening(on=True)
        run = threading.Thread(target=self.satellites.run, args=(self.beats.release, 0.01))
        ears = [threading.Thread(target=self._hear, args=(satellite,)) for satellite in self.satellites.satellites]
        self.threads = [run, *ears]
        for thread in self.threads:
            thread.start()

    def _hear(self, satellite: Satellite) -> None:
        while not self._ended:
            with satellite as chunks:
                for part in self._switch.parts(chunks):
                    for heard in satellite.transcribe(self.words[satellite.name], part, lambda _words: None):
                        self.heard.put(heard)

    def next(self) -> Utterance | Rejected:
        return self.heard.get(timeout=WAIT_S)

    def close(self) -> None:
        self._ended = True
        self.satellites.close()
        for thread in self.threads:
            thread.join(WAIT_S)
        assert not any(thread.is_alive() for thread in self.threads)


@pytest.fixture
def kitchen() -> Iterator[ScriptedSatellite]:
    with scripted() as satellite:
        yield satellite


@pytest.fixture
def listener(kitchen: ScriptedSatellite) -> Iterator[Listener]:
    listener = Listener({"kitchen": SatelliteConfig(uri=kitchen.uri, area="kitchen")})
    kitchen.wait()
    yield listener
    listener.close()


def sound(*pieces: bytes, rate: int = SAMPLE_RATE_HZ, width: int = 2, channels: int = 1) -> list[Sound]:
    return [Sound(rate, width, channels, piece) for piece in pieces]


def speaks_again(satellite: ScriptedSatellite, listener: Listener) -> bool:
    """Whether a satellite that was lost is back and is heard."""
    satellite.wait()
    satellite.send(WOKEN, *sound(WORD, END))
    heard = listener.next()
    return isinstance(heard, Utterance)


def test_what_is_said_to_a_woken_satellite_is_an_utterance_of_its_area(
    kitchen: ScriptedSatellite, listener: Listener
) -> None:
    assert kitchen.next("run-satellite")
    kitchen.send(WOKEN)
    assert kitchen.next("transcribe").data == {"language": "en"}
    kitchen.send(*sound(WORD, WORD, END))
    heard = listener.next()
    assert isinstance(heard, Utterance)
    assert (heard.text, heard.source, heard.area) == ("word word", "wyoming:kitchen", "kitchen")
    assert kitchen.types_until("transcript") == ["voice-started", "voice-stopped", "transcript"]


def test_nobody_listens_after_the_utterance_until_it_is_woken_again(
    kitchen: ScriptedSatellite, listener: Listener
) -> None:
    kitchen.send(WOKEN, *sound(WORD, END, *[WORD, END] * 20))
    assert Transcript.from_event(kitchen.next("transcript")).text == "word"
    kitchen.send(*sound(WORD, WORD, WORD, END), WOKEN, *sound(WORD, WORD, END))
    assert Transcript.from_event(kitchen.next("transcript")).text == "word word"
    assert listener.heard.qsize() == 2


def test_the_end_of_the_sound_ends_the_utterance(kitchen: ScriptedSatellite, listener: Listener) -> None:
    kitchen.send(WOKEN, *sound(WORD), AudioStop())
    assert Transcript.from_event(kitchen.next("transcript")).text == "word"
    assert isinstance(listener.next(), Utterance)


def test_where_nothing_is_heard_the_satellite_is_told_so(kitchen: ScriptedSatellite, listener: Listener) -> None:
    kitchen.send(WOKEN, *sound(bytes(3200)), AudioStop())
    assert kitchen.next("error").data["code"] == "stt-no-text-recognized"
    assert listener.heard.empty()


def test_a_satellite_without_a_wake_word_is_listened_to_all_the_time(
    kitchen: ScriptedSatellite, listener: Listener
) -> None:
    seconds = [bytes(3200)] * 10 * (MAX_STREAM_S + 1)
    kitchen.send(OPEN, *sound(WORD, END))
    kitchen.next("transcript")
    kitchen.send(*sound(*seconds))
    kitchen.send(*sound(WORD, END))
    assert kitchen.types_until("transcript") == ["voice-started", "voice-stopped", "transcript"]
    assert isinstance(listener.next(), Utterance)
    assert isinstance(listener.next(), Utterance)


@pytest.mark.usefixtures("listener")
def test_a_pipeline_without_sound_is_ignored(kitchen: ScriptedSatellite) -> None:
    kitchen.send(RunPipeline(PipelineStage.TTS, PipelineStage.TTS), *sound(WORD, END), WOKEN, *sound(WORD, END))
    assert kitchen.types_until("transcript") == [
        "run-satellite", "transcribe", "voice-started", "voice-stopped", "transcript",
    ]  # fmt: skip


@pytest.mark.usefixtures("listener")
def test_pings_are_answered(kitchen: ScriptedSatellite) -> None:
    kitchen.send(Ping("are you there"))
    assert kitchen.next("pong").data == {"text": "are you there"}


@pytest.mark.parametrize("again", [False, True])
def test_half_a_sentence_is_not_obeyed_when_the_rest_is_lost(
    again: bool, kitchen: ScriptedSatellite, listener: Listener
) -> None:
    kitchen.send(WOKEN, *sound(WORD))
    assert listener.words["kitchen"].reached.acquire(timeout=WAIT_S)
    if again:
        kitchen.send(WOKEN)
    else:
        kitchen.hang_up()
    why = "it began anew" if again else "the connection ended"
    assert listener.next() == Rejected("u1", "hear", f"satellite kitchen: {why} while somebody spoke")
    if not again:
        assert speaks_again(kitchen, listener)


def test_a_satellite_that_starts_late_or_anew_is_found(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    listener = Listener({"kitchen": SatelliteConfig(uri=f"tcp://127.0.0.1:{port}")})
    try:
        for _ in range(3):
            with scripted(port) as satellite:
                assert speaks_again(satellite, listener)
    finally:
        listener.close()
    assert "cannot be reached" in caplog.text


BROKEN = [
    b"hello\n",
    b"[]\n",
    b"5\n",
    b"{}\n",
    b'{"type": 5}\n',
    b'{"type": "audio-chunk"}\n',
    b'{"type": "audio-chunk", "data": [1]}\n',
    b'{"type": "run-pipeline", "data": {"start_stage": "lunch", "end_stage": []}}\n',
    b'{"type": "ping", "data_length": "many"}\n',
    b'{"type": "ping", "data_length": 1e400}\n',
    b'{"type": "ping", "data_length": 3}\n[1]',
    b'{"type": "ping", "data": {"text": "\\ud800"}}\n',
    b"[" * 50_000 + b"\n",
    b'{"type": "ping", "x": "' + b"x" * 2 * MAX_HEADER_BYTES + b'"}\n',
    b'{"type": "ping", "data_length": %d}\n' % (MAX_PART_BYTES + 1),
    b'{"type": "audio-chunk", "payload_length": %d}\n' % 10**15,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[:40].decode())
def test_a_satellite_that_sends_garbage_is_left_and_tried_again(
    broken: bytes, kitchen: ScriptedSatellite, listener: Listener
) -> None:
    kitchen.send(broken)
    assert speaks_again(kitchen, listener)


def test_a_satellite_that_never_ends_a_line_is_left(kitchen: ScriptedSatellite, listener: Listener) -> None:
    kitchen.send(b"x" * 3 * MAX_HEADER_BYTES)
    assert speaks_again(kitchen, listener)


def test_a_line_on_which_nothing_comes_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SILENT_S", 0.05)
    monkeypatch.setattr(link_module, "PING_S", 0.01)
    with scripted(deaf=True) as satellite:
        listener = Listener({"kitchen": SatelliteConfig(uri=satellite.uri)})
        satellite.wait()
        satellite.hang_up()
        satellite.wait()
        satellite.wait()
        listener.close()


def test_sound_without_end_is_listened_to_for_a_bounded_time(kitchen: ScriptedSatellite, listener: Listener) -> None:
    second = [bytes(3200)] * 10
    kitchen.send(WOKEN, *sound(*second * (MAX_STREAM_S + 5)))
    assert kitchen.next("error").data["code"] == "stt-no-text-recognized"
    assert listener.words["kitchen"].heard_bytes <= MAX_STREAM_S * 2 * SAMPLE_RATE_HZ


def test_a_stream_ends_with_its_time_and_not_later() -> None:
    stream = Stream(lambda _event: None, continuous=False)
    stream.put(bytes(2 * SAMPLE_RATE_HZ * MAX_STREAM_S - 3200) + WORD + WORD)
    stream.put(WORD)
    heard = [chunk.pcm for chunk in stream]
    assert heard[-1] == WORD
    assert WORD not in heard[:-1]


def test_a_recogniser_that_is_too_slow_loses_the_oldest_sound_and_counts_it() -> None:
    stream = Stream(lambda _event: None, continuous=True)
    stream.put(bytes(3200 * 50) + WORD)
    stream.end()
    heard = [chunk.pcm for chunk in stream]
    assert (len(heard), heard[-1], stream.dropped) == (50, WORD, 1)


def test_a_recogniser_that_is_too_slow_still_hears_all_that_a_woken_satellite_sends() -> None:
    stream = Stream(lambda _event: None, continuous=False)
    stream.put(WORD * 10 * MAX_STREAM_S)
    assert (len(list(stream)), stream.dropped) == (10 * MAX_STREAM_S, 0)


def test_sound_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, kitchen: ScriptedSatellite) -> None:
    monkeypatch.setattr(satellite_module, "MAX_STREAM_S", 0)
    monkeypatch.setattr(link_module, "PING_S", 0.01)
    listener = Listener({"kitchen": SatelliteConfig(uri=kitchen.uri)})
    kitchen.wait()
    kitchen.send(WOKEN)
    assert kitchen.next("error").data["code"] == "stt-no-text-recognized"
    listener.close()


def test_sound_faster_than_anybody_speaks_ends_the_connection(kitchen: ScriptedSatellite, listener: Listener) -> None:
    with suppress(OSError):  # the connection may end before all is sent
        kitchen.send(OPEN, *sound(*[bytes(1 << 19)] * 3))
    assert speaks_again(kitchen, listener)


@pytest.mark.parametrize(("rate", "width", "channels"), [(48_000, 2, 2), (8_000, 1, 1), (44_100, 4, 2), (16_000, 3, 1)])
def test_other_formats_are_converted(
    rate: int, width: int, channels: int, kitchen: ScriptedSatellite, listener: Listener
) -> None:
    piece = bytes([128 if width == 1 else 0]) * (rate // 10 * width * channels)
    kitchen.send(WOKEN, *sound(*[piece] * 10, rate=rate, width=width, channels=channels), AudioStop())
    kitchen.next("error")
    assert listener.words["kitchen"].heard_bytes == pytest.approx(32_000, rel=0.01)


@pytest.mark.parametrize(
    ("rate", "width", "channels", "pcm"),
    [
        (16_000, 2, 6, bytes(12)),
        (16_000, 5, 1, bytes(10)),
        (4_000, 2, 1, bytes(10)),
        (10**400, 2, 1, bytes(10)),
        (-1, 2, 1, bytes(10)),
        (16_000, 2, 1, bytes(11)),
        ("16000", 2, 1, bytes(10)),
        (16_000.0, 2, 1, bytes(10)),
        (16_000, True, 1, bytes(10)),
    ],
)
def test_a_format_that_cannot_be_heard_is_refused_and_the_satellite_told(
    rate: Any, width: Any, channels: Any, pcm: bytes, kitchen: ScriptedSatellite, listener: Listener
) -> None:
    kitchen.send(WOKEN, Sound(rate, width, channels, pcm), *sound(WORD, END))
    error = kitchen.next("error").data
    assert error["code"] == "unsupported-format"
    assert len(error["text"]) < 250
    kitchen.send(WOKEN, *sound(WORD, END))
    kitchen.next("transcript")
    assert listener.heard.qsize() == 1


def test_what_is_not_listened_to_is_not_even_sent(kitchen: ScriptedSatellite, listener: Listener) -> None:
    kitchen.next("run-satellite")
    kitchen.send(WOKEN, *sound(WORD))
    assert listener.words["kitchen"].reached.acquire(timeout=WAIT_S)
    listener.satellites.listen(on=False)
    kitchen.next("pause-satellite")
    assert listener.next() == Rejected(
        "u1", "hear", "satellite kitchen: listening was switched off while somebody spoke"
    )
    kitchen.send(WOKEN, *sound(WORD, END))
    kitchen.next("pause-satellite")
    listener.satellites.listen(on=True)
    kitchen.next("run-satellite")
    kitchen.send(WOKEN, *sound(WORD, WORD, END))
    heard = listener.next()
    assert isinstance(heard, Utterance)
    assert heard.text == "word word"


def test_satellites_stay_silent_where_listening_begins_switched_off(kitchen: ScriptedSatellite) -> None:
    listener = Listener({"kitchen": SatelliteConfig(uri=kitchen.uri)}, listens=False)
    kitchen.wait()
    assert kitchen.types_until("pause-satellite") == ["pause-satellite"]
    listener.close()


def test_the_satellite_is_told_why_nothing_was_done(kitchen: ScriptedSatellite, listener: Listener) -> None:
    kitchen.send(WOKEN, *sound(WORD, END))
    heard = listener.next()
    assert isinstance(heard, Utterance)
    kitchen.next("transcript")
    listener.satellites.tell(heard, ())
    listener.satellites.tell(heard, [Rejected("u1", "understand", "no command in this")])
    assert kitchen.next("error").data == {"text": "no command in this", "code": "refused"}


def test_several_satellites_speak_at_once(kitchen: ScriptedSatellite) -> None:
    with scripted() as office:
        configs = {
            "kitchen": SatelliteConfig(uri=kitchen.uri, area="kitchen"),
            "office": SatelliteConfig(uri=office.uri, area="office"),
        }
        listener = Listener(configs)
        both = (kitchen, office)
        for satellite in both:
            satellite.wait()
            satellite.send(WOKEN, *sound(WORD))
        for words in listener.words.values():
            assert words.reached.acquire(timeout=WAIT_S)
        office.send(*sound(WORD, END))
        kitchen.send(*sound(END))
        assert [Transcript.from_event(satellite.next("transcript")).text for satellite in both] == ["word", "word word"]
        heard = [listener.next() for _ in both]
        assert {utterance.area for utterance in heard if isinstance(utterance, Utterance)} == {"kitchen", "office"}
        listener.close()


def test_the_heart_of_the_network_beats(listener: Listener) -> None:
    for _ in range(3):
        assert listener.beats.acquire(timeout=WAIT_S)


def test_the_end_does_not_wait_for_who_speaks(kitchen: ScriptedSatellite, listener: Listener) -> None:
    kitchen.send(WOKEN, *sound(WORD))
    assert listener.words["kitchen"].reached.acquire(timeout=WAIT_S)
    listener.close()
    assert isinstance(listener.next(), Rejected)


def test_what_was_closed_before_it_ran_ends_at_once() -> None:
    satellites = Satellites({"kitchen": SatelliteConfig(uri="tcp://127.0.0.1:1")}, lang="en")
    satellites.close()
    satellites.run(lambda: None)
    with satellites.satellites[0] as chunks:
        assert list(chunks) == []


def test_a_satellite_that_is_there_says_its_name_without_what_could_harm(kitchen: ScriptedSatellite) -> None:
    assert check_satellite(SatelliteConfig(uri=kitchen.uri)) == "kitchen[31m"


def test_what_is_no_satellite_is_named() -> None:
    with scripted(info=Info()) as other, pytest.raises(AudioError, match="is no satellite"):
        check_satellite(SatelliteConfig(uri=other.uri))


def test_what_cannot_be_reached_is_named_with_the_remedy() -> None:
    with pytest.raises(AudioError, match="cannot be reached") as caught:
        check_satellite(SatelliteConfig(uri=f"tcp://127.0.0.1:{free_port()}"))
    assert caught.value.remedy


def test_what_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(satellites_module, "CONNECT_TIMEOUT_S", 0.01)
    with scripted(deaf=True) as satellite, pytest.raises(AudioError, match="does not answer"):
        check_satellite(SatelliteConfig(uri=satellite.uri))


def test_what_does_not_take_the_connection_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_arguments: object, **_more: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(wire_module, "CONNECT_TIMEOUT_S", 0.01)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "create_connection", never)
    with pytest.raises(AudioError, match="does not answer within"):
        check_satellite(SatelliteConfig(uri="tcp://kitchen.local:10700"))
