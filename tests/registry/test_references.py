"""How people name a state."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import registry
from ci_runner.errors import UsageError
from ci_runner.model.registry import Reference, Selector

SHA = "ab" * 32


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("app", Reference("app")),
        ("app:latest", Reference("app")),
        ("app:v1.4", Reference("app", Selector("tag", "v1.4"))),
        ("pilotage://app", Reference("app")),
        ("pilotage://app/", Reference("app")),
        ("pilotage://app?tag=v1.4", Reference("app", Selector("tag", "v1.4"))),
        ("pilotage://app?tag=latest", Reference("app")),
        ("pilotage://app?version=20260105", Reference("app", Selector("version", "20260105"))),
        (f"pilotage://app?digest=sha256:{SHA}", Reference("app", Selector("digest", SHA))),
        (f"pilotage://app?digest={SHA}", Reference("app", Selector("digest", SHA))),
        ("pilotage://app?seq=0042", Reference("app", Selector("seq", "42"))),
    ],
)
def test_a_reference_is_read(text: str, reference: Reference) -> None:
    assert registry.parse_reference(text) == reference


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot name"),
        ("a/b", "cannot name"),
        ("app:", "cannot be a tag"),
        ("app:a:b", "cannot be a tag"),
        ("../app", "cannot name"),
        ("pilotage://", "cannot name"),
        ("pilotage://user:secret@app", "user information"),
        ("pilotage://app?", "exactly one"),
        ("pilotage://app?tag=a&seq=1", "exactly one"),
        ("pilotage://app?tag=a&tag=b", "exactly one"),
        ("pilotage://app?tga=a", "unknown parameter 'tga'"),
        ("pilotage://app?tag=", "cannot be a tag"),
        ("pilotage://app?seq=0", "count from 1"),
        ("pilotage://app?seq=-1", "count from 1"),
        ("pilotage://app?seq=٣", "count from 1"),
        ("pilotage://app?digest=sha256:abc", "64 hex digits"),
        ("pilotage://app?version=", "version of a migration"),
    ],
)
def test_what_cannot_be_meant_is_told_so(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        registry.parse_reference(text)
    assert "secret" not in str(caught.value)


def test_an_address_without_its_scheme_gets_a_hint() -> None:
    with pytest.raises(UsageError, match="did you mean pilotage://shop"):
        registry.parse_address("shop")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_reference_or_a_usage_error(name: str, rest: str) -> None:
    for text in (name, f"app:{rest}", f"pilotage://{name}?{rest}", f"pilotage://app?seq={rest}"):
        try:
            reference = registry.parse_reference(text)
        except UsageError:
            continue
        assert reference.name.isascii()
