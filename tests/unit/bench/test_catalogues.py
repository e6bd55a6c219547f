import json

import jsonschema
import pytest

from edged.bench.catalogues import Catalogue, answer_schema, make_catalogues, make_intents
from edged.core import Matcher, Vocab
from edged.intents.compile import compile_catalog

CATALOGUES = make_catalogues()


@pytest.fixture(params=CATALOGUES, ids=lambda catalogue: catalogue.name)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    made: Catalogue = request.param
    return made


def test_every_run_makes_the_same_catalogues() -> None:
    assert [(one.schema_text, one.answers) for one in make_catalogues()] == [
        (one.schema_text, one.answers) for one in CATALOGUES
    ]


def test_forty_intents_have_different_names_and_two_to_five_slots() -> None:
    schemas = make_intents(40)
    assert len({schema["properties"]["intent"]["const"] for schema in schemas}) == 40
    assert {len(schema["properties"]) - 1 for schema in schemas} == {2, 3, 4, 5}


def test_every_answer_is_allowed_by_the_schema_that_peers_are_given(catalogue: Catalogue) -> None:
    assert len(catalogue.answers) >= 20
    for answer in catalogue.answers:
        jsonschema.validate(json.loads(answer), answer_schema(catalogue.schemas))


def test_every_answer_is_allowed_by_the_catalog_that_edged_is_given(catalogue: Catalogue) -> None:
    matcher = Matcher(Vocab([bytes([byte]) for byte in range(256)]), compile_catalog(catalogue.catalog))
    for answer in catalogue.answers:
        matcher.reset()
        matcher.advance_bytes(answer)
        assert matcher.is_accepting
