"""Driver of devices that are described in home.toml alone: a topic and a payload as Jinja templates, one a capability.

A template may hold text, expressions and conditions over `address`, `value` and `change`. Loops, calls, macros, powers
and most filters are refused at start, which bounds the work and the output of any template by its own length.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edged.act.driver import Question, State, make_command, place_of, refuse_keys
from edged.act.mapping import DeviceChange, range_of
from edged.act.topic import describe_bad_topic
from edged.errors import ConfigError
from edged.intents.capabilities import CAPABILITIES
from edged.intents.home import Device, Message, name_of
from edged.types import Command, Rejected, SlotValue

MAX_PAYLOAD_BYTES = 16_384
"""Four times the longest template; a payload that is longer comes from a mistake."""
MAX_FILTERS = 8
"""In one template: tojson may double its input, so this many of them make it 256 times as long at most."""

FILTERS: Final = frozenset(
    {"abs", "capitalize", "default", "float", "int", "lower", "round", "title", "tojson", "trim", "upper"}
)

_FORBIDDEN_NODES = (
    nodes.For, nodes.Call, nodes.CallBlock, nodes.Macro, nodes.FilterBlock, nodes.Include, nodes.ImportedName,
    nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block, nodes.Pow, nodes.With, nodes.Assign, nodes.AssignBlock,
    nodes.ScopedEvalContextModifier,
)  # fmt: skip


_OTHERS_KEYS: Final = ("base", "properties", "speeds", "scene", "settings")
"""Keys of home.toml that mean nothing here: the templates say all."""


class _Environment(ImmutableSandboxedEnvironment):
    """Multiplies and divides numbers alone: a text times a number could fill the memory."""

    intercepted_binops = frozenset({"*", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 -- Jinja's types
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise TemplateError(f"{operator} takes two numbers")
        return super().call_binop(context, operator, left, right)


_ENVIRONMENT = _Environment(undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True)
_ENVIRONMENT.globals.clear()


class TemplateDriver:
    """The `template` driver: a message a capability, in the order in which the intent names them.

    No message is repeatable: the same payload may press a button.
    """

    repeats_itself = False

    def check(self, device: Device) -> None:
        """Renders every template with the values at the ends of its capability's range; raises ConfigError."""
        refuse_keys(device, *_OTHERS_KEYS)
        if not device.template:
            remedy = f"add [{place_of(device)}.template.state]"
            raise _fault(device, "", "the driver template needs at least one template", remedy)
        for capability, message in device.template.items():
            for value in _sample_values(device, capability):
                try:
                    _render_message(message, device, value, {capability: value})
                except (TemplateError, ValueError, TypeError, ArithmeticError) as error:
                    raise _fault(
                        device, capability, f"cannot be rendered with {value!r}: {error}", "mend it"
                    ) from error

    def state_topics(self, device: Device) -> tuple[str, ...]:  # noqa: ARG002 -- the same signature for every driver
        """None: a template says nothing of what the device answers."""
        return ()

    def read_state(self, device: Device, topic: str, payload: bytes) -> State | None:  # noqa: ARG002
        """Nothing: no topic is listened to."""
        return None

    def interpret(self, device: Device, state: State) -> Mapping[str, SlotValue]:  # noqa: ARG002
        """Nothing is known of the device's state."""
        return {}

    def render(
        self,
        change: DeviceChange,
        state: State,  # noqa: ARG002 -- the same signature for every driver
        *,
        now_ns: int,
        expires_s: float,
        intent_id: str,
    ) -> tuple[Command, ...] | Rejected:
        """All messages, or none where a capability has no template."""
        device = change.device
        missing = [capability for capability in change.change if capability not in device.template]
        if missing:
            words = ", ".join(capability.replace("_", " ") for capability in missing)
            return Rejected(intent_id, "act", f"{name_of(device)} has no message for its {words}")
        commands = []
        for capability, value in change.change.items():
            try:
                topic, payload = _render_message(device.template[capability], device, value, change.change)
            except (TemplateError, ValueError, TypeError, ArithmeticError) as error:
                return Rejected(intent_id, "act", f"the message for {capability} of {name_of(device)} fails: {error}")
            commands.append(make_command(topic, payload, now_ns=now_ns, expires_s=expires_s, intent_id=intent_id))
        return tuple(commands)

    def assume(self, device: Device, command: Command) -> State:  # noqa: ARG002 -- the same signature for every driver
        """Nothing is known of the device's state."""
        return {}

    def tells(self, device: Device, expected: State) -> bool:  # noqa: ARG002 -- the same signature for every driver
        """Never."""
        return False

    def questions(self, device: Device) -> tuple[Question, ...]:  # noqa: ARG002 -- the same signature for every driver
        """None: no answer could be read."""
        return ()

    def availability_topics(self, device: Device) -> tuple[str, ...]:  # noqa: ARG002
        """None."""
        return ()

    def read_availability(self, device: Device, topic: str, payload: bytes) -> bool | None:  # noqa: ARG002
        """Nothing is known of the device."""
        return None


def _sample_values(device: Device, capability: str) -> tuple[SlotValue, ...]:
    return CAPABILITIES[capability].choices or range_of(device, capability)


def _render_message(
    message: Message, device: Device, value: SlotValue, change: Mapping[str, SlotValue]
) -> tuple[str, str]:
    """Topic and payload; raises TemplateError or ValueError."""
    variables = {"address": device.address, "value": value, "change": change}
    topic = _compile_template(message.topic).render(variables)
    reason = describe_bad_topic(topic)
    if reason:
        raise ValueError(reason)
    payload = _compile_template(message.payload).render(variables)
    if len(payload.encode()) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"the payload is longer than {MAX_PAYLOAD_BYTES} bytes")
    return topic, payload


@lru_cache(maxsize=4096)
def _compile_template(source: str) -> Template:
    """Raises TemplateError where the source is no template or holds what is not allowed."""
    tree = _ENVIRONMENT.parse(source)
    for node in tree.find_all(_FORBIDDEN_NODES):
        _refuse(f"line {node.lineno}: {type(node).__name__.lower()} is not allowed in a template")
    filters = [node.name for node in tree.find_all(nodes.Filter)]
    unknown = sorted(set(filters) - FILTERS)
    if unknown:
        _refuse(f"the filter {unknown[0]} is not allowed; these are: {', '.join(sorted(FILTERS))}")
    if len(filters) > MAX_FILTERS:
        _refuse(f"more than {MAX_FILTERS} filters")
    return _ENVIRONMENT.from_string(source)


def _refuse(reason: str) -> NoReturn:
    raise TemplateError(reason)


def _fault(device: Device, capability: str, what: str, remedy: str) -> ConfigError:
    place = f"{place_of(device)}.template" + (f".{capability}" if capability else "")
    return ConfigError(what, where=place, remedy=remedy)
