"""Where a database stands, told from the directory's files in order and the rows it remembers."""

from __future__ import annotations

import pytest

from ci_runner.deploy import planning
from ci_runner.model.deploy import Revision
from ci_runner.model.directory import Migration

ORDER = [Migration(f"{version}_a.sql", version, "a", "", "") for version in ("1", "2", "10")]
ROWS = {
    "2": Revision("app", "2", 1, "2_a.sql"),
    "7": Revision("app", "7", 2, "7_gone.sql"),
    "1": Revision("app", "1", 3, "1_a.sql"),
    "repeatable:R__v.sql": Revision("app", "repeatable:R__v.sql", 4, "R__v.sql", kind="repeatable"),
}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ((), None),
        (("1", "2"), "2"),
        (("1", "2", "7"), "2"),
        (("7",), "7"),
        (("7", "repeatable:R__v.sql"), "7"),
        (("repeatable:R__v.sql",), None),
    ],
)
def test_a_database_is_at_the_last_file_of_the_order_else_at_what_was_applied_last(
    versions: tuple[str, ...], expected: str | None
) -> None:
    assert planning.current(ORDER, {version: ROWS[version] for version in versions}) == expected
