"""Import from a folder or a tar file: what Atlas exported arrives byte for byte, what could do harm is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from ci_runner.errors import PilotageError, RefusedError
from ci_runner.journeys import importing
from tests.cli.conftest import Repository

SQL = b"CREATE TABLE a (id int);\n"


def archive(path: Path, members: list[tuple[str, bytes]], *, kind: bytes = tarfile.REGTYPE, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind
            member.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def shop(repository: Repository) -> Repository:
    return Repository(
        repository.path, {**repository.environ, "PILOTAGE_REGISTRY": (repository.path.parent / "registry").as_uri()}
    )


@pytest.mark.parametrize("form", ["folder", "w", "w:gz", "w:bz2", "w:xz"])
def test_what_was_exported_arrives_with_its_sum(shop: Repository, form: str) -> None:
    shop.write({"export/1_a.sql": SQL, "export/2_b.sql": b"SELECT 1;\n"})
    assert shop.run("hash", "--dir", "export", "--dialect", "postgres").code == 0
    files = {path.name: path.read_bytes() for path in (shop.path / "export").iterdir()}
    assert "atlas.sum" in files
    given = "export"
    if form != "folder":
        archive(shop.path / "export.tar", [(f"top/{name}", content) for name, content in files.items()], mode=form)
        given = "export.tar"
    done = shop.run("registry", "import", "app:v1", given, "--dialect", "postgres", "--json")
    assert (done.code, done.json["outcome"]) == (0, "ok"), done.err
    assert shop.run("pull", "app:v1", "--output", "out").code == 0
    assert {path.name: path.read_bytes() for path in (shop.path / "out").iterdir()} == files
    assert shop.run("registry", "import", "app:v1", given, "--dialect", "postgres", "--json").json["outcome"] == "noop"


def test_a_sum_that_does_not_hold_is_refused_before_anything_is_written(shop: Repository) -> None:
    shop.write({"export/1_a.sql": SQL})
    shop.run("hash", "--dir", "export", "--dialect", "postgres")
    shop.write({"export/1_a.sql": b"DROP TABLE a;\n"})
    assert shop.run("registry", "import", "app", "export", "--dialect", "postgres").code == 3
    assert not (shop.path.parent / "registry").exists()


@pytest.mark.parametrize("name", ["../x.sql", "/x.sql", "a/../../x.sql", "a\\x.sql", "C:/x.sql", "a\nb.sql", "x" * 300])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError):
        importing.unpacked(archive(tmp_path / "x.tar", [("a/1.sql", SQL), (name, SQL)]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(RefusedError, match="no regular file"):
        importing.unpacked(archive(tmp_path / "x.tar", [("1.sql", b"")], kind=kind))


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="twice"):
        importing.unpacked(archive(tmp_path / "x.tar", [("1.sql", SQL), ("./1.sql", SQL)]))


def test_what_claims_or_is_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "FILE_BYTES", 1000)
    monkeypatch.setattr(importing, "FILES", 3)
    with pytest.raises(RefusedError, match="too large"):
        importing.unpacked(archive(tmp_path / "x.tar", [("1.sql", b"x" * 1001)]))
    with pytest.raises(RefusedError, match="more than 3 files"):
        importing.unpacked(archive(tmp_path / "y.tar", [(f"{number}.sql", SQL) for number in range(4)]))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_that_claims_gigabytes_is_refused_before_it_is_read(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 1 << 30
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20)))
    with pytest.raises(RefusedError, match="a header of 1073741824 bytes"):
        importing.unpacked(path)


@pytest.mark.parametrize("damage", ["text", "cut", "empty"])
def test_what_is_no_tar_file_is_refused_without_a_traceback(tmp_path: Path, damage: str) -> None:
    path = archive(tmp_path / "x.tar", [("1.sql", bytes(range(256)) * 500)])
    whole = path.read_bytes()
    path.write_bytes({"text": b"hello" * 300, "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    with pytest.raises(PilotageError):
        importing.unpacked(path)
