"""Bad input gets a clear error — what, where, what to do — with the right exit code, and nothing is lost."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Repository

GOOD = {"migrations/1.sql": "CREATE TABLE a (id int);\n"}

# what lies in the folder → flags → exit code → what the message must hold
FILES: dict[str, tuple[Mapping[str, str | bytes], tuple[str, ...], int, tuple[str, ...]]] = {
    "a missing directory": ({}, (), 2, ("migrations", "does not exist")),
    "a file where a directory belongs": ({"migrations": "x"}, (), 2, ("migrations", "not a directory")),
    "a UTF-16 file": ({"migrations/1.sql": "SELECT 1;".encode("utf-16")}, (), 2, ("1.sql", "UTF-8")),
    "a file with a NUL byte": ({"migrations/1.sql": b"SELECT 1;\x00"}, (), 2, ("1.sql", "NUL", "9")),
    "a binary file": ({"migrations/1.sql": bytes(range(128, 256))}, (), 2, ("1.sql", "UTF-8")),
    "an unknown dialect": (GOOD, ("--dialect", "oracle"), 2, ("oracle", "postgres")),
    "an unknown format": (GOOD, ("--format", "yaml"), 2, ("yaml", "json")),
    "an unknown option": (GOOD, ("--dialekt", "x"), 2, ("--dialekt", "--help")),
    "an unknown directory format": (GOOD, ("--dir-format", "rails"), 2, ("rails", "goose")),
    "two ways to say what changed": (GOOD, ("--all", "--latest", "1"), 2, ("--latest", "--all")),
    "a commit outside Git": (GOOD, ("--base", "main"), 2, ("main", "not in a Git repository")),
    "a registry base without a registry": (GOOD, ("--base", "pilotage://app"), 2, ("--registry",)),
    "a dev URL of an unknown kind": (GOOD, ("--dialect", "postgres", "--dev-url", "oracle://x"), 2, ("oracle", "embedded://postgres/18")),
    "a dev database of another dialect": (GOOD, ("--dialect", "mysql", "--dev-url", "sqlite://dev?mode=memory"), 2, ("mysql", "sqlite")),
    "an unknown key in pilotage.yml": ({**GOOD, "pilotage.yml": "dri: x\n"}, (), 2, ("'dri' in pilotage.yml:1", "'dir'")),
    "a configuration file that is not there": (GOOD, (), 2, ("nowhere.yml",)),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_bad_input_is_named_with_its_remedy(folder: Repository, case: str) -> None:
    files, flags, code, words = FILES[case]
    before = ("--config", "nowhere.yml") if "nowhere.yml" in words else ()
    done = folder.write(files).run(*before, "lint", *flags)
    assert done.code == code, done.err
    for word in words:
        assert word in done.err, done.err
    assert done.err.startswith("error: ")


CONFIGURATIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to itself": (lambda path: path.symlink_to(path.name), "is no file that can be read"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "is no file that can be read"),
    "a folder": (lambda path: path.mkdir(), "is no file that can be read"),
    "a pipe": (os.mkfifo, "is no file that can be read"),
    "another encoding": (lambda path: path.write_bytes(b"dir: caf\xe9\n"), "is not UTF-8 from byte offset 8 on"),
    "too much": (lambda path: path.write_bytes(b"#" * 2_000_000), "is larger than 256 KiB"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_configuration_that_is_none_is_refused_and_never_passed_over(folder: Repository, case: str) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\n"})
    make, said = CONFIGURATIONS[case]
    make(folder.path / "pilotage.yml")
    done = folder.run("lint", "--dialect", "postgres")
    assert done.code == 2
    assert "pilotage.yml" in done.err
    assert said in done.err


def test_a_symlink_out_of_the_tree_is_never_read(folder: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text("SELECT 'out of the tree';")
    folder.write(GOOD)
    (folder.path / "migrations/2.sql").symlink_to(tmp_path / "secret.sql")
    done = folder.run("lint", "--dialect", "postgres")
    assert done.code == 2
    assert "2.sql" in done.err
    assert "symbolic link" in done.err
    assert "out of the tree" not in done.out + done.err


def test_an_unreadable_file_is_named(folder: Repository) -> None:
    folder.write(GOOD)
    (folder.path / "migrations/1.sql").chmod(0)
    # root reads everything: as root, do without the right to
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    done = folder.process(*without, sys.executable, "-m", "ci_runner", "lint", "--dialect", "postgres")
    assert done.code == 2, done.err
    assert "1.sql" in done.err
    assert "cannot be read" in done.err


def test_a_file_over_the_cap_is_named_with_the_cap(folder: Repository) -> None:
    folder.write(GOOD)
    with (folder.path / "migrations/2.sql").open("wb") as stream:
        stream.truncate(64 * 1024 * 1024 + 1)
    done = folder.run("lint", "--dialect", "postgres")
    assert done.code == 2
    assert "2.sql" in done.err
    assert "64" in done.err


def test_a_wrong_password_is_never_printed(folder: Repository) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    for scheme in ("postgres", "mysql"):
        url = f"{scheme}://me:hunter2%21@127.0.0.1:{port}/dev"
        done = folder.write(GOOD).run("lint", "--dialect", scheme, "--dev-url", url)
        assert done.code in (2, 5), done.err
        assert "127.0.0.1" in done.err
        assert "hunter2" not in done.out + done.err


def test_without_a_docker_daemon_the_way_round_is_named(folder: Repository) -> None:
    done = folder.write(GOOD).run(
        "lint",
        "--dialect",
        "postgres",
        "--dev-url",
        "docker://postgres/15/dev",
        DOCKER_HOST="unix:///nonexistent/docker.sock",
    )
    assert done.code == 2, done.err
    assert "no container engine" in done.err
    assert "embedded://postgres" in done.err


Branch = Callable[[Mapping[str, str | bytes]], Repository]


def test_a_shallow_clone_without_a_merge_base_analyses_everything_and_says_so(branch: Branch, tmp_path: Path) -> None:
    origin = branch({"migrations/2.sql": "ALTER TABLE users DROP COLUMN email;\n"})
    origin.git("checkout", "-q", "main")
    clone = Repository(tmp_path / "clone", origin.environ)
    origin.git("clone", "-q", "--depth", "1", "--branch", "feature", f"file://{origin.path}", str(clone.path))
    clone.git("remote", "set-url", "origin", "file:///nonexistent")
    done = clone.run("lint", "--dialect", "postgres", "--base", "origin/main")
    assert done.code == 2, done.err
    assert "main" in done.err
    implicit = clone.run("lint", "--dialect", "postgres", "--format", "json")
    assert [f["name"] for f in implicit.json["files"]] == ["1_init.sql", "2.sql"]


def test_a_shallow_clone_with_its_origin_fetches_the_merge_base(branch: Branch, tmp_path: Path) -> None:
    origin = branch({"migrations/2.sql": "ALTER TABLE users DROP COLUMN email;\n"})
    origin.git("checkout", "-q", "main")
    clone = Repository(tmp_path / "clone", origin.environ)
    origin.git("clone", "-q", "--depth", "1", "--branch", "feature", f"file://{origin.path}", str(clone.path))
    done = clone.run("lint", "--dialect", "postgres", "--base", "main", "--format", "json")
    assert [f["name"] for f in done.json["files"]] == ["2.sql"], done.err


def test_a_detached_head_is_no_obstacle(branch: Branch) -> None:
    repository = branch({"migrations/2.sql": "ALTER TABLE users DROP COLUMN email;\n"})
    repository.git("checkout", "-q", "--detach")
    done = repository.run("lint", "--dialect", "postgres", "--format", "json")
    assert [f["name"] for f in done.json["files"]] == ["2.sql"]


def test_a_report_that_cannot_be_written_is_named(folder: Repository) -> None:
    folder.write({**GOOD, "out": "a file in the way"})
    done = folder.run("lint", "--dialect", "postgres", "--report", "json=out/report.json")
    assert done.code == 2
    assert "out/report.json" in done.err


def test_broken_sql_costs_only_itself(folder: Repository) -> None:
    folder.write(
        {"migrations/1.sql": "CREATE TABLE a (id int);\n", "migrations/2.sql": "FROBNICATE a;\nDROP TABLE a;\n"}
    )
    done = folder.run("lint", "--dialect", "postgres", "--latest", "1", "--format", "json")
    assert [f["rule"] for f in done.json["files"][0]["findings"] if f["severity"] == "error"] == ["drop-table"]
    assert [(n["file"], n["line"]) for n in done.json["not_analysed"]] == [("2.sql", 1)]


def test_hostile_names_and_texts_bring_no_command_into_the_log(folder: Repository) -> None:
    folder.write(
        {"migrations/1.sql": "-- ::error::fake\nDROP TABLE a;\n::warning::fake\n##vso[task.complete result=Failed]\n"}
    )
    done = folder.run("lint", "--dialect", "postgres")
    for stream in (done.out, done.err):
        for line in stream.splitlines():
            assert not line.lstrip().startswith(("::", "##"))
