"""Each tool's directory and table, as its own source makes them: three files, the first two applied."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.deploy.place import Place

TYPES = {
    "sqlite": {"key": "varchar(255)", "flag": "boolean", "when": "timestamp", "bytes": "blob", "serial": "integer PRIMARY KEY AUTOINCREMENT"},
    "postgres": {"key": "varchar(255)", "flag": "boolean", "when": "timestamptz", "bytes": "bytea", "serial": "serial PRIMARY KEY"},
    "mariadb": {"key": "varchar(255)", "flag": "boolean", "when": "timestamp", "bytes": "blob", "serial": "bigint AUTO_INCREMENT PRIMARY KEY"},
}  # fmt: skip
SQL = (
    "CREATE TABLE a (id int);\n",
    "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n",
    "CREATE TABLE c (id int);\n",
)
NOW = "CURRENT_TIMESTAMP"


@dataclass(frozen=True)
class Case:
    """A tool: ``rows`` are values of ``columns`` for the two applied files, ``bad`` statements that make the history half-way.

    ``gone`` is a row of a version without a file. ``hashed``: an edited file is found out.
    """

    tool: str
    form: str
    files: Mapping[str, str]
    ddl: str
    columns: str
    rows: tuple[str, ...]
    gone: str = ""
    bad: tuple[str, ...] = ()
    hashed: bool = False
    table: str = ""
    compat: bool = True
    engines: tuple[str, ...] = ("sqlite", "postgres", "mariadb")
    count: Callable[[int], int] = field(default=lambda applied: applied)

    @property
    def name(self) -> str:
        return self.table or self.ddl.split()[2]

    @property
    def half(self) -> dict[str, str]:
        """The directory as it was when the tool last ran."""
        names = sorted(name for name in self.files if name.endswith(".sql"))
        return {name: text for name, text in self.files.items() if name != names[-1]}

    def make(self, place: Place, rows: tuple[str, ...] | None = None) -> None:
        """The database as the tool left it."""
        words = TYPES[place.engine]
        place.run(self.ddl.format(**words), *(text for sql in SQL[:2] for text in sql.strip().split("\n")))
        for row in self.rows if rows is None else rows:
            self.insert(place, row)

    def insert(self, place: Place, row: str) -> None:
        place.run(f"INSERT INTO {self.name} ({self.columns}) VALUES ({_bytes(row, place.engine)})")

    def content(self, place: Place) -> list[tuple[object, ...]]:
        return sorted(place.rows(f"SELECT * FROM {self.name}"), key=repr)


def _bytes(row: str, engine: str) -> str:
    return row.replace("X'", "'\\x") if engine == "postgres" else row


def _plain(names: tuple[str, ...], wrap: str = "{}") -> dict[str, str]:
    return {name: wrap.format(sql) for name, sql in zip(names, SQL, strict=True)}


def atlas_sum(files: Mapping[str, str]) -> dict[str, str]:
    running, found = hashlib.sha256(), {}
    for name, text in files.items():
        running.update(name.encode() + text.encode())
        found[name] = base64.b64encode(running.digest()).decode()
    return found


def _crc(text: str) -> int:
    found = 0
    for line in text.splitlines():
        found = zlib.crc32(line.encode(), found)
    return found - (1 << 32) if found >= 1 << 31 else found


ATLAS = _plain(("1_a.sql", "2_b.sql", "3_c.sql"))
FLYWAY = _plain(("V1__a.sql", "V1.1__b.sql", "V2__c.sql"))
MIGRATE = {f"{name}.{way}.sql": SQL[i] if way == "up" else f"DROP TABLE {name[-1]};\n"
           for i, name in enumerate(("000001_a", "000002_b", "000003_c")) for way in ("up", "down")}  # fmt: skip
DBMATE = _plain(
    ("20260101000001_a.sql", "20260101000002_b.sql", "20260101000003_c.sql"), "-- migrate:up\n{}\n-- migrate:down\n"
)
GOOSE = _plain(("00001_a.sql", "00002_b.sql", "00003_c.sql"), "-- +goose Up\n{}\n-- +goose Down\n")
PRISMA = _plain(("20260101000001_a/migration.sql", "20260101000002_b/migration.sql", "20260101000003_c/migration.sql"))
DIESEL = _plain(("2026-01-01-000001_a/up.sql", "2026-01-01-000002_b/up.sql", "2026-01-01-000003_c/up.sql"))
SQLX = _plain(("1_a.sql", "2_b.sql", "3_c.sql"))
SUPABASE = _plain(("20260101000001_a.sql", "20260101000002_b.sql", "20260101000003_c.sql"))
DRIZZLE = _plain(("0000_a.sql", "0001_b.sql", "0002_c.sql")) | {
    "meta/_journal.json": '{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":100,"tag":"0000_a"},'
    '{"idx":1,"when":200,"tag":"0001_b"},{"idx":2,"when":300,"tag":"0002_c"}]}'
}
LIQUIBASE = {
    f"{number}_{name}.sql": f"-- liquibase formatted sql\n-- changeset ada:{number}\n{sql}"
    for number, (name, sql) in enumerate(zip("abc", SQL, strict=True), 1)
}


def _atlas(
    version: str,
    name: str,
    done: int,
    total: int,
    error: str = "NULL",
    partial: str = "'null'",
    kind: int = 2,
    found: str = "",
) -> str:
    digest = found or atlas_sum(ATLAS).get(f"{version}_{name}.sql", "x")
    return f"'{version}', '{name}', {kind}, {done}, {total}, {NOW}, 1, {error}, '', '{digest}', {partial}, 'Atlas CLI v0.30'"


def _flyway(rank: int, version: str, file: str, success: str = "TRUE", kind: str = "SQL") -> str:
    text = FLYWAY.get(file)
    return (
        f"{rank}, '{version}', 'x', '{kind}', '{file}', {_crc(text) if text else 'NULL'}, 'root', {NOW}, 1, {success}"
    )


def _prisma(name: str, finished: str = NOW, back: str = "NULL", number: int = 1) -> str:
    digest = hashlib.sha256(PRISMA.get(f"{name}/migration.sql", "").encode()).hexdigest()
    return f"'id-{number}-{name}', '{digest}', {finished}, '{name}', 'went wrong', {back}, {NOW}, 1"


def _sqlx(version: int, name: str, success: str = "TRUE") -> str:
    digest = hashlib.sha384(SQLX.get(f"{version}_{name}.sql", "").encode()).hexdigest()
    return f"{version}, '{name}', {NOW}, {success}, X'{digest}', 5"


def _drizzle(name: str, when: int) -> str:
    return f"'{hashlib.sha256(DRIZZLE.get(name, 'gone').encode()).hexdigest()}', {when}"


CASES = (
    Case(
        "atlas", "atlas", ATLAS,
        "CREATE TABLE atlas_schema_revisions (version {key} PRIMARY KEY, description {key} NOT NULL, type bigint NOT NULL, applied bigint NOT NULL, "
        "total bigint NOT NULL, executed_at {when} NOT NULL, execution_time bigint NOT NULL, error text, error_stmt text, hash {key} NOT NULL, "
        "partial_hashes text, operator_version {key} NOT NULL)",
        "version, description, type, applied, total, executed_at, execution_time, error, error_stmt, hash, partial_hashes, operator_version",
        (_atlas(".atlas_cloud_identifier", "", 0, 0), _atlas("1", "a", 1, 1), _atlas("2", "b", 2, 2)),
        gone=_atlas("9", "z", 1, 1), bad=(_atlas("3", "c", 1, 2, "'syntax error'", "'[\"h1:wrong\"]'"),), hashed=True,
        count=lambda applied: applied + 1,
    ),
    Case(
        "flyway", "flyway", FLYWAY,
        "CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, "
        "type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL, "
        "installed_on {when} NOT NULL DEFAULT CURRENT_TIMESTAMP, execution_time int NOT NULL, success {flag} NOT NULL)",
        "installed_rank, version, description, type, script, checksum, installed_by, installed_on, execution_time, success",
        (_flyway(1, "1", "V1__a.sql"), _flyway(2, "1.1", "V1.1__b.sql")),
        gone=_flyway(3, "9", "V9__z.sql"), bad=(_flyway(3, "2", "V2__c.sql", "FALSE"),), hashed=True,
    ),
    Case(
        "golang-migrate", "golang-migrate", MIGRATE, "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty {flag} NOT NULL)",
        "version, dirty", ("2, FALSE",), bad=("3, TRUE",), count=lambda _: 1,
    ),
    Case(
        "dbmate", "dbmate", DBMATE, "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)",
        "version", ("'20260101000001'", "'20260101000002'"), gone="'20200101000000'",
    ),
    Case(
        "goose", "goose", GOOSE,
        "CREATE TABLE goose_db_version (id {serial}, version_id bigint NOT NULL, "
        "is_applied {flag} NOT NULL, tstamp {when} DEFAULT CURRENT_TIMESTAMP)",
        "version_id, is_applied", ("0, TRUE", "1, TRUE", "2, TRUE", "3, TRUE", "3, FALSE"), gone="9, TRUE", count=lambda applied: applied + 3,
    ),
    Case(
        "prisma", "prisma", PRISMA,
        "CREATE TABLE _prisma_migrations (id varchar(100) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at {when} NULL, "
        "migration_name varchar(255) NOT NULL, logs text, rolled_back_at {when} NULL, started_at {when} NOT NULL DEFAULT CURRENT_TIMESTAMP, "
        "applied_steps_count int NOT NULL DEFAULT 0)",
        "id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count",
        (_prisma("20260101000001_a"), _prisma("20260101000002_b", "NULL", NOW, 2), _prisma("20260101000002_b")),
        gone=_prisma("20200101000000_z"), bad=(_prisma("20260101000003_c", "NULL"),), hashed=True, count=lambda applied: applied + 1,
    ),
    Case(
        "diesel", "diesel", DIESEL,
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY NOT NULL, "
        "run_on {when} DEFAULT CURRENT_TIMESTAMP)",
        "version", ("'20260101000001'", "'20260101000002'"), gone="'20200101000000'",
    ),
    Case(
        "sqlx", "sqlx", SQLX,
        "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, "
        "installed_on {when} NOT NULL DEFAULT CURRENT_TIMESTAMP, "
        "success {flag} NOT NULL, checksum {bytes} NOT NULL, execution_time bigint NOT NULL)",
        "version, description, installed_on, success, checksum, execution_time",
        (_sqlx(1, "a"), _sqlx(2, "b")), gone=_sqlx(9, "z"), bad=(_sqlx(3, "c", "FALSE"),), hashed=True,
    ),
    Case(
        "supabase", "supabase", SUPABASE, "CREATE TABLE schema_migrations (version {key} NOT NULL PRIMARY KEY, statements text, name text)",
        "version, name", ("'20260101000001', 'a'", "'20260101000002', 'b'"), gone="'20200101000000', 'z'",
    ),
    Case(
        "drizzle", "drizzle", DRIZZLE, "CREATE TABLE __drizzle_migrations (id {serial}, hash text NOT NULL, created_at bigint)",
        "hash, created_at", (_drizzle("0000_a.sql", 100), _drizzle("0001_b.sql", 200)), gone=_drizzle("gone", 50), hashed=True,
    ),
    Case(
        "liquibase", "liquibase", LIQUIBASE,
        "CREATE TABLE databasechangelog (id {key} NOT NULL, author {key} NOT NULL, filename {key} NOT NULL, "
        "orderexecuted int NOT NULL, exectype varchar(10) NOT NULL)",
        "id, author, filename, orderexecuted, exectype",
        ("'1', 'ada', 'db/changelog/1_a.sql', 1, 'EXECUTED'", "'2', 'ada', 'db/changelog/2_b.sql', 2, 'MARK_RAN'"),
        gone="'9', 'eve', 'db/changelog/z.sql', 3, 'EXECUTED'", bad=("'3', 'ada', '3_c.sql', 3, 'FAILED'",), compat=False,
    ),
)  # fmt: skip
BY_NAME = {case.tool: case for case in CASES}
