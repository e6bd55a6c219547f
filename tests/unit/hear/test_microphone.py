from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from edged.errors import AudioError
from edged.hear.microphone import ChunkQueue, MicSource
from edged.types import AudioChunk


def chunk(number: int) -> AudioChunk:
    return AudioChunk(bytes([number, 0]), number)


class FakeDevice:
    """A capture device that is driven by the test."""

    opened: FakeDevice

    def __init__(self, **options: Any) -> None:
        self.options, self.closed, self.backend = options, False, options.pop("backend", "ALSA")
        FakeDevice.opened = self

    def start(self, capture: Generator[None, bytes, None]) -> None:
        self.capture = capture

    def close(self) -> None:
        self.closed = True


class FakeError(Exception):
    pass


@pytest.fixture
def miniaudio(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A miniaudio with two microphones."""
    captures = [{"name": "Built-in", "id": 1}, {"name": "USB Array", "id": 2}]
    module = SimpleNamespace(
        CaptureDevice=FakeDevice,
        MiniaudioError=FakeError,
        SampleFormat=SimpleNamespace(SIGNED16=2),
        Devices=lambda: SimpleNamespace(get_captures=lambda: captures),
    )
    monkeypatch.setitem(sys.modules, "miniaudio", module)
    return module


def test_full_queue_drops_the_oldest_and_counts_it() -> None:
    queue = ChunkQueue(2)

    for number in range(5):
        queue.put(chunk(number))
    queue.close()

    assert [item.start_ns for item in queue] == [3, 4]
    assert queue.dropped == 3


def test_queue_waits_for_a_chunk_and_for_the_end() -> None:
    queue = ChunkQueue(2)
    taken: list[AudioChunk] = []
    first = threading.Event()

    def take() -> None:
        for item in queue:
            taken.append(item)
            first.set()

    thread = threading.Thread(target=take)
    thread.start()
    queue.put(chunk(1))
    assert first.wait(10)
    queue.close()
    thread.join(10)

    assert taken == [chunk(1)]


@pytest.mark.usefixtures("miniaudio")
def test_microphone_gives_what_is_captured() -> None:
    source = MicSource("usb")

    with source as chunks:
        device = FakeDevice.opened
        device.capture.send(b"\1\0\2\0")
        source.close()
        (heard,) = chunks

    assert heard.pcm == b"\1\0\2\0"
    assert device.options["device_id"] == 2
    assert device.options["sample_rate"] == 16_000
    assert device.closed
    assert source.dropped == 0


@pytest.mark.usefixtures("miniaudio")
def test_unknown_microphone_lists_the_known_ones() -> None:
    with pytest.raises(AudioError, match='no microphone "webcam"') as caught, MicSource("webcam"):
        pass
    assert "Built-in, USB Array" in caught.value.remedy


def test_machine_without_a_microphone_is_a_clear_error(miniaudio: SimpleNamespace) -> None:
    def refuse(**_: Any) -> None:
        raise FakeError("failed to init device", -401)

    miniaudio.CaptureDevice = refuse

    with pytest.raises(AudioError, match=r"no microphone can be opened \(failed to init device\)"), MicSource():
        pass


def test_silent_stand_in_for_a_microphone_is_refused(miniaudio: SimpleNamespace) -> None:
    miniaudio.CaptureDevice = lambda **options: FakeDevice(**options, backend="Null")

    with pytest.raises(AudioError, match="no sound"), MicSource():
        pass
    assert FakeDevice.opened.closed
