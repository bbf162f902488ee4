"""Strangers' statements against every server of our own: nothing is read, written or called, and nothing lasts for ever."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ci_runner import devdb
from ci_runner.databases import Database, DatabaseFailure, Sql
from ci_runner.devdb import DevDatabase
from ci_runner.model.operations import Statement
from ci_runner.replay import ReplayFile, clock, replay
from tests.devdb.opening import RUN
from tests.images.servers import assert_nothing_left, leftovers

ATTACKS = yaml.safe_load((Path(__file__).parent / "attacks.yaml").read_text())
VARIABLE = "PILOTAGE_CANARY"
# engine of the list, dev URL, what it needs. ClickHouse is not opened for strangers, for nothing ends its disk; what it may reach is the same.
PLACES = {
    "embedded": ("postgres", "embedded://postgres", ""),
    "container": ("postgres", "docker://postgres/15/dev", "postgres_image"),
    "mariadb": ("mysql", "docker://mariadb/10.11/dev", "mariadb_image"),
    "mysql": ("mysql", "docker://mysql/9/dev", "mysql_image"),
    "sqlite": ("sqlite", "sqlite://dev?mode=memory", ""),
    "clickhouse": ("clickhouse", "embedded://clickhouse", "chdb_home"),
}
READS = ("select", "show", "with", "table", "values", "call")


class Canaries(NamedTuple):
    """What must be as it was: ``file`` absent, ``word`` unread, ``calls`` empty."""

    file: Path
    secret: Path
    word: str
    port: int
    calls: list[str]

    def fill(self, text: str) -> str:
        names = {"file": str(self.file), "secret": str(self.secret), "port": str(self.port)}
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def untouched(self, said: str) -> None:
        assert not self.file.exists(), "a file was written"
        assert self.word not in said, "a file or variable was read"
        assert not self.calls, "somebody was called"


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """A folder and a file that every account may use, a variable and a listener."""
    folder = Path("/tmp") / f"pilotage-canary-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o777)
    word = secrets.token_hex(12)
    (folder / "secret").write_text(word + "\n")
    os.environ[VARIABLE] = word
    calls: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        with suppress(OSError):
            while True:
                client, where = listener.accept()
                calls.append(str(where))
                client.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield Canaries(folder / "written", folder / "secret", word, listener.getsockname()[1], calls)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    del os.environ[VARIABLE]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


class Place(NamedTuple):
    engine: str
    dev: DevDatabase


def lasting(attack: dict[str, Any]) -> bool:
    return bool(attack.get("ends"))


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, canaries: Canaries) -> Iterator[Place]:
    others = leftovers(os.getpid(), RUN)
    with opened(str(request.param), request) as place:
        yield place
    assert_nothing_left(os.getpid(), RUN, others)


@contextmanager
def opened(name: str, request: pytest.FixtureRequest) -> Iterator[Place]:
    engine, url, fixture = PLACES[name]
    part = request.getfixturevalue(fixture) if fixture else None
    environment = {**os.environ, "PILOTAGE_CHDB_HOME": str(part)}
    with devdb.open(
        url, environment=environment, run_id=RUN, report=lambda _: None, trusted="clickhouse" in url
    ) as dev:
        yield Place(engine, dev)


def told(database: Database, sql: str) -> str:
    """What a statement brings to light: its rows, or the words it is refused with."""
    try:
        if sql.lstrip().lower().startswith(READS):
            return repr(database.query(sql))
        database.execute([Sql(sql)], transaction=False)
    except DatabaseFailure as failure:
        return failure.message
    except Exception as error:  # the driver found no rows to fetch: the statement ran
        return repr(error)
    return ""


def test_the_list_is_long_enough() -> None:
    assert sum(len(attacks) for attacks in ATTACKS.values()) >= 80
    assert len(ATTACKS) >= 5
    assert len({attack["why"] + engine for engine, attacks in ATTACKS.items() for attack in attacks}) == sum(
        len(attacks) for attacks in ATTACKS.values()
    )


def test_the_canaries_do_sing(canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that nothing was touched proves something only when a touch is seen."""
    for touch, seen in (
        (lambda: canaries.file.write_text("x"), "written"),
        (lambda: socket.create_connection(("127.0.0.1", canaries.port)).close(), "called"),
    ):
        touch()
        with pytest.raises(AssertionError, match=seen):
            wait_for(canaries)
        canaries.file.unlink(missing_ok=True)
        canaries.calls.clear()
    with pytest.raises(AssertionError, match="read"):
        canaries.untouched(canaries.fill(canaries.secret.read_text()))


def wait_for(canaries: Canaries) -> None:
    end = time.monotonic() + 2
    while time.monotonic() < end:
        canaries.untouched("")
        time.sleep(0.02)


def test_no_attack_reads_writes_or_calls(place: Place, canaries: Canaries) -> None:
    for attack in ATTACKS[place.engine]:
        if lasting(attack):
            continue
        database = place.dev.fresh([canaries.fill(sql) for sql in attack["sql"]])
        said = [told(database, canaries.fill(sql)) for sql in attack["sql"]]
        database.close()
        try:
            canaries.untouched("\n".join(said))
        except AssertionError as error:
            pytest.fail(f"{attack['why']}: {error}\n{said}")
        assert any(said) or attack.get("quiet"), (
            f"{attack['why']} was not refused and brought nothing to light: is it an attack at all?"
        )
    survivor = place.dev.fresh()
    assert survivor.query("SELECT 1")
    survivor.close()


@pytest.mark.parametrize("name", ["embedded", "container", "mariadb", "sqlite"])
def test_what_never_ends_is_ended_from_outside(
    name: str, canaries: Canaries, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of it by an interruption; what catches that is ended with its server, so that the next needs another."""
    monkeypatch.setattr(clock, "GRACE", 1.0)
    attacks = sorted(filter(lasting, ATTACKS[PLACES[name][0]]), key=lambda attack: "catch" in attack["why"])
    others = leftovers(os.getpid(), RUN)
    with opened(name, request) as place:
        for attack in attacks:
            ended(attack, place, canaries)
    assert_nothing_left(os.getpid(), RUN, others)


def ended(attack: dict[str, Any], place: Place, canaries: Canaries) -> None:
    begun = time.monotonic()
    outcome = replay([], [whole(sql) for sql in attack["sql"]], place.dev, time_limit=2)
    assert outcome.status == "failed", attack["why"]
    assert outcome.error is not None
    assert time.monotonic() - begun < 30
    canaries.untouched(outcome.error.message)


def whole(sql: str) -> ReplayFile:
    """A file of one statement, whatever semicolons its body holds."""
    return ReplayFile("1.sql", sql, (Statement(0, len(sql), sql, 1, 1),), "none")
