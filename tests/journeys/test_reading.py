"""What the second process reads of a whole directory is what this one would have read."""

import os
import subprocess
import sys
from pathlib import Path

from ci_runner import migrations, sources, sql
from ci_runner.config import Directory
from ci_runner.journeys import reading

FILES = {
    "1_a.sql": "CREATE TABLE a (b text DEFAULT ';');\nDROP TABLE c",
    "2_b.sql": "-- postgres://user:hunter22@host/d\nSELECT 1;",
    "notes.txt": "not a migration",
}


def _made(folder: Path, files: dict[str, str]) -> tuple[reading.Whole, reading.Then]:
    (folder / "m").mkdir()
    for name, text in files.items():
        (folder / "m" / name).write_text(text, encoding="utf-8")
    wanted = Directory("m", "m", dir_format="atlas", dialect="postgres", naming={"table": "[a-z]+"})  # type: ignore[dict-item]
    first, then = reading.task(reading.order(folder, wanted))
    made = first()
    return made, then(made)


def test_an_order_is_read_as_the_directory_it_was_made_of(tmp_path: Path) -> None:
    (rest, head), (work, items, last) = _made(tmp_path, FILES)
    here = migrations.read(sources.folder(tmp_path / "m", shown="m"), dialect="postgres", format="atlas")
    assert head.migrations == here.migrations
    assert head.problems == here.problems
    assert rest.files.keys().isdisjoint(head.files)
    assert {name: work(item) for name, item in items.items()} == {
        each.name: sql.statements(each, "postgres") for each in here.migrations
    }
    assert last().sum == migrations.sum_text(here).partition("\n")[0]


def test_a_folder_whose_name_is_no_text_is_read_too(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (_, head), _ = _made(folder, FILES)
    assert [each.name for each in head.migrations] == ["1_a.sql", "2_b.sql"]


def test_texts_are_harmless_where_none_holds_what_looks_like_a_secret(tmp_path: Path) -> None:
    _, (_, _, last) = _made(tmp_path, FILES)
    assert not last().harmless
    (tmp_path / "other").mkdir()
    _, (_, _, last) = _made(tmp_path / "other", {"1_a.sql": FILES["1_a.sql"]})
    assert last().harmless


def test_what_is_prepared_for_a_dialect_is_its_grammar() -> None:
    code = "import sys; from ci_runner.journeys import reading; reading.prepare({!r}); print('ci_runner.sql.sqlserver' in sys.modules)"
    said = [subprocess.check_output([sys.executable, "-c", code.format(name)], text=True) for name in ("", "tsql")]
    assert said == ["False\n", "True\n"]
