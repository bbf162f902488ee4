"""``pilotage completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

from ci_runner.cli.world import World


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  pilotage completion bash >> ~/.bashrc
    zsh:   pilotage completion zsh >> ~/.zshrc
    fish:  pilotage completion fish > ~/.config/fish/completions/pilotage.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    world: World = ctx.obj
    if kind is not None:
        world.say(kind(ctx.find_root().command, {}, "pilotage", "_PILOTAGE_COMPLETE").source())
