"""Click options from the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from ci_runner.config.options import BY_NAME, OPTIONS, Option, flag

Complete = Callable[[click.Context, click.Parameter, str], list[Any]]  # of texts, or of what the shell completes itself
Function = TypeVar("Function", bound=Callable[..., Any])


def manifest(command: str) -> Callable[[Function], Function]:
    """Decorator: every option of the manifest that ``command`` has, as a flag whose absence is None."""

    def decorate(function: Function) -> Function:
        for option in reversed([o for o in OPTIONS if command in o.commands]):
            function = _option(option)(function)
        return function

    return decorate


def choice(name: str, text: str) -> Callable[[Function], Function]:
    """Decorator: the manifest's choice ``name`` for a command that means something of its own by it, which ``text`` says."""
    option = BY_NAME[name]
    return click.option(
        flag(option),
        metavar=name.upper(),
        help=f"{text}: {', '.join(option.choices)}.",
        shell_complete=among(option.choices),
    )


class Subcommands(click.Group):
    """A group whose overview gives the first sentence of each command whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Every command with its first sentence, without the full stop."""
        with formatter.section("Commands"):
            told = (
                (name, (each.help or "").partition(".\n")[0].partition(". ")[0].split())
                for name, each in sorted(self.commands.items())
            )
            formatter.write_dl([(name, " ".join(words).rstrip(".")) for name, words in told])


def _option(option: Option) -> Callable[[Function], Function]:
    default = f"  [{option.default}]" if option.default not in (None, False, True) else ""
    text = f"{option.help}.{default}"
    if option.kind == "switch":
        both = f"{flag(option)}/--no-{option.name.replace('_', '-')}" if option.default else flag(option)
        return click.option(both, option.name, default=None, is_flag=True, help=text)
    if option.kind == "list":
        return click.option(flag(option), option.name, multiple=True, metavar=option.metavar, help=text)
    if option.kind == "choice":
        text = f"{option.help}: {', '.join(option.choices)}.{default}"
        return click.option(
            flag(option), option.name, metavar=option.name.upper(), help=text, shell_complete=among(option.choices)
        )
    path = _PATHS.get(option.metavar)
    return click.option(
        flag(option), option.name, metavar=option.metavar or option.name.upper(), help=text, shell_complete=path
    )


def among(words: Iterable[str]) -> Complete:
    """Completes one of ``words`` in a shell."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG001
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _path(kind: str) -> Complete:
    """Lets the shell complete a ``dir`` or a ``file``."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG001
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=kind)]

    return complete


_PATHS = {"DIR": _path("dir"), "FILE": _path("file")}
