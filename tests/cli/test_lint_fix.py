"""lint --fix: suggestions that keep the meaning go into files that are not released, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.cli.conftest import Repository

Branch = Callable[[Mapping[str, str | bytes]], Repository]
PG = ("--dialect", "postgres")
INDEX = "CREATE INDEX i ON users (email);\n"
FIXED = "-- atlas:txmode none\n\nCREATE INDEX CONCURRENTLY i ON users (email);\n"
REQUIRED = "ALTER TABLE users ADD COLUMN n int NOT NULL;\n"
KEY = "ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users (id);\n"


def text(repository: Repository, name: str) -> str:
    return (repository.path / "migrations" / name).read_bytes().decode()


def test_a_suggestion_that_keeps_the_meaning_is_made_and_the_hazard_is_gone(branch: Branch) -> None:
    repository = branch({"migrations/2_i.sql": INDEX})
    done = repository.run("lint", *PG, "--fix", "--format", "json")
    assert text(repository, "2_i.sql") == FIXED
    assert "fixed migrations/2_i.sql:1: index-not-concurrent" in done.err
    assert (done.code, done.json["verdict"], done.json["files"][0]["findings"]) == (0, "pass", [])


def test_a_suggestion_that_changes_the_meaning_is_left_to_a_person(branch: Branch) -> None:
    repository = branch({"migrations/2_k.sql": REQUIRED})
    done = repository.run("lint", *PG, "--fix")
    assert text(repository, "2_k.sql") == REQUIRED
    assert "nothing to fix" in done.err
    assert "choose what the rows there are get" in done.out


def test_the_next_migration_is_written_with_what_must_not_be_in_the_same_transaction(branch: Branch) -> None:
    repository = branch({"migrations/2_k.sql": f"SELECT 1;\n{KEY}"})
    done = repository.run("lint", *PG, "--fix", "--format", "json")
    assert text(repository, "2_k.sql") == "SELECT 1;\n" + KEY.replace(";", " NOT VALID;")
    assert text(repository, "3_validate_f.sql") == "ALTER TABLE users VALIDATE CONSTRAINT f;\n"
    assert "migrations/3_validate_f.sql was added" in done.err
    assert (done.code, done.json["verdict"]) == (0, "pass")


def test_a_dry_run_prints_a_diff_and_writes_nothing(branch: Branch) -> None:
    repository = branch({"migrations/2_i.sql": INDEX})
    done = repository.run("lint", *PG, "--fix", "--dry-run")
    assert text(repository, "2_i.sql") == INDEX
    assert done.out.splitlines()[:2] == ["--- a/migrations/2_i.sql", "+++ b/migrations/2_i.sql"]
    assert "-CREATE INDEX i ON users (email);" in done.out
    assert "+CREATE INDEX CONCURRENTLY i ON users (email);" in done.out


def test_a_dry_run_without_fix_is_a_mistake(folder: Repository) -> None:
    done = folder.run("lint", "--dry-run")
    assert done.code == 2
    assert "--fix" in done.err


def test_a_released_file_is_left_as_it_is_also_when_every_file_is_judged(repository: Repository) -> None:
    repository.commit({"migrations/2_i.sql": INDEX}, "released")
    repository.write({"migrations/3_j.sql": "CREATE INDEX j ON users (email);\n"})
    done = repository.run("lint", *PG, "--all", "--fix")
    assert text(repository, "2_i.sql") == INDEX
    assert "not fixed: migrations/2_i.sql is released" in done.err
    assert "CONCURRENTLY" in text(repository, "3_j.sql")


def test_an_edited_file_is_not_edited_further(branch: Branch) -> None:
    edited = "CREATE TABLE users (id bigint PRIMARY KEY, email text);\nCREATE INDEX i ON other (id);\n"
    repository = branch({"migrations/1_init.sql": edited})
    done = repository.run("lint", *PG, "--fix")
    assert text(repository, "1_init.sql") == edited
    assert done.code == 1


def test_where_nothing_says_what_is_released_only_the_files_named_new_are_changed(folder: Repository) -> None:
    folder.write({"migrations/1.sql": "CREATE TABLE users (id int, email text);\n", "migrations/2.sql": INDEX})
    folder.run("lint", *PG, "--fix")
    assert text(folder, "2.sql") == INDEX
    folder.run("lint", *PG, "--latest", "1", "--fix")
    assert text(folder, "2.sql") == FIXED


def test_a_sum_that_held_holds_afterwards(branch: Branch) -> None:
    repository = branch({"migrations/2_i.sql": INDEX})
    assert repository.run("hash", *PG).code == 0
    done = repository.run("lint", *PG, "--fix", "--format", "json", PILOTAGE_SUM="required")
    assert done.json["problems"] == []
    assert text(repository, "2_i.sql") == FIXED


def test_a_sum_that_did_not_hold_is_left_for_a_person_to_look_at(branch: Branch) -> None:
    repository = branch({"migrations/2_i.sql": INDEX, "migrations/atlas.sum": "h1:x\n"})
    repository.run("lint", *PG, "--fix")
    assert text(repository, "atlas.sum") == "h1:x\n"


def test_line_ends_and_a_byte_order_mark_are_kept(branch: Branch) -> None:
    repository = branch({"migrations/2_i.sql": b"\xef\xbb\xbfCREATE INDEX i\r\nON users (email);\r\n"})
    repository.run("lint", *PG, "--tx-mode", "none", "--fix")
    data = (repository.path / "migrations/2_i.sql").read_bytes()
    assert data == b"\xef\xbb\xbfCREATE INDEX CONCURRENTLY i\r\nON users (email);\r\n"


def test_several_fixes_of_one_file_are_made_at_once(branch: Branch) -> None:
    repository = branch({"migrations/2_i.sql": INDEX + "CREATE INDEX j ON users (id, email);\n"})
    done = repository.run("lint", *PG, "--tx-mode", "none", "--fix")
    assert text(repository, "2_i.sql").count("CONCURRENTLY") == 2
    assert done.err.count("fixed migrations/2_i.sql") == 2


HIDDEN = "DO $$ BEGIN EXECUTE 'CREATE TABLE p (id int) PARTITION BY ' || upper('range') || ' (id)'; END $$;\n"


@pytest.mark.parametrize(("url", "offered"), [((), True), (("--dev-url", "embedded://postgres/18"), False)])
def test_a_suggestion_the_dev_database_refuses_is_not_offered(
    repository: Repository, url: tuple[str, ...], offered: bool
) -> None:
    repository.commit({"migrations/2_p.sql": HIDDEN}, "a partitioned table no text tells of")
    repository.write({"migrations/3_i.sql": "CREATE INDEX k ON p (id);\n", "migrations/4_i.sql": INDEX})
    files = repository.run("lint", *PG, *url, "--format", "json").json["files"]
    suggestions = [file["findings"][0]["suggestion"] for file in files]
    assert (suggestions[0] is not None) is offered
    assert suggestions[1] is not None


def test_a_key_may_be_suggested_as_not_valid_although_the_database_shows_that(branch: Branch) -> None:
    done = branch({"migrations/2_k.sql": KEY}).run(
        "lint", *PG, "--dev-url", "embedded://postgres/18", "--format", "json"
    )
    (finding,) = done.json["files"][0]["findings"]
    assert "NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT f;" in finding["suggestion"]["text"]
    assert finding["evidence"] == "observed"


STEPWISE = {
    "22_a.sql": "ALTER TABLE users ALTER COLUMN n SET NOT NULL;\n",
    "23_b.sql": "ALTER TABLE users ADD CONSTRAINT users_e_key UNIQUE (e);\n",
    "24_c.sql": "ALTER TABLE users ADD COLUMN k int NOT NULL;\n",
    "25_d.sql": "ALTER TABLE users ADD COLUMN u uuid NOT NULL DEFAULT gen_random_uuid();\n",
    "26_e.sql": "ALTER TABLE users ADD COLUMN bar bigint NOT NULL DEFAULT 1 CHECK (bar > 0);\n",
    "27_f.sql": "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');\n",
    "29_h.sql": "CREATE INDEX ev_d_idx ON ev (d);\n",
    "28_g.sql": "SELECT 1;\nALTER TABLE users ADD CONSTRAINT g CHECK (n > 0);\n",
}


def test_rewrites_of_several_transactions_lead_to_the_same_schema_without_the_hazard(repository: Repository) -> None:
    pre = (
        "ALTER TABLE users ADD n int, ADD e text;\n"
        "CREATE TABLE p (id int, d date) PARTITION BY RANGE (d);\nCREATE TABLE c (id int, d date);\n"
        "CREATE TABLE ev (d date) PARTITION BY RANGE (d);\nCREATE TABLE ev_1 PARTITION OF ev DEFAULT;\n"
    )
    repository.commit({"migrations/1_z.sql": pre}, "more")
    repository.write({f"migrations/{name}": text for name, text in STEPWISE.items()})
    done = repository.run("lint", *PG, "--dev-url", "embedded://postgres/18", "--format", "json")
    kept = {
        file["name"]: any(finding["suggestion"] for finding in file["findings"])
        for file in done.json["files"]
        if file["change"] == "added"
    }
    assert kept == dict.fromkeys(STEPWISE, True)
