"""Runs the main job on the example shop, as its CI would: lint the branch, write the comment, merge, push, deploy.

Everything happens in .demo/ (a real git repository made from examples/shop) and through the ``pilotage`` command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "shop"
DEMO = ROOT / ".demo"
SHOP = DEMO / "shop"
REGISTRY = f"file://{DEMO / 'registry'}"
TILL = f"sqlite://{DEMO / 'till.db'}"
DIRECTORIES = {"shop": "db/shop", "till": "db/till"}
BRANCH = "store-sales"

# The demo must look the same everywhere: no git settings of the user's, no CI variables that would change the trigger.
ENVIRONMENT = {
    **{
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TERM", "TMPDIR", "NO_COLOR", "COLUMNS")
        if name in os.environ
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada of the shop",
    "GIT_AUTHOR_EMAIL": "ada@shop.example",
    "GIT_COMMITTER_NAME": "Ada of the shop",
    "GIT_COMMITTER_EMAIL": "ada@shop.example",
}


def git(folder: Path, *arguments: str) -> None:
    """Run git in a repository; it must succeed."""
    subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)


def pilotage(*arguments: str, allowed: Sequence[int] = (0,)) -> int:
    """Run the command as a user would, its output going to the screen; an exit code that is not ``allowed`` ends the demo."""
    shown = " ".join(arguments).replace(str(DEMO), "…/.demo")
    say(f"$ pilotage {shown}", "1;36")
    sys.stdout.flush()
    colour = "--no-colour" if "NO_COLOR" in os.environ else "--colour"
    program = str(Path(sys.executable).with_name("pilotage"))
    code = subprocess.run([program, colour, *arguments], cwd=SHOP, env=ENVIRONMENT, check=False).returncode
    if code not in allowed:
        raise SystemExit(f"pilotage {shown} ended with exit code {code}; the lines above say why")
    print()
    return code


def say(text: str, style: str) -> None:
    """Print in a colour, unless NO_COLOR asks for none."""
    print(text if "NO_COLOR" in os.environ else f"\033[{style}m{text}\033[0m")


def build(shop: Path) -> None:
    """A repository in ``shop``: what was released on main, the change on a branch that is checked out."""
    shop.mkdir(parents=True)
    for name in ("db", "pilotage.yml", "README.md"):
        source = EXAMPLE / name
        shutil.copytree(source, shop / name) if source.is_dir() else shutil.copy(source, shop / name)
    git(shop, "init", "--quiet", "--initial-branch=main")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "A year of the shop")
    git(shop, "switch", "--quiet", "--create", BRANCH)
    shutil.copytree(EXAMPLE / "branch", shop, dirs_exist_ok=True)
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "Sell in stores, too")


def push() -> None:
    """Every directory of pilotage.yml into the registry, as a merge to main does it in CI."""
    for name in DIRECTORIES:
        pilotage("push", name, "--registry", REGISTRY)


def deploy() -> None:
    """The till's database brought to what the registry holds."""
    pilotage("deploy", "till", "--to", TILL, "--registry", REGISTRY)


def run() -> None:
    """The whole way, then what was done and where to look."""
    shutil.rmtree(DEMO, ignore_errors=True)
    build(SHOP)
    git(SHOP, "switch", "--quiet", "main")
    push()
    deploy()
    git(SHOP, "switch", "--quiet", BRANCH)
    page = DEMO / "comment.html"
    verdict = pilotage("lint", "--base", "main", "--report", f"html={page}", allowed=(0, 1))
    git(SHOP, "switch", "--quiet", "main")
    git(SHOP, "merge", "--quiet", "--no-ff", "--message", f"Merge {BRANCH}", BRANCH)
    push()
    deploy()
    pilotage("log", "shop", "--registry", REGISTRY)
    pilotage("verify", "--registry", REGISTRY)
    summary(verdict, page)


def summary(verdict: int, page: Path) -> None:
    """What happened, in as few lines as it takes."""
    migrations = len(list((SHOP / DIRECTORIES["shop"]).glob("*.sql")))
    say("What this did", "1")
    print(f"""\
  1. Made a git repository from examples/shop: {DEMO.name}/shop, with main and the branch {BRANCH}.
  2. Replayed main on PostgreSQL 18 (from a wheel) and SQLite (in memory), and pushed both directories: version 1.
  3. Linted the branch against main. {"The check failed, as it should: in CI the pull request would be red." if verdict else "The check passed."}
  4. Merged all the same, replayed again, and pushed what changed: {migrations} migrations of the shop are version 2.
  5. Deployed the till from the registry to an SQLite database, before and after: the second time only what is new.
  6. Recomputed every hash of the registry.

Look at
  {page.relative_to(ROOT)}        the comment as the pull request shows it: open it in a browser
  {DEMO.name}/registry            the registry, plain files: dirs/*/log in order, blobs by hash
  {DEMO.name}/till.db             the database that was deployed to
  examples/shop/branch      the change itself
  docs/rules                every rule, with what to do instead""")


if __name__ == "__main__":
    run()
