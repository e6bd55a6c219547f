"""`edged run`: the daemon, as systemd starts it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from edged.act.drivers import check_devices
from edged.act.fleet import Fleet
from edged.act.link import check_broker, require_version_5
from edged.act.pipeline import Understand
from edged.cli.hearing import LookAhead, LookAheadIn, open_hearing
from edged.cli.options import add_common, read_config
from edged.config import Config
from edged.daemon import Daemon, Parts
from edged.errors import ConfigError, ModelError
from edged.intents.catalog import Catalog
from edged.intents.home import Home
from edged.intents.live import LiveFiles, Snapshot
from edged.ops.feedback import open_feedback
from edged.ops.metrics import UNCOUNTED, Metrics
from edged.ops.notify import Notifier
from edged.ops.wake import Wake
from edged.ops.watch import Target, Watcher
from edged.reload import Live
from edged.types import Intent, Rejected, Utterance

if TYPE_CHECKING:
    from edged.understand.parser import Parser

logger = logging.getLogger(__name__)


Prepare: TypeAlias = Callable[[Catalog], Callable[[], None]]
"""Does what takes time for a new catalog, and gives what then puts it in force."""


def _do_nothing(words: str, lang: str, area: str | None = None) -> None:
    """Where workers understand, nothing can be done ahead."""


@dataclass(frozen=True, slots=True)
class Mind:
    """Who understands what is heard here."""

    snapshot: Snapshot
    """What is in force."""
    understand: Understand
    prepare: Prepare
    listen: LookAhead = _do_nothing
    anticipate: LookAheadIn = _do_nothing
    fleet: Fleet | None = None


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
    """Raises ConfigError where nothing can ever come in, or an input leads nowhere."""
    if config.hear.source == "none" and not config.mqtt.text_input:
        raise ConfigError(
            "there is nothing to listen to",
            where="edged.toml",
            remedy='set hear.source = "mic" for speech, or mqtt.text_input = true for text over MQTT',
        )
    if config.mqtt.listen_input and config.hear.source == "none":
        raise ConfigError("there is no sound to listen to", where="mqtt.listen_input", remedy='set hear.source = "mic"')
    if config.hear.source != "none" and not (config.hear.listening or config.mqtt.listen_input):
        raise ConfigError(
            "nothing could ever make it listen", where="hear.listening", remedy="set mqtt.listen_input = true"
        )


def check_house(config: Config, home: Home) -> None:
    """Raises ConfigError where a device cannot be commanded, or an area that is stood in is not there."""
    check_devices(home)
    areas = {f"hear.satellites.{name}.area": satellite.area for name, satellite in config.hear.satellites.items()}
    for where, area in {"home.area": config.home.area, **areas}.items():
        if area is not None and area not in home.areas:
            raise ConfigError(f'there is no area "{area}"', where=where, remedy=f"use one of: {', '.join(home.areas)}")


def open_files(config: Config, copies: Path | None = None) -> LiveFiles:
    """The intents and the house that the configuration names, with their last good versions, kept in `copies`."""
    return LiveFiles(
        config.intents.directory,
        config.home.file,
        copies or config.state_directory / "catalog",
        check_home=lambda home: check_house(config, home),
    )


def _run_daemon(config: Config, files: LiveFiles, snapshot: Snapshot, wake: Wake, notifier: Notifier) -> int:
    """Loads the models, which takes seconds, and runs."""
    notifier.status("looking for the broker")
    if config.understand.by == "workers":
        config = config.model_copy(update={"mqtt": require_version_5(config.mqtt)})
    else:
        check_broker(config.mqtt)  # before the models are loaded: what is missing is told within a second
    notifier.status("loading the models")
    with open_metrics(config) as metrics, open_mind(config, files, snapshot, metrics) as mind:
        usable = mind.snapshot
        heard = open_hearing(config, usable.catalog, mind.listen, mind.anticipate)
        keep = open_feedback(config)

        def prepare(snapshot: Snapshot) -> Callable[[], None]:
            listen = heard.prepare(snapshot.catalog)
            understand = mind.prepare(snapshot.catalog)

            def use() -> None:
                understand()
                listen()

            return use

        def tell(utterance: Utterance, intents: Sequence[Intent], rejected: Sequence[Rejected]) -> None:
            keep(utterance, intents, rejected)
            if heard.network is not None:
                heard.network.tell(utterance, rejected)

        parts = Parts(
            understand=mind.understand,
            catalog=usable.catalog,
            hearing=heard.hearing,
            satellites=heard.satellites,
            network=heard.network,
            live=Live(files, usable, lambda: Watcher(Target(config.intents.directory, config.home.file)), prepare),
            metrics=metrics,
            keep=tell,
            fleet=mind.fleet,
        )
        daemon = Daemon(config, parts, wake=wake, notifier=notifier)
        code = daemon.run()
        leave(code, daemon.abandoned)
    return code


def leave(code: int, abandoned: tuple[str, ...]) -> None:
    """Ends the process here where threads did not end: to go on would free the models under them."""
    if abandoned:
        logger.warning("left behind: %s", ", ".join(abandoned))
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)


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


@contextmanager
def open_mind(config: Config, files: LiveFiles, snapshot: Snapshot, metrics: Metrics) -> Iterator[Mind]:
    """The workers, or else the parser, ready for the first utterance.

    Raises:
        ModelError: a model file is missing, damaged or cannot be used, or no catalog can.
    """
    if config.understand.by == "workers":
        fleet = Fleet(config, snapshot.catalog)
        files.accept(snapshot)

        def prepare(catalog: Catalog) -> Callable[[], None]:
            return lambda: fleet.set_catalog(catalog)

        yield Mind(snapshot, fleet.understand, prepare, fleet=fleet)
        return
    with open_understanding(config, files, snapshot, metrics) as (parser, usable):
        lang = config.hear.lang
        parser.warm_up(lang)
        yield Mind(
            usable,
            lambda utterance: parse(parser, utterance),
            lambda catalog: parser.prepare_catalog(catalog, lang=lang),
            parser.listen,
            parser.anticipate,
        )


def parse(parser: Parser, utterance: Utterance) -> tuple[Intent, ...] | Rejected:
    """What an utterance means; what that took goes to the log."""
    understanding = parser.parse(utterance)
    logger.debug(
        "utterance %s: answered by %s, %d tokens of the LM in %d calls",
        utterance.id,
        understanding.answered_by,
        understanding.lm_tokens,
        understanding.lm_calls,
    )
    return understanding.outcome
