"""What PostgreSQL does to a table for a type change or a default, as measured on version 15 (debug1 log, relfilenode)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal

from ci_runner.lint.clauses import rewrite
from ci_runner.lint.context import Context
from ci_runner.lint.placing import ALONE
from ci_runner.lint.rule import Edit, Fix
from ci_runner.lint.types import arguments, base, casts_of
from ci_runner.model.operations import AlterColumnType, Column, CreateIndex, DropIndex, Name, Statement, Type
from ci_runner.model.schema import Catalog
from ci_runner.sql.catalog_names import locate
from ci_runner.sql.catalog_types import constrained, settled
from ci_runner.text.pattern import later

Effect = Literal["none", "index", "rewrite"]
_WORSE: tuple[Effect, ...] = ("none", "index", "rewrite")
_LENGTHS = {"varbit"}
_FRACTIONS = {"timestamp", "timestamptz", "time", "timetz", "interval"}
_ALIKE = {
    ("varchar", "text"), ("text", "varchar"), ("cidr", "inet"), ("xml", "text"), ("xml", "varchar"), ("oid", "regclass"), ("regclass", "oid"),
    ("oid", "regtype"), ("regtype", "oid"), ("text", "bpchar"), ("varchar", "bpchar"), ("xml", "bpchar"), ("char", "bpchar"),
}  # fmt: skip
_INDEX_ONLY = {
    frozenset({"citext", "text"}), frozenset({"citext", "varchar"}), frozenset({"int", "oid"}), frozenset({"int", "regclass"}),
    frozenset({"int", "regtype"}),
}  # fmt: skip


def type_change(old: Column, op: AlterColumnType, catalog: Catalog, *, utc: bool) -> Effect:
    """What ALTER COLUMN … TYPE costs: nothing, its indexes rebuilt, or the whole table. ``utc``: the session's time zone is UTC."""
    if old.type is None:
        return "rewrite"
    same = base(old.type) == base(op.type)
    if constrained(catalog, op.type) and not same:
        return "rewrite"
    casts = casts_of(op.using, op.column) if op.using else ()
    if casts is None:
        return "rewrite"
    present = settled(catalog, old.type)
    if present is not old.type and not same:
        present = Type(present.base, (), present.suffix)  # what comes out of a domain has no length
    written = op.type.text.lower()
    hops = [present, *(op.type if cast.text.lower() == written else cast for cast in casts), op.type]
    types = [settled(catalog, each) for each in hops]
    effect = max((_change(*pair, utc=utc) for pair in pairwise(types)), key=_WORSE.index)
    if effect == "none" and op.collation and op.collation.strip('"') != old.collation.strip('"'):
        return "index"
    return effect


def _change(old: Type, new: Type, *, utc: bool) -> Effect:
    one, two = _named(old), _named(new)
    first, second = arguments(old), arguments(new)
    arrays = (old.suffix.count("["), new.suffix.count("["))
    if one == two and first == second and arrays[0] == arrays[1]:
        return "none"
    if any(arrays):
        return "rewrite"
    if {one, two} == {"timestamp", "timestamptz"}:
        return "index" if utc and not second else "rewrite"
    if one != two:
        return _other_name(one, two, second)
    if one == "numeric":
        return _numeric(first, second)
    if one in _FRACTIONS:
        return "none" if not second or second[0] >= (first[0] if first else 6) else "rewrite"
    if one in ("varchar", *_LENGTHS):
        return "none" if not second or (first and first[0] <= second[0]) else "rewrite"
    return "rewrite"


def _named(type_: Type) -> str:
    """The type's plain name; a bpchar without a length has no limit and is not the char(1) that a bare char is."""
    return "bpchar" if type_.base.lower() == "bpchar" and not type_.args else base(type_)


def _other_name(one: str, two: str, arguments_: tuple[int, ...]) -> Effect:
    if arguments_:
        return "rewrite"
    if (one, two) in _ALIKE:
        return "none"
    if frozenset({one, two}) in _INDEX_ONLY or (one, two) in {("bit", "varbit"), ("citext", "bpchar")}:
        return "index"
    return "rewrite"


