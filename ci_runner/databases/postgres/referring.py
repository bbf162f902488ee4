"""Foreign keys that lead to a table, found by what hangs on it: PostgreSQL has no index for that, and a long history has many keys."""

from __future__ import annotations

REFERRING = """SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND confrelid IN ({numbers}) AND oid = ANY (ARRAY(
 SELECT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass AND refclassid = 'pg_class'::regclass AND refobjid IN ({numbers})))"""
