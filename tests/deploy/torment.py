"""A process that deploys is killed at random times, again and again, until the deployment is through; then each statement must have run once.

``python -m tests.deploy.torment --kills 1000 --engine postgres`` runs the long form and prints what it saw.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci_runner import deploy
from ci_runner.databases import Sql, Target
from ci_runner.deploy import Options
from tests.deploy.place import Place, tools

OUTSIDE, INSIDE = b"o", b"i"
LONGEST = 0.15  # seconds from the first statement to the kill
PATIENCE = 20.0
SLOW = {
    "sqlite": "INSERT INTO marks SELECT {n} FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 30000)"
    " SELECT max(x) FROM c);\n",
    "postgres": "INSERT INTO marks SELECT {n} FROM pg_sleep(0.03);\n",
    "mariadb": "INSERT INTO marks SELECT {n} FROM (SELECT SLEEP(0.03)) s;\n",
}
SLOW["mysql"] = SLOW["mariadb"]
NONE = "-- pilotage:txmode none\n\n"


def files(engine: str) -> dict[str, str]:
    """Six files, eighteen marks: in transactions and out of them, rows and schema, the file's own transaction."""
    numbers = iter(range(1, 100))

    def mark() -> str:
        return SLOW[engine].format(n=next(numbers))

    concurrently = "CONCURRENTLY " if engine == "postgres" else ""
    return {
        "1_a.sql": "CREATE TABLE marks (n int);\nCREATE TABLE a (id int);\n" + mark(),
        "2_b.sql": mark() + "ALTER TABLE a ADD COLUMN x int;\n" + mark() + mark(),
        "3_c.sql": NONE
        + mark()
        + f"CREATE INDEX {concurrently}a_x ON a (x);\n"
        + mark()
        + "ALTER TABLE a ADD COLUMN y int;\n"
        + mark(),
        "4_d.sql": NONE + "BEGIN;\n" + mark() + mark() + "COMMIT;\n" + mark() + "CREATE TABLE d (id int);\n" + mark(),
        "5_e.sql": mark() + "ALTER TABLE d RENAME TO e;\n" + mark() + "CREATE VIEW v AS SELECT id FROM e;\n",
        "6_f.sql": NONE + mark() + "DROP VIEW v;\n" + mark() + "DROP TABLE e;\n" + mark() + mark() + mark(),
    }


MARKS = list(range(1, 19))


@dataclass
class Seen:
    """What was seen; ``inside`` are the kills that struck while a statement of a migration ran."""

    kills: int = 0
    inside: int = 0
    finished: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        share = f"{100 * self.inside / max(1, self.kills):.0f} %"
        return f"{self.kills} kills, {self.inside} inside a statement ({share}), {self.finished} deployments finished, {len(self.faults)} wrong"


class Showing:
    """Shows in ``flag`` whether a statement of a migration runs."""

    def __init__(self, target: Target, flag: mmap.mmap) -> None:
        self._target, self._flag = target, flag

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def run(self, statements: Sequence[Sql]) -> tuple[int, ...]:
        self._flag[0:1] = INSIDE
        try:
            return self._target.run(statements)
        finally:
            self._flag[0:1] = OUTSIDE


def torment(new_place: Callable[[], Place], kills: int, seed: int) -> Seen:
    """Kill until ``kills`` landed inside a statement (or four times as many struck at all) and the last deployment is through."""
    chance, seen = random.Random(seed), Seen()
    flag = mmap.mmap(-1, 1)
    while seen.inside < kills and seen.kills < 4 * kills:
        place = new_place()
        given = files(place.engine)
        while killed(place, given, chance.random() * LONGEST, flag, seen):
            pass
        outcome = place.deploy(given, repair_indexes=True)
        if outcome.exit_code:
            seen.faults.append(f"seed {seed}, after {seen.kills} kills: {outcome.error}")
        elif place.marks() != MARKS or place.rows("SELECT count(*) FROM a WHERE x = y") != [(0,)]:
            seen.faults.append(f"seed {seed}, after {seen.kills} kills: {place.marks()}")
        seen.finished += 1
    return seen


def killed(place: Place, given: dict[str, str], after: float, flag: mmap.mmap, seen: Seen) -> bool:
    """Whether a child that deploys was killed before it was through."""
    source = place.source(given)
    flag[0:1] = OUTSIDE
    child = os.fork()
    if child == 0:
        code = 99
        try:
            options = Options("app", run_id=os.urandom(8).hex(), lock_wait=60.0, repair_indexes=True)
            target = Showing(place.open(), flag)
            code = deploy.deploy(target, source, options, tools(lambda _text: None)).exit_code  # type: ignore[arg-type]
        finally:
            os._exit(code)
    end = time.monotonic() + PATIENCE
    while flag[0:1] == OUTSIDE and time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return False
        time.sleep(0.001)
    time.sleep(after)
    where = flag[0:1]
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        return False
    seen.kills += 1
    seen.inside += where == INSIDE
    return True


def main() -> None:
    from tests.images import servers

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=sorted(SLOW), default="sqlite")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.engine == "sqlite":
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            numbers = iter(range(1_000_000))
            print(
                torment(lambda: Place("sqlite", f"sqlite://{Path(folder)}/{next(numbers)}.db"), given.kills, given.seed)
            )
        return
    process = {"postgres": servers.postgres_process, "mariadb": servers.mariadb_process, "mysql": mysql}[given.engine]
    with process() as server:
        seen = torment(lambda: emptied(server, given.engine), given.kills, given.seed)
        print(seen, *seen.faults, sep="\n")


@contextmanager
def mysql() -> Iterator[Any]:
    """MySQL 9 in a container, of the image that the tests build."""
    from tests.images import containers, servers

    with containers.container_process("mysql:9", 3306, {"MYSQL_ROOT_PASSWORD": servers.PASSWORD}) as port:
        server = servers.Server("mysql", port, "root", None)
        servers.wait_for(None, server.url(), "mysql:9")
        yield server


def emptied(server: Any, engine: str) -> Place:
    """The same database made anew."""
    force = " WITH (FORCE)" if engine == "postgres" else ""
    server.run(
        f"DROP DATABASE IF EXISTS torment{force}",
        "CREATE DATABASE torment",
        database="postgres" if engine == "postgres" else "",
    )
    return Place(engine, server.url("torment"))


if __name__ == "__main__":
    main()
