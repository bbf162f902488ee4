"""What a command sees of the machine: environment, folder, clock, streams, verbosity — read here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from msgspec import Struct, field

from ci_runner.text import Redactor, visible

_SECRET_NAMES = ("TOKEN", "PASSWORD", "PASSWD", "SECRET", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY")
_known: list[Redactor] = [Redactor()]


class World(Struct, frozen=True):
    """The outside of one command. ``say`` prints what was asked for, ``note`` what a person may like to know (stderr).

    ``warned`` grows by what the command warned of; ``watched``: somebody sits before it.
    """

    environ: Mapping[str, str]
    cwd: Path
    colour: bool
    width: int
    quiet: bool = False
    verbose: int = 0
    config_file: str | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    nonce: Callable[[], str] = field(default=lambda: os.urandom(16).hex())
    warned: list[str] = field(default_factory=list)
    watched: bool = False

    @classmethod
    def real(cls, *, quiet: bool, verbose: int, colour: bool | None, config_file: str | None) -> World:
        """The machine as it is."""
        environ = dict(os.environ)
        keep_secret(*known_secrets(environ))
        terminal = sys.stdout.isatty()
        chosen = terminal and not environ.get("NO_COLOR") if colour is None else colour
        if environ.get("FORCE_COLOR") and colour is None:
            chosen = True
        width, watched = _width(environ, terminal=terminal), sys.stderr.isatty()
        return cls(environ, Path.cwd(), bool(chosen), width, quiet, verbose, config_file, watched=watched)

    def say(self, text: str, *, newline: bool = True) -> str:
        """Print a result; what was printed."""
        shown = redacted(text)
        _put(sys.stdout, f"{shown}\n" if newline else shown, colour=self.colour)
        return shown

    def note(self, text: str) -> None:
        """Print a remark to stderr, unless quiet."""
        if not self.quiet:
            shown = visible(redacted(text))
            _put(sys.stderr, f"\x1b[2m{shown}\x1b[0m\n" if self.colour else f"{shown}\n", colour=self.colour)

    def warn(self, text: str) -> None:
        """Print a warning to stderr."""
        self.warned.append(text)
        mark = "\x1b[33m\x1b[1mwarning: \x1b[0m" if self.colour else "warning: "
        _put(sys.stderr, f"{mark}{visible(redacted(text))}\n", colour=self.colour)

    def detail(self, text: str) -> None:
        """Print a remark that only --verbose shows."""
        if self.verbose:
            self.note(text)

    def log(self, text: str) -> None:
        """Put a CI system's own commands on its log, as they are but for secrets."""
        _put(sys.stdout, redacted(text), colour=True)

    def read(self, path: str) -> bytes:
        """Bytes of a file the environment names (an event file); at most 16 MiB."""
        with Path(path).open("rb") as stream:
            return stream.read(16 * 1024 * 1024)


def _put(stream: TextIO | None, text: str, *, colour: bool) -> None:
    """Write and flush; what takes more than that (colours to be taken out, a stream that cannot spell every letter) click does."""
    if stream is not None and stream.encoding == "utf-8" and (colour or "\x1b" not in text):
        stream.write(text)
        stream.flush()
        return
    import click

    click.echo(text, nl=False, err=stream is sys.stderr, color=colour)


def _width(environ: Mapping[str, str], *, terminal: bool) -> int:
    if environ.get("COLUMNS", "").isdigit():
        return max(40, min(200, int(environ["COLUMNS"])))
    if not terminal:
        return 120
    import shutil

    return min(140, shutil.get_terminal_size().columns)


def known_secrets(environ: Mapping[str, str]) -> list[str]:
    """Values of the environment whose name says they are secret."""
    return [v for name, v in environ.items() if len(v) >= 6 and any(word in name.upper() for word in _SECRET_NAMES)]


def keep_secret(*values: str | None) -> None:
    """Never print these again."""
    if any(values):
        _known[0] = _known[0].knowing(*values)


def keep_password(*addresses: str | None) -> None:
    """Never print the passwords in these addresses again."""
    from urllib.parse import unquote, urlsplit

    for address in addresses:
        if not address or "@" not in address:
            continue
        try:
            password = urlsplit(address).password
        except ValueError:
            keep_secret(address)
            continue
        if password:
            keep_secret(password, unquote(password))


def redacted(text: str) -> str:
    """``text`` without any secret known so far."""
    return _known[0](text)


def known() -> Redactor:
    """The redactor of every secret known so far."""
    return _known[0]
