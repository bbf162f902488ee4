"""What every store must do; a new store is one more line in STORES."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ci_runner import stores
from ci_runner.errors import IntegrityError, RefusedError
from ci_runner.stores import Created, Store
from tests.fakes.objects import CLOUDS
from tests.stores.servers import SERVERS

STORES = ("file", "memory", *CLOUDS, *SERVERS)
ROUNDS, CREATORS = 5, 8


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """An empty store's address and environment; the clouds are fakes on loopback, and real servers where they are installed."""
    name = request.param
    with ExitStack() as stack:
        if name in CLOUDS:
            fake = stack.enter_context(CLOUDS[name]())
            yield fake.address, fake.environ
        elif name in SERVERS:
            server = request.getfixturevalue(name)
            yield server.fresh(), server.environ
        else:
            yield (f"file://{tmp_path}/registry" if name == "file" else "memory:"), {}


@pytest.fixture
def store(place: tuple[str, Mapping[str, str]]) -> Store:
    return stores.open(*place)


def test_a_created_object_reads_back_whole(store: Store) -> None:
    assert store.create("dirs/app/log/0000000001.json", b"\x00one\xff") is Created.CREATED
    assert store.get("dirs/app/log/0000000001.json", 100) == b"\x00one\xff"


def test_an_empty_object_is_an_object(store: Store) -> None:
    assert store.create("blobs/e", b"") is Created.CREATED
    assert store.get("blobs/e", 0) == b""
    assert store.create("blobs/e", b"x") is Created.EXISTS


def test_a_second_create_says_exists_and_changes_nothing(store: Store) -> None:
    store.create("a/b", b"first")
    assert store.create("a/b", b"second") is Created.EXISTS
    assert store.create("a/b", b"first") is Created.EXISTS
    assert store.get("a/b", 100) == b"first"


def test_a_missing_key_is_none_also_in_a_folder_that_is_not_there(store: Store) -> None:
    store.create("a/b", b"x")
    assert store.get("a/c", 10) is None
    assert store.get("x/y/z", 10) is None


def test_an_object_of_just_the_limit_is_given_and_one_byte_more_is_refused(store: Store) -> None:
    store.create("a", b"12345")
    assert store.get("a", 5) == b"12345"
    with pytest.raises(IntegrityError, match="longer than 4 bytes"):
        store.get("a", 4)


def test_list_gives_all_keys_below_a_prefix_and_no_other(store: Store) -> None:
    for key in ("dirs/app/log/1", "dirs/app/log/2", "dirs/app/x", "dirs/app2/log/1", "blobs/z"):
        store.create(key, b"x")
    assert sorted(store.list("dirs/app/")) == ["dirs/app/log/1", "dirs/app/log/2", "dirs/app/x"]
    assert sorted(store.list("")) == ["blobs/z", "dirs/app/log/1", "dirs/app/log/2", "dirs/app/x", "dirs/app2/log/1"]
    assert list(store.list("nothing/")) == []


def test_folders_gives_the_next_step_once(store: Store) -> None:
    for key in ("dirs/app/log/1", "dirs/app/log/2", "dirs/web/log/1", "dirs/readme"):
        store.create(key, b"x")
    assert sorted(store.folders("dirs/")) == ["app", "web"]
    assert sorted(store.folders("")) == ["dirs"]
    assert list(store.folders("nothing/")) == []


def test_a_hint_can_be_overwritten_and_nothing_else_can(store: Store) -> None:
    store.put_hint("hints/app", b"1")
    store.put_hint("hints/app", b"22")
    assert store.get("hints/app", 10) == b"22"
    with pytest.raises(RefusedError, match="never overwritten"):
        store.put_hint("dirs/app/log/0000000001.json", b"x")


def test_only_what_lies_in_an_inbox_can_be_removed(store: Store) -> None:
    store.create("dirs/app/inbox/a.json", b"x")
    store.create("dirs/app/log/a.json", b"x")
    for _again in range(2):
        store.discard("dirs/app/inbox/a.json")
    store.discard("dirs/none/inbox/a.json")
    assert store.get("dirs/app/inbox/a.json", 10) is None
    for key in ("dirs/app/log/a.json", "inbox", "dirs/inbox/log/a.json", "dirs/app/inbox/../log/a.json"):
        with pytest.raises(RefusedError):
            store.discard(key)
    assert store.get("dirs/app/log/a.json", 10) == b"x"


LONG = ["a" * 201, "/".join(["a" * 100] * 8)]
ODD = ["/a", "a//b", "../a", "a/../b", "a/./b", ".", "..", "a\\b", "C:\\x", "a\x00b", "a\nb", "ä", ".hidden", "a.tmp.b"]


@pytest.mark.parametrize("key", ["", "/", "a/", *ODD, *LONG])
def test_a_key_that_could_leave_the_store_is_refused_by_every_operation(store: Store, key: str) -> None:
    for operation in (
        lambda: store.create(key, b"x"),
        lambda: store.get(key, 1),
        lambda: store.put_hint(f"hints/{key}", b"x"),
    ):
        with pytest.raises(RefusedError):
            operation()


@pytest.mark.parametrize("prefix", ["a", "/", "../", *(f"{key}/" for key in ODD)])
def test_a_prefix_that_could_leave_the_store_is_refused(store: Store, prefix: str) -> None:
    for listing in (store.list, store.folders):
        with pytest.raises(RefusedError):
            list(listing(prefix))


def test_the_address_can_be_opened_again(store: Store, place: tuple[str, Mapping[str, str]]) -> None:
    assert stores.open(store.address, place[1]).address == store.address


def test_of_eight_threads_creating_one_key_exactly_one_wins(store: Store) -> None:
    for round_ in range(ROUNDS):
        barrier, wins = threading.Barrier(CREATORS), list[int]()

        def create(
            number: int, round_: int = round_, barrier: threading.Barrier = barrier, wins: list[int] = wins
        ) -> None:
            barrier.wait()
            if store.create(f"race/{round_}", b"%d" % number) is Created.CREATED:
                wins.append(number)

        threads = [threading.Thread(target=create, args=(number,)) for number in range(CREATORS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 1
        assert store.get(f"race/{round_}", 10) == b"%d" % wins[0]


def _race(address: str, number: int, barrier: Barrier, answers: multiprocessing.SimpleQueue[tuple[int, int]]) -> None:
    store = stores.open(address)
    for round_ in range(ROUNDS):
        barrier.wait()
        if store.create(f"race/{round_}", b"%d" % number) is Created.CREATED:
            answers.put((round_, number))
    answers.put((-1, number))


def test_of_eight_processes_creating_one_file_exactly_one_wins(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    address, barrier, answers = f"file://{tmp_path}", context.Barrier(CREATORS), context.SimpleQueue()
    processes = [context.Process(target=_race, args=(address, number, barrier, answers)) for number in range(CREATORS)]
    for process in processes:
        process.start()
    wins: dict[int, list[int]] = {}
    done = 0
    while done < CREATORS:
        round_, number = answers.get()
        done += round_ < 0
        wins.setdefault(round_, []).append(number)
    for process in processes:
        process.join()
    store = stores.open(address)
    for round_ in range(ROUNDS):
        assert len(wins[round_]) == 1
        assert store.get(f"race/{round_}", 10) == b"%d" % wins[round_][0]
    assert not list((tmp_path / "race").glob("*.tmp.*"))
