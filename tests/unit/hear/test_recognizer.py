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
        self.heard: list[int] = []

    def SetWords(self, wanted: bool) -> None:  # noqa: N802 - Vosk's name
        assert wanted

    def AcceptWaveform(self, pcm: bytes) -> int:  # noqa: N802 - Vosk's name
        self.heard.append(len(pcm))
        self._now = next(self._script)
        return isinstance(self._now, tuple)

    def PartialResult(self) -> str:  # noqa: N802 - Vosk's name
        return json.dumps({"partial": self._now if isinstance(self._now, str) else ""})

    def Result(self) -> str:  # noqa: N802 - Vosk's name
        return words(self._now[0])

    def FinalResult(self) -> str:  # noqa: N802 - Vosk's name
        return words(self._final)


class FakeModel:
    def __init__(self, *vosks: FakeVosk) -> None:
        self._vosks = list(vosks)
        self.grammars: list[Grammar | None] = []

    def new_recognizer(self, grammar: Grammar | None) -> Any:
        self.grammars.append(grammar)
        return self._vosks.pop(0)


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


def test_nothing_heard_has_no_confidence() -> None:
    heard = parse_result('{"text": ""}')

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


# Another grammar


OLD, NEW = Grammar(("old",), {}, ()), Grammar(("new",), {("ne", "w"): "new"}, ())


def change(first: FakeVosk, second: FakeVosk, count: int, change_at: int) -> tuple[list[Utterance], FakeModel]:
    """Hears `count` chunks, and is given NEW before the chunk `change_at`."""
    model = FakeModel(first, second)
    recognizer = Recognizer(cast("SpeechModel", model), lang="en", source="wav", grammar=OLD)

    def chunks() -> Iterator[AudioChunk]:
        for number in range(count):
            if number == change_at:
                recognizer.set_grammar(OLD)
                recognizer.set_grammar(NEW)
            yield AudioChunk(SECOND[: len(SECOND) // 2], number * 500_000_000)

    return list(recognizer.transcribe(chunks())), model


def test_an_utterance_under_way_is_not_cut_by_another_grammar() -> None:
    heard, model = change(FakeVosk(["a", "a b", ("a b",)]), FakeVosk(["ne w"], "ne w"), 4, 1)

    assert [utterance.text for utterance in heard] == ["a b", "new"]
    assert model.grammars == [OLD, NEW]


def test_in_silence_another_grammar_counts_at_once_and_hears_the_last_second_again() -> None:
    second = FakeVosk(["ne w"], "ne w")

    heard, model = change(FakeVosk(["", "", "", ""]), second, 5, 4)

    assert model.grammars == [OLD, NEW]
    assert second.heard == [48_000]
    assert (heard[0].text, heard[0].start_ns, heard[0].end_ns) == ("new", 1_500_000_000, 3_000_000_000)


def test_sound_of_an_utterance_that_has_ended_is_not_heard_again() -> None:
    second = FakeVosk([""])

    change(FakeVosk(["a", ("a",)]), second, 3, 2)

    assert second.heard == [16_000]


def test_after_a_pause_of_listening_sound_from_before_it_is_not_heard_again() -> None:
    second = FakeVosk(["ne w"], "ne w")
    model = FakeModel(FakeVosk(["", ""]), second)
    recognizer = Recognizer(cast("SpeechModel", model), lang="en", source="mic", grammar=OLD)

    assert list(recognizer.transcribe([AudioChunk(SECOND, 0), AudioChunk(SECOND, 1_000_000_000)])) == []
    recognizer.set_grammar(NEW)
    (utterance,) = recognizer.transcribe([AudioChunk(SECOND, 60_000_000_000)])

    assert second.heard == [32_000]
    assert (utterance.text, utterance.start_ns) == ("new", 60_500_000_000)
