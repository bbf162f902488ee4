"""What a change did to a PostgreSQL schema, read from the objects it touched and those tied to them, not from all there are.

PostgreSQL counts what is written to each of its catalogues (https://www.postgresql.org/docs/current/monitoring-stats.html), says which rows
are newer than a transaction, and records which object hangs on which (https://www.postgresql.org/docs/current/catalog-pg-depend.html): what
is neither newer nor hangs on what is, reads as before, and a catalogue nothing was written to is not looked at. Where names could be found in
another place than before, or something rare changed that texts of any object may show, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ci_runner.databases.postgres.referring import REFERRING

if TYPE_CHECKING:
    from ci_runner.databases.postgres import Postgres
    from ci_runner.model.inspected import Schema

Found = Mapping[str, frozenset[int]]
Place = tuple[str, int]  # a catalogue and a number in it
Counters = Mapping[str, tuple[int, int]]

# Rows that make an object another one: where they are, and the object, as class and number.
_ROWS = (
    ("pg_class", "pg_class", "oid"),
    ("pg_attribute", "pg_class", "attrelid"),
    ("pg_attrdef", "pg_class", "adrelid"),
    ("pg_index", "pg_class", "indrelid"),
    ("pg_sequence", "pg_class", "seqrelid"),
    ("pg_inherits", "pg_class", "unnest(ARRAY[inhrelid, inhparent])"),
    ("pg_partitioned_table", "pg_class", "partrelid"),
    ("pg_rewrite", "pg_class", "ev_class"),
    ("pg_trigger", "pg_class", "tgrelid"),
    ("pg_policy", "pg_class", "polrelid"),
    ("pg_constraint", "pg_constraint", "oid"),
    ("pg_type", "pg_type", "oid"),
    ("pg_enum", "pg_type", "enumtypid"),
    ("pg_proc", "pg_proc", "oid"),
)
# What can be gone without a newer row anywhere, and has a number.
_GONE = ("pg_class", "pg_constraint", "pg_type", "pg_proc", "pg_trigger", "pg_policy", "pg_rewrite", "pg_attrdef")
# What the text of any object may show, and hardly any migration changes.
_RARE = (
    *("pg_namespace", "pg_extension", "pg_operator", "pg_opclass", "pg_opfamily", "pg_collation", "pg_conversion", "pg_cast"),
    *("pg_language", "pg_am", "pg_ts_config", "pg_ts_dict", "pg_ts_template", "pg_ts_parser", "pg_transform"),
)  # fmt: skip
_MEMBERS = "(SELECT xmin FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e') AS members"
_NEWER = "age(xmin) <= age('{mark}'::text::xid)"
# From an object to what an inspection shows of it: a relation (r), a type (t) or a function (f).
_SHOWN = """SELECT DISTINCT kind, shown::int8 FROM found f CROSS JOIN LATERAL (
 SELECT 'r' AS kind, coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = f.number), f.number) AS shown WHERE f.class = 'pg_class'::regclass
 UNION ALL SELECT 'r', conrelid FROM pg_constraint WHERE f.class = 'pg_constraint'::regclass AND oid = f.number
 UNION ALL SELECT 't', contypid FROM pg_constraint WHERE f.class = 'pg_constraint'::regclass AND oid = f.number
 UNION ALL SELECT 'r', tgrelid FROM pg_trigger WHERE f.class = 'pg_trigger'::regclass AND oid = f.number AND NOT tgisinternal
 UNION ALL SELECT 'r', polrelid FROM pg_policy WHERE f.class = 'pg_policy'::regclass AND oid = f.number
 UNION ALL SELECT 'r', adrelid FROM pg_attrdef WHERE f.class = 'pg_attrdef'::regclass AND oid = f.number
 UNION ALL SELECT 'r', ev_class FROM pg_rewrite WHERE f.class = 'pg_rewrite'::regclass AND oid = f.number
 UNION ALL SELECT 't', f.number WHERE f.class = 'pg_type'::regclass
 UNION ALL SELECT 'f', f.number WHERE f.class = 'pg_proc'::regclass) AS told WHERE shown <> 0"""
# OFFSET 0 keeps the planner, which takes a catalogue without statistics to be full of matches, from reading all dependencies.
_TIED = (
    """WITH RECURSIVE found(class, number) AS ({seeds} UNION SELECT d.classid, d.objid FROM found CROSS JOIN LATERAL (
 SELECT classid, objid FROM pg_depend WHERE refclassid = found.class AND refobjid = found.number OFFSET 0) AS d) """
    + _SHOWN
)
_ALONE = "WITH found(class, number) AS ({seeds}) " + _SHOWN
_NEIGHBOURS = f"""SELECT confrelid::int8 FROM pg_constraint WHERE contype = 'f' AND conrelid IN ({{numbers}})
UNION SELECT unnest(ARRAY[conrelid, confrelid])::int8 FROM ({REFERRING}) AS key"""
# A name of these that something else has, too: which of the two is shown with its schema may have changed.
_TWICE = (
    ("r", "SELECT EXISTS (SELECT FROM pg_class t JOIN pg_class o USING (relname) WHERE o.oid <> t.oid AND t.oid IN ({numbers}))"),
    ("t", "SELECT EXISTS (SELECT FROM pg_type t JOIN pg_type o USING (typname) WHERE o.oid <> t.oid AND t.oid IN ({numbers}))"),
    ("f", "SELECT EXISTS (SELECT FROM pg_proc t JOIN pg_proc o USING (proname) WHERE o.oid <> t.oid AND t.oid IN ({numbers}))"),
)  # fmt: skip
# Settings by which the two sessions may show the same differently; jit, which replays run without, is none.
_SETTINGS = """EXISTS (SELECT FROM pg_db_role_setting
WHERE setconfig <> '{jit=off}' AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))"""
# How many rows of each catalogue were written and deleted, those of a rolled back transaction, too.
_COUNTERS = """SELECT place, pg_stat_get_tuples_inserted(place::regclass) + pg_stat_get_tuples_updated(place::regclass),
 pg_stat_get_tuples_deleted(place::regclass) FROM unnest(ARRAY[{places}]) AS place"""
_COUNTS = "current_setting('track_counts') = 'on' AND current_setting('is_superuser') = 'off'"  # a superuser may switch it off for a while
_UNKNOWN = -1  # rows
_COLUMNS = """SELECT count(*) FROM pg_attribute WHERE {newer} AND attrelid = ANY (ARRAY(SELECT oid FROM pg_class WHERE {newer}))"""
_COUNTED = (15, 0)  # earlier versions count some time after it was done
_MOST = 5000  # objects; beyond that reading all is quicker
_FIRST = (10, 0)


class Since(NamedTuple):
    """Two sessions on databases that are copies of one another; of the first the transaction its change comes after, and how it stood then.

    ``counters`` are rows written and deleted by catalogue, none where that is not known; ``rare`` the rows of those whose change is rare.
    """

    after: Postgres
    before: Postgres
    mark: int
    counters: Counters
    rare: list[tuple[int, ...]]

    def schemas(self) -> tuple[Schema, Schema] | None:
        """Before and after, of what the change touched and what is tied to that; None where only reading all of both tells."""
        self.after.reset()
        written, deleted = self._changed()
        newer = _NEWER.replace("{mark}", str(self.mark))
        if (written.keys() | deleted) & {*_RARE} or _rare(self.after, newer, counted=bool(self.counters)) != self.rare:
            return None
        made, gone = _newer(self.after, written, newer), self._gone(deleted)
        if len(made) + len(gone) > _MOST:
            return None
        touched = _merged(_objects(self.after, _TIED, made), _objects(self.before, _ALONE, gone))
        found = _merged(touched, *({"r": _neighbours(each, touched)} for each in (self.after, self.before)))
        if sum(map(len, found.values())) > _MOST or any(_twice(each, found) for each in (self.after, self.before)):
            return None
        return self.before.inspect(found), self.after.inspect(found)

    def _changed(self) -> tuple[Mapping[str, int], frozenset[str]]:
        """Catalogues of which rows may have been written, with how many, and those of which some may have been deleted."""
        if not self.counters:
            return {place: _UNKNOWN for place, _, _ in _ROWS}, frozenset(_GONE)
        more = {
            place: (written - self.counters[place][0], deleted - self.counters[place][1])
            for place, (written, deleted) in _counted(self.after).items()
        }
        return {place: written for place, (written, _) in more.items() if written}, frozenset(
            place for place, (_, deleted) in more.items() if deleted
        )

    def _gone(self, deleted: frozenset[str]) -> set[Place]:
        """What was there before the change."""
        return {
            (place, number)
            for place in deleted & {*_GONE}
            for number in _numbers(self.before, place) - _numbers(self.after, place)
        }


def since(after: Postgres, before: Postgres) -> Since | None:
    """What is to be asked after a change through ``after``; None where databases, sessions or settings may differ in more than that.

    ``before`` is the same state in another database; both sessions were opened with the same settings.
    """
    if after.version < _FIRST or after.ready or before.ready:
        return None
    ((set_apart, counts, mark),) = after.query(f"SELECT {_SETTINGS}, {_COUNTS}, txid_current() & 4294967295")
    if set_apart:
        return None
    counted = counts and after.version >= _COUNTED
    return Since(after, before, mark, _counted(after) if counted else {}, _rare(after, "false", counted=counted))


def listed(numbers: Iterable[int]) -> str:
    """Numbers as SQL lists them."""
    return ", ".join(map(str, sorted(numbers)))


def _counted(session: Postgres) -> Counters:
    """How many rows were written and deleted in each catalogue, up to now."""
    session.query("SELECT pg_stat_force_next_flush()")
    places = {*(place for place, _, _ in _ROWS), *_GONE, *_RARE}
    rows = session.query(_COUNTERS.replace("{places}", ", ".join(f"'{place}'" for place in sorted(places))))
    return {place: (written, deleted) for place, written, deleted in rows}


def _numbers(session: Postgres, place: str) -> set[int]:
    ((text,),) = session.query(f"SELECT coalesce(string_agg(oid::text, ' '), '') FROM {place}")
    return set(map(int, text.split()))


def _rare(session: Postgres, newer: str, *, counted: bool) -> list[tuple[int, ...]]:
    """Rows of what the text of any object may show, and how many of them are ``newer``; ``counted`` tells of all but one."""
    counts = (
        f"SELECT {number}, count(*), count(*) FILTER (WHERE {newer}) FROM {place}"
        for number, place in enumerate([_MEMBERS] if counted else [*_RARE, _MEMBERS])
    )
    return sorted(session.query(" UNION ALL ".join(counts)))


def _newer(session: Postgres, written: Mapping[str, int], newer: str) -> set[Place]:
    """What is ``newer`` in the catalogues ``written``. Of columns there are most, and most belong to a relation that is newer itself."""
    places = [row for row in _ROWS if row[0] in written]
    if "pg_attribute" in written and written["pg_attribute"] == session.query(_COLUMNS.replace("{newer}", newer))[0][0]:
        places = [row for row in places if row[0] != "pg_attribute"]
    if not places:
        return set()
    found = session.query(
        " UNION ALL ".join(
            f"SELECT '{kind}', {number}::int8 FROM {place} WHERE {newer}"
            + (" AND NOT tgisinternal" if place == "pg_trigger" else "")
            for place, kind, number in places
        )
    )
    return {(kind, number) for kind, number in found}


def _objects(session: Postgres, query: str, places: set[Place]) -> Found:
    if not places:
        return {}
    seeds = ", ".join(f"('{kind}'::regclass::oid, {number}::oid)" for kind, number in sorted(places))
    found: dict[str, set[int]] = {}
    for kind, number in session.query(query.replace("{seeds}", f"VALUES {seeds}")):
        found.setdefault(kind, set()).add(number)
    return {kind: frozenset(numbers) for kind, numbers in found.items()}


def _neighbours(session: Postgres, found: Found) -> frozenset[int]:
    """Tables that those found refer to, and that refer to them: a diagram shows them, too."""
    if not found["r"]:
        return frozenset()
    return frozenset(row[0] for row in session.query(_NEIGHBOURS.replace("{numbers}", listed(found["r"]))))


def _twice(session: Postgres, found: Found) -> bool:
    """Has something found a name that something else has?"""
    return any(
        session.query(sql.replace("{numbers}", listed(found[kind])))[0][0] for kind, sql in _TWICE if found[kind]
    )


def _merged(*found: Found) -> Found:
    return {kind: frozenset[int]().union(*(each.get(kind, frozenset()) for each in found)) for kind in "rtf"}
