"""edged demo: the whole path once, on recordings and typed sentences, with a broker of its own and no network."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edged.act.drivers import check_devices, state_topics
from edged.act.following import Following
from edged.act.link import Link, make_endpoint
from edged.act.pipeline import Outcome, Pipeline
from edged.cli.demo_broker import LOOPBACK, DemoBroker, Received
from edged.cli.options import add_common, read_config
from edged.cli.parse import describe
from edged.config import Config, MqttConfig
from edged.errors import ModelError
from edged.hear.recognizer import Recognizer, SpeechModel
from edged.hear.sources import WavSource
from edged.hear.vocabulary import make_grammar
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog, require_intents
from edged.intents.spoken.phrases import list_phrases
from edged.models import find_model, speech_model_name
from edged.types import Utterance

SAMPLES: Final = Path(__file__).parent.parent / "samples"
"""Recordings that come with the project: LANGUAGE_what_is_said.wav."""

FALLBACK_LANG: Final = "ko"
"""The speech model that package registries have, for machines that reach nothing else."""

TYPED: Final = (
    ("en", "Could you switch on the lights in the kitchen, please?"),
    ("en", "Lights off in the bedroom"),
    ("en", "Dim the living room lights to thirty percent"),
    ("en", "Make the desk lamp green"),
    ("en", "Please turn the bathroom lights off"),
    ("en", "Set the bedroom to 19.5 degrees"),
    ("en", "Make it two degrees warmer in the office"),
    ("en", "Turn the heating off in the living room"),
    ("en", "Brighten the hall a bit"),
    ("en", "Set the dining room lights to warm white"),
    ("en", "Turn on the floor lamp and set the bedroom heating to twenty one degrees"),
    ("en", "Switch the porch light on"),
    ("en", "Close the blinds in the bedroom"),
    ("en", "Start movie night"),
    ("de", "Mach bitte das Licht in der Küche an"),
    ("de", "Fahr die Rollläden im Schlafzimmer runter"),
)
"""None of them was trained on; a test makes sure."""

NOT_COMMANDS: Final = (
    ("en", "Is the kitchen light on?"),
    ("en", "What a lovely red dress"),
    ("en", "Don't turn on the light"),
)
"""The first is understood, as a question, and nothing may come of it but its intent."""
WANTED: Final = 14
"""Typed commands that have to arrive for the demo to have gone well."""

_ROOM_CELSIUS: Final = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance, and how long it took to transcribe."""

    utterance: Utterance
    heard_ms: float


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers the command."""
    parser = commands.add_parser("demo", help="the whole path once, from a recording to a received MQTT message")
    add_common(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when a recording and enough sentences led to messages that arrived, else 1."""
    config = read_config(arguments)
    catalog = require_intents(load_catalog(config))
    check_devices(catalog.home)
    lang, speech = _find_speech(config)
    states = {topic: {"occupied_heating_setpoint": _ROOM_CELSIUS} for topic in state_topics(catalog.home)}
    with DemoBroker(states) as broker:
        print(f"a broker of our own listens on {LOOPBACK}:{broker.port}; nothing leaves this machine")
        mqtt = MqttConfig(host=LOOPBACK, port=broker.port, node="demo", protocol="3.1.1")
        return _show(config.model_copy(update={"mqtt": mqtt}), catalog, broker, _recorded(lang, speech, catalog))


def _find_speech(config: Config) -> tuple[str, Path]:
    """The language of the recordings and the folder of its speech model."""
    try:
        return config.hear.lang, find_model(speech_model_name(config.hear.lang), config.models_directory)
    except ModelError:
        if config.hear.lang == FALLBACK_LANG:
            raise
    print(f"the speech model for {config.hear.lang} is not here (edged models fetch): the recordings are Korean")
    return FALLBACK_LANG, find_model(speech_model_name(FALLBACK_LANG), config.models_directory)


