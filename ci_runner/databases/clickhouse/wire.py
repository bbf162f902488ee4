"""The two ways to the engine look alike."""

from __future__ import annotations

from typing import Protocol

ROWS, NOTHING = "JSONCompactEachRow", "Null"  # formats


class Wire(Protocol):
    """A way to the engine that keeps a session: settings, temporary tables, the database in use.

    ``left_open`` are ways out of an engine of our own that this system could not close, in words.
    """

    left_open: list[str]

    def ask(self, sql: str, *, rows: bool) -> str:
        """Run ``sql``; its rows as lines of JSON, or "" when they are not wanted. Refused raises what the engine said."""
        ...

    def interrupt(self) -> None:
        """Stop what runs, from another thread."""
        ...

    def renew(self) -> None:
        """Begin a new session."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


class Refused(Exception):  # noqa: N818 - the engine's word, on its way to a DatabaseFailure
    """What the engine said, whole; ``lost``: it will say no more."""

    def __init__(self, words: str, *, lost: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.lost = lost
