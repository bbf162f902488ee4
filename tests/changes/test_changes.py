"""What is new, edited, gone, moved or late, for every way a directory can change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import changes, migrations
from ci_runner.model.directory import MigrationDir, Tree
from ci_runner.model.report import Base, ChangeSet

GIT = Base("git", "abc")


def _dir(*names: str, form: str | None = None, **texts: str) -> MigrationDir:
    files = {name: texts.get(name.split(".")[0], f"-- {name}\n").encode() for name in names}
    return migrations.read(Tree("m", files), format=form, sum_mode="off")


def _edited(mdir: MigrationDir, **texts: str) -> MigrationDir:
    files = {m.name: m.text.encode() for m in mdir.migrations}
    files.update({f"{name}.sql": text.encode() for name, text in texts.items()})
    return migrations.read(Tree("m", files), format=mdir.format, sum_mode="off")


def _shown(change: ChangeSet) -> list[str]:
    return [f"{file.change} {file.name}{' late' if file.out_of_order else ''}" for file in change.files]


def _released(change: ChangeSet) -> list[str]:
    return [migration.name for migration in change.released]


def _following(change: ChangeSet) -> list[str]:
    return [migration.name for migration in changes.following(change)]


def test_new_files_at_the_end_are_added_after_all_released_ones() -> None:
    change = changes.between(_dir("1.sql", "2.sql", "3.sql", "4.sql"), _dir("1.sql", "2.sql"), GIT)
    assert _shown(change) == ["added 3.sql", "added 4.sql"]
    assert _released(change) == ["1.sql", "2.sql"]
    assert _following(change) == ["3.sql", "4.sql"]
    assert change.base == GIT


def test_nothing_changed_is_an_empty_change() -> None:
    change = changes.between(_dir("1.sql", "2.sql"), _dir("1.sql", "2.sql"), GIT)
    assert change.files == ()
    assert _released(change) == ["1.sql", "2.sql"]
    assert _following(change) == []


def test_a_new_file_that_sorts_before_a_released_one_is_late_and_runs_after_it() -> None:
    change = changes.between(_dir("1.sql", "2.sql", "3.sql", "4.sql"), _dir("1.sql", "3.sql"), GIT)
    assert _shown(change) == ["added 2.sql late", "added 4.sql"]
    assert _released(change) == ["1.sql", "3.sql"]
    assert _following(change) == ["2.sql", "4.sql"]


def test_an_edited_file_keeps_its_place_and_what_stood_before() -> None:
    base = _dir("1.sql", "2.sql", "3.sql")
    change = changes.between(_edited(base, **{"2": "SELECT 2;\n", "4": "SELECT 4;\n"}), base, GIT)
    assert _shown(change) == ["edited 2.sql", "added 4.sql"]
    assert change.files[0].before == base.migrations[1]
    assert _released(change) == ["1.sql"]
    assert _following(change) == ["2.sql", "3.sql", "4.sql"]


def test_a_removed_file_stands_where_it_was() -> None:
    change = changes.between(_dir("1.sql", "4.sql", "5.sql"), _dir("1.sql", "2.sql", "3.sql", "4.sql"), GIT)
    assert _shown(change) == ["removed 2.sql", "removed 3.sql", "added 5.sql"]
    assert change.files[0].migration is None
    assert change.files[0].before is not None


def test_files_removed_at_the_end_come_after_the_others() -> None:
    base = _dir("1.sql", "2.sql", "3.sql")
    head = migrations.read(Tree("m", {"1.sql": b"edited"}), sum_mode="off")
    assert _shown(changes.between(head, base, GIT)) == ["edited 1.sql", "removed 2.sql", "removed 3.sql"]


def test_the_same_bytes_under_another_name_are_a_rename() -> None:
    head = _dir("1.sql", "2_new.sql", **{"2_new": "-- 2.sql\n"})
    change = changes.between(head, _dir("1.sql", "2.sql"), GIT)
    assert _shown(change) == ["renamed 2_new.sql"]
    assert change.files[0].before is not None
    assert change.files[0].before.name == "2.sql"


def test_one_file_is_the_source_of_one_rename_only() -> None:
    same = {"1": "x\n", "2": "x\n", "3": "x\n"}
    change = changes.between(_dir("2.sql", "3.sql", **same), _dir("1.sql", **same), GIT)
    assert _shown(change) == ["renamed 2.sql", "added 3.sql"]


def test_a_file_renamed_before_a_released_one_is_late() -> None:
    head = _dir("0.sql", "2.sql", **{"0": "-- 3.sql\n"})
    assert _shown(changes.between(head, _dir("2.sql", "3.sql"), GIT)) == ["renamed 0.sql late"]


def test_without_a_base_everything_is_new() -> None:
    head = _dir("1.sql", "2.sql")
    change = changes.everything(head)
    assert _shown(change) == ["added 1.sql", "added 2.sql"]
    assert (change.base.kind, change.released) == ("all", ())
    assert changes.between(head, None, GIT).files == change.files


@pytest.mark.parametrize(
    ("count", "new"), [(0, []), (1, ["3.sql"]), (2, ["2.sql", "3.sql"]), (9, ["1.sql", "2.sql", "3.sql"])]
)
def test_the_latest_files_are_taken_for_new(count: int, new: list[str]) -> None:
    change = changes.latest(_dir("1.sql", "2.sql", "3.sql"), count)
    assert [file.name for file in change.files] == new
    assert {file.change for file in change.files} <= {"added"}
    assert _released(change) == [name for name in ("1.sql", "2.sql", "3.sql") if name not in new]
    assert (change.base.kind, change.base.ref) == ("latest", str(count))


def test_repeatable_files_are_not_counted_among_the_latest() -> None:
    change = changes.latest(_dir("V1__a.sql", "V2__b.sql", "R__v.sql"), 1)
    assert _shown(change) == ["added V2__b.sql"]
    assert _released(change) == ["V1__a.sql", "R__v.sql"]


def test_a_new_repeatable_or_checkpoint_is_never_late() -> None:
    head = _dir("V1__a.sql", "V2__b.sql", "R__v.sql")
    assert _shown(changes.between(head, _dir("V1__a.sql", "V2__b.sql", form="flyway"), GIT)) == ["added R__v.sql"]
    head = _dir("1.sql", "2.sql", **{"1": "-- pilotage:checkpoint\nSELECT 1;\n"})
    assert _shown(changes.between(head, _dir("2.sql"), GIT)) == ["added 1.sql"]


def test_versions_below_a_new_baseline_are_not_removed_as_long_as_they_lie_there() -> None:
    base = _dir("V1__a.sql", "V2__b.sql", "V3__c.sql")
    assert _shown(changes.between(_dir("B2__x.sql", "V1__a.sql", "V2__b.sql", "V3__c.sql"), base, GIT)) == [
        "added B2__x.sql"
    ]
    assert _shown(changes.between(_dir("B2__x.sql", "V3__c.sql"), base, GIT)) == [
        "added B2__x.sql",
        "removed V1__a.sql",
        "removed V2__b.sql",
    ]


def test_released_files_start_at_their_newest_checkpoint() -> None:
    check = {"2": "-- pilotage:checkpoint\nSELECT 1;\n"}
    base = _dir("1.sql", "2.sql", "3.sql", **check)
    change = changes.between(_dir("1.sql", "2.sql", "3.sql", "4.sql", **check), base, GIT)
    assert _released(change) == ["2.sql", "3.sql"]
    assert _following(change) == ["4.sql"]


def test_a_new_checkpoint_does_not_run_after_the_files_it_stands_for() -> None:
    head = _dir("1.sql", "2.sql", "3.sql", **{"2": "-- pilotage:checkpoint\nSELECT 1;\n"})
    assert _following(changes.between(head, _dir("1.sql"), GIT)) == ["3.sql"]
    assert _following(changes.everything(head)) == ["1.sql", "3.sql"]
    assert _following(changes.everything(_dir("2.sql", "3.sql", **{"2": "-- pilotage:checkpoint\nSELECT 1;\n"}))) == [
        "2.sql",
        "3.sql",
    ]


NAMES = st.sampled_from(["1.sql", "2.sql", "3.sql", "4.sql", "5.sql"])
FILES = st.dictionaries(NAMES, st.sampled_from([b"a", b"b", b"c"]))


@settings(max_examples=300, deadline=None)
@given(FILES, FILES)
def test_every_file_of_both_sides_is_accounted_for_once(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    base, head = (migrations.read(Tree("m", files), sum_mode="off") for files in (before, after))
    change = changes.between(head, base, GIT)
    changed = {file.name: file for file in change.files}
    assert len(changed) == len(change.files)
    moved = {file.before.name for file in change.files if file.change == "renamed" and file.before}
    for name in before.keys() | after.keys():
        if name in before and name in after:
            assert (name in changed) == (before[name] != after[name])
        elif name in after:
            assert changed[name].change in {"added", "renamed"}
        else:
            assert (name in moved) != (name in changed)
    run = [*_released(change), *_following(change)]
    assert sorted(run) == sorted(after)