def _recorded(lang: str, speech: Path, catalog: Catalog) -> Iterator[Heard]:
    print(f"loading the speech model {speech.name} ...", file=sys.stderr)
    model = SpeechModel(speech)
    grammar = make_grammar(list_phrases(catalog, lang), model.knows, lang)
    for file in sorted(SAMPLES.glob(f"{lang}_*.wav")):
        with WavSource(file) as source:
            chunks = list(source)
        started_ns = time.monotonic_ns()
        for utterance in Recognizer(model, lang=lang, source=file.name, grammar=grammar).transcribe(chunks):
            yield Heard(utterance, (time.monotonic_ns() - started_ns) / 1e6)


def _typed() -> Iterator[Heard]:
    for number, (lang, text) in enumerate((*TYPED, *NOT_COMMANDS), 1):
        now_ns = time.monotonic_ns()
        yield Heard(Utterance(f"typed-{number}", text, lang, 1.0, now_ns, now_ns, "typed"), 0.0)


def _show(config: Config, catalog: Catalog, broker: DemoBroker, recorded: Iterator[Heard]) -> int:
    from edged.understand.parser import open_parser

    print("loading the language model ...", file=sys.stderr)
    with open_parser(config, catalog) as parser:
        following = Following(catalog.home, config.mqtt, report=lambda report: link.report(report))
        endpoint = make_endpoint(
            config.mqtt,
            topics=following.topics,
            on_message=lambda topic, payload, retained: following.take(topic, payload, retained=retained),
        )
        link = Link(endpoint)
        pipeline = Pipeline(
            understand=lambda utterance: parser.parse(utterance).outcome,
            catalog=catalog,
            states=following.states,
            confirmations=following.confirmations,
            sender=link,
            node=config.mqtt.node,
            default_area=config.home.area,
        )
        link.connect()
        try:
            spoken = [_handle(heard, pipeline, broker) for heard in recorded]
            typed = [_handle(heard, pipeline, broker) for heard in _typed()]
        finally:
            link.close()
    return _conclude(sum(spoken), len(spoken), typed[: len(TYPED)], typed[len(TYPED) :])


def _handle(heard: Heard, pipeline: Pipeline, broker: DemoBroker) -> bool:
    """Sends one utterance on its way and prints what became of it; whether all its messages arrived."""
    now_ns = time.monotonic_ns()
    utterance = replace(heard.utterance, start_ns=now_ns, end_ns=now_ns)
    outcome = pipeline.handle(utterance)
    topics = [command.topic for command in outcome.sent]
    arrived = [message for message in broker.take(topics) if message.topic in topics]
    print(f"\n{utterance.source}: {utterance.text}")
    if heard.heard_ms:
        print(f"  heard       {heard.heard_ms:7.0f} ms")
    print(f"  understood  {outcome.understand_ms:7.0f} ms  {describe(outcome.intents) if outcome.intents else '-'}")
    for rejected in outcome.rejected:
        print(f"  rejected                {rejected.stage}: {rejected.reason}")
    if outcome.sent:
        _print_messages(outcome, arrived, now_ns)
    return bool(topics) and len(arrived) == len(topics)


def _print_messages(outcome: Outcome, arrived: list[Received], started_ns: int) -> None:
    print(f"  published   {outcome.act_ms + outcome.publish_ms:7.0f} ms  {len(outcome.sent)} to the broker")
    for message in arrived:
        print(f"  received    {(message.at_ns - started_ns) / 1e6:7.0f} ms  {message.topic} {message.payload}")


def _conclude(spoken: int, recordings: int, typed: list[bool], others: list[bool]) -> int:
    print(
        f"\n{spoken} of {recordings} recordings and {sum(typed)} of {len(typed)} typed commands led to messages that "
        f"arrived; {sum(others)} of {len(others)} sentences that are no command did."
    )
    if spoken and sum(typed) >= WANTED and not any(others):
        return 0
    print("that is less than it should be: edged doctor may say why", file=sys.stderr)
    return 1
