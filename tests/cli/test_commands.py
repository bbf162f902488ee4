"""The smaller commands as their users meet them: help, ls, hash, init, doctor, rules, explain, trigger, completion."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from ci_runner import __version__
from ci_runner.cli import COMMANDS
from tests.cli.conftest import Repository


def test_the_version_is_printed_by_command_and_module(folder: Repository) -> None:
    assert folder.run("--version").out == f"pilotage {__version__}\n"
    assert folder.run("--no-colour", "--version").out == f"pilotage {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_a_person_can_read(folder: Repository, command: str) -> None:
    done = folder.run(command, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: pilotage {command}")
    first = done.out.split("\n\n")[1].strip()
    assert len(first) > 20
    assert all(len(line) <= 100 for line in done.out.splitlines())


def test_the_overview_names_every_command(folder: Repository) -> None:
    out = folder.run("--help").out
    for command in COMMANDS:
        assert f"\n  {command} " in out


def test_a_misspelt_command_gets_the_nearest(folder: Repository) -> None:
    done = folder.run("lnit")
    assert done.code == 2
    assert "did you mean" in done.err


def test_ls_shows_the_directory_as_read(folder: Repository) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\nSELECT 1;\n", "migrations/2_b.sql": "-- nothing\n"})
    listing = folder.run("ls", "--dialect", "postgres", "--json").json
    assert (listing["format"], [f["statements"] for f in listing["files"]]) == ("atlas", [2, 0])
    assert [n["code"] for n in listing["notices"]] == ["empty-file"]
    out = folder.run("ls", "--dialect", "postgres").out
    assert "1_a.sql" in out
    assert "2 statements" in out


def test_ls_fails_on_an_error_and_refuses_what_must_not_be_read(folder: Repository) -> None:
    folder.write({"migrations/1_a.sql": "<<<<<<< ours\nSELECT 1;\n=======\nSELECT 2;\n>>>>>>> theirs\n"})
    done = folder.run("ls", "--dialect", "postgres", "--json")
    assert done.code == 1
    assert "merge-conflict" in [p["code"] for p in done.json["problems"]]
    folder.write({"migrations/1_a.sql": b"\x00"})
    done = folder.run("ls", "--dialect", "postgres", "--json")
    assert (done.code, done.json["refused"]["code"]) == (2, "nul-byte")
    assert "files" not in done.json


def test_hash_writes_the_sum_and_says_what_changed(folder: Repository) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\n"})
    done = folder.run("hash", "--dialect", "postgres")
    assert "+ 1_a.sql h1:" in done.out
    assert (folder.path / "migrations/atlas.sum").read_text().startswith("h1:")
    assert folder.run("hash", "--dialect", "postgres", "--check").code == 0
    folder.write({"migrations/2_b.sql": "SELECT 1;\n"})
    assert folder.run("hash", "--dialect", "postgres", "--check").code == 3
    assert "+ 2_b.sql" in folder.run("hash", "--dialect", "postgres").out


def test_a_push_without_a_sum_says_how_to_have_one_and_how_to_do_without(folder: Repository) -> None:
    folder.write({"migrations/1_a.sql": "CREATE TABLE a (id int);\n"})
    registry = (folder.path / "registry").as_uri()
    refused = folder.run("push", "app", "--dialect", "sqlite", "--registry", registry, PILOTAGE_SUM="")
    assert refused.code == 3
    assert "there is no atlas.sum: run 'pilotage hash' and commit the file, or set 'sum: optional'" in refused.err
    folder.write({"pilotage.yml": "dialect: sqlite\nsum: optional\n"})
    assert folder.run("push", "app", "--registry", registry, PILOTAGE_SUM="").code == 0


@pytest.mark.parametrize("platform", ["github", "gitlab", "bitbucket", "azure", "circleci"])
def test_init_writes_a_configuration_that_works_and_a_ci_file(repository: Repository, platform: str) -> None:
    done = repository.run("init", "--platform", platform, "--registry", "file:///srv/registry")
    assert done.code == 0, done.err
    found = yaml.safe_load((repository.path / "pilotage.yml").read_text())
    assert (found["dir"], found["dialect"], found["registry"]) == ("migrations", "postgres", "file:///srv/registry")
    names = repository.git("ls-files", "--others", "--exclude-standard").split()
    assert len(names) == 2
    document = yaml.safe_load((repository.path / next(n for n in names if n != "pilotage.yml")).read_text())
    assert document
    assert repository.run("lint", "--dev-url", "sqlite://dev?mode=memory", "--dialect", "sqlite").code == 0


def test_init_keeps_what_is_there_unless_forced(repository: Repository) -> None:
    repository.write({"pilotage.yml": "dir: other\n"})
    assert "kept" in repository.run("init", "--platform", "github").out
    assert (repository.path / "pilotage.yml").read_text() == "dir: other\n"
    repository.run("init", "--platform", "github", "--force")
    assert "dir: migrations" in (repository.path / "pilotage.yml").read_text()


def test_init_finds_several_directories_and_the_platform(repository: Repository) -> None:
    repository.commit(
        {
            "db/edge/migrations/1.sql": "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT);\n",
            ".github/workflows/x.yml": "on: push\n",
        }
    )
    done = repository.run("init", "--dry-run")
    assert ".github/workflows/migrations.yml" in done.out
    assert "dir: db/edge/migrations" in done.out
    assert "dialect: sqlite" in done.out
    assert not (repository.path / "pilotage.yml").exists()


def test_init_says_where_a_sum_is_missing_and_takes_every_name_of_a_dialect(repository: Repository) -> None:
    done = repository.run("init", "--dialect", "MSSQL", PILOTAGE_SUM="")
    assert done.code == 0
    assert "migrations has no atlas.sum, which a push to a registry asks for: pilotage hash writes it" in done.err
    assert "dialect: sqlserver" in (repository.path / "pilotage.yml").read_text()
    assert "unknown SQL dialect 'oracle'" in repository.run("init", "--dialect", "oracle").err


def test_init_without_migrations_says_what_to_do(folder: Repository) -> None:
    done = folder.run("init")
    assert done.code == 2
    assert "--dir" in done.err


def test_doctor_says_what_is_there_and_what_is_missing(repository: Repository) -> None:
    done = repository.run("doctor", "--dialect", "postgres")
    assert done.code == 0, done.out
    assert "1 migration" in done.out
    assert "default branch main" in done.out
    missing = repository.run("doctor", "--dialect", "postgres", "--dev-url", "embedded://postgres/9", "--json")
    assert missing.code == 2
    assert any(check["state"] == "missing" and "postgres" in check["text"].lower() for check in missing.json)


def test_doctor_names_files_of_the_configuration_that_are_not_there(repository: Repository) -> None:
    repository.write(
        {"pilotage.yml": "directories:\n  - dir: migrations\n    dialect: postgres\n    stats: sizes.yml\n"}
    )
    done = repository.run("doctor")
    assert done.code == 2
    assert "read from pilotage.yml" in done.out
    assert "stats is sizes.yml, and there is no such file or folder" in done.out


def test_doctor_never_prints_a_password(repository: Repository) -> None:
    done = repository.run(
        "doctor", PILOTAGE_DEV_URL="postgres://me:hunter2@127.0.0.1:1/dev", PILOTAGE_DIALECT="postgres"
    )
    assert "hunter2" not in done.out + done.err


def test_rules_are_listed_and_explained_by_any_of_their_names(folder: Repository) -> None:
    assert "drop-column" in folder.run("rules").out
    explained = folder.run("rules", "drop-column").out
    assert "Do instead" in explained
    assert folder.run("rules", "ban-drop-column", "--json").json["rule"] == "drop-column"
    assert all("sqlite" in rule["databases"] for rule in folder.run("rules", "--dialect", "sqlite", "--json").json)
    several = folder.run("rules", "DS103")
    assert several.out.index("drop-column  error") < several.out.index("rename-column  ")
    assert [each["rule"] for each in folder.run("rules", "DS103", "--json").json] == ["drop-column", "rename-column"]
    unknown = folder.run("rules", "drop-colum")
    assert unknown.code == 2
    assert "drop-column" in unknown.err


def test_explain_tells_kind_lock_and_effect_from_the_schema_before(repository: Repository) -> None:
    repository.write({"migrations/2_b.sql": "ALTER TABLE users ALTER COLUMN id TYPE int;\nFROBNICATE;\n"})
    done = repository.run("explain", "migrations/2_b.sql", "--dialect", "postgres", "--json")
    first, second = done.json["statements"]
    assert first["operations"] == [
        {"kind": "alter-table.alter-column-type", "object": "users.id", "conditional": False}
    ]
    assert (first["lock"], first["effect"]) == ("ACCESS EXCLUSIVE", "rewrite")
    assert second["operations"] == []
    assert second["not_analysed"]
    assert "rewrite" in repository.run("explain", "migrations/2_b.sql", "--dialect", "postgres").out


def test_explain_names_a_file_that_is_none(repository: Repository) -> None:
    assert repository.run("explain", "nothing.sql").code == 2
    repository.write({"migrations/README.md": "x"})
    assert "not one of" in repository.run("explain", "migrations/README.md").err


def test_trigger_prints_the_keys_of_its_contract(folder: Repository) -> None:
    found = folder.run("trigger", "--json").json
    keys = "platform scm kind pull_request base_branch head_branch head_sha base_sha repository default_branch is_fork actor run_url"
    assert set(keys.split()) <= set(found)
    assert (found["platform"], found["kind"]) == ("local", "local")
    assert "platform" in folder.run("trigger").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(folder: Repository, shell: str) -> None:
    out = folder.run("completion", shell).out
    assert "_PILOTAGE_COMPLETE" in out


def test_the_shell_completes_commands_options_and_values(folder: Repository) -> None:
    def completed(line: str, word: int) -> str:
        environ = {"_PILOTAGE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(word)}
        code = "import sys; sys.argv = ['pilotage']; from ci_runner.cli import main; main(prog_name='pilotage')"
        done = subprocess.run(
            [sys.executable, "-c", code], env={**folder.environ, **environ}, capture_output=True, text=True, check=False
        )
        return done.stdout

    assert "plain,lint" in completed("pilotage li", 1)
    assert "plain,--dialect" in completed("pilotage lint --dia", 2)
    assert "plain,postgres" in completed("pilotage lint --dialect post", 3)
    assert "plain,junit" in completed("pilotage lint --format ju", 3)
    assert "plain,svg" in completed("pilotage schema --format s", 3)
    assert "plain,gitlab" in completed("pilotage init --platform gitl", 3)
    assert completed("pilotage lint --dir mig", 3).strip() == "dir,mig"
    assert completed("pilotage lint --stats st", 3).strip() == "file,st"


def test_quiet_says_only_the_verdict_and_colours_obey_the_flag(repository: Repository) -> None:
    repository.write({"migrations/2.sql": "DROP TABLE users;\n"})
    quiet = repository.run("--quiet", "lint", "--dialect", "postgres")
    assert len(quiet.out.strip().splitlines()) == 1
    assert "\x1b[" in repository.run("--colour", "lint", "--dialect", "postgres").out
    assert "\x1b[" not in repository.run("lint", "--dialect", "postgres").out
