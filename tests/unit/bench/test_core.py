from array import array
from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest

from edged.bench.catalogues import Catalogue, make_catalogue, make_intents
from edged.bench.core import CoreRow, measure
from edged.bench.engines import Edged, Session, Tokens
from edged.bench.peers import OFFERS, Offer, find_installed
from edged.config import Config
from edged.models import find_configured_model
from edged.understand.lm import LanguageModel

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def tokens(config: Config) -> Iterator[Tokens]:
    model_path, _ = find_configured_model(config)
    with LanguageModel(model_path, adapter=None, threads=1) as lm:
        pieces = lm.pieces()
        yield Tokens(model_path.name, lm, pieces, array("f", bytes(4 * len(pieces))))


@pytest.fixture(scope="module")
def small() -> Catalogue:
    """Two intents and four answers: what llama.cpp too is soon done with."""
    catalogue = make_catalogue("small", make_intents(2))
    return replace(catalogue, answers=catalogue.answers[:4])


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_an_engine_takes_every_answer_and_fills_its_row(offer: Offer, tokens: Tokens, small: Catalogue) -> None:
    if not offer.is_installed:
        pytest.skip(f"{offer.name} is not installed")
    row = measure(offer, tokens, small)
    assert (row.engine, row.model, row.catalogue) == (offer.name, tokens.name, "small")
    assert row.pick_us_median is not None
    assert row.pick_us_p99 is not None
    assert row.compile_ms is not None
    assert 0 < row.pick_us_median <= row.pick_us_p99
    assert row.compile_ms > 0


def test_an_engine_that_does_not_finish_has_an_empty_row_and_a_reason(
    tokens: Tokens, small: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stuck(Edged):
        def compile(self, catalogue: Catalogue) -> Session:
            Event().wait()
            return super().compile(catalogue)

    assert measure(Offer("stuck", Stuck, None), tokens, small, 0.2) == CoreRow("stuck", tokens.name, "small")
    assert "stuck, " + tokens.name + ", small: not done in 0.2 s" in capsys.readouterr().err


def test_an_engine_that_refuses_an_answer_has_an_empty_row_and_a_reason(
    tokens: Tokens, small: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = replace(small, answers=(b'[{"intent":"nothing"}]',))
    assert measure(Offer("edged", Edged, None), tokens, wrong).pick_us_median is None
    assert "is refused" in capsys.readouterr().err


def test_a_peer_that_is_not_installed_is_left_out_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    missing = Offer("absent", Edged, "edged_no_such_module")
    present = Offer("edged", Edged, None)
    assert find_installed([missing, present]) == [present]
    assert "absent: left out, it is not installed; make bench, or pip install 'edged[bench]'" in capsys.readouterr().err
