"""A question that was answered is answered again at once, and anything the answer rests on makes it a new question."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_runner import again
from tests.cli.conftest import Done, Repository

LINT = ("--quiet", "lint", "--all", "--dialect", "postgres", "--format", "json", "--cache-dir", "cache")
RISKY = "ALTER TABLE users DROP COLUMN email;\n"
FALSE = b"an answer nobody gives\n"  # put in the place of the kept one, it shows whether that is used


@pytest.fixture
def asked(repository: Repository) -> Repository:
    """The repository, with the question asked once, and its answer made recognizable."""
    first = repository.write({"migrations/2_drop.sql": RISKY}).run(*LINT)
    assert (first.code, first.json["verdict"]) == (1, "fail")
    return repository


def _falsify(repository: Repository) -> None:
    for path in _answers(repository):
        head, blank, _ = path.read_bytes().partition(b"\n\n")
        path.write_bytes(head + blank + FALSE)


def _answers(repository: Repository) -> list[Path]:
    return sorted((repository.path / "cache").glob("answer-*"))


def test_the_same_question_gets_the_same_answer_and_exit_code(asked: Repository) -> None:
    fresh = asked.run(*LINT, "--cache-dir", "other")
    assert asked.run(*LINT) == fresh
    assert fresh.json["verdict"] == "fail"


def test_what_was_answered_is_not_worked_out_again(asked: Repository) -> None:
    _falsify(asked)
    assert asked.run(*LINT) == Done(1, FALSE.decode(), "")


def _link(repository: Repository) -> None:
    (repository.path / "migrations/3.sql").symlink_to("2_drop.sql")


def _hard_link(repository: Repository) -> None:
    os.link(repository.path / "migrations/2_drop.sql", repository.path / "elsewhere.sql")


CHANGES: dict[str, Callable[[Repository], object]] = {
    "a file is edited": lambda r: r.write({"migrations/2_drop.sql": RISKY + "\n"}),
    "a file is added": lambda r: r.write({"migrations/3_more.sql": "SELECT 1;\n"}),
    "a file is removed": lambda r: (r.path / "migrations/2_drop.sql").unlink(),
    "a folder is added": lambda r: (r.path / "migrations/later").mkdir(),
    "a link is added": _link,
    "a file gets a second name": _hard_link,
    "a configuration appears": lambda r: r.write({"pilotage.yml": "rules: {drop-column: off}\n"}),
    "a marker of another format appears": lambda r: r.write({"Cargo.toml": '[dependencies]\nsqlx = "0.8"\n'}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_kept_is_said_when(asked: Repository, change: str) -> None:
    _falsify(asked)
    CHANGES[change](asked)
    assert FALSE.decode() not in asked.run(*LINT).out


@pytest.mark.parametrize(
    ("flags", "environ"),
    [
        (("--fail-on", "never"), {}),
        ((), {"PILOTAGE_FAIL_ON": "never"}),
        ((), {"CI": "true"}),
        (("--no-colour",), {}),
        (("--report", "json=report.json"), {}),
        (("--output", "report.json"), {}),
    ],
)
def test_another_command_or_environment_is_another_question(
    asked: Repository, flags: tuple[str, ...], environ: dict[str, str]
) -> None:
    _falsify(asked)
    assert FALSE.decode() not in asked.run(*LINT, *flags, **environ).out


def test_an_answer_that_rests_on_more_than_files_is_not_kept(repository: Repository) -> None:
    repository.write({"pilotage.yml": "rules: {drop-column: off}\n"})
    repository.run(*LINT)
    repository.run(*LINT[:-2], "--dev-url", "sqlite://dev?mode=memory", *LINT[-2:])
    assert not _answers(repository)


@pytest.mark.parametrize(
    "kept",
    [b"", b"pilotage answer 1\n", b"pilotage answer 2\n0\n\nfine\n", b"pilotage answer 1\nx\n\nfine\n", b"\xff\n\n"],
)
def test_bytes_that_are_no_answer_are_none(asked: Repository, kept: bytes) -> None:
    for path in _answers(asked):
        path.write_bytes(kept)
    assert asked.run(*LINT).json["verdict"] == "fail"


def test_only_plain_questions_are_remembered(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert again.question(LINT, environ, terminal=False) is not None
    assert again.question(LINT, environ, terminal=True) is None
    assert again.question(("ci", "--all"), environ, terminal=False) is None
    assert again.question(("lint",), environ, terminal=False) is None
    assert again.question(("lint", "--all"), {}, terminal=False) is None
