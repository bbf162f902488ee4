"""Runs the files of a directory by psycopg on PostgreSQL, each in a transaction, and watches and records nothing.

``python plain.py DIRECTORY [URL]``; without a URL on a server of its own with the settings of our dev databases, which is started and ended here.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(directory: str, url: str = "") -> None:
    """Run them all."""
    import psycopg

    with ExitStack() as stack:
        if not url:
            sys.path.insert(0, str(ROOT))
            from ci_runner.devdb.server import SETTINGS
            from tests.images.servers import postgres_process

            larger = SETTINGS | {"min_wal_size": "32MB"}  # this server's log has files of 16 MB, of which it wants two
            url = stack.enter_context(postgres_process(larger)).url("postgres")
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        for file in sorted(Path(directory).iterdir()):
            with connection.transaction():
                connection.execute(file.read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
