"""From schemas to diagrams: which tables, which columns, which lines."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner.model.diagram import Row
from ci_runner.model.drawing import changed, whole
from ci_runner.model.inspected import Column, Schema, Table


def table(columns: dict[str, Column], *keys: str) -> Table:
    return Table(columns, {}, {f"k{number}": text for number, text in enumerate(keys)})


BEFORE = Schema(
    {
        "customer": table({"id": Column("bigint", False), "email": Column("text")}, "PRIMARY KEY (id)"),
        "purchase": table(
            {"id": Column("int", False), "customer_id": Column("bigint", False), "fax": Column("text")},
            "PRIMARY KEY (id)",
            "FOREIGN KEY (customer_id) REFERENCES customer(id)",
        ),
        "elsewhere": table({"id": Column("int")}),
    }
)
AFTER = Schema(
    {
        "customer": BEFORE.tables["customer"],
        "purchase": table(
            {"id": Column("bigint", False), "customer_id": Column("bigint", False)},
            "PRIMARY KEY (id)",
            "FOREIGN KEY (customer_id) REFERENCES customer(id)",
        ),
        "refund": table(
            {"purchase_id": Column("bigint")},
            "FOREIGN KEY (purchase_id) REFERENCES purchase(id)",
            "UNIQUE (purchase_id)",
        ),
        "elsewhere": BEFORE.tables["elsewhere"],
    }
)


def test_a_change_is_drawn_with_its_neighbours_and_nothing_else() -> None:
    diagram = changed(BEFORE, AFTER)
    assert diagram is not None
    assert {box.name: box.mark for box in diagram.boxes} == {"customer": "", "purchase": "changed", "refund": "added"}
    rows = {row.name: (row.mark, row.before) for box in diagram.boxes if box.name == "purchase" for row in box.rows}
    assert rows == {"id": ("changed", "int not null"), "customer_id": ("", ""), "fax": ("removed", "")}
    assert [(line.child, line.parent, line.optional, line.single, line.mark) for line in diagram.lines] == [
        ("purchase", "customer", False, False, ""),
        ("refund", "purchase", True, True, "added"),
    ]
    assert changed(BEFORE, BEFORE) is None


def test_of_a_great_change_the_neighbours_go_first_then_columns_that_are_as_they_were() -> None:
    many = {f"c{n:02}": Column("int") for n in range(40)}
    before = Schema(
        {"wide": table(many), "near": table({"id": Column("int")}, "FOREIGN KEY (id) REFERENCES wide(c00)")}
    )
    after = Schema(
        {**before.tables, "wide": table({**many, "c39": Column("text")}), "other": table({"x": Column("int")})}
    )
    diagram = changed(before, after, boxes=2, rows=3)
    assert diagram is not None
    assert [box.name for box in diagram.boxes] == ["wide", "other"]
    assert diagram.hidden == 1
    wide = diagram.boxes[0]
    assert len(wide.rows) == 3
    assert wide.hidden == 37
    assert wide.rows[-1].mark == "changed"


def test_foreign_keys_are_found_however_an_engine_renders_them() -> None:
    parent = Table({"id": Column("int")}, {}, {"PRIMARY": "primary key (id)"})
    children = {
        "pg": {"f": 'FOREIGN KEY ("a,b") REFERENCES "Odd "".name"(id) ON DELETE CASCADE'},
        "mysql": {"f": "foreign key (x) references parent (id) on update restrict on delete cascade"},
        "sqlite": {"foreign key (x)": "references parent (id) on update no action on delete cascade"},
        "bare": {"f": "FOREIGN KEY (x) REFERENCES PARENT"},
        "mssql": {"f": "FOREIGN KEY ([x]) REFERENCES [parent] ([id])"},
        "audit.near": {"f": "FOREIGN KEY (x) REFERENCES far(id)"},
        "check": {"f": "CHECK (x = 'foreign key (')"},
    }
    tables = {"parent": parent, 'Odd ".name': parent, "audit.far": parent}
    diagram = whole(Schema({**tables, **{name: Table({}, {}, keys) for name, keys in children.items()}}))
    assert {line.child: (line.parent, line.columns) for line in diagram.lines} == {
        "pg": ('Odd ".name', ("a,b",)),
        "mysql": ("parent", ("x",)),
        "sqlite": ("parent", ("x",)),
        "bare": ("parent", ("x",)),
        "mssql": ("parent", ("x",)),
        "audit.near": ("audit.far", ("x",)),
    }


@given(st.text(max_size=60), st.text('foreign key()references pt".,[`' + "'", max_size=80))
@settings(max_examples=200)
def test_no_definition_is_too_odd_to_be_drawn(name: str, text: str) -> None:
    keys = {name: text, "x": "foreign key (" + text, "y": f"FOREIGN KEY (a) REFERENCES {text}"}
    diagram = whole(Schema({"t": Table({}, {name: text}, keys)}))
    assert [box.name for box in diagram.boxes] == ["t"]
    assert {(line.child, line.parent) for line in diagram.lines} <= {("t", "t")}


def test_of_a_changed_column_only_what_differs_is_told() -> None:
    row = Row("id", "bigint", "bigint not null identity", mark="changed", before="integer not null identity")
    assert row.turned == ("integer", "bigint")
    assert Row("x", "text", "text", mark="changed", before="text").turned == ("text", "text")
    assert Row("x", "text", "text not null", mark="changed", before="text").turned == ("text", "text not null")


def test_keys_of_several_columns_and_unique_indexes_are_marked() -> None:
    columns = {name: Column("int", False) for name in ("a", "b", "c", "d")}
    made = Table(
        columns,
        {"i": "unique btree (c)"},
        {
            "p": "PRIMARY KEY (a, b)",
            "u": "UNIQUE NULLS NOT DISTINCT (d)",
            "pair": "UNIQUE (b, c)",
            "f": "FOREIGN KEY (a) REFERENCES t(a)",
        },
    )
    (box,) = whole(Schema({"t": made})).boxes
    assert {row.name: row.keys for row in box.rows} == {"a": ("PK", "FK"), "b": ("PK",), "c": ("UK",), "d": ("UK",)}


def test_a_dropped_foreign_key_is_a_line_that_goes() -> None:
    parent = Table({"id": Column("int", False)}, {}, {"p": "PRIMARY KEY (id)"})
    child = {"x": Column("int")}
    before = Schema({"parent": parent, "child": Table(child, {}, {"f": "FOREIGN KEY (x) REFERENCES parent(id)"})})
    diagram = changed(before, Schema({"parent": parent, "child": Table(child)}))
    assert diagram is not None
    assert [(line.child, line.parent, line.mark) for line in diagram.lines] == [("child", "parent", "removed")]
