"""Empty PostgreSQL databases for replay, made and copied on one server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ci_runner import databases
from ci_runner.databases import Address, Database, DatabaseFailure, Sql, Use
from ci_runner.devdb.emptied import NO_ROOM
from ci_runner.devdb.init import Init

# Made by us where a script asks for them, because the replay's role may not: well known, and none of them reaches files or the network.
ALLOWED = frozenset(
    """address_standardizer address_standardizer_data_us age hll hypopg pg_hint_plan pg_partman pg_repack pg_stat_statements pgrouting
    pg_similarity pg_uuidv7 pgvector postgis postgis_raster postgis_sfcgal postgis_tiger_geocoder postgis_topology rum timescaledb vector
    vectorscale vchord zhparser pgroonga h3 h3_postgis pg_ivm pg_bigm periods temporal_tables ip4r semver""".split()  # noqa: SIM905 - words read better as words
)
_WANTED = re.compile(
    r"\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?(\"[^\"]+\"|\w+)(?:\s+with)?(?:\s+schema\s+(\"[^\"]+\"|\w+))?",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"--[^\n]*")
_LEAVING, _LOOK = 1.0, 0.002  # seconds


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A value as a string literal."""
    return "'" + value.replace("'", "''") + "'"


def run(database: Database, *statements: str) -> None:
    """Statements of our own, each by itself."""
    database.execute([Sql(statement) for statement in statements], transaction=False)


class Shelved(NamedTuple):
    """A state that outlives the run: whether the server came up with it ``held`` under ``key``, and how to ``keep`` it where it did not.

    ``keep`` is called with no session open and the numbers of its database and of ``copies`` copies that are kept with it and come up with
    it; it says where the server answers afterwards, None where it did before.
    """

    key: str
    held: bool
    keep: Callable[[Sequence[int]], Address | None]
    copies: int = 0


