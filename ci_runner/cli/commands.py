"""The commands and the options they share; each command's module is imported only when it is the one to run."""

from __future__ import annotations

from copy import copy
from importlib import import_module

import click
from click.core import ParameterSource

from ci_runner import __version__

COMMANDS = {
    "ci": "Do what this CI run is for: lint and comment, push, or nothing",
    "lint": "Check the changed migrations and replay them on a dev database",
    "explain": "Show what each statement does, with which lock, for how long in kind",
    "schema": "Show the schema the migrations come to: diagram, SQL or JSON",
    "stats": "Write down how large production's tables are, for findings to say",
    "push": "Put the directory into the registry as its next version",
    "pull": "Write a version from the registry into a folder",
    "list": "List the directories in the registry",
    "log": "List the versions of a directory in the registry",
    "show": "Show one version in the registry and its files",
    "diff": "Compare two versions in the registry: files, SQL, schema",
    "tags": "List the tags of a directory in the registry",
    "yank": "Mark a version in the registry as not to be used, or take that back",
    "deploy": "Bring a database to the state of a directory, each statement exactly once",
    "plan": "Write down what a deployment would do, with a digest to approve",
    "status": "Say which version a database is at, what is pending, what is wrong",
    "down": "Take a database back to an earlier version; without --apply only say how",
    "baseline": "Note which version a database is at without running anything",
    "resolve": "Say what became of a statement that is in doubt",
    "verify": "Recompute every hash of a registry and name what is damaged",
    "sync": "Level a registry with its backups",
    "registry": "Check a store, list, import, print the rights each role needs",
    "adopt": "Take over what another migration tool remembers",
    "history": "List what was deployed where, as the registry records it",
    "envs": "Say which version each environment is on",
    "audit": "Print who pushed and deployed what and when, or check that record",
    "hooks": "Say who is told of which events; test, list, show and send messages again",
    "login": "Pick or make a registry, and remember it",
    "whoami": "Say who a push would be by, and where it would go",
    "hash": "Write atlas.sum anew and say which lines changed",
    "rebase": "Move this branch's migrations behind those merged meanwhile",
    "ls": "List the migrations as Pilotage reads them",
    "init": "Write pilotage.yml and the CI file for this repository",
    "doctor": "Say what was detected, which parts are missing and how to get them",
    "rules": "List the rules, or explain one",
    "trigger": "Say what this CI run was taken for",
    "completion": "Print the script that makes a shell complete commands",
}


_GENERAL = {"quiet", "verbose", "colour", "config_file"}


class Commands(click.Group):
    """Imports a command's module only when it is the one to run: start-up time is part of the product."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Names in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"ci_runner.cli.{cmd_name}_command").command
        return _with_general_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The overview, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the nearest."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, 1, 0.6)
            hint = f" — did you mean '{close[0]}'?" if close else " — see pilotage --help"
            raise click.UsageError(f"there is no command '{args[0]}'{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="pilotage %(version)s")
@click.option("-q", "--quiet", is_flag=True, help="Say only what was asked for and what went wrong.")
@click.option("-v", "--verbose", count=True, help="Say more; twice says everything.")
@click.option("--colour/--no-colour", "--color/--no-color", default=None, help="Colours; by default on a terminal.")
@click.option("--config", "config_file", metavar="FILE", help="Configuration file instead of pilotage.yml.")
@click.pass_context
def main(ctx: click.Context, quiet: bool, verbose: int, colour: bool | None, config_file: str | None) -> None:
    """Take directories of SQL migrations from pull request to production.

    Start with `pilotage lint --dir DIR`; `pilotage init` sets a repository up; `pilotage doctor` says what is missing.
    Exit codes: 0 ok · 1 findings failed the check · 2 usage or configuration · 3 conflict · 4 in doubt, needs a person ·
    5 temporary, safe to run again · 6 integrity violated · 70 a bug in Pilotage.
    """
    from ci_runner.cli.world import World

    ctx.obj = World.real(quiet=quiet, verbose=verbose, colour=colour, config_file=config_file)


def _with_general_options(command: click.Command) -> click.Command:
    """The command, which then takes the options of ``pilotage`` itself, too: people write them behind the command as often as before it."""
    known = {param.name for param in command.params}
    for option in main.params:
        if isinstance(option, click.Option) and option.name in _GENERAL - known:
            twin = copy(option)
            twin.hidden, twin.expose_value, twin.callback = True, False, _refine
            command.params.append(twin)
    return command


def _refine(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if ctx.obj is not None and param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
        from msgspec.structs import replace

        ctx.obj = replace(ctx.obj, **{param.name: value})
