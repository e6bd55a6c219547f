"""Whatever stands in a schema, it compiles or is refused: no other error, and never without a remedy."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.core import Program
from edged.intents.lower import KEYWORDS, LoweringError, find_refusals, lower_schema

words = st.sampled_from(
    [
        "string",
        "object",
        "array",
        "integer",
        "a",
        "#",
        "#/$defs/a",
        "#/properties/a",
        "#/allOf/0",
        "date",
        "email",
        "[",
        "(a|b)*",
        "^",
        "",
    ]
)
plain = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2000)
    | st.floats()
    | words
    | st.integers().map(lambda number: number * 10**300)
)
keys = st.sampled_from(sorted({*KEYWORDS, "$defs", "$id", "a", "typ", "x-edged"}))
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
)


@settings(deadline=None, max_examples=1500, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(keys, anything, max_size=6) | anything)
def test_whatever_a_schema_holds_it_compiles_or_is_refused(schema: Any) -> None:
    refusals = find_refusals(schema)
    assert all(refusal.remedy for refusal in refusals)
    try:
        expression = lower_schema(schema)
    except LoweringError:
        assert refusals
        return
    assert refusals == ()
    assert Program(expression).n_states >= 0
