"""JSON is written to the character as the standard library writes it."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.formats.written import dumps

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(VALUES)
def test_json_is_written_as_the_standard_library_writes_it(value: object) -> None:
    assert dumps(value) == json.dumps(value, indent=2) + "\n"
