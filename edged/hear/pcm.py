"""The one form of sound in edged: signed 16-bit little-endian samples, mono, 16 kHz."""

from __future__ import annotations

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2
CHUNK_MS = 100
CHUNK_BYTES = SAMPLE_RATE_HZ * SAMPLE_BYTES * CHUNK_MS // 1000


def duration_ns(count_bytes: int) -> int:
    """How long so many bytes of sound take."""
    return count_bytes // SAMPLE_BYTES * 1_000_000_000 // SAMPLE_RATE_HZ
