"""Pictures of a schema: whatever a table is called, the text stays a diagram and the boxes stay apart."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import formats, report
from ci_runner.model.diagram import Box, Diagram, Line, Row
from ci_runner.model.difference import difference
from ci_runner.model.drawing import changed, whole
from ci_runner.model.inspected import Column, Schema, Table
from ci_runner.model.report import Linted, Replay
from ci_runner.render import comment
from ci_runner.render.layout import Size, place
from ci_runner.render.mermaid import mermaid
from ci_runner.render.svg import svg
from tests.report import examples

NAMES = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["pk", "FK-1", "one", "title", 'a"b', "a b", "a_b", "```", "<b>", "]]>", "%%"]
)
MARKS = st.sampled_from(["", "added", "removed", "changed"])
ROWS = st.builds(Row, NAMES, NAMES, NAMES, st.sampled_from([(), ("PK",), ("PK", "FK")]), st.booleans(), MARKS, NAMES)
BOXES = st.lists(
    st.builds(Box, NAMES, st.lists(ROWS, max_size=4, unique_by=lambda row: row.name).map(tuple), MARKS),
    max_size=6,
    unique_by=lambda box: box.name,
)


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    boxes = draw(BOXES)
    names = st.sampled_from([box.name for box in boxes] or [""])
    line = st.builds(Line, names, names, st.tuples(NAMES), st.booleans(), st.booleans(), MARKS)
    return Diagram(tuple(boxes), tuple(draw(st.lists(line, max_size=8))) if boxes else ())


# What Mermaid's lexer takes: a quoted name holds no quote, percent sign, backslash or line end; a word is of ASCII letters,
# digits, _ - ( ) [ ], does not begin with a digit and is no key (packages/mermaid/src/diagrams/er/parser/erDiagram.jison).
ENTITY = r'"[^"%\r\n\v\b\\]+"'
WORD = r"(?!(?i:pk|fk|uk)\b)[A-Za-z_][A-Za-z0-9\-_\[\]\(\)]*"
KEYS = r"(?: (?:PK|FK|UK)(?:, (?:PK|FK|UK))*)?"
LINES = re.compile(
    rf'erDiagram|    {ENTITY}(?: \{{)?|        {WORD} {WORD}{KEYS}(?: "[^"\n]*")?|    \}}'
    rf"|    {ENTITY} (?:\|\||\|o)(?:--|\.\.)(?:o\{{|o\|) {ENTITY} : {ENTITY}"
)


@given(diagrams())
@settings(max_examples=150)
def test_every_line_is_one_that_mermaid_reads(diagram: Diagram) -> None:
    rows = mermaid(diagram).split("\n")
    assert [row for row in rows if not LINES.fullmatch(row)] == []
    named = [row.removesuffix(" {") for row in rows if re.fullmatch(rf"    {ENTITY}(?: \{{)?", row)]
    assert len(set(named)) == len(named) == len(diagram.boxes)
    assert len([row for row in rows if " : " in row]) == len(diagram.lines)
    assert "`" not in "".join(rows)


@given(diagrams())
@settings(max_examples=150)
def test_the_svg_is_xml_that_says_every_name_and_asks_for_nothing(diagram: Diagram) -> None:
    made = svg(diagram, title="<&>")
    root = ET.fromstring(made)
    ids = {element.get("id") for element in root.iter()}
    assert set((root.get("aria-labelledby") or "").split()) <= ids
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "style",
        "rect",
        "g",
        "path",
        "text",
    }
    drawn = [each for each in root.iter("{http://www.w3.org/2000/svg}g") if (each.get("class") or "").startswith("box")]
    assert len(drawn) == len(diagram.boxes)
    assert "\n\n" not in made
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name or name == "style"}
    style = next(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}style"))
    assert not re.search(r"url\(|@import", style)


@given(diagrams())
@settings(max_examples=150)
def test_no_box_covers_another_and_all_lie_in_the_picture(diagram: Diagram) -> None:
    sizes = {box.name: Size(100.0 + 10 * len(box.rows), 30.0 + 22 * len(box.rows)) for box in diagram.boxes}
    placed = place(diagram, sizes)
    assert set(placed.boxes) == set(sizes)
    corners = [(at.x, at.y, at.x + sizes[name].width, at.y + sizes[name].height) for name, at in placed.boxes.items()]
    for left, top, right, bottom in corners:
        assert left >= -0.01
        assert top >= -0.01
        assert right <= placed.size.width + 0.01
        assert bottom <= placed.size.height + 0.01
    for number, (left, top, right, bottom) in enumerate(corners):
        for other in corners[number + 1 :]:
            assert other[2] <= left or right <= other[0] or other[3] <= top or bottom <= other[1]


def test_what_refers_stands_to_the_right_of_what_it_refers_to() -> None:
    names = ["country", "city", "street"]
    diagram = Diagram(
        tuple(Box(name) for name in reversed(names)), (Line("city", "country", ("c",)), Line("street", "city", ("c",)))
    )
    placed = place(diagram, {name: Size(100, 30) for name in names})
    assert [placed.boxes[name].x for name in names] == sorted(at.x for at in placed.boxes.values())
    assert len({round(at.y) for at in placed.boxes.values()}) == 1  # and their lines are straight


def test_a_thousand_tables_in_circles_are_drawn_in_seconds() -> None:
    key = {"p": "PRIMARY KEY (id)"}
    tables = {
        f"t{n}": Table(
            {"id": Column("int", False), "a": Column("int"), "b": Column("int")},
            {},
            {
                **key,
                "a": f"FOREIGN KEY (a) REFERENCES t{n * 7 % 1000}(id)",
                "b": f"FOREIGN KEY (b) REFERENCES t{(n + 1) % 1000}(id)",
            },
        )
        for n in range(1000)
    }
    start = time.process_time()
    made = svg(whole(Schema(tables)))
    assert made.count('class="line') == 2000
    assert time.process_time() - start < 20


def table(columns: dict[str, Column], *keys: str) -> Table:
    return Table(columns, {}, {f"k{number}": text for number, text in enumerate(keys)})


def test_what_changes_is_marked_in_both_pictures() -> None:
    before = Schema({"purchase": table({"id": Column("int", False), "fax": Column("text")})})
    after = Schema({"purchase": table({"id": Column("bigint", False)}), "refund": table({"id": Column("int")})})
    diagram = changed(before, after)
    assert diagram is not None
    for sign in ('"➕ refund"', '"✏️ purchase"', '"✏️ was int"', 'fax "➖ removed"'):
        assert sign in mermaid(diagram)
    drawn = svg(diagram)
    for part in (">int → bigint<", ">+ refund<", 'class="row removed"', 'class="box added table"'):
        assert part in drawn


def test_a_marked_row_keeps_within_the_round_corners_where_nothing_stands_below_it() -> None:
    rows = tuple(Row(name, "int", "int", (), True, "added", "") for name in ("one", "two"))
    for hidden, round_ones in ((0, [False, True]), (3, [False, False])):
        drawn = svg(Diagram((Box("t", rows, "changed", hidden=hidden),), ()))
        assert ["q" in way for way in re.findall(r'class="tint" d="([^"]*)"', drawn)] == round_ones


def test_the_description_counts_one_table_as_one() -> None:
    made = svg(Diagram((Box("only"),), ()))
    assert ">1 table: only.</desc>" in made
    assert ">2 tables: a, b.</desc>" in svg(Diagram((Box("a"), Box("b")), ()))


def test_a_page_shows_the_picture_itself_and_its_policy_still_holds() -> None:
    page = formats.render("html", examples.risky())
    assert page.count("<svg") == 1
    assert "```mermaid" not in page
    assert "erDiagram" not in page
    assert "<details open>" in page
    assert not re.search(r"<(script|link|img|iframe|foreignObject)|\ssrc=|@import|url\(", page)
    assert page.count("<style>") == 1  # the one whose hash the policy names


def test_a_comment_that_grows_too_long_loses_the_diagram_before_any_finding() -> None:
    run = examples.risky()
    full, plain = comment(run), comment(run, pictures="")
    assert "```mermaid\nerDiagram" in full
    assert "erDiagram" not in plain
    assert len(plain) < len(full)
    assert comment(run, limit=len(full) - 1) == plain
    assert comment(run, limit=len(full)) == full


def test_a_directory_of_hostile_names_makes_no_more_than_a_diagram() -> None:
    hostile = 'x```\n</details><script>alert(1)</script>"%%{init: {}}%%<!-- @everyone'
    after = Schema({hostile: table({hostile: Column(hostile, True, hostile)})})
    replay = Replay("ok", "PostgreSQL 18", 1, diagram=changed(Schema(), after), changes=difference(Schema(), after))
    run = report.combine(
        [
            report.build(
                examples.change_set(examples.changed("1_x.sql", "SELECT 1;")),
                Linted(),
                replay,
                name=hostile,
                notes=("read me",),
            )
        ]
    )
    written = comment(run)
    fence = written.partition("```mermaid\n")[2].partition("\n```")[0]
    assert fence.splitlines()[-1] == "    }"
    assert not re.search("<script|foreignObject", formats.render("html", run))
