"""Time of the segmenter against the size of its input, up to 100 MB a dialect: the time of a megabyte must not grow with the file.

``python bench/segmenter.py [--megabytes N] [DIALECT …]`` prints seconds at an eighth, a quarter, a half and the whole; exit 1 where the whole
takes more than twice the time a megabyte that the eighth took.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ci_runner import sql
from ci_runner.config.options import DIALECTS

# What switches readers into another state and back, so that no shortcut over plain text makes the figure.
PIECE = (
    "-- a comment; with a delimiter\n"
    "CREATE TABLE a (id int, name varchar(20) DEFAULT 'it''s; here', total decimal(10, 2)); /* b; /* c */\n"
    "ALTER TABLE a ADD COLUMN b int DEFAULT (1 + (2 * 3)); -- trailing\r\n"
    "INSERT INTO a VALUES (1, 'x', 2), (2, '\u00e4\u00f6', 3);\n"
)
NESTED = ("postgres", "sqlserver", "clickhouse", "redshift")  # there /* opens a second level


def seconds(dialect: str, megabytes: float) -> float:
    """CPU seconds to split that much text."""
    piece = PIECE.replace("/* b; /* c */", "/* b; /* c */ */") if dialect in NESTED else PIECE
    text = piece * int(megabytes * 1_000_000 / len(piece.encode()))
    started = time.process_time()
    count = len(sql.split(text, dialect))
    took = time.process_time() - started
    if count != 3 * text.count("CREATE TABLE"):
        raise SystemExit(f"{dialect}: {count} statements instead of {3 * text.count('CREATE TABLE')}")
    return took


def run(arguments: list[str]) -> int:
    """Exit code of the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("dialects", nargs="*", default=list(DIALECTS), metavar="DIALECT")
    given = parser.parse_args(arguments)
    bent = []
    for dialect in given.dialects:
        times = {part: seconds(dialect, given.megabytes * part) for part in (0.125, 0.25, 0.5, 1)}
        shown = "  ".join(f"{given.megabytes * part:5.1f} MB {took:6.2f} s" for part, took in times.items())
        print(f"{dialect:11} {shown}  {given.megabytes / times[1]:5.1f} MB/s", flush=True)
        if times[1] > 2 * 8 * times[0.125]:
            bent.append(dialect)
    if bent:
        print(f"not linear: {', '.join(bent)}")
    return 1 if bent else 0


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
