"""Client-side syntax is cut where each runner cuts it, with exact spans."""

from __future__ import annotations

import pytest

from ci_runner import sql
from ci_runner.model.directory import Part
from ci_runner.model.operations import CreateTable
from tests.sql.reading import kinds, migration, read

CUTS = {
    "semicolons": ("postgres", "select 1; select 2 ;\n\nselect 3", ["select 1;", "select 2 ;", "select 3"]),
    "empty statements": ("postgres", ";;\n; -- x\n;", []),
    "quotes": ("postgres", """select ';', ";", 'it''s;'; select 2""", ["""select ';', ";", 'it''s;';""", "select 2"]),
    "escape strings": ("postgres", r"select E'\';', 'x\'; select 2", [r"select E'\';', 'x\';", "select 2"]),
    "a name that ends in e": ("postgres", r"select date'x\'; select 2", [r"select date'x\';", "select 2"]),
    "dollar quotes": ("postgres", "select $a$;$b$;$a$, $1; select a$b$c; select 3", ["select $a$;$b$;$a$, $1;", "select a$b$c;", "select 3"]),
    "nested comments": ("postgres", "select /* ; /* ; */ ; */ 1; select 2", ["select /* ; /* ; */ ; */ 1;", "select 2"]),
    "flat comments": ("mysql", "select /* ; /* ; */ 1; select 2", ["select /* ; /* ; */ 1;", "select 2"]),
    "line comments": ("postgres", "-- a;\nselect 1 -- ;\n;--b", ["select 1 -- ;\n;"]),
    "mysql dashes": ("mysql", "select 1--2; select 3 -- x;\n; # y;\nselect 4", ["select 1--2;", "select 3 -- x;\n;", "select 4"]),
    "mysql backslash": ("mysql", """select 'a\\';', "b\\";"; select 2""", ["""select 'a\\';', "b\\";";""", "select 2"]),
    "snowflake slashes": ("snowflake", "select 1 // ;\n; select $$;$$", ["select 1 // ;\n;", "select $$;$$"]),
    "brackets": ("sqlserver", "select [a;]]b] select 2", ["select [a;]]b]", "select 2"]),
    "atomic bodies": (
        "postgres",
        "create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3",
        ["create function f() returns int begin atomic select case when true then 1 end; select 2; end;", "select 3"],
    ),
    "rules": ("postgres", "create rule r as on insert to a do (select 1; select 2); select 3",
              ["create rule r as on insert to a do (select 1; select 2);", "select 3"]),
    "psql commands": ("postgres", "\\set x 1;\nselect 1;\n\\echo a;b\nselect 2 \\g\nselect 3", ["select 1;", "select 2", "select 3"]),
    "psql's own after SQL": ("postgres", "\\echo it's \\\\\nselect 1 \\bind 'a\\\\;' \\g\nselect 2 \\; select 3; \\p \\\\ select 4",
                             ["select 1 \\bind 'a\\\\;'", "select 2", "select 3;", "select 4"]),
    "psql's files": ("postgres", "\\copy (select ';') TO 'a b' csv\n\\ir a.sql \\\\ select 1;\n\\i 'b\\'c.sql'",
                     ["\\copy (select ';') TO 'a b' csv", "\\ir a.sql", "select 1;", "\\i 'b\\'c.sql'"]),
    "breakpoints": ("sqlite", "select 1\n--> statement-breakpoint\nselect 2;--> statement-breakpoint\n", ["select 1", "select 2;"]),
    "breakpoints of MySQL": ("mysql", "select 1\n--> statement-breakpoint\nselect 2--1\n", ["select 1", "select 2--1"]),
    "bun's splits": ("clickhouse", "select 1\n--bun:split\nselect 2\n--migration:split\r\nselect 3 --bun:splitter\n",
                     ["select 1", "select 2", "select 3 --bun:splitter"]),
    "bun's splits of MySQL": ("mysql", "select 1\n--bun:split\nselect 2", ["select 1", "select 2"]),
    "sqlcmd's own without their colon": ("sqlserver", "select 1\nGO\nexit\n", ["select 1"]),
    "sqlcmd's quit after a statement": ("sqlserver", "select 1\n QUIT ;\r\n", ["select 1"]),
    "delimiter": ("mysql", "DELIMITER //\nselect 1; select 2//\ndelimiter ;\nselect 3;", ["select 1; select 2", "select 3;"]),
    "delimiter in quotes": ("mysql", "DELIMITER $$\nselect '$$'$$\nDELIMITER ;\n", ["select '$$'"]),
    "executable comments": ("mysql", "/*!40101 SET NAMES utf8 */;\n/*!50003 CREATE TABLE a (b INT) */;",
                            ["/*!40101 SET NAMES utf8 */;", "/*!50003 CREATE TABLE a (b INT) */;"]),
    "sqlite triggers": (
        "sqlite",
        "create trigger t after insert on a begin select case 1 when 1 then 2 end; delete from b; end; select 1",
        ["create trigger t after insert on a begin select case 1 when 1 then 2 end; delete from b; end;", "select 1"],
    ),
    "mysql routines": (
        "mysql",
        "create procedure p() begin if a then select 1; elseif b then select 2; end if; l: loop leave l; end loop; end; select 1",
        ["create procedure p() begin if a then select 1; elseif b then select 2; end if; l: loop leave l; end loop; end;", "select 1"],
    ),
    "a trigger without a block": ("mysql", "create trigger t before insert on a for each row if (x) then set y = 1; end if; select 1",
                                  ["create trigger t before insert on a for each row if (x) then set y = 1; end if;", "select 1"]),
    "go": ("sqlserver", "select 1\nGO\nselect 'x\nGO\ny'\ngo 5\n-- GO\n", ["select 1", "select 'x\nGO\ny'"]),
    "batches without semicolons": (
        "sqlserver",
        ("SET NOCOUNT ON\nALTER TABLE a ALTER COLUMN b INT\nINSERT INTO a SELECT 1 UNION ALL SELECT 2\n"
        "UPDATE a SET b = 1 WHERE c IN (SELECT 1)\nGRANT SELECT, INSERT ON a TO b\nDECLARE @x INT SET @x = 1"),
        ["SET NOCOUNT ON", "ALTER TABLE a ALTER COLUMN b INT", "INSERT INTO a SELECT 1 UNION ALL SELECT 2",
         "UPDATE a SET b = 1 WHERE c IN (SELECT 1)", "GRANT SELECT, INSERT ON a TO b", "DECLARE @x INT", "SET @x = 1"],
    ),
    "snowflake blocks": ("snowflake", "begin; select 1; commit; begin select 1; select 2; end; select 3",
                         ["begin;", "select 1;", "commit;", "begin select 1; select 2; end;", "select 3"]),
    "carriage returns": ("postgres", "select 1;\r\n-- x\r\nselect 2;\r\n", ["select 1;", "select 2;"]),
    "comments only": ("postgres", "-- a\n/* b */\n", []),
    "clickhouse backslash": ("clickhouse", r"select 'a\';'; select 2", [r"select 'a\';';", "select 2"]),
    "a backslash that is none": ("sqlite", r"select 'a\'; select 2", [r"select 'a\';", "select 2"]),
    "a backslash in a name": ("mysql", r"select `a\`; select 2", [r"select `a\`;", "select 2"]),
    "an escape string at the very start": ("postgres", r"E'\';'; select 2", [r"E'\';';", "select 2"]),
    "a number that ends in e": ("postgres", r"select 1e'\'; select 2", [r"select 1e'\';", "select 2"]),
    "a name with an underscore and dollars": ("postgres", "select a_$b$c; select $b$;$b$", ["select a_$b$c;", "select $b$;$b$"]),
    "mysql sharps": ("mysql", "select 1#;\n; select 2", ["select 1#;\n;", "select 2"]),
    "clickhouse sharps": ("clickhouse", "select 1 # ;\n; select 2 #! ;\n; select 3 #;", ["select 1 # ;\n;", "select 2 #! ;\n;", "select 3 #;"]),
    "an arrow that is no breakpoint": ("postgres", "select 1 --> other\n; select 2", ["select 1 --> other\n;", "select 2"]),
    "a comment that does not end with its first star": ("mysql", "select 1 /*/ ; */; select 2", ["select 1 /*/ ; */;", "select 2"]),
    "comments no server runs": ("mysql", "/*!99999 drop table a */; /*M! drop table b */; select 1", ["select 1"]),
    "comments the newest server runs": ("mysql", "/*!99998 drop table a */; select 1", ["/*!99998 drop table a */;", "select 1"]),
    "comments no mariadb runs": ("mariadb", "/*!999999 drop table a */; /*!50700 drop table b */; /*!99999 drop table c */; select 1", ["select 1"]),
    "comments every mariadb runs": ("mariadb", "/*! drop table a */; /*!50699 drop table b */; /*M!50700 drop table c */;",
                                    ["/*! drop table a */;", "/*!50699 drop table b */;", "/*M!50700 drop table c */;"]),
    "sqlcmd": ("sqlserver", ":setvar a b\nselect 1\n!!dir\nGO\n:r x.sql  \nselect 2", ["select 1", ":r x.sql", "select 2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CUTS)
def test_a_file_is_cut_at(name: str) -> None:
    dialect, text, expected = CUTS[name]
    found = read(text, dialect)
    assert [s.text for s in found] == expected
    assert [text[s.start : s.end] for s in found] == expected
    assert sql.count(migration(text), dialect) == len(expected)
    assert [text[a:b] for a, b in sql.split(text, dialect)] == expected
    assert [s.text for s in sql.outline(migration(text), dialect)] == expected


UNREAD = {
    ("postgres", "select 1;\n select 'a"): "unterminated string at 2:9",
    ("postgres", 'select "a'): "unterminated quoted name at 1:8",
    ("sqlserver", "select [a"): "unterminated quoted name at 1:8",
    ("postgres", "/* /* */ select 1"): "unterminated comment at 1:1",
    ("mysql", "select 1 /* a"): "unterminated comment at 1:10",
    ("postgres", "select $a$ x"): "unterminated dollar-quoted string at 1:8",
    ("sqlite", "create trigger t after insert on a begin delete from b;"): "the block opened at 1:36 has no END",
    (
        "postgres",
        "copy a from stdin;\n1\n",
    ): "the data of COPY from 2:1 on has no \\. line and takes the rest of the file",
    ("sqlserver", ":r x.sql"): "sqlcmd's :r is no SQL and runs what stands elsewhere",
    ("sqlite", "select 1 /* the end of the text ends it"): None,
    ("postgres", "copy a from stdin;\n"): None,
}


@pytest.mark.parametrize(("dialect", "text"), UNREAD)
def test_what_cannot_be_read_on_is_said_with_its_place(dialect: str, text: str) -> None:
    last = read(text, dialect)[-1]
    assert last.not_analysed == UNREAD[dialect, text]
    assert bool(last.operations) == (last.not_analysed is None)


def test_copy_data_goes_with_its_statement_and_is_no_sql() -> None:
    text = "COPY note (id, body) FROM stdin;\n1\tit's; DROP TABLE note;\n\\.\nSELECT 1;\n"
    copy, select = read(text, "postgres")
    assert (copy.data, select.text, select.line) == ("1\tit's; DROP TABLE note;\n", "SELECT 1;", 4)


def test_the_rows_behind_psqls_own_copy_are_no_sql_either() -> None:
    text = "SELECT 0;\n\\copy note (id, body) FROM stdin csv\n1,it's; DROP TABLE note;\n\\.\nDROP TABLE a;\n"
    found = read(text, "postgres")
    assert [(s.text, s.line) for s in found[::2]] == [("SELECT 0;", 1), ("DROP TABLE a;", 5)]
    assert (found[1].data, found[1].operations) == ("1,it's; DROP TABLE note;\n", ())


def test_what_stands_between_psqls_if_and_endif_may_not_run() -> None:
    text = "\\if :a\nDROP TABLE a;\n\\if :b\nDROP\n\\endif\nTABLE b;\n\\else\nDROP TABLE c;\n\\endif\n\\endif\nDROP TABLE d;"
    assert kinds(text, "postgres") == [*["conditional:drop-table"] * 3, "drop-table"]


BRANCHES = {
    "\\if false\nDROP TABLE a;\n\\endif\nDROP TABLE b;": ["DROP TABLE b;"],
    "\\if true\nDROP TABLE a;\n\\else\nDROP TABLE b;\n\\endif\nDROP TABLE c": ["DROP TABLE a;", "DROP TABLE c"],
    "\\if 0\nDROP TABLE a;\n\\elif on\nDROP TABLE b;\n\\elif on\nDROP TABLE c;\n\\else\nDROP TABLE d;\n\\endif": [
        "DROP TABLE b;"
    ],
    "\\if off\n\\if true\nDROP TABLE a;\n\\endif\n\\q\n\\i x.sql\n\\endif\nDROP TABLE b;": ["DROP TABLE b;"],
    "\\if no\nSELECT 'it;\n\\endif'; -- \\endif\n$$\\endif$$; DROP TABLE a;\n\\endif\nDROP TABLE b;": ["DROP TABLE b;"],
    "\\if f\nDROP TABLE a; -- the end of the file ends it": [],
    "DROP TABLE a;\nDROP TABLE\n\\q\nb; DROP TABLE c;": ["DROP TABLE a;"],
    "\\quit\nDROP TABLE c;": [],
}


@pytest.mark.parametrize("text", BRANCHES)
def test_what_psql_passes_over_is_no_statement(text: str) -> None:
    found = read(text, "postgres")
    assert [(s.text, s.operations[0].conditional) for s in found] == [(each, False) for each in BRANCHES[text]]


def test_a_branch_inside_a_statement_that_never_runs_is_no_part_of_it() -> None:
    text = "CREATE TABLE a (\n\\if false\n  x int,\n\\endif\n  y int);"
    operation = read(text, "postgres")[0].operations[0]
    assert isinstance(operation, CreateTable)
    assert [column.name for column in operation.columns] == ["y"]


def test_what_stands_behind_a_way_out_that_may_be_taken_may_not_run() -> None:
    assert kinds("\\if :done\n\\q\n\\endif\nDROP TABLE a;", "postgres") == ["conditional:drop-table"]


def test_lines_count_from_one_and_spans_are_characters() -> None:
    text = "-- ä€\nSELECT 'ü';\n\nCREATE TABLE a (\n  b int\n);\n"
    found = read(text, "postgres")
    assert [(s.line, s.end_line) for s in found] == [(2, 2), (4, 6)]
    assert text[found[1].start : found[1].end].startswith("CREATE TABLE")


def test_a_part_that_is_whole_is_one_statement_with_the_operations_of_all_in_it() -> None:
    text = "-- +goose StatementBegin\nCREATE TABLE a (b int); DROP TABLE c;\n-- +goose StatementEnd\nSELECT 1;"
    first = text.index("CREATE")
    last = text.index("\n-- +goose StatementEnd")
    rest = text.index("SELECT 1")
    parts = (Part(first, last, whole=True), Part(rest, len(text), "none"))
    found = sql.statements(migration(text, parts=parts), "postgres")
    assert [[op.kind for op in s.operations] for s in found] == [["create-table", "drop-table"], ["select"]]
    assert [s.transaction for s in found] == [None, "none"]


def test_a_delimiter_directive_is_taken_out_of_the_statements() -> None:
    found = sql.statements(migration("CREATE TABLE a (b int)\n\n\nDROP TABLE c\n\n\n", delimiter="\n\n\n"), "postgres")
    assert [s.text for s in found] == ["CREATE TABLE a (b int)", "DROP TABLE c"]


def test_batches_are_counted_and_repeated_as_go_says() -> None:
    found = read("SELECT 1\nGO\nSELECT 2\nGO 3\nSELECT 3", "sqlserver")
    assert [(s.batch, s.repeat) for s in found] == [(0, 1), (1, 3), (2, 1)]
    found = read("SELECT 1\nGO\nGO 2\nSELECT 2", "sqlserver")
    assert [(s.batch, s.repeat) for s in found] == [(0, 1), (2, 1)]


def test_what_a_delimiter_of_its_own_keeps_together_has_the_operations_of_all_in_it() -> None:
    text = "DELIMITER //\ndrop table a; drop table b//\nDELIMITER ;\ndrop table c; drop table d;"
    assert [len(s.operations) for s in read(text, "mysql")] == [2, 1, 1]


def test_mariadb_runs_its_own_executable_comments_and_leaves_those_of_later_mysql_alone() -> None:
    text = "/*M!100100 DROP TABLE a */;/*!50701 DROP TABLE b */;/*!40000 DROP TABLE c */;"
    assert len(kinds(text, "mariadb")) == 2
    assert len(kinds(text, "mysql")) == 2


COMMENTS = {
    "directly above": ("-- a\n-- b\nSELECT 1;", [["-- a", "-- b"]]),
    "a blank line parts": ("-- a\n\n-- b\nSELECT 1;", [["-- b"]]),
    "trailing": ("SELECT 1; -- a\nSELECT 2; -- b\n", [["-- a"], ["-- b"]]),
    "trailing is not above": ("SELECT 1; -- a\n-- b\nSELECT 2;", [["-- a"], ["-- b"]]),
    "inside": ("SELECT 1, -- a\n/* b */ 2;", [["-- a", "/* b */"]]),
    "far behind": ("SELECT 1;\n-- a\n", [[]]),
    "bodies have none": ("CREATE FUNCTION f() RETURNS int AS $$ -- a\nSELECT 1 $$ LANGUAGE sql;", [[]]),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comments_belong_where_they_stand(name: str) -> None:
    text, expected = COMMENTS[name]
    found = read(text, "postgres")
    assert [[comment for comment, _ in s.comments] for s in found] == expected
    assert all(text.startswith(comment, at) for s in found for comment, at in s.comments)


def test_comments_of_a_files_head_are_found_apart() -> None:
    text = "-- a\n-- b\n\n-- c\nSELECT 1;"
    assert [comment for comment, _ in sql.header_comments(migration(text), "postgres")] == ["-- a", "-- b"]


def test_a_comment_inside_a_block_belongs_to_the_statement_there() -> None:
    text = "DO $$ BEGIN\n  -- pilotage:ignore drop-table\n  DROP TABLE a;\n  DROP TABLE b;\nEND $$;"
    _, first, second = read(text, "postgres")[0].operations
    assert [[comment for comment, _ in op.comments] for op in (first, second)] == [
        ["-- pilotage:ignore drop-table"],
        [],
    ]
    assert text.startswith(first.comments[0][0], first.comments[0][1])
