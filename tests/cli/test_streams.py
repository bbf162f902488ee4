"""Streams that are closed, full or no longer read; an interruption; and how JSON is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Repository

PILOTAGE = f"{sys.executable} -m ci_runner"


def shell(repository: Repository, command: str) -> Done:
    """``command`` in bash, where PILOTAGE stands for the command; the exit code is the last one of a pipe that failed."""
    done = repository.process("bash", "-o", "pipefail", "-c", command.replace("PILOTAGE", PILOTAGE))
    assert "Exception ignored" not in done.err
    return done


@pytest.mark.parametrize("command", ["rules", "lint --all --dialect postgres --format json", "--help"])
def test_a_reader_that_goes_away_ends_the_command_as_it_ends_any_other(repository: Repository, command: str) -> None:
    done = shell(repository, f"PILOTAGE {command} | sleep 0")
    assert (done.code, done.err) == (141, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("rules >&-", 0),
        ("lint --dialect postgres >&-", 0),
        ("lint --dialect postgres 0>&- 1>&- 2>&-", 0),
        ("nonsense 2>&-", 2),
    ],
)
def test_a_closed_stream_changes_no_exit_code(repository: Repository, command: str, code: int) -> None:
    assert shell(repository, f"PILOTAGE {command}").code == code


@pytest.fixture
def full_disk(need: Callable[[bool, str, str], None]) -> None:
    need(Path("/dev/full").exists(), "/dev/full", "run on Linux")


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("command", ["rules", "lint --dialect postgres", "--help"])
def test_a_full_disk_is_temporary_and_said(repository: Repository, command: str) -> None:
    done = shell(repository, f"PILOTAGE {command} >/dev/full")
    assert done.code == 5
    assert "there is no room left" in done.err


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_behind_stderr_leaves_the_exit_code(repository: Repository) -> None:
    assert shell(repository, "PILOTAGE nonsense 2>/dev/full").code == 2


@pytest.mark.parametrize("milliseconds", [60, 120, 250])
def test_an_interruption_at_any_moment_ends_without_a_traceback(repository: Repository, milliseconds: int) -> None:
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        f"signal.setitimer(signal.ITIMER_REAL, {milliseconds / 1000})\n"
        "sys.argv = ['pilotage', 'rules']\n"
        "import ci_runner.__main__ as it\n"
        "it.main()\n"
    )
    done = repository.process(sys.executable, "-c", program)
    assert done.code in {0, 130}, done.err
    assert (done.code == 0) == ("rebuilds" in done.out and "interrupted" not in done.err)


@pytest.mark.parametrize("command", [(), ("hooks",), ("registry",)])
def test_a_command_that_lacks_its_word_is_answered_with_its_help_alone(
    folder: Repository, command: tuple[str, ...]
) -> None:
    done = folder.run(*command)
    assert done.code == 2
    assert done.err.startswith("Usage: pilotage")
    assert "error:" not in done.err


def test_json_is_asked_for_in_one_way_everywhere(repository: Repository) -> None:
    repository.write({"migrations/2.sql": "DROP TABLE users;\n"})
    lint = repository.run("lint", "--dialect", "postgres", "--json")
    assert (lint.code, lint.json["verdict"]) == (1, "fail")
    assert repository.run("lint", "--dialect", "postgres", "--format", "json").json == lint.json
    assert "users" not in repository.run("schema", "--dialect", "postgres", "--json").json["tables"]
    refused = repository.run("ls", "--format", "json")
    assert refused.code == 2
    assert "there is no option '--format' here: for JSON give --json" in refused.err
