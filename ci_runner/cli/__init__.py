"""The command line: the only reader of the environment, the arguments and the clock; errors become exit codes here.

A plain ``lint`` or ``status`` never imports click: that takes a tenth of the time in which a thousand files are linted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from typing import TYPE_CHECKING

from ci_runner import lazily
from ci_runner.errors import PilotageError

if TYPE_CHECKING:
    from click import ClickException

    from ci_runner.cli.brisk import Asked
    from ci_runner.cli.commands import COMMANDS, main

__getattr__ = lazily(__name__, {"COMMANDS": "commands", "main": "commands"})

__all__ = ["COMMANDS", "main", "run"]

INTERRUPTED = 130
READER_GONE = 141  # what a shell says of a program that SIGPIPE ended: a verdict that nobody read is no 0


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. The one place where any exception ends."""
    try:
        return _run(arguments)
    except PilotageError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED, above="\n")
    except BrokenPipeError:
        _mute()
        return READER_GONE
    except OSError as error:
        return _no_room(error) if error.errno in {ENOSPC, EDQUOT} else _bug(error)
    except MemoryError:
        return _say("out of memory: give the job more, or lint fewer files (--latest N)", 5)
    except Exception as error:  # noqa: BLE001  # the one broad except: a bug must not look like a traceback
        return _bug(error)


def _run(arguments: Sequence[str]) -> int:
    from ci_runner.cli import brisk

    asked = brisk.asked(arguments)
    return _commanded(arguments) if asked is None else _asked(asked)


def _asked(asked: Asked) -> int:
    """A plain ``lint`` or ``status``."""
    from ci_runner.cli.world import World

    world = World.real(quiet=asked.quiet, verbose=0, colour=None, config_file=None)
    if asked.command == "status":
        from ci_runner.cli import standing

        own = {name: value for name, value in asked.own.items() if name != "as_json"}
        return standing.show(world, None, {**asked.flags, **own}, as_json="as_json" in asked.own)
    from ci_runner.cli import linting

    return linting.lint(world, asked.flags, asked.own.get("form", "text"), asked.own.get("output"))


def _commanded(arguments: Sequence[str]) -> int:
    import click

    from ci_runner.cli.commands import main

    try:
        answer = main.main(list(arguments), prog_name="pilotage", standalone_mode=False)
    except click.ClickException as error:
        return _usage(error)
    except click.exceptions.Abort:
        return _say("interrupted", INTERRUPTED)
    except SystemExit as left:  # a completed command line; else click's word for a reader that went away
        return int(left.code or 0) if "_PILOTAGE_COMPLETE" in os.environ else READER_GONE
    return answer if isinstance(answer, int) else 0


def _usage(error: ClickException) -> int:
    from click import echo
    from click.exceptions import NoArgsIsHelpError, NoSuchOption, UsageError

    ctx = error.ctx if isinstance(error, UsageError) else None
    if isinstance(error, NoArgsIsHelpError) or ctx is None:
        echo(error.format_message(), err=True)
        return 2
    known = {name for param in ctx.command.params for name in param.opts}
    said = error.format_message().rstrip(".")
    if isinstance(error, NoSuchOption) and error.option_name == "--format" and "--json" in known:
        said = "there is no option '--format' here: for JSON give --json"
    return _say(f"{said}\nSee '{ctx.command_path} --help'.", 2)


def _mute() -> None:
    """Send to nobody what stdout still holds: writing it at the end would fail again."""
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def _no_room(error: OSError) -> int:
    where = f" for {error.filename}" if error.filename else ", or what the output goes to is full"
    if not error.filename:
        _mute()
    return _say(f"there is no room left on the disk{where}: make room and run again", 5)


def _say(message: str, code: int, above: str = "") -> int:
    import click

    from ci_runner.cli.world import redacted
    from ci_runner.text import visible

    with suppress(OSError):  # where nobody reads stderr the exit code is what is left
        click.echo(above + click.style("error: ", fg="red", bold=True) + visible(redacted(message)), err=True)
    return code


def _bug(error: Exception) -> int:
    import traceback

    from ci_runner.config.names import HOMEPAGE

    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rsplit('ci_runner/', 1)[-1]}:{frame.lineno}"
    return _say(
        f"this is a bug in Pilotage, not in your migrations: {type(error).__name__} at {where}: {error}\n"
        f"Please report it with the command line: {HOMEPAGE}/issues",
        70,
    )
