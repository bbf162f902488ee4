"""The lint command as its users meet it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import ROOT, Done, Repository

Branch = Callable[[Mapping[str, str | bytes]], Repository]
RISKY = {"migrations/2_drop.sql": "ALTER TABLE users DROP COLUMN email;\n"}
SAFE = {"migrations/2_add.sql": "ALTER TABLE users ADD COLUMN name text;\n"}
PG = ("--dialect", "postgres")


def rules(document: dict[str, Any]) -> list[str]:
    return [finding["rule"] for file in document["files"] for finding in file["findings"]]


def test_only_what_the_branch_changes_is_judged(branch: Branch) -> None:
    done = branch(RISKY).run("lint", *PG, "--format", "json")
    assert done.code == 1, done.err
    assert [file["name"] for file in done.json["files"]] == ["2_drop.sql"]
    assert rules(done.json) == ["drop-column"]
    assert done.json["verdict"] == "fail"
    assert done.json["base"]["kind"] == "git"


@pytest.mark.parametrize("flags", [(), ("--all",), ("--latest", "1"), ("--dev-url", "embedded://postgres/18")])
def test_every_report_keeps_the_published_contract(branch: Branch, flags: tuple[str, ...]) -> None:
    schema = json.loads((ROOT / "docs/report.schema.json").read_text())
    document = branch(RISKY).run("lint", *PG, "--format", "json", *flags).json
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
    assert "2_drop.sql" in [file["name"] for file in document["files"]]


@pytest.mark.parametrize(
    ("files", "flags", "code", "verdict"),
    [
        (RISKY, (), 1, "fail"),
        (RISKY, ("--fail-on", "never"), 0, "warn"),
        (SAFE, (), 0, "pass"),
        ({"migrations/2_i.sql": "CREATE INDEX i ON users (email);\n"}, (), 0, "warn"),
        ({"migrations/2_i.sql": "CREATE INDEX i ON users (email);\n"}, ("--fail-on", "warning"), 1, "fail"),
    ],
)
def test_the_exit_code_follows_the_verdict(
    branch: Branch, files: Mapping[str, str], flags: tuple[str, ...], code: int, verdict: str
) -> None:
    done = branch(files).run("lint", *PG, "--format", "json", *flags)
    assert (done.code, done.json["verdict"]) == (code, verdict)


def test_all_and_latest_and_a_commit_choose_what_is_judged(branch: Branch) -> None:
    repository = branch(SAFE)
    every = repository.run("lint", *PG, "--all", "--format", "json").json
    newest = repository.run("lint", *PG, "--latest", "1", "--format", "json").json
    commit = repository.run("lint", *PG, "--base", "HEAD", "--format", "json").json
    assert [f["name"] for f in every["files"]] == ["1_init.sql", "2_add.sql"]
    assert ([f["name"] for f in newest["files"]], newest["base"]) == (["2_add.sql"], {"kind": "latest", "ref": "1"})
    assert commit["files"] == []


def test_what_is_not_committed_yet_is_judged_too(repository: Repository) -> None:
    done = repository.write(RISKY).run("lint", *PG, "--format", "json")
    assert rules(done.json) == ["drop-column"]


@pytest.mark.parametrize(
    ("form", "released", "added"),
    [
        ("atlas", ("1_a.sql", "seeds/rows.sql", "atlas.sum", "notes.json"), "2_b.sql"),
        ("golang-migrate", ("1_a.up.sql", "1_a.down.sql", "helper.sql"), "2_b.up.sql"),
        ("goose", ("1_a.sql", "helper.go", "0_x.sql.conf"), "2_b.sql"),
        ("flyway", ("V1__a.sql", "U1__a.sql", "afterMigrate.sql", "helper.sql"), "V2__b.sql"),
        ("dbmate", ("1_a.sql", "old/1_x.sql"), "2_b.sql"),
        ("sqlx", ("1_a.sql", "helper.sql", "fixtures/rows.sql"), "2_b.sql"),
        ("supabase", ("20200101000000_a.sql", "helper.sql"), "20200101000001_b.sql"),
    ],
)
def test_released_files_that_the_format_does_not_run_are_in_nobody_s_way(
    folder: Repository, form: str, released: tuple[str, ...], added: str
) -> None:
    marks = {"goose": "-- +goose Up\n", "dbmate": "-- migrate:up\n"}.get(form, "")
    folder.git("init", "-q", "-b", "main")
    folder.commit({f"migrations/{name}": f"{marks}CREATE TABLE t (id int);\n" for name in released})
    folder.git("switch", "-q", "-c", "change")
    folder.commit({f"migrations/{added}": f"{marks}DROP TABLE t;\n"})
    done = folder.run("lint", *PG, "--dir-format", form, "--base", "main", "--format", "json")
    assert [file["name"] for file in done.json["files"]] == [added], done.err
    assert rules(done.json) == ["drop-table"]


REMARKED = {
    "migrations/1_a.sql": b"-- nothing yet\n",
    "migrations/2_b.sql": b"\xef\xbb\xbfCREATE TABLE t (id int);\r\n",
    "migrations/3_c.sql": b"CREATE TABLE u (id int);\n<<<<<<< ours\n",
}


def problems(done: Done) -> list[tuple[str, str]]:
    return sorted((problem["code"], problem["file"]) for problem in done.json["problems"])


def test_a_pull_request_hears_no_remarks_on_files_it_leaves_alone(folder: Repository) -> None:
    folder.git("init", "-q", "-b", "main")
    folder.commit(REMARKED)
    folder.git("switch", "-q", "-c", "change")
    folder.commit({"migrations/4_d.sql": b"-- nothing\r\n"})
    mine = [("empty-file", "4_d.sql"), ("line-endings", "4_d.sql")]
    blocking = [("merge-conflict", "3_c.sql")]
    theirs = [("byte-order-mark", "2_b.sql"), ("empty-file", "1_a.sql"), ("line-endings", "2_b.sql")]
    assert problems(folder.run("lint", *PG, "--base", "main", "--format", "json")) == sorted(mine + blocking)
    assert problems(folder.run("lint", *PG, "--latest", "1", "--format", "json")) == sorted(mine + blocking)
    assert problems(folder.run("lint", *PG, "--all", "--format", "json")) == sorted(mine + blocking + theirs)


def test_a_remark_made_an_error_blocks_wherever_its_file_is(folder: Repository) -> None:
    folder.git("init", "-q", "-b", "main")
    folder.commit({**REMARKED, "migrations/3_c.sql": b"CREATE TABLE u (id int);\n"})
    folder.git("switch", "-q", "-c", "change")
    folder.commit(
        {"migrations/4_d.sql": b"CREATE TABLE v (id int);\n", "pilotage.yml": b"rules: {empty-file: error}\n"}
    )
    done = folder.run("lint", *PG, "--base", "main", "--format", "json")
    assert (done.code, problems(done)) == (1, [("empty-file", "1_a.sql")])


def test_an_edited_released_file_is_an_error(branch: Branch) -> None:
    done = branch({"migrations/1_init.sql": "CREATE TABLE users (id int);\n"}).run("lint", *PG, "--format", "json")
    assert done.code == 1
    assert "file-edited" in rules(done.json)
    assert done.json["files"][0]["change"] == "edited"


def test_outside_git_every_file_is_judged_and_said_to_be(folder: Repository) -> None:
    done = folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\n"}).run("lint", *PG)
    assert done.code == 0
    assert "every file is analysed" in done.out + done.err


def test_an_empty_directory_is_a_clean_run_with_a_note(folder: Repository) -> None:
    (folder.path / "migrations").mkdir()
    done = folder.run("lint", *PG, "--format", "json")
    assert (done.code, done.json["verdict"], done.json["directory"]["files"]) == (0, "pass", 0)


def test_reports_are_written_in_every_format_asked_for(branch: Branch, tmp_path: Path) -> None:
    formats = ("text", "json", "markdown", "sarif", "junit", "codequality", "github", "html")
    flags = [word for form in formats for word in ("--report", f"{form}=out/{form}.txt")]
    repository = branch(RISKY)
    repository.run("lint", *PG, *flags)
    for form in formats:
        text = (repository.path / f"out/{form}.txt").read_text()
        assert "drop" in text.lower(), form
        assert "\x1b[" not in text, form


def test_output_goes_to_a_file_when_asked(branch: Branch) -> None:
    repository = branch(RISKY)
    done = repository.run("lint", *PG, "--format", "json", "--output", "report.json")
    assert done.out == ""
    assert json.loads((repository.path / "report.json").read_text())["verdict"] == "fail"


def test_the_change_is_replayed_where_a_dev_database_is_given(folder: Repository) -> None:
    folder.write({"m/1.sql": "CREATE TABLE a (id INTEGER);\n", "m/2.sql": "INSERT INTO b VALUES (1);\n"})
    done = folder.run(
        "lint", "--dir", "m", "--dialect", "sqlite", "--dev-url", "sqlite://dev?mode=memory", "--format", "json"
    )
    replay = done.json["replay"]
    assert (done.code, replay["status"], replay["error"]["file"], replay["error"]["line"]) == (1, "failed", "2.sql", 1)
    assert "no such table: b" in replay["error"]["message"]


def test_several_directories_are_one_run_with_the_worst_verdict(folder: Repository) -> None:
    folder.write(
        {
            "pilotage.yml": "directories:\n  - {name: shop, dir: a, dialect: postgres}\n  - {name: edge, dir: b, dialect: sqlite}\n",
            "a/1.sql": "CREATE TABLE t (id int);\n",
            "b/1.sql": "CREATE TABLE t (id int);\nDROP TABLE missing_from_here;\n",
        }
    )
    done = folder.run("lint", "--format", "json")
    assert [d["directory"]["path"] for d in done.json["directories"]] == ["a", "b"]
    assert done.json["verdict"] == max(
        (d["verdict"] for d in done.json["directories"]), key=["pass", "warn", "fail"].index
    )


def test_a_configuration_is_found_from_a_folder_below(branch: Branch) -> None:
    repository = branch({**RISKY, "pilotage.yml": "dialect: postgres\n", "src/x": ""})
    done = repository.run("lint", "--format", "json", cwd="src")
    assert rules(done.json) == ["drop-column"]


def test_the_registry_can_be_the_base(folder: Repository) -> None:
    folder.write({"m/1.sql": "CREATE TABLE a (id int);\n"})
    flags = ("--dir", "m", *PG, "--registry", "file:///" + str(folder.path / "registry").lstrip("/"))
    assert folder.run("push", "app", *flags).code == 0
    folder.write({"m/1.sql": "CREATE TABLE a (id bigint);\n", "m/2.sql": "DROP TABLE a;\n"})
    done = folder.run("lint", *flags, "--base", "pilotage://app", "--format", "json")
    assert done.json["base"] == {"kind": "registry", "ref": "app@1"}
    assert rules(done.json) == ["file-edited", "drop-table"]


def test_squawk_s_and_atlas_s_configuration_is_enough(folder: Repository) -> None:
    folder.write({"migrations/1.sql": "CREATE TABLE a (id int);\n", "migrations/2.sql": "DROP TABLE a;\n"})
    folder.write({".squawk.toml": 'excluded_rules = ["ban-drop-table"]\n'})
    assert folder.run("lint", "--latest", "1", "--format", "json").json["verdict"] == "pass"
    (folder.path / ".squawk.toml").unlink()
    folder.write(
        {"atlas.hcl": 'env "ci" {\n  dev = "docker://postgres/15/dev"\n  migration { dir = "file://migrations" }\n}\n'}
    )
    done = folder.run("lint", "--latest", "1", "--format", "json", "--dev-url", "embedded://postgres/18")
    assert done.json["directory"]["dialect"] == "postgres"
    assert rules(done.json) == ["drop-table"]
