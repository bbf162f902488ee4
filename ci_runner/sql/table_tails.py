"""Reads what follows the columns of CREATE TABLE: engine, keys, partitions, options, the query of CREATE TABLE AS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ci_runner.sql.cursor import Cursor
from ci_runner.sql.keys import columns, settings
from ci_runner.sql.queries import select_list

Draft = dict[str, Any]
_QUERY = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE", "(", "FROM")


def on_cluster(c: Cursor, options: list[str]) -> bool:
    """Reads ON CLUSTER x of ClickHouse, noted among the options with the cluster's name as written; a template's value may stand for all of it."""
    if c.dialect != "clickhouse":
        return False
    first = c.i + 2
    if c.seq("ON", "CLUSTER"):
        _cluster_name(c)
    elif on_cluster_value(c.upper[c.i]):
        first = c.i
        c.word()
    else:
        return False
    options += ("on cluster", f"cluster={c.slice(first, c.i)}")
    return True


def on_cluster_value(token: str) -> bool:
    """Whether the token (upper case) is a template's value that is named for this clause: ``?ON_CLUSTER``, ``{{ .OnCluster }}``."""
    return token[:1] in ("?", "{", "$") and ("ON_CLUSTER" in token or "ONCLUSTER" in token)


def _cluster_name(c: Cursor) -> None:
    if c.take("{"):
        while not c.take("}"):
            c.word()
    else:
        c.word()


def table_tail(c: Cursor, draft: Draft) -> None:
    """Reads what follows the elements of CREATE TABLE into ``draft``, the fields of the operation."""
    while not c.done:
        if c.at("AS", *_QUERY) and _query(c, draft):
            continue
        read = _TAILS.get(c.upper[c.i])
        if read is not None:
            c.i += 1
            read(c, draft)
        elif c.text[c.i][:2] == "{{":  # a template's value for a clause, or for several
            c.i += 1
        elif c.dialect == "sqlite" and c.take(","):
            continue
        elif c.dialect in ("mysql", "mariadb"):
            mysql_option(c, draft)
        elif c.dialect == "snowflake" and (c.seq("COPY", "GRANTS") or c.seq("COPY", "TAGS") or _governed(c)):
            continue
        elif c.dialect == "snowflake" and c.peek() == "=":
            c.i += 2
            c.skip_parens() if c.at("(") else c.word()
        else:
            c.fail()


def _query(c: Cursor, draft: Draft) -> bool:
    """AS SELECT …, or ClickHouse's AS other_table; a bare SELECT in MySQL. False where the word means something else."""
    if c.at("WITH") and c.peek() in ("(", "TAG", "ROW", "SYSTEM", "NO", "DATA", "OIDS"):
        return False
    if c.dialect == "sqlserver" and c.at("AS") and c.peek() in ("NODE", "EDGE", "FILETABLE"):
        c.i += 2
        draft["options"].append("as " + c.upper[c.i - 1].lower())
        return True
    if c.take("AS"):
        if not c.at(*_QUERY) and c.dialect in ("clickhouse", "postgres"):
            source = c.name()
            if c.at("("):
                c.skip_parens()
            else:
                draft["source"] = source
            return True
        c.seq("TABLE") if c.dialect == "postgres" else None
    elif c.dialect not in ("mysql", "mariadb"):
        return False
    draft["selects"] = True
    if c.at("SELECT"):
        draft["values"] = select_list(c, c.i)
    c.rest()
    return True


def mysql_option(c: Cursor, draft: Draft) -> None:
    """``NAME [=] value`` among MySQL's table options."""
    if c.at("IGNORE", "REPLACE", ","):
        c.i += 1
        return
    c.take("DEFAULT")
    if c.seq("CHARACTER", "SET") or c.take("CHARSET"):
        c.take("=")
        draft["charset"] = c.word().lower().strip("'\"")
    elif c.take("ENGINE"):
        c.take("=")
        draft["engine"] = c.text[c.i].strip("'\"`")
        c.i += 1
    elif c.take("COLLATE"):
        c.take("=")
        draft["options"].append("collate=" + c.word().lower().strip("'\"`"))
    elif c.take("PARTITION"):
        _mysql_partitions(c, draft)
    elif c.seq("WITH", "SYSTEM"):
        c.need("VERSIONING")
    else:
        c.seq("DATA") or c.seq("INDEX")
        c.word()
        c.take("=")
        c.skip_parens() if c.at("(") else c.word()
        c.take(",")


def _mysql_partitions(c: Cursor, draft: Draft) -> None:
    c.need("BY")
    first = c.i
    c.rest()
    draft["partition_by"] = c.slice(first, c.i)


def _partition_by(c: Cursor, draft: Draft) -> None:
    if c.dialect in ("mysql", "mariadb"):
        _mysql_partitions(c, draft)
        return
    c.need("BY")
    draft["partition_by"] = c.until(_CLAUSES) if c.dialect == "clickhouse" else _scheme(c)


def _scheme(c: Cursor) -> str:
    first = c.i
    if c.at("RANGE", "LIST", "HASH"):
        c.i += 1
    c.skip_parens()
    return c.slice(first, c.i)


_CLAUSES = frozenset(
    {"ENGINE", "ORDER", "PRIMARY", "PARTITION", "SAMPLE", "TTL", "SETTINGS", "COMMENT", "AS", "POPULATE", "EMPTY"}
)


def _order_by(c: Cursor, draft: Draft) -> None:
    c.need("BY")
    draft["order_by"] = _key_columns(c)


