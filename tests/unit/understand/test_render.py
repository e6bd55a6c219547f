"""Chat templates are programs by other people: what they can do is bounded, and the daemon outlives them."""

from __future__ import annotations

import pytest

from edged.understand import render as render_module
from edged.understand.render import MAX_TEXT_CHARACTERS, RenderError, render

HELLO = [{"role": "user", "content": "hello"}]


def test_each_conversation_is_rendered_up_to_the_answer() -> None:
    template = "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m.content }}{{ eos_token }}{% endfor %}"
    template += "{% if add_generation_prompt and not tools %}>{% endif %}"
    assert render(template, "<s>", "</s>", [HELLO, HELLO * 2]) == [
        "<s>user: hello</s>>",
        "<s>user: hello</s>user: hello</s>>",
    ]


def test_one_that_the_template_refuses_is_none() -> None:
    template = "{% if messages | length > 1 %}{{ raise_exception('too many') }}{% endif %}ok"
    assert render(template, "", "", [HELLO, HELLO * 2]) == ["ok", None]


def test_today_is_always_the_same_day() -> None:
    assert render("{{ strftime_now('%Y-%m-%d') }}", "", "", [HELLO]) == ["2026-01-01"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% include '/etc/passwd' %}",
        "{{ range(1000000) | list }}",
    ],
)
def test_what_the_sandbox_forbids_is_refused(template: str) -> None:
    assert render(template, "", "", [HELLO]) == [None]


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x'.center(10 ** 12) }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{{ 'x' * " + str(MAX_TEXT_CHARACTERS + 1) + " }}",
        "{{ 'x' }",
        "x" * (render_module.MAX_TEMPLATE_CHARACTERS + 1),
    ],
)
def test_what_takes_too_much_ends_in_an_error(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_module, "MAX_SECONDS", 1)
    with pytest.raises(RenderError):
        render(template, "", "", [HELLO])