def _numeric(old: tuple[int, ...], new: tuple[int, ...]) -> Effect:
    if not new:
        return "none"
    if not old:
        return "rewrite"
    scale = (old[1] if len(old) > 1 else 0, new[1] if len(new) > 1 else 0)
    return "none" if new[0] >= old[0] and scale[0] == scale[1] else "rewrite"


# Built-in functions people write in defaults that PostgreSQL evaluates once: immutable or stable (pg_proc.provolatile).
_STEADY = frozenset(
    {
        "abs", "age", "all", "and", "any", "array", "array_append", "array_cat", "array_dims", "array_fill", "array_length", "array_lower",
        "array_position", "array_positions", "array_prepend", "array_remove", "array_replace", "array_to_json", "array_to_string",
        "array_upper", "ascii", "between", "bit", "bit_length", "box", "btrim", "cardinality", "cast", "cbrt", "ceil", "ceiling", "char",
        "char_length", "character", "chr", "circle", "coalesce", "concat", "concat_ws", "convert_from", "convert_to", "cos",
        "current_catalog", "current_database", "current_date", "current_schema", "current_schemas", "current_setting", "current_time",
        "current_timestamp", "current_user", "date", "date_bin", "date_part", "date_trunc", "daterange", "decimal", "decode", "degrees",
        "digest", "div", "encode", "enum_first", "enum_last", "enum_range", "exp", "extract", "factorial", "floor", "format", "gcd",
        "get_bit", "get_byte", "greatest", "has_table_privilege", "hmac", "host", "hostmask", "in", "inet_client_addr", "inet_client_port",
        "inet_server_addr", "inet_server_port", "initcap", "int4multirange", "int4range", "int8range", "interval", "is", "isempty",
        "isfinite", "json_array_length", "json_build_array", "json_build_object", "json_extract_path", "json_extract_path_text",
        "json_object", "json_strip_nulls", "json_typeof", "jsonb_array_length", "jsonb_build_array", "jsonb_build_object",
        "jsonb_extract_path", "jsonb_extract_path_text", "jsonb_insert", "jsonb_object", "jsonb_pretty", "jsonb_set", "jsonb_strip_nulls",
        "jsonb_typeof", "justify_days", "justify_hours", "justify_interval", "lcm", "least", "left", "length", "like", "ln", "localtime",
        "localtimestamp", "log", "log10", "lower", "lower_inc", "lower_inf", "lpad", "ltrim", "make_date", "make_interval", "make_time",
        "make_timestamp", "make_timestamptz", "masklen", "md5", "mod", "netmask", "network", "normalize", "not", "now", "nullif",
        "num_nonnulls", "num_nulls", "numeric", "nummultirange", "numrange", "obj_description", "octet_length", "or", "overlay",
        "parse_ident", "pg_backend_pid", "pg_current_xact_id", "pg_get_userbyid", "pg_typeof", "phraseto_tsquery", "pi", "plainto_tsquery",
        "point", "position", "pow", "power", "quote_ident", "quote_literal", "quote_nullable", "radians", "regexp_match", "regexp_replace",
        "regexp_split_to_array", "repeat", "replace", "reverse", "right", "round", "row", "row_to_json", "rpad", "rtrim", "session_user",
        "set_bit", "setweight", "sha224", "sha256", "sha384", "sha512", "sign", "sin", "some", "split_part", "sqrt", "starts_with",
        "statement_timestamp", "string_to_array", "strpos", "substr", "substring", "tan", "text", "timestamp", "timestamptz", "timezone",
        "to_char", "to_date", "to_hex", "to_json", "to_jsonb", "to_number", "to_regclass", "to_timestamp", "to_tsquery", "to_tsvector",
        "transaction_timestamp", "translate", "trim", "trim_array", "trim_scale", "trunc", "tsrange", "tstzrange", "txid_current",
        "txid_current_if_assigned", "unaccent", "unistr", "upper", "upper_inc", "upper_inf", "user", "uuid_generate_v3", "uuid_generate_v5",
        "uuid_nil", "uuid_ns_dns", "values", "varchar", "version", "websearch_to_tsquery", "width_bucket", "xmlcomment", "xmlconcat",
        "xmlelement", "xmlforest", "xmlparse", "xpath",
    }
)  # fmt: skip
_CALL = later(r'((?:"[^"]*"|[A-Za-z_][\w$]*)(?:\s*\.\s*(?:"[^"]*"|[A-Za-z_][\w$]*))?)\s*\(')
_TEXT = later(r"'(?:[^']|'')*'")


