"""What another tool's table says, whichever tool it is: one mark for each migration it knows, and why it must not be believed."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct


class Mark(Struct, frozen=True):
    """One migration as the tool remembers it.

    ``version`` is in the tool's own spelling. ``state``: applied, partial (its first ``done`` statements took effect), failed, or baseline
    (everything up to it is there, whether or not it has a mark). ``hash`` is the tool's own, ``partial`` the hashes of the done statements.
    """

    version: str
    name: str = ""
    state: Literal["applied", "partial", "failed", "baseline"] = "applied"
    hash: str = ""
    done: int = 0
    total: int = 0
    partial: tuple[str, ...] = ()
    error: str = ""


class History(Struct, frozen=True):
    """All marks, oldest first. ``upto``: everything up to this version is applied (tools that keep only one row), "" = nothing.

    ``refused`` says in a sentence why the table cannot be taken over as it is; "" when it can.
    """

    marks: tuple[Mark, ...] = ()
    upto: str | None = None
    refused: str = ""


Rows = list[tuple[Any, ...]]


class Now:
    """The database's own clock, as a value to write."""


class Next:
    """One more than the largest value of the column."""


class Raw(Struct, frozen=True):
    """Bytes to write."""

    content: bytes


Cell = str | int | bool | None | type[Now] | type[Next] | Raw


def text(value: object) -> str:
    """A cell as text; "" for NULL."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return "" if value is None else str(value)


def number(value: object) -> int:
    """A cell as a whole number, however the driver gives it; 0 for what is none."""
    try:
        return int(text(value) or 0)
    except ValueError:
        return 0


def truth(value: object) -> bool:
    """A cell as yes or no: drivers give true, 1, "t", b"\\x01"."""
    if isinstance(value, bytes | bytearray):
        return any(byte not in b"\x00" for byte in bytes(value)) and bytes(value) not in {b"0", b"f"}
    return text(value).strip().lower() in {"1", "true", "t", "yes", "y"}


def raw(value: object) -> bytes:
    """A cell of bytes; PostgreSQL's text form too."""
    if isinstance(value, str):
        digits = value.removeprefix("\\x").removeprefix("0x")
        try:
            return bytes.fromhex(digits)
        except ValueError:
            return value.encode()
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""


def whole(version: str) -> str:
    """A version that is a number, without the zeros before it."""
    digits = version.strip()
    return str(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) <= 40 else digits
