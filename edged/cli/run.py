"""`edged run`: the daemon, as systemd starts it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeAlias

from edged.act.drivers import check_devices
from edged.act.link import check_broker
from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.daemon import Daemon, Hearing, Live, Parts
from edged.errors import ConfigError, ModelError
from edged.hear.recognizer import Recognizer, SpeechModel
from edged.hear.sources import open_source
from edged.hear.vocabulary import make_grammar
from edged.intents.catalog import Catalog
from edged.intents.home import Home
from edged.intents.live import LiveFiles, Snapshot
from edged.intents.spoken.phrases import list_phrases
from edged.models import find_model, speech_model_name
from edged.ops.feedback import open_feedback
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.ops.watch import Target, Watcher
from edged.types import Intent, Rejected, Utterance

if TYPE_CHECKING:
    from edged.understand.parser import Parser

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
    files = open_files(config)
    snapshot = files.start()
    with Wake() as wake, Notifier() as notifier:
        wake.on_signals(signal.SIGTERM, signal.SIGINT)
        return _run_daemon(config, files, snapshot, wake, notifier)


def check_inputs(config: Config) -> None:
    """Raises ConfigError where nothing can ever come in."""
    if config.hear.source == "none" and not config.mqtt.text_input:
        raise ConfigError(
            "there is nothing to listen to",
            where="edged.toml",
            remedy='set hear.source = "mic" for speech, or mqtt.text_input = true for text over MQTT',
        )


def check_house(config: Config, home: Home) -> None:
    """Raises ConfigError where a device cannot be commanded, or the daemon stands in an area that is not there."""
    check_devices(home)
    area = config.home.area
    if area is not None and area not in home.areas:
        raise ConfigError(
            f'there is no area "{area}"', where="home.area", remedy=f"use one of: {', '.join(home.areas)}"
        )


def open_files(config: Config) -> LiveFiles:
    """The intents and the house that the configuration names, with their last good versions."""
    return LiveFiles(
        config.intents.directory,
        config.home.file,
        config.state_directory / "catalog",
        check_home=lambda home: check_house(config, home),
    )


def _run_daemon(config: Config, files: LiveFiles, snapshot: Snapshot, wake: Wake, notifier: Notifier) -> int:
    """Loads the models, which takes seconds, and runs."""
    notifier.status("looking for the broker")
    check_broker(config.mqtt)  # before the models are loaded: what is missing is told within a second
    notifier.status("loading the models")
    with (
        open_metrics(config) as metrics,
        open_understanding(config, files, snapshot, metrics) as (
            parser,
            usable,
        ),
    ):
        parser.warm_up(config.hear.lang)
        hearing, prepare_hearing = open_hearing(config, usable.catalog, parser.listen, parser.anticipate)

        def prepare(catalog: Catalog) -> Callable[[], None]:
            listen = prepare_hearing(catalog)
            understand = parser.prepare_catalog(catalog, lang=config.hear.lang)

            def use() -> None:
                understand()
                listen()

            return use

        def understand(utterance: Utterance) -> tuple[Intent, ...] | Rejected:
            understanding = parser.parse(utterance)
            logger.debug(
                "utterance %s: answered by %s, %d tokens of the LM in %d calls",
                utterance.id,
                understanding.answered_by,
                understanding.lm_tokens,
                understanding.lm_calls,
            )
            return understanding.outcome

        parts = Parts(
            understand=understand,
            catalog=usable.catalog,
            hearing=hearing,
            live=Live(files, usable, lambda: Watcher(Target(config.intents.directory, config.home.file)), prepare),
            metrics=metrics,
            keep=open_feedback(config),
        )
        daemon = Daemon(config, parts, wake=wake, notifier=notifier)
        code = daemon.run()
        if daemon.abandoned:
            logger.warning("left behind: %s", ", ".join(daemon.abandoned))
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)  # to end in order would free the models under the threads that still use them
    return code


@contextmanager
def open_metrics(config: Config) -> Iterator[Metrics]:
    """What counts, shown where the configuration says; where it says nothing, nothing is counted.

    Raises:
        ConfigError: nothing can listen there.
    """
    if not config.metrics.port:
        yield UNCOUNTED
        return
    from edged.ops.prometheus import show_metrics  # prometheus_client is not loaded where nobody reads

    with show_metrics(config.metrics) as metrics:
        yield metrics


@contextmanager
def open_understanding(
    config: Config, files: LiveFiles, snapshot: Snapshot, metrics: Metrics = UNCOUNTED
) -> Iterator[tuple[Parser, Snapshot]]:
    """The parser, and what is in force: where the LM cannot take the files as they are, what it took last.

    Raises:
        ModelError: a model file is missing, damaged or cannot be used, or no catalog can.
    """
    from edged.understand.parser import open_parser  # llama.cpp's libraries: only the commands that need them load them

    with ExitStack() as stack:
        try:
            parser = stack.enter_context(open_parser(config, snapshot.catalog, metrics))
        except ModelError as error:
            snapshot = files.refuse(snapshot, error)
            parser = stack.enter_context(open_parser(config, snapshot.catalog, metrics))
        files.accept(snapshot)
        yield parser, snapshot


LookAhead: TypeAlias = Callable[[str, str], None]
"""What is done with words that are still being spoken, and their language."""
Prepare: TypeAlias = Callable[[Catalog], Callable[[], None]]
"""Does what takes time for a new catalog, and gives what then puts it in force."""


def open_hearing(
    config: Config, catalog: Catalog, listen: LookAhead, anticipate: LookAhead
) -> tuple[Hearing | None, Prepare]:
    """The configured source of sound with a recogniser for what can be said, None for none; and what changes that.

    Args:
        config: names the source and the language.
        catalog: what can be said.
        listen: has the LM read what was said so far in a language.
        anticipate: has it understood, in case nothing follows.

    Raises:
        AudioError: the source is not fully configured.
        ModelError: the speech model is missing or damaged.
    """
    source = open_source(config.hear, sys.stdin.buffer)
    if source is None:
        return None, lambda _catalog: lambda: None
    lang = config.hear.lang
    model = SpeechModel(find_model(speech_model_name(lang), config.models_directory))
    heard = list_phrases(catalog, lang)
    recognizer = Recognizer(model, lang=lang, source=source.name, grammar=make_grammar(heard, model.knows, lang))

    def prepare(changed: Catalog) -> Callable[[], None]:
        nonlocal heard
        phrases, before = list_phrases(changed, lang), heard
        if phrases == before:
            return lambda: None
        grammar = make_grammar(phrases, model.knows, lang)

        def listen() -> None:
            nonlocal heard
            recognizer.set_grammar(grammar)
            heard = phrases

        return listen

    hearing = Hearing(
        source,
        recognizer.transcribe,
        may_pause=source.name == "stdin",
        prefill=lambda words: listen(words, lang),
        anticipate=lambda words: anticipate(words, lang),
    )
    return hearing, prepare