class PostgresDev:
    """Databases beside one another on one server: ``admin`` makes them, the replay runs as ``user``, their owner.

    ``confined``: the user has no rights but those of an owner, and ``admin`` makes extensions for it. ``template`` is copied for a fresh
    database, ``prefix`` begins every name when the server is not ours. ``shelved`` keeps a state beyond this run,
    ``init`` prepares what empty databases are copied from, ``kill`` ends a server of our own, and ``ended`` says why one was ended.
    """

    dialect = "postgres"

    def __init__(
        self,
        admin: Address,
        user: Address,
        *,
        template: str = "",
        prefix: str = "",
        confined: bool = True,
        shelved: Shelved | None = None,
        init: Init | None = None,
        kill: Callable[[], None] = lambda: None,
        ended: Callable[[], str] = lambda: "",
    ) -> None:
        self.kill = kill
        self._ended = ended
        self._admin_address = admin
        self._user = user
        self._template = template
        self._prefix = prefix
        self._confined = confined
        self._shelved = shelved
        self._init = init
        self._held = shelved.key if shelved and shelved.held else ""
        self._spare = self._copies() if self._held else []
        self._made: list[str] = [user.database, *self._spare] if self._held else []
        self._kept: dict[str, str] = {}
        self._admin = databases.open_address(admin)
        self.engine = self._admin.engine

    def fresh(self, scripts: Iterable[str] = ()) -> Database:
        """A new empty database; extensions the ``scripts`` create, and only a superuser may, are made in it beforehand."""
        if self._init:
            self._template, self._init = self._prepared(self._init), None
        return self._session(self._create(self._template), scripts)

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:
        """Keep the state of ``database`` under ``key``. It is closed for that; the session to go on with is returned."""
        database.close()
        self._left(database.name)
        if self._shelved and self._shelved.key == key and not self._shelved.held:
            self._spare = [self._create(database.name, name) for name in self._copies()]
            numbers = [self._number(name) for name in (database.name, *self._spare)]
            self._admin.close()
            place = self._shelved.keep(numbers)
            if place:
                self._admin_address, self._user = (
                    replace(each, host=place.host, port=place.port, socket=place.socket)
                    for each in (self._admin_address, self._user)
                )
            self._admin = databases.open_address(self._admin_address)
        self._kept[key] = self._copy(key, database.name)
        return self._session(database.name, scripts)

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:
        """A new database in the state kept under ``key``, in this run or, the first time, in an earlier one; None when nothing is kept."""
        if key and key == self._held:
            self._held, name = "", self._user.database
            self._kept[key] = self._copy(key, name)
            return self._session(name, scripts)
        kept = self._kept.get(key)
        return self._session(self._copy(key, kept), scripts) if kept is not None else None

    def advice(self, failure: DatabaseFailure) -> str:
        """What the user can do about a refusal that is this dev database's and not the migration's; "" when there is nothing."""
        return self._ended() or advice(failure, confined=self._confined)

    def drop_all(self) -> None:
        """Drop every database made here."""
        for name in reversed(self._made):
            force = " WITH (FORCE)" if self._admin.version >= (13,) else ""
            run(self._admin, f"DROP DATABASE IF EXISTS {quote(name)}{force}")
        self._made.clear()

    def close(self) -> None:
        """End the administrator's session."""
        self._admin.close()

    def _prepared(self, init: Init) -> str:
        """A database the SQL ran on as the replay's role, so that all is that role's own, with an administrator's rights for as long."""
        base = self._prefix or self._user.database or "dev"
        name = self._create(self._template, f"{base}_init")
        lift = self._confined and self._user.user != self._admin_address.user
        run(self._admin, *([f"ALTER ROLE {quote(self._user.user)} SUPERUSER"] if lift else []))
        database = databases.open_address(replace(self._user, database=name))
        try:
            init.run(database)
        finally:
            database.close()
            run(self._admin, *([f"ALTER ROLE {quote(self._user.user)} NOSUPERUSER"] if lift else []))
        return name

    def _copies(self) -> list[str]:
        """Names of the copies that are kept with a state."""
        copies = self._shelved.copies if self._shelved else 0
        return [f"{self._user.database}_kept_{number}" for number in range(1, copies + 1)]

    def _copy(self, key: str, template: str) -> str:
        """A database in the state kept under ``key``: one that is there already, or a copy of ``template``."""
        if self._spare and self._shelved and key == self._shelved.key:
            return self._spare.pop(0)
        return self._create(template)

    def _create(self, template: str, name: str = "") -> str:
        base = self._prefix or self._user.database or "dev"
        name = name or (base if base not in self._made and not self._prefix else f"{base}_{len(self._made) + 1}")
        if self._exists(name):
            run(self._admin, f"DROP DATABASE {quote(name)}")
        parts = [f"CREATE DATABASE {quote(name)}"]
        parts += [f"OWNER {quote(self._user.user)}"] if self._user.user != self._admin_address.user else []
        parts += [f"TEMPLATE {quote(template)}"] if template else []
        parts += ["STRATEGY FILE_COPY"] if self._admin.version >= (15,) else []
        run(self._admin, " ".join(parts))
        self._made.append(name)
        return name

    def _left(self, name: str) -> None:
        """Wait until the last session has left the database: to be copied at once finds it in use, and then the server sleeps for 0.1 s."""
        limit = time.monotonic() + _LEAVING
        while self._admin.query(f"SELECT FROM pg_stat_activity WHERE datname = {literal(name)}"):
            if time.monotonic() > limit:
                return
            time.sleep(_LOOK)

    def _exists(self, name: str) -> bool:
        return self._number(name) > 0

    def _number(self, name: str) -> int:
        """The database's, which its folder is called after; 0 where there is none."""
        rows = self._admin.query(f"SELECT oid::int8 FROM pg_database WHERE datname = {literal(name)}")
        return int(rows[0][0]) if rows else 0

    def _session(self, name: str, scripts: Iterable[str]) -> Database:
        ready = self._prepare(name, scripts)
        return databases.open_address(replace(self._user, database=name), Use(ready=ready))

    def _prepare(self, name: str, scripts: Iterable[str]) -> frozenset[str]:
        if not self._confined:
            return frozenset()
        wanted = {found for script in scripts for found in _extensions(script)}
        if not wanted:
            return frozenset()
        makeable = self._untrusted()
        ready: set[str] = set()
        admin = databases.open_address(replace(self._admin_address, database=name))
        try:
            there = {row[0] for row in admin.query("SELECT extname FROM pg_extension")}
            for extension, schema in sorted(wanted):
                if extension in makeable & ALLOWED and extension not in there and f"extension {extension}" not in ready:
                    _make(admin, extension, schema, self._user.user)
                    ready |= {f"extension {extension}"} | ({f"schema {schema}"} if schema else set())
        finally:
            admin.close()
        return frozenset(ready)

    def _untrusted(self) -> frozenset[str]:
        """Available extensions that only a superuser may create (trusted ones came with PostgreSQL 13)."""
        trusted = "WHERE NOT trusted" if self._admin.version >= (13,) else ""
        rows: list[tuple[Any, ...]] = self._admin.query(
            f"SELECT DISTINCT name FROM pg_available_extension_versions {trusted}"
        )
        return frozenset(row[0] for row in rows)


