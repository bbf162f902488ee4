"""Catalogue queries that deploying adds to inspecting: single objects, what inspecting leaves out, indexes that are no use.

(PostgreSQL manual, chapter "System Catalogs")
"""

from __future__ import annotations

_COLUMNS = """(SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  pg_get_expr(x.adbin, x.adrelid), a.attidentity, a.attcollation, a.attstorage), ',' ORDER BY a.attnum)
 FROM pg_attribute a LEFT JOIN pg_attrdef x ON x.adrelid = a.attrelid AND x.adnum = a.attnum
 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)"""
_PARTS = """(SELECT string_agg(k.conname || pg_get_constraintdef(k.oid) || k.convalidated, ',' ORDER BY k.conname)
  FROM pg_constraint k WHERE k.conrelid = c.oid),
 (SELECT string_agg(g.tgname || pg_get_triggerdef(g.oid) || g.tgenabled::text, ',' ORDER BY g.tgname)
  FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal),
 (SELECT string_agg(pg_get_indexdef(i.indexrelid), ',' ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = c.oid)"""
_TABLE = f"""SELECT concat_ws('|', c.relkind, c.relpersistence, c.relispartition, c.relrowsecurity, c.reloptions::text, c.reltablespace,
 c.relreplident, {_COLUMNS}, {_PARTS})"""
_INDEX = "SELECT pg_get_indexdef(c.oid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END"
_TYPE = """SELECT concat_ws('|', t.typtype, (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
 FROM pg_enum e WHERE e.enumtypid = t.oid)) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = {where}"""
_ROUTINE = """SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = {where} ORDER BY 1"""
_OF = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"

# {where} is a name and, behind AND, the schema it is looked for in.
DEFINITIONS = {
    "table": f"{_TABLE} {_OF} WHERE c.relkind IN ('r', 'p', 'f') AND c.relname = {{where}}",
    "view": f"SELECT c.relkind || pg_get_viewdef(c.oid) {_OF} WHERE c.relkind IN ('v', 'm') AND c.relname = {{where}}",
    "index": f"{_INDEX} {_OF} JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relname = {{where}}",
    "sequence": f"SELECT c.relkind || c.relpersistence {_OF} WHERE c.relkind = 'S' AND c.relname = {{where}}",
    "type": _TYPE,
    "routine": _ROUTINE,
}
INVALID = """SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relkind = 'i' ORDER BY 1"""
_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'"
MORE = f"""SELECT 'comment on', n.nspname || '.' || c.relname || ' ' || d.objsubid, d.description FROM pg_description d
 JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OWN}
UNION ALL SELECT 'domain', n.nspname || '.' || t.typname, concat_ws(' ', format_type(t.typbasetype, t.typtypmod), t.typnotnull,
 t.typdefault, (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid))
 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND {_OWN}
UNION ALL SELECT 'collations of', n.nspname || '.' || c.relname,
 string_agg(a.attname || ' ' || (SELECT l.collname FROM pg_collation l WHERE l.oid = a.attcollation), ',' ORDER BY a.attnum)
 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 JOIN pg_type t ON t.oid = a.atttypid WHERE a.attcollation <> 0 AND a.attcollation <> t.typcollation
 AND c.relkind IN ('r', 'p', 'f') AND {_OWN} GROUP BY n.nspname, c.relname
UNION ALL SELECT 'state of trigger', n.nspname || '.' || c.relname || '.' || g.tgname, g.tgenabled::text
 FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT g.tgisinternal AND g.tgenabled <> 'O' AND {_OWN} ORDER BY 1, 2"""
