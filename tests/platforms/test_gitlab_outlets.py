"""What a GitLab job hands to later jobs."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_runner import platforms


def outputs(folder: Path | None, values: dict[str, str]) -> tuple[str, ...]:
    env = {"CI_PROJECT_DIR": str(folder)} if folder else {}
    return platforms.open("gitlab", env, lambda _: None, lambda: "r").output(values)


def read(folder: Path) -> dict[str, str]:
    rows = (folder / "pilotage.env").read_text().splitlines()
    return dict(row.split("=", 1) for row in rows)


def test_outputs_are_lines_of_the_dotenv_file_beside_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "pilotage.env").write_text("OTHER=1\nPILOTAGE_VERDICT=pass\n")
    assert outputs(tmp_path, {"verdict": "fail", "errors": "2", "report_path": "a b=c.json"}) == ()
    assert read(tmp_path) == {
        "OTHER": "1",
        "PILOTAGE_VERDICT": "fail",
        "PILOTAGE_ERRORS": "2",
        "PILOTAGE_REPORT_PATH": "a b=c.json",
    }


@given(value=st.text(max_size=40))
@settings(deadline=None, max_examples=200)
def test_no_value_adds_a_line_of_its_own(tmp_path_factory: object, value: str) -> None:
    folder = tmp_path_factory.mktemp("job")  # type: ignore[attr-defined]
    warnings = outputs(folder, {"errors": "2", "report_path": value})
    found = read(folder)
    assert found.pop("PILOTAGE_ERRORS") == "2"
    assert found == ({} if warnings else {"PILOTAGE_REPORT_PATH": value})


def test_more_than_gitlab_takes_is_not_written_because_it_would_refuse_all_of_it(tmp_path: Path) -> None:
    (warning,) = outputs(tmp_path, {"report_path": "x" * 6000})
    assert "5 KiB" in warning
    assert not (tmp_path / "pilotage.env").exists()


def test_a_place_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    assert "CI_PROJECT_DIR is not set" in outputs(None, {"verdict": "pass"})[0]
    assert "pilotage.env" in outputs(tmp_path / "none", {"verdict": "pass"})[0]
