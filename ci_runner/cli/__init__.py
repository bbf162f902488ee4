"""The command line: the only reader of the environment, the arguments and the clock; errors become exit codes here.

A plain ``lint`` never imports click: that takes a tenth of the time in which a thousand files are linted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ci_runner.errors import PilotageError

if TYPE_CHECKING:
    from click import ClickException

    from ci_runner.cli.brisk import Asked
    from ci_runner.cli.commands import COMMANDS, main

__all__ = ["COMMANDS", "main", "run"]


def __getattr__(name: str) -> Any:
    """Imports the commands when they are first asked for."""
    if name not in {"COMMANDS", "main"}:
        raise AttributeError(f"module 'ci_runner.cli' has no attribute {name!r}")
    from ci_runner.cli import commands

    return getattr(commands, name)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. The one place where any exception ends."""
    try:
        return _run(arguments)
    except PilotageError as error:
        return _say(str(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except MemoryError:
        return _say("out of memory: give the job more, or lint fewer files (--latest N)", 5)
    except Exception as error:  # noqa: BLE001  # the one broad except: a bug must not look like a traceback
        return _bug(error)


def _run(arguments: Sequence[str]) -> int:
    from ci_runner.cli import brisk

    asked = brisk.lint(arguments)
    return _commanded(arguments) if asked is None else _asked(asked)


def _asked(asked: Asked) -> int:
    """A plain ``lint``, ended as click ends a command."""
    from ci_runner.cli import linting
    from ci_runner.cli.world import World

    world = World.real(quiet=asked.quiet, verbose=0, colour=None, config_file=None)
    try:
        return linting.lint(world, asked.flags, asked.form, asked.output)
    except KeyboardInterrupt:
        return _say("interrupted", 130, above="\n")
    except BrokenPipeError:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return 1


def _commanded(arguments: Sequence[str]) -> int:
    import click

    from ci_runner.cli.commands import main

    try:
        answer = main.main(list(arguments), prog_name="pilotage", standalone_mode=False)
    except click.ClickException as error:
        return _usage(error)
    except click.exceptions.Abort:
        return _say("interrupted", 130)
    return answer if isinstance(answer, int) else 0


def _usage(error: ClickException) -> int:
    ctx = getattr(error, "ctx", None)
    hint = f"\nSee '{ctx.command_path} --help'." if ctx is not None else ""
    return _say(error.format_message() + hint, 2)


def _say(message: str, code: int, above: str = "") -> int:
    import click

    from ci_runner.cli.world import redacted
    from ci_runner.text import visible

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
