from __future__ import annotations

import contextlib
import io
import tempfile
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.config import HearConfig
from edged.errors import AudioError
from edged.hear.microphone import MicSource
from edged.hear.pcm import CHUNK_BYTES
from edged.hear.sources import StreamSource, WavSource, open_source


def write_wav(path: Path, *, rate_hz: int = 16_000, channels: int = 1, width: int = 2, frames: int = 4000) -> Path:
    with wave.open(str(path), "wb") as writer:
        writer.setframerate(rate_hz)
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.writeframes(bytes(range(256)) * (frames * channels * width // 256 + 1))
    return path


def refusal(path: Path) -> AudioError:
    with pytest.raises(AudioError) as caught, WavSource(path) as chunks:
        list(chunks)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2
    return caught.value


def test_wav_comes_in_chunks_of_100_ms(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav")

    with WavSource(path) as source:
        chunks = list(source)

    assert b"".join(chunk.pcm for chunk in chunks) == path.read_bytes()[44:]
    assert {len(chunk.pcm) for chunk in chunks[:-1]} == {CHUNK_BYTES}
    assert chunks[1].start_ns - chunks[0].start_ns == 100_000_000


@pytest.mark.parametrize(
    ("found", "shape"),
    [
        ("44100 Hz mono 16-bit", {"rate_hz": 44_100}),
        ("16000 Hz stereo 16-bit", {"channels": 2}),
        ("16000 Hz 6 channels 16-bit", {"channels": 6}),
        ("8000 Hz mono 8-bit", {"rate_hz": 8000, "width": 1}),
    ],
)
def test_other_format_is_refused_with_the_command_that_converts(
    found: str, shape: dict[str, int], tmp_path: Path
) -> None:
    path = write_wav(tmp_path / "my talk.wav", **shape)

    error = refusal(path)

    assert error.what == f"is {found}, not 16000 Hz mono 16-bit"
    assert f"ffmpeg -i '{path}' -ar 16000 -ac 1 -c:a pcm_s16le '{tmp_path}/my talk_16k.wav'" in error.remedy


def test_missing_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.wav").what == "cannot be read: No such file or directory"


def test_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).what == "cannot be read: Is a directory"


def test_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()

    assert refusal(tmp_path / "a.wav").what == "is empty"


def test_wav_without_sound_is_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as writer:
        writer.setparams((1, 2, 16_000, 0, "NONE", ""))

    assert refusal(tmp_path / "a.wav").what == "holds no sound"


def test_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", frames=4096)
    path.write_bytes(path.read_bytes()[:5044])

    assert "is cut off: 2500 of" in refusal(path).what


@pytest.mark.parametrize("size_bytes", [1, 11, 12, 20, 35, 40, 43])
def test_cut_off_header_is_refused(size_bytes: int, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:size_bytes])

    assert "no WAV file" in refusal(path).what


def test_what_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"ID3" + bytes(1000))

    error = refusal(tmp_path / "a.wav")

    assert "is no WAV file that can be read" in error.what
    assert "ffmpeg" in error.remedy


def test_float_samples_are_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav")
    content = bytearray(path.read_bytes())
    content[20] = 3
    path.write_bytes(content)

    assert "unknown format" in refusal(path).what


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=6), st.integers(0, 400))
def test_damaged_wav_gives_sound_or_a_clear_error(changes: list[tuple[int, int]], size_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_wav(Path(folder, "a.wav"), frames=100)
        content = bytearray(path.read_bytes())
        for place, value in changes:
            content[place] = value
        path.write_bytes(content[: len(content) - size_bytes])

        with contextlib.suppress(AudioError), WavSource(path) as source:
            assert all(len(chunk.pcm) <= CHUNK_BYTES for chunk in source)


def test_stream_ends_with_the_last_whole_sample() -> None:
    pcm = bytes(range(256)) * 20 + b"x"

    with StreamSource(io.BytesIO(pcm)) as source:
        assert b"".join(chunk.pcm for chunk in source) == pcm[:-1]


def test_empty_stream_gives_nothing() -> None:
    with StreamSource(io.BytesIO()) as source:
        assert list(source) == []


def test_wav_on_the_stream_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav")

    with (
        pytest.raises(AudioError, match="is a WAV file"),
        path.open("rb") as stream,
        StreamSource(stream) as source,
    ):
        list(source)


def test_configured_source_is_made() -> None:
    stdin = io.BytesIO()

    assert open_source(HearConfig(), stdin) is None
    assert isinstance(open_source(HearConfig(source="wav", file=Path("a.wav")), stdin), WavSource)
    assert isinstance(open_source(HearConfig(source="stdin"), stdin), StreamSource)
    assert isinstance(open_source(HearConfig(source="mic"), stdin), MicSource)


def test_wav_source_needs_a_file() -> None:
    with pytest.raises(AudioError, match="no file is given"):
        open_source(HearConfig(source="wav"), io.BytesIO())
