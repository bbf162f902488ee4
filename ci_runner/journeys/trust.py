"""What a change may have to run on: whose dev database, prepared by whose SQL, and whether its author is a stranger."""

from __future__ import annotations

from msgspec import Struct

from ci_runner import sources
from ci_runner.config import Directory
from ci_runner.errors import PilotageError
from ci_runner.journeys import base
from ci_runner.journeys.ground import Ground

OWN = ("auto", "docker", "embedded", "sqlite")  # servers of our own, which can be closed off


class Terms(Struct, frozen=True):
    """``url`` of the dev database, "" with the ``reason`` why there is none; ``init`` is (file, text) of SQL that prepares it.

    Not ``trusted``: what runs there is a stranger's.
    """

    url: str = ""
    reason: str = ""
    init: tuple[str, str] | None = None
    trusted: bool = True


def stranger(ground: Ground) -> bool:
    """Whether the change is, for all that is known, from somebody without rights in the repository."""
    return base.proposed(ground) and ground.trigger.is_fork is not False


def terms(ground: Ground, wanted: Directory, reason: str) -> Terms:
    """The terms for one directory; ``reason`` is that of a directory without a dev database.

    A pull request of the repository names its dev database itself; the SQL that prepares one, which has more rights than a migration,
    comes from the base commit. Of a stranger's pull request nothing counts but what the base commit, the environment or a flag says.
    """
    proposed, strange = base.proposed(ground), stranger(ground)
    if not proposed:
        text = sources.text(ground.root, wanted.dev_init, "dev_init") if wanted.dev_init and wanted.dev_url else ""
        return Terms(wanted.dev_url or "", reason, (wanted.dev_init, text) if wanted.dev_init and text else None)
    try:
        settled = base.settled(ground, wanted)
        init = base.text_at_base(ground, settled.dev_init) if settled and settled.dev_init else None
    except PilotageError as error:
        if strange:
            return Terms(reason=f"no dev database for a fork's pull request: its base could not be read ({error})")
        settled, init = None, None
    prepared = (settled.dev_init, init) if settled and settled.dev_init and init else None
    if not strange:
        return Terms(wanted.dev_url or "", reason, prepared)
    return _for_stranger(ground, wanted, settled, Terms(reason=reason, init=prepared))


def _for_stranger(ground: Ground, wanted: Directory, settled: Directory | None, found: Terms) -> Terms:
    said = ":" not in ground.config.sources.get("dev_url", ":")  # by the environment or a flag, not by a line of a file
    url = wanted.dev_url if said else settled.dev_url if settled else None
    if not url:
        return Terms(reason=found.reason)
    if url.partition("://")[0].partition("+")[0].lower() in OWN:
        return Terms(url, found.reason, found.init, trusted=False)
    if settled and settled.allow_fork_dev_url:
        return Terms(url, found.reason, found.init)
    return Terms(
        reason="the change may come from a fork, and its SQL is not run on a server that is used for anything else: linted without a dev "
        "database (allow_fork_dev_url: true in the base branch's pilotage.yml permits it)"
    )