def _key_columns(c: Cursor) -> tuple[str, ...]:
    if c.take("TUPLE"):
        c.skip_parens()
        return ()
    if c.at("(") and c.peek() == ")":
        c.i += 2
        return ()
    if c.at("("):
        first = c.i
        found = columns(c)
        if c.done or c.at(*_CLAUSES):
            return found
        c.i = first
    first = c.i
    text = c.until(_CLAUSES)
    if c.i - first == 1:
        c.i = first
        return (c.column(),)
    while c.take(","):
        text += ", " + c.until(_CLAUSES)
    return (text,)


def _primary_key(c: Cursor, draft: Draft) -> None:
    c.need("KEY")
    keys = _key_columns(c)
    draft.setdefault("order_by", keys)
    draft["options"].append("primary key")


def _engine(c: Cursor, draft: Draft) -> None:
    if c.dialect in ("postgres", "redshift", "sqlite"):
        c.i -= 1
        c.fail()
    c.take("=")
    draft["engine"] = c.text[c.i].strip("'\"`")
    c.i += 1
    first = c.i
    if c.at("("):
        c.skip_parens()
    if c.dialect == "clickhouse":
        words = [word for word in c.text[first : c.i] if word[:1] not in "'(),"]
        draft["options"] += [f"engine of {' '.join(words)}"] if words else []


def _clause(word: str) -> Callable[[Cursor, Draft], None]:
    """A ClickHouse clause that is noted with its text."""

    def read(c: Cursor, draft: Draft) -> None:
        c.take("BY")
        text = c.until(_CLAUSES)
        while c.take(","):
            text += ", " + c.until(_CLAUSES)
        draft["options"].append(f"{word} {text}".strip())

    return read


def _with(c: Cursor, draft: Draft) -> None:
    if c.at("("):
        draft["options"] += settings(c)
    elif c.take("NO"):
        c.need("DATA")
    elif (
        (c.dialect == "snowflake" and _governed(c)) or c.seq("SYSTEM", "VERSIONING") or c.take("DATA") or c.take("OIDS")
    ):
        return
    else:
        c.fail()


_GOVERNED = {
    ("ROW", "ACCESS", "POLICY"): ("ON",), ("AGGREGATION", "POLICY"): ("ENTITY", "KEY"), ("JOIN", "POLICY"): ("ALLOWED", "JOIN", "KEYS"),
    ("STORAGE", "LIFECYCLE", "POLICY"): ("ON",),
}  # fmt: skip


def _governed(c: Cursor) -> bool:
    """A policy, tags or contacts of a Snowflake table; what follows a policy's name may be left out but for ON."""
    if c.take("TAG", "CONTACT"):
        c.skip_parens()
        return True
    for words, keys in _GOVERNED.items():
        if c.seq(*words):
            c.name()
            if c.seq(*keys):
                c.skip_parens()
            elif keys == ("ON",):
                c.fail()
            return True
    return False


def _on(c: Cursor, draft: Draft) -> None:
    if c.take("COMMIT"):
        draft["options"].append("on commit " + c.word().lower())
        c.take("ROWS")
    elif c.dialect == "sqlserver":
        c.identifier()
        if c.at("("):
            c.skip_parens()
    else:
        c.fail()


def _without(c: Cursor, draft: Draft) -> None:
    draft["options"].append("without " + c.word().lower())


def _inherits(c: Cursor, draft: Draft) -> None:
    c.need("(")
    draft["inherits"] = c.names()
    c.need(")")


def _skip_word(c: Cursor, _draft: Draft) -> None:
    c.take("=")
    c.word()


def _dist_key(c: Cursor, draft: Draft) -> None:
    draft["options"].append("distkey " + c.parens().strip().lower())


def _dist_style(c: Cursor, draft: Draft) -> None:
    draft["options"].append("diststyle " + c.word().lower())


def _sort_key(c: Cursor, draft: Draft) -> None:
    if c.upper[c.i - 1] in ("COMPOUND", "INTERLEAVED"):
        c.need("SORTKEY")
    draft["order_by"] = () if c.take("AUTO") else columns(c)


def cluster_by(c: Cursor, draft: Draft) -> None:
    """CLUSTER BY of Snowflake, behind the word CLUSTER."""
    c.need("BY")
    c.take("LINEAR")
    draft["order_by"] = columns(c)


def _flag(c: Cursor, draft: Draft) -> None:
    draft["options"].append(c.upper[c.i - 1].lower())


def _encode(c: Cursor, _draft: Draft) -> None:
    c.need("AUTO")


def _comment(c: Cursor, _draft: Draft) -> None:
    c.take("=")
    c.word()


def _foreign(c: Cursor, draft: Draft) -> None:
    """SERVER x OPTIONS (…) of a foreign table, LOCATION and the like of an external one."""
    draft["options"].append("foreign")
    c.rest()


def _using(c: Cursor, draft: Draft) -> None:
    if c.take("TEMPLATE"):
        c.skip_parens()
        draft["selects"] = True
    else:
        c.word()


_TAILS: dict[str, Callable[[Cursor, Draft], None]] = {
    "PARTITION": _partition_by, "ORDER": _order_by, "ENGINE": _engine, "PRIMARY": _primary_key, "SAMPLE": _clause("sample by"),
    "TTL": _clause("ttl"), "SETTINGS": _clause("settings"), "INHERITS": _inherits, "WITH": _with, "ON": _on,
    "TABLESPACE": _skip_word, "USING": _using, "WITHOUT": _without, "STRICT": _flag, "DISTKEY": _dist_key,
    "DISTSTYLE": _dist_style, "SORTKEY": _sort_key, "COMPOUND": _sort_key, "INTERLEAVED": _sort_key, "CLUSTER": cluster_by,
    "BACKUP": _skip_word, "ENCODE": _encode, "COMMENT": _comment, "TEXTIMAGE_ON": _skip_word, "FILESTREAM_ON": _skip_word,
    "SERVER": _foreign, "EMPTY": _flag,
}  # fmt: skip
