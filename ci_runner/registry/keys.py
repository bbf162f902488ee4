"""Where things lie in a store: the layout of format 1."""

from __future__ import annotations

import re

FORMAT = "format.json"
BLOBS = "blobs/sha256/"
DIRS = "dirs/"
HOOKS = "hooks/"
NO_ENTRY = "0" * 64
"""``prev`` of the first entry."""
LAST_SEQ = 9_999_999_999

FILE_LIMIT = 64 * 1024 * 1024
FILES_LIMIT = 512 * 1024 * 1024
COUNT_LIMIT = 10_000
TEXT_LIMIT = 4 * 1024 * 1024
"""Of a manifest or an entry, in bytes."""

_SLOT = re.compile(r"([0-9]{10})\.json")


def blob(sha256: str) -> str:
    """Key of the bytes with this hash (64 hex digits)."""
    return f"{BLOBS}{sha256[:2]}/{sha256}"


def log(name: str) -> str:
    """Prefix of a directory's history."""
    return f"{DIRS}{name}/log/"


def slot(name: str, seq: int) -> str:
    """Key of one entry; the commit point."""
    return f"{log(name)}{seq:010d}.json"


def slot_seq(name: str, key: str) -> int | None:
    """Sequence number of an entry's key; None when the key is none."""
    match = _SLOT.fullmatch(key.removeprefix(log(name)))
    return int(match[1]) if match and int(match[1]) > 0 else None


def inbox(name: str) -> str:
    """Prefix of what a backup accepted while the primary was down."""
    return f"{DIRS}{name}/inbox/"


def deploys(name: str) -> str:
    """Prefix of what was done to the databases of a directory; one folder an environment."""
    return f"{DIRS}{name}/deploys/"


def event_log(name: str, env: str) -> str:
    """Prefix of the events of an environment, a chain of their own."""
    return f"{deploys(name)}{env}/log/"


def event(name: str, env: str, seq: int) -> str:
    """Key of one event."""
    return f"{event_log(name, env)}{seq:010d}.json"


def event_seq(name: str, env: str, key: str) -> int | None:
    """Sequence number of an event's key; None when the key is none."""
    match = _SLOT.fullmatch(key.removeprefix(event_log(name, env)))
    return int(match[1]) if match and int(match[1]) > 0 else None


def deliveries(hook: str) -> str:
    """Prefix of the attempts to hand messages to a hook."""
    return f"{HOOKS}{hook}/"


def hint(name: str) -> str:
    """Key of the last sequence number somebody saw; never trusted."""
    return f"hints/{name}"