def volatile(default: str, catalog: Catalog) -> str | None:
    """The function that makes a default volatile, None when every row gets the same value. Unknown functions are volatile, as by default."""
    for found in _CALL.finditer(_TEXT.sub("''", default)):
        schema, _, name = re.sub(r'\s|"', "", found[1]).lower().rpartition(".")
        known = catalog.functions.get(locate(catalog, Name(schema, name), "postgres", catalog.functions))
        if known == "volatile" or (known is None and name not in _STEADY):
            return name
    return None


def rewrites_by_adding(column: Column, catalog: Catalog) -> bool:
    """Whether ADD COLUMN with that definition rewrites the table."""
    if column.identity or column.generated == "stored" or constrained(catalog, column.type):
        return True
    return column.default is not None and not column.generated and volatile(column.default, catalog) is not None


def utc(context: Context) -> bool:
    """Whether the session's time zone is known to be UTC, which spares timestamps a rewrite from PostgreSQL 12 on."""
    return context.file.at_least(12) and utc_zone(context.setting("timezone") or context.setting("time zone") or "")


def utc_zone(setting: str) -> bool:
    """Whether a time zone, as it is set, is UTC."""
    return setting.strip("'\"").lower() in ("utc", "etc/utc", "gmt", "z", "0", "universal")


def partitioned(context: Context, name: Name | None) -> bool:
    """Whether that is a partitioned table or an index of one."""
    table = context.table(context.table_of_index(name) or name) if name else None
    return table is not None and bool(table.partition_by)


@rewrite
def concurrently(context: Context, word: str) -> Fix | None:
    """The statement with CONCURRENTLY behind the word, to be run outside a transaction; a file of nothing but indexes as a whole."""
    if context.tx.by in ("file", "block"):
        return None
    edit = _concurrent(context, context.statement, word)
    if edit is None:
        return None
    operation = context.step.operation
    named = operation.index.name if isinstance(operation, CreateIndex) else ""
    named = named or "_".join(re.findall(r"\w+", context.statement.text)[:4])
    summary = "CONCURRENTLY, outside a transaction"
    statements = context.file.statements
    if context.tx.by == "runner" and len(statements) > 1 and all(map(_only_index, statements)):
        if context.file.format in ALONE:  # each in a file of its own: the first keeps this one
            return Fix((edit,), summary, no_transaction=True, name=named) if context.step.statement else None
        edits = [_concurrent(context, each, "INDEX") for each in statements]
        return Fix(tuple(filter(None, edits)), summary, no_transaction=True, whole=True)
    return Fix((edit,), summary, no_transaction=True, name=named)


def _only_index(statement: Statement) -> bool:
    operations = statement.operations
    plain = (
        len(operations) == 1 and isinstance(operations[0], CreateIndex | DropIndex) and not operations[0].conditional
    )
    return plain and "cascade" not in operations[0].options and len(getattr(operations[0], "indexes", "1")) == 1


def _concurrent(context: Context, statement: Statement, word: str) -> Edit | None:
    if any(getattr(operation, "concurrently", False) for operation in statement.operations):
        return None
    found = re.compile(rf"\b{word}\b", re.IGNORECASE).search(context.file.text, statement.start, statement.end)
    return Edit(found.end(), found.end(), " CONCURRENTLY") if found else None
