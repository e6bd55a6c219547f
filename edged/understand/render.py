"""Renders a model's own chat template, which is a program by other people: in a process of its own, with hard limits.

Jinja's sandbox keeps a template from files and from Python's inside; that it may run or grow for ever is left to the
process. Run as a program, this file reads a request as JSON from its standard input and writes the texts to its
standard output. It imports nothing of edged, so that a start takes no longer than Jinja's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Message: TypeAlias = dict[str, str]
"""`role` (system, user or assistant) and `content`."""

MAX_TEMPLATE_CHARACTERS: Final = 64_000
"""The largest template that is known, with tools and pictures, has 17,000."""
MAX_TEXT_CHARACTERS: Final = 64_000
"""Of one rendering: sixteen times what fits into the context of the LM."""
MAX_SECONDS: Final = 10
"""Of processor time; an ordinary template takes 0.1 s, nearly all of it for the start."""
_MAX_WAIT_S: Final = 60
"""The same on a machine that is busy with other things."""
_MAX_MEMORY_BYTES: Final = 512 << 20
"""Of addresses; Python with Jinja takes 60 MB."""
_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""What a template is told that today is: its text must be the same tomorrow."""


class RenderError(Exception):
    """A template cannot be rendered."""


def render(template: str, begin: str, end: str, conversations: Sequence[Sequence[Message]]) -> list[str | None]:
    """The text of each conversation, up to where the assistant is to speak; None where the template refuses it.

    Args:
        template: Jinja, as it stands in a model file.
        begin: the text of the token that begins a text.
        end: that of the token that ends it.
        conversations: their messages.

    Raises:
        RenderError: the template is too long, no Jinja, takes too long, or says too much.
    """
    if len(template) > MAX_TEMPLATE_CHARACTERS:
        raise RenderError(f"it has {len(template)} characters, more than {MAX_TEMPLATE_CHARACTERS}")
    request = {
        "template": template, "begin": begin, "end": end, "conversations": conversations, "seconds": MAX_SECONDS,
    }  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", str(Path(__file__))],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=_MAX_WAIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderError(str(error)) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise RenderError(last[0][:200] if last else f"its process ended with {done.returncode}")
    return list(json.loads(done.stdout))


def _main() -> None:
    """Renders what standard input asks for."""
    request = json.loads(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"], request["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, autoescape=False, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals.update(raise_exception=_raise_exception, strftime_now=_DAY.strftime)
    template = environment.from_string(request["template"])
    given = {
        "bos_token": request["begin"], "eos_token": request["end"], "add_generation_prompt": True,
        "enable_thinking": False, "tools": None, "documents": None,
    }  # fmt: skip
    texts = []
    for messages in request["conversations"]:
        try:
            text = template.render(messages=messages, **given)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError):
            text = None
        if text is not None and len(text) > MAX_TEXT_CHARACTERS:
            sys.exit(f"it makes {len(text)} characters, more than {MAX_TEXT_CHARACTERS}")
        texts.append(text)
    sys.stdout.buffer.write(json.dumps(texts).encode())


def _raise_exception(message: Any = "") -> NoReturn:  # noqa: ANN401 - it is the template's
    raise TemplateError(str(message))


if __name__ == "__main__":
    _main()
