"""Whatever a satellite sends, the connection goes on or ends with a reason; nothing else is raised."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edged.config import SatelliteConfig
from edged.hear.satellite import Satellite
from edged.hear.satellite_link import Link
from edged.hear.wire import MAX_HEADER_BYTES, MAX_PART_BYTES, BoundedReader, Wire, WireError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["wake", "asr", "tts"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 4, 8, 8_000, 16_000, 44_100, 48_000, 192_001, 10**400, True, 2.0])
KINDS = ["audio-chunk", "audio-chunk", "audio-start", "audio-stop", "run-pipeline", "ping", "pong", "info", "detection"]
DATA = st.fixed_dictionaries(
    {},
    optional={
        "rate": NUMBERS | VALUES,
        "width": NUMBERS | VALUES,
        "channels": NUMBERS | VALUES,
        "start_stage": VALUES,
        "end_stage": VALUES,
        "restart_on_end": VALUES,
        "text": VALUES,
        "timestamp": VALUES,
    },
)


class Nowhere:
    """Takes what is written, and drops it."""

    def write(self, _data: bytes) -> None:
        pass

    def writelines(self, _data: Any) -> None:
        pass

    async def drain(self) -> None:
        pass


def wire_bytes(kind: object, data: object, payload: bytes, extra: dict[str, object]) -> bytes:
    header = {"type": kind, "data": data, "payload_length": len(payload), **extra}
    return json.dumps(header).encode() + b"\n" + payload


EVENTS = st.builds(
    wire_bytes,
    st.sampled_from(KINDS) | VALUES,
    DATA | VALUES,
    st.binary(max_size=64) | st.integers(0, 64).map(lambda frames: bytes(frames * 4)),
    st.just({}) | st.fixed_dictionaries({}, optional={"data_length": NUMBERS | VALUES, "payload_length": VALUES}),
)
LISTENS = st.booleans()


def receive(sent: bytes, *, listens: bool) -> str:
    """Why the connection ended, at the latest with the bytes."""

    async def take() -> str:
        reader = BoundedReader(limit=MAX_HEADER_BYTES)
        reader.feed_data(sent)
        reader.feed_eof()
        wire = Wire(reader, Nowhere())  # type: ignore[arg-type]
        link = Link(Satellite("kitchen", None), SatelliteConfig(uri="tcp://kitchen:1"), "en", listens=listens)
        link._wire = wire
        try:
            while True:
                await link.take(await wire.read(), wire)
        except WireError as error:
            return str(error)

    return asyncio.run(take())


@given(st.lists(EVENTS | st.binary(max_size=100), max_size=8), LISTENS)
def test_no_event_does_harm(events: list[bytes], listens: bool) -> None:
    reason = receive(b"".join(events), listens=listens)
    assert reason.isprintable()
    assert len(reason) < 200


@given(st.lists(EVENTS, min_size=1, max_size=4), st.data())
def test_no_damaged_byte_does_harm(events: list[bytes], data: st.DataObject) -> None:
    sent = bytearray(b"".join(events))
    for _ in range(3):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    assert receive(bytes(sent), listens=True)


@given(st.integers(MAX_PART_BYTES + 1, 10**20), st.sampled_from(["data_length", "payload_length"]))
def test_what_is_said_to_be_too_long_is_not_waited_for(length: int, key: str) -> None:
    """Nothing follows, and yet it is not the end of the connection that is told."""

    async def read() -> str:
        reader = BoundedReader(limit=MAX_HEADER_BYTES)
        reader.feed_data(json.dumps({"type": "ping", key: length}).encode() + b"\n")
        try:
            await asyncio.wait_for(Wire(reader, Nowhere()).read(), 10)  # type: ignore[arg-type]
        except WireError as error:
            return str(error)
        return ""

    assert asyncio.run(read()).endswith("too long")
