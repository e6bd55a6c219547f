"""A connection that speaks Wyoming, both ways bounded: what the peer says of lengths is not believed.

The library reads as many bytes as a header asks for, and raises whatever a strange header leads to. Here a header has
at most MAX_HEADER_BYTES, what follows it MAX_PART_BYTES, and everything else is one error.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

from wyoming.event import Event, Eventable, async_read_event, async_write_event

MAX_HEADER_BYTES: Final = 65_536
"""Of an event's first line; those of satellites have some hundred."""
MAX_PART_BYTES: Final = 1 << 20
"""Of an event's data and of its payload each: half a minute of sound, where satellites send a tenth of a second, and
two seconds as they begin."""
CONNECT_TIMEOUT_S: Final = 5.0


class WireError(Exception):
    """The peer is not there, has gone, or does not keep to the protocol; the text says which."""


class BoundedReader(asyncio.StreamReader):
    """Refuses to wait for more than a bounded number of bytes; the library takes ValueError for a broken event."""

    async def readexactly(self, n: int) -> bytes:
        """So many bytes, once they have come; ValueError where they are too many."""
        if not isinstance(n, int) or n > MAX_PART_BYTES:
            raise ValueError("too long")
        return await super().readexactly(n)


class Wire:
    """An open connection; it belongs to one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Wire:
        """Connects.

        Raises:
            WireError: nothing listens there, or nothing answers within CONNECT_TIMEOUT_S.
        """
        loop = asyncio.get_running_loop()
        reader = BoundedReader(limit=MAX_HEADER_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                transport, _ = await loop.create_connection(lambda: protocol, host, port)
        except TimeoutError:
            raise WireError(f"does not answer within {CONNECT_TIMEOUT_S:g} s") from None
        except (OSError, UnicodeError) as error:  # the latter from names that are none
            raise WireError(f"cannot be reached: {_reason(error)}") from error
        return cls(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def read(self) -> Event:
        """The next event.

        Raises:
            WireError: the connection has ended, or something came that is no event.
        """
        try:
            event = await async_read_event(self._reader)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise WireError("sent what is no Wyoming event") from error
        except EOFError:
            raise WireError("hung up in the middle of an event") from None
        except OSError as error:
            raise WireError(f"was lost: {_reason(error)}") from error
        if event is None and self._reader.at_eof():
            raise WireError("closed the connection")
        if event is None or not isinstance(event.type, str) or not isinstance(event.data, dict):
            raise WireError("sent what is no Wyoming event, or one that is too long")
        return event

    async def write(self, event: Eventable) -> None:
        """Sends an event.

        Raises:
            WireError: the connection has ended.
        """
        try:
            await async_write_event(event.event(), self._writer)
        except OSError as error:
            raise WireError(f"was lost: {_reason(error)}") from error

    def abort(self) -> None:
        """Ends the connection at once, and whatever waits for it."""
        self._writer.transport.abort()


def _reason(error: Exception) -> str:
    """What the system says of it; asyncio puts words of its own in front, and the resolver has numbers of its own."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