def advice(failure: DatabaseFailure, *, confined: bool) -> str:
    """Remedies for refusals that concern the server and not the migration."""
    if "extension" in failure.message and ("is not available" in failure.message or "control file" in failure.message):
        return (
            "the dev database's server lacks this extension: docker://postgres/16/dev has all that come with PostgreSQL, docker://postgis/16-3.4/dev "
            "and docker://pgvector/pg17/dev have those; or name an image of your own, docker+postgres://HOST/IMAGE:TAG/dev"
        )
    if failure.code == "53100":
        return NO_ROOM
    if failure.code == "42501" and confined:
        return "replays have no superuser rights; add ?superuser=true to the dev URL if these migrations need them and you trust their authors"
    return ""


def _extensions(script: str) -> set[tuple[str, str]]:
    if "extension" not in script.lower():
        return set()
    return {(_folded(found[1]), _folded(found[2] or "")) for found in _WANTED.finditer(_COMMENT.sub("", script))}


def _folded(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()


def _make(admin: Database, extension: str, schema: str, owner: str) -> None:
    where = ""
    if schema and schema not in {"public", "pg_catalog"}:
        run(admin, f"CREATE SCHEMA IF NOT EXISTS {quote(schema)} AUTHORIZATION {quote(owner)}")
    if schema:
        where = f" SCHEMA {quote(schema)}"
    run(admin, f"CREATE EXTENSION IF NOT EXISTS {quote(extension)}{where} CASCADE")


def provision(admin: Database, role: str, password: str = "", *, superuser: bool = False) -> None:
    """Make ``role`` as replays run: it may own a database and nothing else. It also owns what a plain database brings along.

    Its place is template1, so that every database made later has it.
    """
    login = f"LOGIN PASSWORD {literal(password)}" if password else "LOGIN"
    rights = "SUPERUSER" if superuser else "NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS"
    run(
        admin,
        f"CREATE ROLE {quote(role)} {login} {rights}",
        f"ALTER SCHEMA public OWNER TO {'pg_database_owner' if admin.version >= (14,) else quote(role)}",
        f"ALTER DATABASE template1 OWNER TO {quote(role)}",
    )
    if admin.version >= (11,):  # what asks for the schema is long and reads little: compiling it took half a second
        run(admin, f"ALTER ROLE {quote(role)} SET jit = off")
    if admin.version >= (13,):  # pg_dump output says COMMENT ON EXTENSION plpgsql, which its owner alone may
        run(
            admin,
            "DROP EXTENSION IF EXISTS plpgsql",
            f"SET ROLE {quote(role)}",
            "CREATE EXTENSION plpgsql",
            "RESET ROLE",
        )
    run(admin, f"ALTER DATABASE template1 OWNER TO {quote(admin.query('SELECT current_user')[0][0])}")
