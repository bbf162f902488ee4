"""What a person meets beside the plain way: looking, folders under other names, files that stopped or were edited."""

from __future__ import annotations

import json
import sqlite3
from errno import ENOSPC
from pathlib import Path

import click
import pytest

from ci_runner.cli.deploy_options import Answering
from ci_runner.cli.world import World
from ci_runner.errors import ConflictError
from tests.cli.conftest import Repository, folder, repository
from tests.deploy.test_command import KEYS, A, B, url

__all__ = ["folder", "repository", "url"]


def test_who_only_looks_makes_no_database(folder: Repository, url: str) -> None:
    folder.write(A)
    for words in (["status"], ["plan"], ["deploy", "--dry-run"]):
        assert folder.run(*words, "--dir", "migrations", "--to", url).code == 0
    assert not Path(url.removeprefix("sqlite://")).exists()


def test_a_deployment_that_has_the_file_is_no_riddle_to_who_looks(folder: Repository, url: str) -> None:
    folder.write(A)
    folder.run("deploy", "--dir", "migrations", "--to", url)
    with sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        looked = folder.run("status", "--dir", "migrations", "--to", url)
    assert looked.code == 5
    assert "another process has it" in looked.err


def test_a_file_that_stopped_says_what_is_left_of_it(folder: Repository, url: str) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\nCREATE TABLE a (id int);\n"})
    refused = folder.run("deploy", "--dir", "migrations", "--to", url)
    assert (refused.code, "1_a.sql stopped at statement 2: nothing of it took effect" in refused.err) == (1, True)


def test_a_folder_copied_under_another_name_is_the_same_history(folder: Repository, url: str) -> None:
    folder.write(A)
    folder.run("deploy", "--dir", "migrations", "--to", url)
    folder.write({name.replace("migrations/", "copy/"): text for name, text in B.items()})
    done = folder.run("deploy", "--dir", "copy", "--to", url, "--json")
    assert (done.code, done.json["from"], done.json["applied"]) == (0, "1", ["2"])
    folder.write({"other/1_other.sql": "CREATE TABLE other (id int);\n"})
    other = folder.run("deploy", "--dir", "other", "--to", url, "--json")
    assert (other.code, other.json["error"]["code"]) == (3, 3)
    assert "knows nothing of other" in other.json["error"]["message"]


def test_an_edited_file_is_shown_against_the_commit_that_has_the_applied_bytes(
    repository: Repository, url: str
) -> None:
    repository.commit({"migrations/2_b.sql": "CREATE TABLE b (\n  id int\n);\n"})
    repository.run("deploy", "--dir", "migrations", "--to", url)
    repository.commit({"migrations/2_b.sql": "CREATE TABLE b (\n  id bigint\n);\n"})
    refused = repository.run("deploy", "--dir", "migrations", "--to", url)
    assert refused.code == 3
    assert "-  id int\n" in refused.err
    assert "+  id bigint\n" in refused.err


def test_a_misspelt_command_line_is_answered_in_json_where_that_is_asked_for(folder: Repository, url: str) -> None:
    folder.write(A)
    for words in (["--nonsense"], ["--amount", "0"], ["--order", "sideways"], ["one", "two"]):
        refused = folder.run("deploy", "--dir", "migrations", "--to", url, "--json", *words)
        assert (refused.code, list(refused.json), refused.json["error"]["code"]) == (2, KEYS, 2)
        assert folder.run("deploy", "--dir", "migrations", "--to", url, *words).out == ""


def test_a_folder_without_migrations_is_said_to_have_none(folder: Repository, url: str) -> None:
    (folder.path / "empty").mkdir()
    done = folder.run("deploy", "--dir", "empty", "--to", url, "--json")
    assert (done.code, done.json["status"]) == (0, "noop")
    assert "empty holds no migration" in done.err


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (OSError(ENOSPC, "No space left on device", "/tmp/x"), 5),
        (MemoryError(), 5),
        (KeyError("lost"), 70),
        (KeyboardInterrupt(), 130),
        (ConflictError("no"), 3),
    ],
)
def test_whatever_ends_a_deployment_is_answered_in_json_where_that_is_asked_for(
    ended: BaseException, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(as_json: bool) -> None:
        raise ended

    command = Answering("deploy", callback=broken, params=[click.Option(["--json", "as_json"], is_flag=True)])
    world = World({}, tmp_path, colour=False, width=80)
    for words in (["--json"], []):
        with pytest.raises(type(ended)):
            command.invoke(command.make_context("deploy", words, obj=world))
    answer = json.loads(capsys.readouterr().out)
    assert (list(answer), answer["status"], answer["error"]["code"]) == (KEYS, "failed", code)
