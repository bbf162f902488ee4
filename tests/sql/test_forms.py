"""Each statement of the vendors' grammars yields the operations it should, and nothing is passed over in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.sql.reading import every_form, forms, kinds, operations, read

OWN = forms()


@pytest.mark.parametrize("dialect", sorted({dialect for dialect, _, _ in OWN}))
def test_each_form_of_a_dialect_has_its_kinds(dialect: str) -> None:
    wrong = {
        statement: kinds(statement, dialect)
        for name, statement, expected in OWN
        if name == dialect and kinds(statement, dialect) != expected
    }
    assert wrong == {}


def test_each_shared_statement_form_has_its_kinds(shared: Path) -> None:
    cases = yaml.safe_load((shared / "cases" / "statement-forms.yaml").read_text())
    wrong = {
        case["sql"]: kinds(case["sql"], case["dialect"])
        for case in cases
        if kinds(case["sql"], case["dialect"]) != case["kind"]
    }
    assert wrong == {}


def test_each_statement_of_the_shared_lint_cases_is_understood(shared: Path) -> None:
    cases = yaml.safe_load((shared / "cases" / "lint-cases.yaml").read_text())
    texts = [(case["id"], case["dialect"], case[key]) for case in cases for key in ("pre_sql", "sql")]
    assert [
        (name, s.text, s.not_analysed) for name, dialect, text in texts for s in read(text, dialect) if s.not_analysed
    ] == []


GARBAGE = [
    ("postgres", "ALTER TABLE a FROBNICATE b", "no grammar for ALTER TABLE … FROBNICATE b at 1:15"),
    ("postgres", "CREATE FOO bar", "no grammar for CREATE FOO at 1:8"),
    ("postgres", "ALTER TABLE a ADD COLUMN b int GARBAGE HERE", "ALTER TABLE: not understood at 'GARBAGE' at 1:32"),
    ("postgres", "DROP TABLE a b c", "DROP TABLE: not understood at 'b' at 1:14"),
    ("postgres", "CREATE TABLE a (b int", "unclosed parenthesis at 1:16"),
    ("postgres", "SELECT 1)", "a closing parenthesis that was never opened at 1:9"),
    ("postgres", "DROP TABLE a;\nSELECT 'x", "unterminated string at 2:8"),
    ("postgres", "CREATE INDEX i ON a", "CREATE INDEX: not understood at 'the end' at 1:20"),
    ("postgres", "/* open", "unterminated comment at 1:1"),
    ("postgres", "SELECT $x$ y", "unterminated dollar-quoted string at 1:8"),
    ("postgres", "FLY me TO the moon", "no grammar for FLY me at 1:1"),
    ("mysql", "ALTER TABLE a ADD COLUMN b INT, FLY", "no grammar for ALTER TABLE … FLY at 1:33"),
    ("mysql", "SELECT `x", "unterminated quoted name at 1:8"),
    ("sqlserver", "ALTER TABLE a FLY", "no grammar for ALTER TABLE … FLY at 1:15"),
    ("sqlserver", "DROP TYPE a GO\nDROP TYPE b", "GO is understood only where it has the line to itself, not at 1:13"),
    ("sqlserver", "IF 1 = 1 BEGIN SELECT 1", "BEGIN or IF without its end at 1:10"),
    ("clickhouse", "ALTER TABLE a FLY b", "no grammar for ALTER TABLE … FLY b at 1:15"),
    ("snowflake", "ALTER TABLE a FLY b", "no grammar for ALTER TABLE … FLY b at 1:15"),
    ("postgres", "\\i other.sql", "psql's \\i is no SQL and runs what stands elsewhere"),
    ("postgres", "SELECT 'DROP TABLE ' || a \\gexec", "psql's \\gexec runs what the query before it returns"),
    ("postgres", "SELECT format('DROP TABLE %I', a) \\gexec", "psql's \\gexec runs what the query before it returns"),
    ("postgres", "SELECT 'DROP TABLE a';\n\\gexec", "psql's \\gexec runs what the query before it returns"),
    (
        "postgres",
        "\\copy a TO 'it''s; csv'",
        "psql's \\copy is no SQL: it moves rows between a table and a file of the client's",
    ),
    (
        "postgres",
        "COPY a FROM stdin;\n1\t2\n",
        "the data of COPY from 2:1 on has no \\. line and takes the rest of the file",
    ),
]


@pytest.mark.parametrize(("dialect", "text", "reason"), GARBAGE)
def test_what_is_not_understood_says_why_and_where(dialect: str, text: str, reason: str) -> None:
    assert [s.not_analysed for s in read(text, dialect) if s.not_analysed] == [reason]


def test_one_statement_that_fails_costs_no_other() -> None:
    assert kinds("CREATE TABLE a (b int); FLY; DROP TABLE a; ALTER TABLE a FLY; SELECT 1", "postgres") == [
        "create-table",
        "not analysed: no grammar for FLY at 1:25",
        "drop-table",
        "not analysed: no grammar for ALTER TABLE … FLY at 1:58",
        "select",
    ]


RUN_TIME = [
    (
        "postgres",
        "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'a'); DROP TABLE b; END $$",
        ["do-block", "conditional:drop-table"],
    ),
    ("postgres", "DO $$ BEGIN EXECUTE 'DROP TABLE ' || x; END $$", ["do-block"]),
    ("sqlserver", "EXEC ('DROP TABLE ' + @x)", ["execute-dynamic"]),
    ("sqlserver", "EXEC sp_executesql @sql", ["execute-dynamic"]),
    ("snowflake", "EXECUTE IMMEDIATE $x", ["execute-dynamic"]),
    ("mysql", "PREPARE s FROM @x; EXECUTE s", ["prepare", "execute-prepared"]),
]


@pytest.mark.parametrize(("dialect", "text", "expected"), RUN_TIME)
def test_text_made_at_run_time_is_reported_beside_what_could_be_read(
    dialect: str, text: str, expected: list[str]
) -> None:
    found = kinds(text, dialect)
    assert [kind for kind in found if not kind.startswith("not analysed")] == expected
    assert [kind for kind in found if "at run time" in kind] != []


PUT_TOGETHER = [
    ("DECLARE @t sysname = 'a' EXEC ('DROP TABLE dbo.' + @t)", ["declare", "execute-dynamic", "conditional:drop-table"]),
    ("EXEC ('ALTER TABLE a ' + N'DROP COLUMN b')", ["execute-dynamic", "conditional:alter-table.drop-column"]),
    ("SET @t = 'a' IF OBJECT_ID(@t) IS NOT NULL EXEC ('DROP VIEW ' + @t)", ["set-variable", "conditional:execute-dynamic", "conditional:drop-view"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PUT_TOGETHER)
def test_what_t_sql_puts_together_of_known_text_is_read(text: str, expected: list[str]) -> None:
    assert kinds(text, "sqlserver") == expected


@pytest.mark.parametrize(
    "before",
    [
        "SELECT @t = name FROM x",
        "IF 1 = 1 SET @t = 'b'",
        "EXEC p @t OUTPUT",
        "FETCH c INTO @t",
        "WHILE 1 = 1 SET @t = 'b'",
        "SET @t += 'b'",
    ],
)
def test_a_variable_that_may_hold_something_else_by_then_is_not_trusted(before: str) -> None:
    assert "at run time" in kinds(f"SET @t = 'a' {before} EXEC ('DROP TABLE ' + @t)", "sqlserver")[-1]


def test_a_literal_prepared_is_read_once_and_executing_it_hides_nothing() -> None:
    text = "PREPARE s FROM 'ALTER TABLE a DROP COLUMN b'; EXECUTE s; DEALLOCATE PREPARE s;"
    assert kinds(text, "mysql") == ["prepare", "conditional:alter-table.drop-column", "execute-prepared", "deallocate"]


HELD = [
    ("snowflake", "DECLARE s VARCHAR DEFAULT 'DROP TABLE t'; BEGIN EXECUTE IMMEDIATE :s; s := 'TRUNCATE TABLE u'; EXECUTE IMMEDIATE s; END",
     ["procedural-block", "conditional:drop-table", "conditional:truncate"]),
    ("snowflake", "BEGIN LET s := 'DROP TABLE ' || x; EXECUTE IMMEDIATE :s; END",
     ["procedural-block", "not analysed: EXECUTE of text that is put together at run time at 1:36"]),
    ("snowflake", "BEGIN LET r RESULTSET := ASYNC (INSERT INTO t SELECT 1); ASYNC (DROP TABLE u); AWAIT r; LET q RESULTSET := (SELECT 1); END",
     ["procedural-block", "conditional:insert", "conditional:drop-table"]),
    ("postgres", "DO $$ DECLARE q text := 'DROP TABLE t'; BEGIN EXECUTE q; END $$", ["do-block", "conditional:drop-table"]),
    ("postgres", "DO $$ DECLARE q text; BEGIN q := 'ALTER TABLE t DROP a'; EXECUTE q; END $$",
     ["do-block", "conditional:alter-table.drop-column"]),
    ("postgres", "DO $$ BEGIN EXECUTE format('ALTER TABLE a ADD b int'); EXECUTE format('UPDATE t SET a = %L', f(x, ')')) USING z; END $$",
     ["do-block", "conditional:alter-table.add-column", "conditional:update"]),
    ("postgres", "DO $$ BEGIN EXECUTE format('DROP INDEX %I', x); END $$",
     ["do-block", "not analysed: EXECUTE of text that is put together at run time at 1:13"]),
    ("postgres", "DO $$ BEGIN EXECUTE format('DROP ' || 'TABLE a'); END $$",
     ["do-block", "not analysed: EXECUTE of text that is put together at run time at 1:13"]),
    ("postgres", "DO $$ BEGIN EXECUTE 'GRANT ALL ON t TO ' || a || ', ' || quote_ident(b); END $$", ["do-block", "conditional:grant"]),
    ("postgres", "DO $$ BEGIN EXECUTE 'CREATE ROLE ' || r || ' NOLOGIN'; EXECUTE format('ALTER ROLE %I LOGIN', r); END $$",
     ["do-block", "conditional:create-role", "conditional:alter-role.set-option"]),
    ("postgres", "DO $$ BEGIN EXECUTE 'ALTER TABLE t ' || 'ADD COLUMN x int ' || 'NOT NULL'; END $$",
     ["do-block", "conditional:alter-table.add-column"]),
    ("postgres", "DO $$ BEGIN EXECUTE 'DROP TABLE a; GRANT x TO y' || CASE WHEN a THEN ' WITH GRANT OPTION' ELSE '' END; END $$",
     ["do-block", "conditional:drop-table", "conditional:grant"]),
    ("postgres", "DO $$ BEGIN EXECUTE 'DELETE FROM t WHERE id = ' || id USING x; END $$", ["do-block", "conditional:delete"]),
    ("postgres", "DO $$ BEGIN EXECUTE 'DROP TRIGGER \"t_' || l.id || '\" ON a'; END $$", ["do-block", "conditional:drop-trigger"]),
    ("postgres", "DO $$ DECLARE v text; BEGIN v = 'GRANT x TO ' || y; EXECUTE v; v := format('CREATE ROLE %I', y); EXECUTE v; END $$",
     ["do-block", "conditional:grant", "conditional:create-role"]),
    ("postgres", "DO $$ DECLARE v text := 'DROP TABLE t'; BEGIN FOR v IN SELECT x FROM y LOOP EXECUTE v; END LOOP; END $$",
     ["do-block", "not analysed: EXECUTE of text that is put together at run time at 1:77"]),
    ("postgres", "DO $$ BEGIN v = 'GRANT x TO y'; v = v || z; EXECUTE v; END $$",
     ["do-block", "not analysed: EXECUTE of text that is put together at run time at 1:45"]),
    ("postgres", "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO bob', current_database()); END $$", ["do-block", "conditional:grant"]),
    ("postgres", "SELECT 'CREATE DATABASE x' WHERE NOT EXISTS (SELECT FROM pg_database) \\gexec", ["select", "conditional:create-database"]),
    ("postgres", "SELECT 'DROP TABLE a' AS q, $$TRUNCATE b$$ r, format($$DROP VIEW c -- 5 %%$$) FROM z \\gexec",
     ["select", "conditional:drop-table", "conditional:truncate", "conditional:drop-view"]),
    ("postgres", "SELECT format($f$CREATE FUNCTION v() RETURNS text AS $$ SELECT '%1$s' $$ LANGUAGE sql;$f$, :'x')\n\\gexec",
     ["select", "conditional:create-function"]),
    ("postgres", "DO $$ DECLARE q text := 'DROP TABLE t'; BEGIN SELECT x INTO q FROM y; EXECUTE q; END $$",
     ["do-block", "not analysed: EXECUTE of text that is put together at run time at 1:71"]),
]  # fmt: skip


MADE_AT_RUN_TIME = [
    "'ALTER TABLE ' || t || ' DROP x'",
    "'ALTER TABLE t ADD x ' || y",
    "'DROP TA' || 'BLE t'",
    "'DROP TABLE t' || s",
    "x || ' DROP TABLE t'",
    "'a' ||",
    "'DROP TABLE t ' || E'CASCADE'",
    "'DROP TABLE t; ' || x",
]


@pytest.mark.parametrize("text", MADE_AT_RUN_TIME)
def test_what_is_run_is_not_guessed_where_its_words_or_the_names_that_matter_are_not_known(text: str) -> None:
    assert kinds(f"DO $$ BEGIN EXECUTE {text}; END $$", "postgres") == [
        "do-block",
        "not analysed: EXECUTE of text that is put together at run time at 1:13",
    ]


@pytest.mark.parametrize(("dialect", "text", "expected"), HELD)
def test_what_a_variable_of_a_block_surely_holds_is_read(dialect: str, text: str, expected: list[str]) -> None:
    assert kinds(text, dialect) == expected


TEMPLATES = {
    "{% from 'x.j2' import a -%}\nUSE DATABASE {{ db }};\n{{ a('x', y) }}\n\n{{ a('z') }}\n":
        ["use", "not analysed: what a template's {{ … }} stands for is known when it is rendered at 3:1"],
    "{% if prod %}\nDROP TABLE t;\n{% elif x %}\nDROP TABLE u;\n{%- else -%}\nTRUNCATE v;\n{% endif %}\nDROP TABLE w;":
        ["conditional:drop-table", "conditional:drop-table", "conditional:truncate", "drop-table"],
    "{% macro m(x) %}\nDROP TABLE t;\n{% endmacro %}\nCREATE TABLE a (b INT);": ["create-table"],
    "{% set x = 1 %}{% set y %}DROP TABLE t{% endset %}CREATE TABLE a (b INT {% if x %}, c INT{% endif %});": ["create-table"],
    "{% for t in ts %}\nGRANT SELECT ON {{ t }} TO ROLE r;\n{% endfor %}\n{# DROP TABLE t; #}\nSELECT '{% if %}';": ["conditional:grant", "select"],
    "DROP TABLE a;\n{% include 'x.sql' %}\nDROP TABLE b;":
        ["drop-table", "not analysed: a template's {% include %} runs what stands elsewhere", "drop-table"],
    "DROP TABLE {{ env }}_x.t; ALTER TABLE {{ db }}.{{ s }}.t_{{ n }}_z DROP COLUMN a": ["drop-table", "alter-table.drop-column"],
    "{{ a('x') }}\n\n{{ b('y') }}\n-- the tables\nCREATE TABLE {{ x }}_t (a INT);\nDROP TABLE z;":
        ["not analysed: what a template's {{ … }} stands for is known when it is rendered at 1:1", "create-table", "drop-table"],
    "DROP TABLE a; {% open": ["drop-table", "not analysed: unclosed template tag at 1:15"],
}  # fmt: skip


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_template_is_read_as_what_it_is(text: str) -> None:
    assert kinds(text, "snowflake") == TEMPLATES[text]


def test_a_part_of_a_name_may_be_a_templates() -> None:
    (dropped,) = operations("DROP TABLE {{ env }}_db.s.t_{{ n }}_z", "snowflake")
    assert [str(table) for table in dropped.tables] == ["{{ ENV }}_DB.S.T_{{ N }}_Z"]  # type: ignore[attr-defined]


PLACEHOLDERS = [
    ("clickhouse", "CREATE TABLE ?DB.a ?ON_CLUSTER (b Int8 Codec(?CODEC)) ENGINE = ?(REPLICATED)MergeTree ORDER BY b", "create-table", "?DB.a"),
    ("clickhouse", "ALTER TABLE {{ .DB }}.a {{ .OnCluster }} ADD COLUMN b ?TYPE TTL t + INTERVAL ?TTL DAY", "alter-table.add-column", "{{ .DB }}.a"),
    ("clickhouse", "CREATE TABLE {db}.a ON CLUSTER {cluster} (b Int8) ENGINE = Memory", "create-table", "{db}.a"),
    ("clickhouse", "CREATE TABLE a ${ON_CLUSTER} (b Int8) ENGINE = Memory", "create-table", "a"),
    ("mysql", "CREATE TABLE {$NAMESPACE}_user.{$X}s (id INT)", "create-table", "{$NAMESPACE}_user.{$X}s"),
    ("mysql", "ALTER TABLE log_${year} ADD b {$TYPE}", "alter-table.add-column", "log_${year}"),
    ("mariadb", "CREATE TABLE %%prefix%%users (id INT)", "create-table", "%%prefix%%users"),
    ("postgres", "CREATE TABLE {prefix}users (id $%AUTO_KEY%$, b {{ type }})", "create-table", "{prefix}users"),
    ("postgres", "CREATE TABLE t_{{env}}_x (id int DEFAULT 7%id)", "create-table", "t_{{env}}_x"),
    ("sqlite", "ALTER TABLE {prefix}a ADD b INT DEFAULT (2 % 3)", "alter-table.add-column", "{prefix}a"),
    ("sqlserver", "ALTER TABLE $schema$.users ADD b INT", "alter-table.add-column", "$schema$.users"),
    ("sqlserver", "ALTER TABLE {owner}[{qualifier}users] ADD b INT", "alter-table.add-column", "{owner}[{qualifier}users]"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "kind", "table"), PLACEHOLDERS)
def test_what_a_runner_puts_a_value_for_may_stand_for_any_part(dialect: str, text: str, kind: str, table: str) -> None:
    (found,) = operations(text, dialect)
    assert (found.kind, str(found.table)) == (kind, table)  # type: ignore[attr-defined]


def test_the_tags_of_go_s_templates_leave_what_stands_between_them() -> None:
    text = """CREATE TABLE {{.T}} {{if .Replicated}}ON CLUSTER '{cluster}'{{end}} (
        {{- if .Tenants}} tenant String, {{- /* one each */ -}} {{end}} id Int8) ENGINE = {{if .R}}ReplicatedMergeTree{{end}} ORDER BY id;
        {{ if .Old }} DROP TABLE a; {{ end }}"""
    table, dropped = operations(text, "clickhouse")
    assert [column.name for column in table.columns] == ["tenant", "id"]  # type: ignore[attr-defined]
    assert "on cluster" in table.options
    assert text[dropped.start : dropped.end] == "DROP TABLE a"


def test_of_a_template_s_branches_within_a_statement_the_first_is_read() -> None:
    text = """CREATE TABLE {{.T}} (id Int8) ENGINE {{if .R}}ReplicatedMergeTree{{else}}MergeTree(){{end}} {{.TTL}}
        ORDER BY {{if .X}}{{if .Y}}a{{else}}b{{end}}{{else if .Z}}c{{else}}tuple(){{end}};"""
    (table,) = operations(text, "clickhouse")
    assert table.engine == "ReplicatedMergeTree"  # type: ignore[attr-defined]
    assert table.order_by == ("a",)  # type: ignore[attr-defined]


def test_branches_that_are_statements_are_all_read() -> None:
    text = "{{if .A}}DROP TABLE a;{{else}}DROP TABLE b;{{end}} DROP TABLE c;"
    assert [str(op.tables[0]) for op in operations(text, "clickhouse")] == ["a", "b", "c"]  # type: ignore[attr-defined]
    together = kinds("{{if .A}}DROP TABLE a{{else}}DROP TABLE b{{end}}", "clickhouse")
    assert len(together) == 1
    assert together[0].startswith("not analysed: ")


@pytest.mark.parametrize("value", ["?ON_CLUSTER", "{{ .OnCluster }}", "${ON_CLUSTER}"])
@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE a {}",
        "TRUNCATE TABLE a {}",
        "CREATE VIEW a {} AS SELECT 1",
        "RENAME TABLE a TO b {}",
        "ALTER TABLE a {} DROP COLUMN b",
    ],
)
def test_a_value_named_for_on_cluster_is_that_clause(text: str, value: str) -> None:
    (found,) = operations(text.replace("{}", value), "clickhouse")
    assert "on cluster" in found.options


def test_an_on_that_names_no_cluster_ends_the_reading_of_a_truncate() -> None:
    assert kinds("TRUNCATE TABLE a ON b", "clickhouse") == [
        "not analysed: TRUNCATE TABLE: not understood at 'ON' at 1:18"
    ]


GUARDS = [
    "IF(@x > 0, 'ALTER TABLE a DROP COLUMN b', 'SELECT 1')",
    "CASE @x WHEN 0 THEN 'ALTER TABLE a DROP COLUMN b' ELSE 'SELECT \\'it\\'\\'s\\'' END",
    "'ALTER TABLE a DROP COLUMN b'",
    "(SELECT IF((SELECT COUNT(*) FROM t) > 0, 'ALTER TABLE a DROP COLUMN b', 'SELECT 1') FROM u)",
]


@pytest.mark.parametrize("value", GUARDS)
def test_mysqls_guard_by_a_variable_is_read_where_its_literals_stand(value: str) -> None:
    text = f"SET @s = {value}; PREPARE p FROM @s; EXECUTE p; DEALLOCATE PREPARE p;"
    expected = ["set-variable", "conditional:alter-table.drop-column", "prepare", "execute-prepared", "deallocate"]
    assert kinds(text, "mysql") == expected
    found = read(text, "mysql")[0].operations[1]
    assert text[found.start : found.end] == "DROP COLUMN b"


@pytest.mark.parametrize(
    "value", ["CONCAT('DROP TABLE ', @t)", "IF(1, 'DROP TABLE a', @other)", "'FLY'", "(SELECT t FROM b)"]
)
def test_a_variable_that_can_be_anything_else_leaves_execute_not_analysed(value: str) -> None:
    found = read(f"SET @s = {value}; PREPARE p FROM @s; EXECUTE p", "mysql")
    assert [s.not_analysed for s in found][:2] == [None, None]
    assert "at run time" in (found[2].not_analysed or "")


def test_operations_inside_a_literal_point_at_their_own_text() -> None:
    text = "DO $$ BEGIN EXECUTE 'ALTER TABLE a ALTER b SET DEFAULT ''x'', DROP c'; END $$"
    found = read(text, "postgres")[0].operations[1:]
    assert [text[op.start : op.end] for op in found] == ["ALTER b SET DEFAULT ''x'", "DROP c"]


def test_every_kind_is_published(shared: Path) -> None:
    cases = yaml.safe_load((shared / "cases" / "statement-forms.yaml").read_text())
    made = {kind for _, _, expected in every_form() for kind in expected} | {
        kind for case in cases for kind in case["kind"]
    }
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()
    published = set(re.findall(r"`([a-z-]+(?:\.[a-z-]+)?)`", page.partition("## Kinds")[2]))
    assert published == {kind.removeprefix("conditional:") for kind in made}
