"""Directories become snapshots and come back: kinds of files, a state cut after a version, the sum of what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from ci_runner import migrations, registry
from ci_runner.errors import PilotageError, RefusedError, UsageError
from ci_runner.model.directory import MigrationDir, Tree
from ci_runner.model.registry import Selector
from ci_runner.stores.memory import MemoryStore
from tests.registry.world import NAME, Job

SQL = b"create table t (id int);\n"

DIRECTORIES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    # format: (files, version to cut after, files that go)
    "atlas": (("1_a.sql", "2_b.sql", "3_c.sql"), "2", ("3_c.sql",)),
    "golang-migrate": (
        ("1_a.up.sql", "1_a.down.sql", "2_b.up.sql", "2_b.down.sql"),
        "1",
        ("2_b.up.sql", "2_b.down.sql"),
    ),
    "flyway": (
        ("sub/V1__a.sql", "sub/U1__a.sql", "sub/V1_1__b.sql", "sub/U1_1__b.sql", "R__v.sql"),
        "1",
        ("sub/V1_1__b.sql", "sub/U1_1__b.sql"),
    ),
    "diesel": (
        (
            "2026-01-01-000000_a/up.sql",
            "2026-01-01-000000_a/down.sql",
            "2026-01-02-000000_b/up.sql",
            "2026-01-02-000000_b/down.sql",
        ),
        "20260101000000",
        ("2026-01-02-000000_b/up.sql", "2026-01-02-000000_b/down.sql"),
    ),
    "prisma": (
        ("20260101000000_a/migration.sql", "20260102000000_b/migration.sql"),
        "20260101000000",
        ("20260102000000_b/migration.sql",),
    ),
    "sqlx": (("1_a.up.sql", "1_a.down.sql", "2_b.up.sql", "2_b.down.sql"), "1", ("2_b.up.sql", "2_b.down.sql")),
}


def read(directory_format: str, names: tuple[str, ...]) -> MigrationDir:
    content = {name: SQL + name.encode() for name in names}
    if directory_format == "prisma":
        content["migration_lock.toml"] = b'provider = "postgresql"\n'
    directory = migrations.read(Tree("db", content), format=directory_format, dialect="postgres")
    if directory_format == "atlas":
        content["atlas.sum"] = migrations.sum_text(directory).encode()
        directory = migrations.read(Tree("db", content), format=directory_format, dialect="postgres")
    return directory


def pushed(directory: MigrationDir) -> MemoryStore:
    store = MemoryStore()
    Job(store).push(registry.snapshot(directory), "1")
    return store


@pytest.mark.parametrize("directory_format", DIRECTORIES)
def test_a_pushed_directory_reads_back_as_the_same_directory(directory_format: str) -> None:
    directory = read(directory_format, DIRECTORIES[directory_format][0])
    snapshot, _ = registry.pull(pushed(directory), NAME, Selector())
    again = migrations.read(registry.tree(snapshot, "db"), format=snapshot.format, dialect=snapshot.dialect)
    assert again.migrations == directory.migrations
    assert migrations.sum_text(again) == migrations.sum_text(directory)
    assert snapshot.sum == migrations.sum_text(directory).partition("\n")[0]


def test_every_file_has_its_kind() -> None:
    flyway = registry.snapshot(read("flyway", ("R__views.sql", "U1__a.sql", "V1__a.sql")))
    assert {file.name: file.kind for file in flyway.files} == {
        "R__views.sql": "repeatable",
        "U1__a.sql": "down",
        "V1__a.sql": "up",
    }
    assert {file.name: file.kind for file in registry.snapshot(read("atlas", ("1_a.sql",))).files} == {
        "1_a.sql": "up",
        "atlas.sum": "aux",
    }


@pytest.mark.parametrize("directory_format", DIRECTORIES)
def test_a_version_is_the_newest_state_cut_after_it(directory_format: str) -> None:
    names, version, gone = DIRECTORIES[directory_format]
    directory = read(directory_format, names)
    snapshot, entry = registry.pull(pushed(directory), NAME, Selector("version", version))
    assert {file.name for file in snapshot.files} == set(directory.files) - set(gone)
    assert entry.seq == 1
    assert migrations.read(
        registry.tree(snapshot, "db"), format=directory_format, dialect="postgres"
    ).problems == tuple(problem for problem in directory.problems if problem.file not in gone)


def test_the_sum_file_of_a_cut_state_is_the_sum_of_what_is_left(tmp_path: Path) -> None:
    directory = read("atlas", DIRECTORIES["atlas"][0])
    snapshot, _ = registry.pull(pushed(directory), NAME, Selector("version", "2"))
    registry.write(snapshot, tmp_path / "out")
    shorter = read("atlas", ("1_a.sql", "2_b.sql"))
    assert (tmp_path / "out" / "atlas.sum").read_text() == migrations.sum_text(shorter)
    assert migrations.read(registry.tree(snapshot, "db"), format="atlas", dialect="postgres").sum_check.ok
    assert snapshot == registry.snapshot(shorter)


def test_a_version_that_is_not_there_is_told_the_newest() -> None:
    with pytest.raises(UsageError, match="its newest is 3"):
        registry.pull(pushed(read("atlas", DIRECTORIES["atlas"][0])), NAME, Selector("version", "9"))


def test_a_migration_whose_bytes_were_not_read_is_never_left_out_silently() -> None:
    directory = read("atlas", ("1_a.sql", "2_b.sql"))
    with pytest.raises(RefusedError, match=r"2_b\.sql"):
        registry.snapshot(replace(directory, files={"1_a.sql": SQL}))


def test_every_shared_directory_that_is_not_refused_survives_the_registry(shared: Path) -> None:
    survived = 0
    for folder in sorted((shared / "cases" / "directories").glob("*/dir")):
        content = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        try:
            directory = migrations.read(Tree("db", content), dialect="postgres")
        except PilotageError:
            continue
        snapshot, _ = registry.pull(pushed(directory), NAME, Selector())
        again = migrations.read(registry.tree(snapshot, "db"), format=snapshot.format, dialect=snapshot.dialect)
        assert again.migrations == directory.migrations, folder
        assert migrations.sum_text(again) == migrations.sum_text(directory), folder
        survived += 1
    assert survived >= 8
