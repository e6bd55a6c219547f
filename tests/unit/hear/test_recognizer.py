from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from edged.errors import ModelError
from edged.hear.recognizer import FST_MAGIC, Recognizer, SpeechModel, check_model_folder, parse_result
from edged.hear.vocabulary import Grammar, make_grammar
from edged.types import AudioChunk, Utterance

SECOND = bytes(32_000)


def words(text: str, confidence: float = 1.0, start_s: float = 0.5) -> str:
    spoken = [
        {"word": word, "conf": confidence, "start": start_s + n, "end": start_s + n + 0.5}
        for n, word in enumerate(text.split())
    ]
    return json.dumps({"text": text, "result": spoken} if spoken else {"text": ""})


class FakeVosk:
    """A Vosk recogniser that plays a script: for each chunk a partial text, or a result as (text,)."""

    def __init__(self, script: list[str | tuple[str]], final: str = "") -> None:
        self._script: Iterator[str | tuple[str]] = iter(script)
        self._final = final
        self._now: str | tuple[str] = ""

    def SetWords(self, wanted: bool) -> None:  # noqa: N802 - Vosk's name
        assert wanted

    def AcceptWaveform(self, _: bytes) -> int:  # noqa: N802 - Vosk's name
        self._now = next(self._script)
        return isinstance(self._now, tuple)

    def PartialResult(self) -> str:  # noqa: N802 - Vosk's name
        return json.dumps({"partial": self._now})

    def Result(self) -> str:  # noqa: N802 - Vosk's name
        return words(self._now[0])

    def FinalResult(self) -> str:  # noqa: N802 - Vosk's name
        return words(self._final)


class FakeModel:
    def __init__(self, vosk: FakeVosk) -> None:
        self._vosk = vosk

    def new_recognizer(self, _: Grammar | None) -> Any:
        return self._vosk


def hear(
    vosk: FakeVosk, count: int, grammar: Grammar | None = None, partials: list[str] | None = None
) -> list[Utterance]:
    model = cast("SpeechModel", FakeModel(vosk))
    recognizer = Recognizer(model, lang="ko", source="wav", grammar=grammar)
    chunks = [AudioChunk(SECOND, 10_000_000_000 + n * 1_000_000_000) for n in range(count)]
    return list(recognizer.transcribe(chunks, None if partials is None else partials.append))


def test_each_end_and_the_last_words_are_an_utterance() -> None:
    heard = hear(FakeVosk(["a", ("a b",), "c"], "c"), 3)

    assert [utterance.text for utterance in heard] == ["a b", "c"]
    assert len({utterance.id for utterance in heard}) == 2


def test_silence_is_no_utterance() -> None:
    assert hear(FakeVosk(["", ("",), ""]), 3) == []


def test_no_sound_is_no_utterance() -> None:
    assert hear(FakeVosk([]), 0) == []


def test_partials_are_told_when_they_change() -> None:
    partials: list[str] = []

    hear(FakeVosk(["", "a", "a", "a b", ("a b",), "a"], "a"), 6, partials=partials)

    assert partials == ["a", "a b", "a"]


def test_times_are_those_of_the_sound() -> None:
    (utterance,) = hear(FakeVosk(["a", "a b"], "a b"), 2)

    assert (utterance.start_ns, utterance.end_ns) == (10_500_000_000, 12_000_000_000)


def test_split_words_are_put_together_in_texts_and_partials() -> None:
    known = {"불", "을", "꺼", "줘"}
    partials: list[str] = []

    (utterance,) = hear(
        FakeVosk(["불 을"], "불 을  꺼 줘"), 1, make_grammar(["불을 꺼 줘"], known.__contains__), partials
    )

    assert utterance.text == "불을 꺼 줘"
    assert partials == ["불을"]


@pytest.mark.parametrize(
    ("heard", "text"), [("[unk] lamp on [unk]", "lamp on"), ("turn [unk] on", "turn [unk] on"), ("[unk]", None)]
)
def test_unknown_sound_goes_only_at_the_ends(heard: str, text: str | None) -> None:
    assert [utterance.text for utterance in hear(FakeVosk([""], heard), 1)] == ([] if text is None else [text])


def test_confidence_is_the_mean_of_the_words() -> None:
    result = json.loads(words("a b"))
    result["result"][0]["conf"] = 0.5

    assert parse_result(json.dumps(result)).confidence == 0.75


def test_confidence_beside_alternatives_is_the_share_of_the_best() -> None:
    alternatives: list[dict[str, object]] = [{"text": text, "confidence": 200.0, "result": []} for text in ("a", "b")]

    heard = parse_result(json.dumps({"alternatives": alternatives}))

    assert (heard.text, heard.alternatives, heard.confidence) == ("a", ("b",), 0.5)


@pytest.mark.parametrize(
    "result", ['{"text": ""}', '{"alternatives": []}', '{"alternatives": [{"confidence": 67.8, "text": ""}]}']
)
def test_nothing_heard_has_no_confidence(result: str) -> None:
    heard = parse_result(result)

    assert (heard.text, heard.confidence) == ("", 0.0)


def write_model(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(FST_MAGIC)
    return folder


WHOLE = ("am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst")


@pytest.mark.parametrize(
    "names",
    [WHOLE, ("am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst"), ("final.mdl", "mfcc.conf", "HCLr.fst", "Gr.fst")],
)
def test_both_layouts_are_known(names: tuple[str, ...], tmp_path: Path) -> None:
    check_model_folder(write_model(tmp_path, *names))


@pytest.mark.parametrize("missing", WHOLE)
def test_folder_that_lacks_a_file_never_reaches_vosk(missing: str, tmp_path: Path) -> None:
    write_model(tmp_path, *(name for name in WHOLE if name != missing))

    with pytest.raises(ModelError, match="is no whole Vosk model") as caught:
        SpeechModel(tmp_path)
    assert caught.value.exit_code == 3


def test_damaged_graph_never_reaches_vosk(tmp_path: Path) -> None:
    write_model(tmp_path, *WHOLE)
    (tmp_path / "graph" / "HCLr.fst").write_bytes(b"garbage")

    with pytest.raises(ModelError, match=r"graph/HCLr\.fst is no graph"):
        SpeechModel(tmp_path)


def test_fixed_graph_listens_freely_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(tmp_path, "am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst")
    monkeypatch.setattr("vosk.Model", lambda _: object())
    monkeypatch.setattr("vosk.KaldiRecognizer", lambda *arguments: arguments[1:])

    made = SpeechModel(tmp_path).new_recognizer(Grammar(("lamp",), {}, ()))

    assert made == (16_000.0,)
    assert "listens freely" in caplog.text


def test_missing_folder_never_reaches_vosk(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no folder"):
        SpeechModel(tmp_path / "none")
