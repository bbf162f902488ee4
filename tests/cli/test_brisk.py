"""A plain ``lint`` is read without click, and means what click would take it to mean."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner.cli import brisk
from ci_runner.cli.commands import main
from ci_runner.cli.lint_command import command
from ci_runner.config.options import OPTIONS, flag

FLAGS = [flag(option) for option in OPTIONS if "lint" in option.commands]
WORDS = st.one_of(
    st.sampled_from(
        [*FLAGS, *brisk.OWN, *brisk.QUIET, "lint", "--", "-", "-v", "--fix", "--no-all", "--al", "--all=1", "--help"]
    ),
    st.sampled_from(["", "a", "a=b", "-x", "1", "sarif=x", "push"]),
    st.builds("{}={}".format, st.sampled_from([*FLAGS, *brisk.OWN]), st.sampled_from(["", "a", "=", "-", "--all"])),
)


def _by_click(arguments: list[str]) -> brisk.Asked:
    with main.make_context("pilotage", list(arguments)) as context:
        quiet = context.params["quiet"]
        name, found, rest = main.resolve_command(context, [*context._protected_args, *context.args])
        assert (name, found and found.name) == ("lint", "lint")
        with command.make_context("lint", list(rest), parent=context) as inner:
            own = {"form", "output", "fix", "dry_run", "write_baseline"}
            assert not inner.params["fix"]
            flags = {n: v for n, v in inner.params.items() if n not in own and v not in (None, ())}
            return brisk.Asked(
                quiet or "-q" in rest or "--quiet" in rest, flags, inner.params["form"], inner.params["output"]
            )


@given(st.lists(WORDS, max_size=6))
def test_what_is_read_without_click_is_what_click_reads(words: list[str]) -> None:
    for arguments in ([*words, "lint"], ["lint", *words], ["-q", "lint", *words]):
        asked = brisk.lint(arguments)
        if asked is not None:
            assert asked == _by_click(arguments)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "push",
        "lint --fix",
        "lint --help",
        "-v lint",
        "lint --dir",
        "lint --dir --all",
        "lint --al",
        "--config x lint",
        "lint x",
        "--all lint",
    ],
)
def test_every_other_line_is_left_to_click(line: str) -> None:
    assert brisk.lint(line.split()) is None


def test_a_plain_line_is_read_whole() -> None:
    line = "--quiet lint --dir db --dialect=mysql --all --report sarif=a --report json=b --format json --output x"
    asked = brisk.lint(line.split())
    flags = {"dir": "db", "dialect": "mysql", "all": True, "report": ("sarif=a", "json=b")}
    assert asked == brisk.Asked(quiet=True, flags=flags, form="json", output="x")


def _lint(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    code = (
        "import sys; from ci_runner.__main__ import _import_msgspec; _import_msgspec(); from ci_runner.cli import run; code = run(sys.argv[1:]);"
        "print(sorted({'click', 'inspect', 'typing_extensions', 'json'} & {*sys.modules}), code)"
    )
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "migrations" / "1.sql").write_text("CREATE TABLE t (id bigint PRIMARY KEY);\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_a_plain_run_imports_neither_click_nor_what_only_it_needs(tmp_path: Path) -> None:
    done = _lint(tmp_path, "lint", "--all", "--format", "json", "--dialect", "postgres")
    assert done.stdout.splitlines()[-1] == "[] 0", done.stderr


def test_an_error_reads_the_same_either_way(tmp_path: Path) -> None:
    plain, clicked = (
        _lint(tmp_path, "lint", "--all", "--dir", "none"),
        _lint(tmp_path, "-v", "lint", "--all", "--dir", "none"),
    )
    assert plain.stderr == clicked.stderr
    assert plain.stderr.startswith("error: the directory none (")
    assert plain.stdout.split()[-1] == clicked.stdout.split()[-1] == "2"


def test_click_is_what_reads_other_lines() -> None:
    assert isinstance(main, click.Group)
