"""Every way Pilotage stops, each with its exit code.

::

    PilotageError            70  a bug in Pilotage, when raised bare
    ├── CheckError            1  the migrations themselves fail a check, as a lint run's verdict does
    ├── UsageError            2  wrong command line, address or input
    │   ├── ConfigError       2  pilotage.yml, PILOTAGE_*, a flag's value
    │   └── ApprovalError     2  a plan that somebody must approve first
    ├── RefusedError          2  a directory, file or store that must not be used
    │   └── DirectoryRefusedError  with the problem's code, file and offset
    ├── SetupError            2  something is missing here: a driver, an engine, an image, a right
    │   └── HistoryError          Git history that this clone does not hold
    ├── ConflictError         3  diverged, out of order, checksum
    ├── DoubtError            4  needs a person
    ├── TemporaryError        5  safe to run again
    └── IntegrityError        6  stored bytes are not what their hash says

A message says what happened, where, and what to do next.
"""

from __future__ import annotations


class PilotageError(Exception):
    """A failure with a message for people and an exit code for machines."""

    exit_code = 70


class CheckError(PilotageError):
    """The migrations fail a check that comes before the work: they do not run on the dev database."""

    exit_code = 1


class UsageError(PilotageError):
    """The command line, an address or an input cannot be meant."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration is wrong; the message names file and line, variable or flag."""


class ApprovalError(UsageError):
    """What was asked for waits for somebody's approval."""


class RefusedError(PilotageError):
    """An input that must not be used: symlink out of the tree, binary file, over a cap."""

    exit_code = 2


class DirectoryRefusedError(RefusedError):
    """A migration directory refused as a whole.

    ``code`` is the problem's slug, ``file`` a path relative to the directory, ``offset`` counts bytes from 0, ``candidates``
    are the formats an ambiguous directory could have, ``format`` is the format as far as it was found out.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        file: str | None = None,
        offset: int | None = None,
        candidates: tuple[str, ...] = (),
        format: str | None = None,  # noqa: A002 - the published key
    ) -> None:
        super().__init__(message)
        self.code = code
        self.file = file
        self.offset = offset
        self.candidates = candidates
        self.format = format


class SetupError(PilotageError):
    """Something this machine lacks: a driver, an engine, an image, a permission, a password that works."""

    exit_code = 2


class HistoryError(SetupError):
    """Git history that is not here and could not be fetched: the base of a change is unknown."""


class ConflictError(PilotageError):
    """Two states that cannot both be right: diverged history, checksum, moved tag."""

    exit_code = 3


class DoubtError(PilotageError):
    """What happened cannot be decided by the program."""

    exit_code = 4


class TemporaryError(PilotageError):
    """A time-out or an outage; nothing is half-done and running again is safe."""

    exit_code = 5


class IntegrityError(PilotageError):
    """Stored bytes are missing or are not what their hash says."""

    exit_code = 6
