"""`edged run`: the daemon, as systemd starts it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys

from edged.act.drivers import check_devices
from edged.act.link import check_broker
from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.daemon import Daemon, Hearing, Parts
from edged.errors import ConfigError
from edged.hear.recognizer import Recognizer, SpeechModel
from edged.hear.sources import open_source
from edged.hear.vocabulary import make_grammar
from edged.intents.catalog import Catalog
from edged.intents.load import load_catalog, require_intents
from edged.intents.phrases import list_phrases
from edged.models import find_model, speech_model_name
from edged.ops.notify import Notifier
from edged.ops.wake import Wake

logger = logging.getLogger(__name__)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Registers `edged run`."""
    parser = commands.add_parser("run", help="the daemon: speech and text in, device commands out")
    add_common(parser, log_level="info")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs until SIGTERM or SIGINT; 0 after an orderly end."""
    config = read_config(arguments)
    check_inputs(config)
    catalog = require_intents(load_catalog(config))
    check_devices(catalog.home)
    check_area(config, catalog)
    with Wake() as wake, Notifier() as notifier:
        wake.on_signals(signal.SIGTERM, signal.SIGINT)
        return _run_daemon(config, catalog, wake, notifier)


def check_inputs(config: Config) -> None:
    """Raises ConfigError where nothing can ever come in."""
    if config.hear.source == "none" and not config.mqtt.text_input:
        raise ConfigError(
            "there is nothing to listen to",
            where="edged.toml",
            remedy='set hear.source = "mic" for speech, or mqtt.text_input = true for text over MQTT',
        )


def check_area(config: Config, catalog: Catalog) -> None:
    """Raises ConfigError where the daemon stands in an area that the house does not have."""
    area = config.home.area
    if area is not None and area not in catalog.home.areas:
        raise ConfigError(
            f'there is no area "{area}"', where="home.area", remedy=f"use one of: {', '.join(catalog.home.areas)}"
        )


def _run_daemon(config: Config, catalog: Catalog, wake: Wake, notifier: Notifier) -> int:
    """Loads the models, which takes seconds, and runs."""
    from edged.understand.parser import open_parser  # llama.cpp's libraries: only the commands that need them load them

    notifier.status("looking for the broker")
    check_broker(config.mqtt)  # before the models are loaded: what is missing is told within a second
    notifier.status("loading the models")
    with open_parser(config, catalog) as parser:
        parts = Parts(
            understand=lambda utterance: parser.parse(utterance).outcome,
            catalog=catalog,
            hearing=open_hearing(config, catalog),
        )
        daemon = Daemon(config, parts, wake=wake, notifier=notifier)
        code = daemon.run()
        if daemon.abandoned:
            logger.warning("left behind: %s", ", ".join(daemon.abandoned))
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)  # to end in order would free the models under the threads that still use them
    return code


def open_hearing(config: Config, catalog: Catalog) -> Hearing | None:
    """The configured source of sound with a recogniser for what can be said; None for none.

    Raises:
        AudioError: the source is not fully configured.
        ModelError: the speech model is missing or damaged.
    """
    source = open_source(config.hear, sys.stdin.buffer)
    if source is None:
        return None
    lang = config.hear.lang
    model = SpeechModel(find_model(speech_model_name(lang), config.models_directory))
    grammar = make_grammar(list_phrases(catalog, lang), model.knows, lang)
    recognizer = Recognizer(model, lang=lang, source=source.name, grammar=grammar)
    return Hearing(source, recognizer.transcribe, may_pause=source.name == "stdin")
