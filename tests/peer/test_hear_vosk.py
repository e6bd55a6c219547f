"""The real Korean Vosk model: grammars, partials, the shipped recordings and those of people."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edged.cli import transcribe
from edged.config import HearConfig
from edged.errors import AudioError, ModelError
from edged.hear.pcm import CHUNK_BYTES
from edged.hear.recognizer import Recognizer, SpeechModel
from edged.hear.sources import WavSource
from edged.hear.vocabulary import Grammar, make_grammar
from edged.intents.catalog import Catalog
from edged.intents.spoken.phrases import list_phrases
from edged.types import AudioChunk, Utterance

pytestmark = pytest.mark.model

SAMPLES = Path(transcribe.__file__).resolve().parent.parent / "samples"
SAID = {
    "ko_all_lights_off.wav": "모든 불을 꺼 줘",
    "ko_ceiling_lamp_off.wav": "천장등 꺼 줘",
    "ko_temperature_22.wav": "온도를 이십이 도로 맞춰 줘",
    "ko_kitchen_temperature_22.wav": "부엌 온도를 이십이 도로 해 줘",
}
SILENCE = AudioChunk(bytes(CHUNK_BYTES), 0)


@pytest.fixture(scope="module")
def model(vosk_ko: Path) -> SpeechModel:
    return SpeechModel(vosk_ko)


@pytest.fixture(scope="module")
def grammar(model: SpeechModel, catalog: Catalog) -> Grammar:
    return make_grammar(list_phrases(catalog, "ko"), model.knows, "ko")


def hear(model: SpeechModel, path: Path, grammar: Grammar) -> list[Utterance]:
    recognizer = Recognizer(model, lang="ko", source="wav", grammar=grammar)
    with WavSource(path) as chunks:
        return list(recognizer.transcribe(chunks))


@pytest.mark.parametrize("name", SAID)
def test_shipped_recording_is_heard_exactly(name: str, model: SpeechModel, grammar: Grammar) -> None:
    (utterance,) = hear(model, SAMPLES / name, grammar)

    assert utterance.text == SAID[name]
    assert utterance.asr_confidence > 0.8


def test_every_word_of_the_house_is_heard(grammar: Grammar) -> None:
    assert grammar.unknown == ()


def test_person_who_wants_all_lights_blue_is_understood(model: SpeechModel, grammar: Grammar, shared: Path) -> None:
    (utterance,) = hear(model, shared / "speech" / "lights_blue_ko.wav", grammar)

    assert utterance.text == "모든 불 색 파란색으로 다 바꿔 줘"
    assert utterance.asr_confidence > HearConfig().min_confidence


def test_split_words_are_what_makes_it_heard(model: SpeechModel, shared: Path) -> None:
    phrases = ["모든 불을 파란색으로 바꿔 줘", "모든 불을 꺼 줘"]
    recording = shared / "speech" / "lights_blue_ko.wav"

    raw = hear(model, recording, Grammar(tuple(phrases), {}, ()))
    split = hear(model, recording, make_grammar(phrases, model.knows))

    assert [utterance.text for utterance in split] == ["모든 불을 파란색으로 바꿔 줘"]
    assert raw != split


def test_partials_grow_to_the_text(model: SpeechModel, grammar: Grammar) -> None:
    partials: list[str] = []
    with WavSource(SAMPLES / "ko_temperature_22.wav") as chunks:
        recognizer = Recognizer(model, lang="ko", source="wav", grammar=grammar)
        (utterance,) = recognizer.transcribe(chunks, partials.append)

    assert len(partials) > 1
    assert partials[0] != utterance.text


def test_two_commands_with_a_pause_are_two_utterances(model: SpeechModel, grammar: Grammar) -> None:
    chunks: list[AudioChunk] = []
    for name in ("ko_all_lights_off.wav", "ko_temperature_22.wav"):
        with WavSource(SAMPLES / name) as source:
            chunks += [*source, *[SILENCE] * 15]

    heard = list(Recognizer(model, lang="ko", source="wav", grammar=grammar).transcribe(chunks))

    first, second = (utterance.text for utterance in heard)
    assert first == SAID["ko_all_lights_off.wav"]
    assert second.split()[1:] == SAID["ko_temperature_22.wav"].split()[1:]  # its first word differs behind a pause


def test_silence_is_no_utterance(model: SpeechModel, grammar: Grammar) -> None:
    recognizer = Recognizer(model, lang="ko", source="wav", grammar=grammar)

    assert list(recognizer.transcribe([SILENCE] * 30)) == []


def test_one_model_serves_two_threads(model: SpeechModel, grammar: Grammar) -> None:
    names = ("ko_all_lights_off.wav", "ko_ceiling_lamp_off.wav")
    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(lambda name: hear(model, SAMPLES / name, grammar)[0].text, names))

    assert heard == [SAID[name] for name in names]


def test_damaged_model_file_is_a_clear_error(vosk_ko: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "model"
    shutil.copytree(vosk_ko, damaged, copy_function=lambda source, target: Path(target).symlink_to(source))
    (damaged / "am" / "final.mdl").unlink()
    (damaged / "am" / "final.mdl").write_bytes(b"garbage")

    with pytest.raises(ModelError, match="cannot be loaded by Vosk"):
        SpeechModel(damaged)


def run_transcribe(*words: str) -> int:
    parser = argparse.ArgumentParser()
    transcribe.add_parser(parser.add_subparsers())
    return transcribe.run(parser.parse_args(["transcribe", "--lang", "ko", *words]))


@pytest.mark.usefixtures("vosk_ko")
def test_command_prints_both_readings_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_transcribe(str(SAMPLES / "ko_all_lights_off.wav"), "--json") == 0

    report = json.loads(capsys.readouterr().out)
    assert report["grammar"]["text"] == "모든 불을 꺼 줘"
    assert report["free"]["text"] != report["grammar"]["text"]
    assert report["unknown_words"] == []
    assert report["partials"] > 0


@pytest.mark.usefixtures("vosk_ko")
def test_command_names_the_words_that_cannot_be_heard(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text(
        '[areas.attic]\nnames.ko = ["xyzzy방"]\n[devices.lamp]\nkind = "light"\ndriver = "zigbee2mqtt"\n'
        'area = "attic"\naddress = "lamp"\nnames.ko = ["스탠드"]\n'
    )

    assert run_transcribe(str(SAMPLES / "ko_all_lights_off.wav"), "--home", str(home)) == 0

    assert "cannot be heard: xyzzy방" in capsys.readouterr().out


def test_command_refuses_a_broken_recording_before_it_loads_anything(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")

    with pytest.raises(AudioError):
        run_transcribe(str(tmp_path / "a.wav"))


def test_a_grammar_that_changes_in_silence_or_in_an_utterance_cuts_no_word(
    model: SpeechModel, grammar: Grammar
) -> None:
    """The new grammar comes before each chunk of a recording in turn: at any moment of the utterance."""
    name = "ko_ceiling_lamp_off.wav"
    other = make_grammar(["온도를 이십이 도로 맞춰 줘"], model.knows, "ko")
    with WavSource(SAMPLES / name) as opened:
        chunks = list(opened)
    for moment in range(0, len(chunks), 5):
        recognizer = Recognizer(model, lang="ko", source="wav", grammar=other if moment == 0 else grammar)
        heard = list(_pulled(recognizer, chunks, moment, grammar))
        assert [utterance.text for utterance in heard] == [SAID[name]], moment


def _pulled(recognizer: Recognizer, chunks: list[AudioChunk], moment: int, grammar: Grammar) -> Iterator[Utterance]:
    def play() -> Iterator[AudioChunk]:
        for number, chunk in enumerate(chunks):
            if number == moment:
                recognizer.set_grammar(grammar)
            yield chunk

    return recognizer.transcribe(play())


def test_a_recogniser_that_listens_again_hears_the_same_at_its_own_time(model: SpeechModel, grammar: Grammar) -> None:
    name = "ko_ceiling_lamp_off.wav"
    recognizer = Recognizer(model, lang="ko", source="wav", grammar=grammar)
    with WavSource(SAMPLES / name) as chunks:
        sound = list(chunks)
    minute_ns = 60_000_000_000
    (first,) = recognizer.transcribe(sound)
    (second,) = recognizer.transcribe([AudioChunk(chunk.pcm, chunk.start_ns + minute_ns) for chunk in sound])

    assert first.text == second.text == SAID[name]
    assert abs(second.start_ns - first.start_ns - minute_ns) < 50_000_000
    assert abs(second.end_ns - first.end_ns - minute_ns) < 50_000_000
