from __future__ import annotations

import string

import pytest

from edged.intents.spoken.language import LANGUAGES
from edged.intents.spoken.replies import REPLIES, list_replies, replies_of
from edged.intents.spoken.text import normalize_text


def test_every_language_has_replies() -> None:
    assert REPLIES.keys() == LANGUAGES.keys()
    assert replies_of("pt") == REPLIES["pt-BR"]
    assert replies_of("fr") == REPLIES["en"]


@pytest.mark.parametrize("lang", REPLIES)
def test_what_is_said_means_one_thing(lang: str) -> None:
    replies = REPLIES[lang]
    ordinals = [form for forms in replies.ordinals for form in forms]
    groups = (replies.yes, replies.no, replies.dropping(), replies.all, replies.both, ordinals, replies.fillers)
    forms = [normalize_text(form, lang) for group in groups for form in group]
    assert all(forms)
    assert len(set(forms)) == len(forms)
    assert {normalize_text(form, lang) for form in list_replies(lang)} <= {*forms}


@pytest.mark.parametrize("lang", REPLIES)
def test_texts_have_the_places_that_are_filled(lang: str) -> None:
    replies = REPLIES[lang]
    for text, place in ((replies.which, "options"), (replies.confirm, "said"), (replies.confirm_house, "said")):
        assert [name for _, name, _, _ in string.Formatter().parse(text) if name is not None] == [place]
