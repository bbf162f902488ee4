"""A plain ``lint`` or ``status`` is read without click, and means what click would take it to mean."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_runner.cli import brisk, lint_command, status_command
from ci_runner.cli.commands import main
from ci_runner.config.options import OPTIONS, flag

FLAGS = sorted({flag(option) for option in OPTIONS if {"lint", "status"} & {*option.commands}})
OWN = [name for own in brisk.OWN.values() for name in own]
WORDS = st.one_of(
    st.sampled_from(
        [
            *FLAGS,
            *OWN,
            *brisk.QUIET,
            "lint",
            "status",
            "--",
            "-",
            "-v",
            "--fix",
            "--no-all",
            "--al",
            "--all=1",
            "--help",
        ]
    ),
    st.sampled_from(["", "a", "a=b", "-x", "1", "sarif=x", "push", "off", "warn", "error"]),
    st.builds("{}={}".format, st.sampled_from([*FLAGS, *OWN]), st.sampled_from(["", "a", "=", "-", "--all", "off"])),
)
COMMANDS = {"lint": lint_command.command, "status": status_command.command}


def _by_click(wanted: str, arguments: list[str]) -> brisk.Asked:
    with main.make_context("pilotage", list(arguments)) as context:
        quiet = context.params["quiet"]
        name, found, rest = main.resolve_command(context, [*context._protected_args, *context.args])
        assert (name, found and found.name) == (wanted, wanted)
        with COMMANDS[wanted].make_context(wanted, list(rest), parent=context) as inner:
            given = {n: v for n, v in inner.params.items() if v not in (None, (), False)}
            named = {*brisk.OWN[wanted].values()}
            assert set(given) <= named | {option.name for option in OPTIONS}
            own = {n: v for n, v in given.items() if n in named and (n, v) != ("form", "text")}
            flags = {n: v for n, v in given.items() if n not in named}
            return brisk.Asked(wanted, quiet or "-q" in rest or "--quiet" in rest, flags, own)


@given(st.sampled_from(sorted(COMMANDS)), st.lists(WORDS, max_size=6))
def test_what_is_read_without_click_is_what_click_reads(command: str, words: list[str]) -> None:
    for arguments in ([*words, command], [command, *words], ["-q", command, *words]):
        asked = brisk.asked(arguments)
        if asked is not None:
            own = {name: value for name, value in asked.own.items() if (name, value) != ("form", "text")}
            assert brisk.Asked(asked.command, asked.quiet, asked.flags, own) == _by_click(asked.command, arguments)


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
        "status x",
        "status --to",
        "status --drift error",
        "status --json=1",
        "-v status",
        "--all lint",
    ],
)
def test_every_other_line_is_left_to_click(line: str) -> None:
    assert brisk.asked(line.split()) is None


def test_a_plain_line_is_read_whole() -> None:
    line = "--quiet lint --dir db --dialect=mysql --all --report sarif=a --report json=b --format json --output x"
    asked = brisk.asked(line.split())
    flags = {"dir": "db", "dialect": "mysql", "all": True, "report": ("sarif=a", "json=b")}
    assert asked == brisk.Asked("lint", quiet=True, flags=flags, own={"form": "json", "output": "x"})
    asked = brisk.asked(
        ["status", "--to", "sqlite://x.db", "--dir=db", "--json", "--drift", "off", "--require-primary", "-q"]
    )
    own = {"url": "sqlite://x.db", "as_json": True, "drift": "off", "require_primary": True}
    assert asked == brisk.Asked("status", quiet=True, flags={"dir": "db"}, own=own)


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


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_plain_status_imports_no_click_and_says_what_the_other_way_says(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    line = ("status", "--to", f"sqlite://{tmp_path}/x.db", "--dir", "migrations", *form)
    plain, clicked = _lint(tmp_path, *line), _lint(tmp_path, "-v", *line)
    *told, imported = plain.stdout.splitlines()
    assert told == clicked.stdout.splitlines()[:-1]
    assert told
    assert "click" not in imported
    assert plain.stderr == clicked.stderr


def test_an_error_reads_the_same_either_way(tmp_path: Path) -> None:
    plain, clicked = (
        _lint(tmp_path, "lint", "--all", "--dir", "none"),
        _lint(tmp_path, "-v", "lint", "--all", "--dir", "none"),
    )
    assert plain.stderr == clicked.stderr
    assert plain.stderr.startswith("error: the directory none (")
    assert plain.stdout.split()[-1] == clicked.stdout.split()[-1] == "2"


def test_click_is_what_reads_other_lines(tmp_path: Path) -> None:
    done = _lint(tmp_path, "-v", "ls", "--dialect", "postgres")
    assert "'click'" in done.stdout.splitlines()[-1], done.stderr
    assert "1.sql" in done.stdout
