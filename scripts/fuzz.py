"""Feeds mutated migrations and settings to every reader: each must answer or refuse in one sentence, and soon.

``python scripts/fuzz.py --seconds 60 --seed 1`` prints the seed it uses; what breaks a reader is kept in tests/seeds/.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ci_runner import migrations, sql  # noqa: E402
from ci_runner.config import file as settings  # noqa: E402
from ci_runner.config.options import DIALECTS  # noqa: E402
from ci_runner.errors import PilotageError  # noqa: E402
from ci_runner.model.directory import Tree  # noqa: E402

SEEDS = ROOT / "tests" / "seeds"
# Words that switch a reader into another state; a mutation puts one of them somewhere.
WORDS = (
    "'", '"', "`", "$$", "$a$", "/*", "*/", "--", "#", ";", "\\", "\n", "\r\n", "\0", "\ufeff", "(", ")", "[", "{", "<%",
    "BEGIN", "END", "BEGIN ATOMIC", "DELIMITER //", "\nGO 3\n", "COPY t FROM stdin;\n", "\\.", "CREATE FUNCTION f() ",
    "CREATE TRIGGER t ", "DO $x$ ", "EXECUTE 'x'", "E'\\'", "/*!40101 ", "-- +goose Up\n", "-- +goose StatementBegin\n",
    "-- atlas:txmode none\n\n", "-- atlas:delimiter \\n\n", "-- migrate:up\n", "--liquibase formatted sql\n--changeset a:1\n",
    "--> statement-breakpoint", "-- pilotage:ignore drop-table\n", "ALTER TABLE t ", "DROP TABLE ", "&a", "*a", "<<: ", "!!",
)  # fmt: skip
NAMES = (
    "1_a.sql",
    "2_b.up.sql",
    "V3__c.sql",
    "20250101000000_d.sql",
    "0004/migration.sql",
    "0005/up.sql",
    "changelog.xml",
    "atlas.sum",
)
SECONDS_PER_MEGABYTE = 25.0  # 50,000 statements that only sqlglot knows, at 0.2 ms each, on a busy machine; a quadratic reader takes far more
QUICK = 2.0  # seconds of processor that need no second look
GROWTH = 3.5  # times as long as the first half takes: in proportion is twice, quadratic four times


def directory(data: bytes) -> None:
    """Read ``data`` as a file of a migration directory, then take it apart in one dialect."""
    choice = hashlib.sha256(data[:64]).digest()  # the first half of an input is read as the whole was
    dialect = DIALECTS[choice[0] % len(DIALECTS)]
    name = NAMES[choice[1] % len(NAMES)]
    read = migrations.read(
        Tree("m", {"0_before.sql": b"CREATE TABLE t (id int);\n", name: data}), format=None, dialect=dialect
    )
    for migration in read.migrations:
        end = 0
        for statement in sql.statements(migration, dialect):
            start, stop = statement.start, statement.end
            if not end <= start <= stop <= len(migration.text):
                raise AssertionError(f"statement {start}..{stop} after {end} in {len(migration.text)} characters")
            end = start


def configuration(data: bytes) -> None:
    """Read ``data`` as pilotage.yml."""
    settings.read(data.decode("utf-8", "replace"), "pilotage.yml")


TARGETS: Mapping[str, Callable[[bytes], None]] = {"directory": directory, "configuration": configuration}


def check(target: str, data: bytes) -> str | None:
    """What is wrong with how the reader took ``data``; None when it answered, or refused as it should, in time."""
    try:
        took = spent(target, data)
        if took < QUICK:
            return None
        half = spent(target, data[: len(data) // 2])
        took = min(
            took, spent(target, data)
        )  # the first time may have paid for an import, or for other work of the machine
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the find
        return f"{type(error).__name__}: {error}"
    if took > GROWTH * half or took > SECONDS_PER_MEGABYTE * len(data) / 1e6 + QUICK:
        return f"took {took:.1f} s for {len(data)} bytes, {half:.1f} s for their first half"
    return None


def spent(target: str, data: bytes) -> float:
    """Seconds of processor a reader takes; a refusal must be a sentence."""
    started = time.process_time()
    try:
        TARGETS[target](data)
    except PilotageError as error:
        if not str(error).strip() or "Traceback" in str(error):
            raise AssertionError(f"refused without a sentence: {error!r}") from error
    return time.process_time() - started


def corpus() -> dict[str, list[bytes]]:
    """Good inputs to start from: the example's, and every seed of old."""
    example = ROOT / "examples" / "shop"
    start = {
        "directory": [path.read_bytes() for path in sorted(example.rglob("*.sql"))],
        "configuration": [(example / "pilotage.yml").read_bytes()],
    }
    for path in sorted(SEEDS.glob("*.seed")):
        start.get(path.name.partition("-")[0], []).append(
            path.read_bytes()
        )  # other fuzzers keep seeds of their own here
    return start


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` after one to eight random edits; now and then a long repetition."""
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 40)
        piece = chance.choice(WORDS).encode()
        edit = chance.randrange(6)
        if edit == 0:
            data = data[:at] + piece + data[at:]
        elif edit == 1:
            data = data[:at] + data[at + length :]
        elif edit == 2:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif edit == 3:
            data = data[:at] + data[chance.randrange(len(data) + 1) :][: length * 8] + data[at:]
        elif edit == 4:
            data = data[:at]
        elif chance.random() < 0.02:
            data = data[:at] + piece * chance.randint(1000, 20000) + data[at:]
    return data


def fuzz(
    seconds: float, seed: int, say: Callable[[str], None], most: int | None = None
) -> list[tuple[str, bytes, str]]:
    """Mutate until the time (or ``most`` inputs) is used up; what broke, as (target, input, what is wrong)."""
    chance = random.Random(seed)
    start, found, count = corpus(), [], 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and (most is None or count < most):
        count += 1
        target = "configuration" if chance.random() < 0.15 else "directory"
        data = mutated(chance.choice(start[target]), chance)
        wrong = check(target, data)
        if wrong:
            found.append((target, data, wrong))
    say(f"{count} inputs, {len(found)} of them broke a reader (seed {seed})")
    return found


def keep(target: str, data: bytes) -> Path:
    """Write a find to tests/seeds/, where the suite runs it for ever."""
    SEEDS.mkdir(exist_ok=True)
    path = SEEDS / f"{target}-{hashlib.sha256(data).hexdigest()[:12]}.seed"
    path.write_bytes(data)
    return path


def run(arguments: list[str]) -> int:
    """Exit code of the script: 1 when something was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="repeat a run; a new one is drawn otherwise")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    found = fuzz(given.seconds, seed, print)
    for target, data, wrong in found:
        print(f"{keep(target, data).relative_to(ROOT)}: {wrong}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
