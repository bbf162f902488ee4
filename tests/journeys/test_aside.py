"""A second process that works through a list: the same answers as without it, whatever becomes of it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from msgspec.msgpack import Decoder, Encoder

from ci_runner import aside, sql
from ci_runner.model.directory import Migration
from ci_runner.model.operations import Operation, Other, Statement
from tests.journeys import errand

LONG = [*range(aside.MANY * 2 + 1)]
MANY = {f"{number:04}": number for number in range(aside.FEW * 2)}
HERE = os.getpid()


def _children() -> set[str]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set((task / "children").read_text().split())
    return found


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processors, and no thread but those of the test: other tests leave some behind."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    before = set(threading.enumerate()) - {threading.current_thread()}
    monkeypatch.setattr(threading, "active_count", lambda: len(set(threading.enumerate()) - before))


def test_answers_are_those_of_the_work_itself() -> None:
    assert dict(aside.table(lambda number: number * 2, MANY)) == {name: number * 2 for name, number in MANY.items()}


def test_work_on_many_items_is_done_by_another_process_and_on_few_by_this_one() -> None:
    few = dict(list(MANY.items())[: aside.FEW - 1])
    assert set(aside.table(lambda _: os.getpid(), few).values()) == {HERE}
    assert HERE not in set(aside.table(lambda _: os.getpid(), MANY).values())


def test_answers_can_be_asked_for_in_any_order_and_again() -> None:
    answers = aside.table(str, MANY)
    assert [answers[name] for name in ("0399", "0000", "0200", "0399")] == ["399", "0", "200", "399"]
    assert answers.get("none") is None
    assert "none" not in answers
    assert len(answers) == len(MANY)


@pytest.mark.parametrize("last", [0, 1, aside.CHUNK, aside.FEW])
def test_what_a_killed_process_did_not_answer_is_worked_out_here(last: int) -> None:
    def fragile(number: int) -> int:
        if number >= last and os.getpid() != HERE:
            os.kill(os.getpid(), 9)
        return number + 1

    assert list(aside.table(fragile, MANY).values()) == [number + 1 for number in MANY.values()]


@pytest.mark.parametrize("strange", [lambda _: lambda: 1, lambda _: print("said by the second process") or 1])
def test_answers_that_cannot_be_sent_are_made_here_and_nothing_is_printed_twice(
    strange: Callable[[int], object], capfd: pytest.CaptureFixture[str]
) -> None:
    answers = list(aside.table(strange, MANY).values())
    assert len(answers) == len(MANY)
    assert capfd.readouterr().out in ("", "said by the second process\n" * len(MANY))


def test_an_error_of_the_work_is_raised_where_its_answer_is_asked_for() -> None:
    def wrong(number: int) -> float:
        return 1 / (number - 300)

    answers = aside.table(wrong, MANY)
    assert answers["0001"] == 1 / -299
    with pytest.raises(ZeroDivisionError):
        answers["0301"]


def test_no_process_is_left_whether_all_answers_are_taken_or_one() -> None:
    before = _children()
    shared, met = aside.shared(str, LONG), aside.shared(str, LONG)
    met()
    del met
    assert len(_children() - before) == 1
    del shared
    everything, one, none = aside.table(str, MANY), aside.table(str, MANY), aside.begun(lambda: "x" * 1_000_000, str)
    assert len(_children() - before) == 3
    assert [*everything.values()][-1] == "399"
    assert one["0000"] == "0"
    del one, none
    assert _children() == before


def test_a_second_process_ends_when_the_first_one_was_killed() -> None:
    said, told = os.pipe()
    first = os.fork()
    if first == 0:
        held = aside.begun(lambda: "x" * 4_000_000, str)  # more than a pipe holds: it waits for who reads
        (second,) = _children()
        os.write(told, second.encode())
        time.sleep(60)
        held()
    second = os.read(said, 20).decode()
    time.sleep(0.2)
    os.kill(first, 9)
    os.waitpid(first, 0)
    deadline = time.monotonic() + 30
    while _runs(second):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.close(said)
    os.close(told)


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_one_thing_is_done_by_another_process_and_its_result_or_error_brought_here() -> None:
    assert aside.begun(lambda: {"who": os.getpid(), "what": b"x" * 1_000_000}, dict)()["who"] != HERE
    with pytest.raises(ZeroDivisionError):
        aside.begun(lambda: 1 / 0, float)()


@pytest.mark.parametrize("pause", [0, 0.02, 0.5])
def test_two_processes_that_meet_have_all_answers_in_order(pause: float) -> None:
    asked = aside.shared(lambda number: [number, os.getpid()], LONG)
    time.sleep(pause)
    assert [number for number, _ in asked()] == LONG


def test_the_other_process_does_all_that_this_one_has_no_time_for() -> None:
    before = _children()
    asked = aside.shared(lambda _: os.getpid(), LONG)
    (other,) = _children() - before
    deadline = time.monotonic() + 60
    while Path(f"/proc/{other}/stat").read_text().rpartition(") ")[2][0] != "Z":  # through, and not yet missed
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert set(asked()) == {int(other)}


def test_the_other_process_works_on_when_its_answers_fill_the_pipe(tmp_path: Path) -> None:
    done = os.open(tmp_path / "done", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def long(number: int) -> str:
        os.write(done, b".")
        return f"{number:05}" * 1000

    asked = aside.shared(long, LONG)
    deadline = time.monotonic() + 60
    while (tmp_path / "done").stat().st_size < len(LONG):  # and nobody has taken one of 10 MB
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert asked() == [f"{number:05}" * 1000 for number in LONG]
    os.close(done)


@pytest.mark.parametrize("last", [0, 1, aside.SHARE, aside.MANY, aside.MANY * 2])
def test_where_one_of_two_is_killed_the_other_does_it_all(last: int) -> None:
    def fragile(number: int) -> int:
        if number <= last and os.getpid() != HERE:
            os.kill(os.getpid(), 9)
        return number + 1

    asked = aside.shared(fragile, LONG)
    time.sleep(0.05)
    assert asked() == [number + 1 for number in LONG]


def test_an_error_that_both_meet_is_raised_here_and_few_are_not_shared() -> None:
    with pytest.raises(ZeroDivisionError):
        aside.shared(lambda number: 1 / (number - 700), LONG)()
    assert set(aside.shared(lambda _: os.getpid(), LONG[: aside.MANY - 1])()) == {HERE}


def test_a_second_process_has_no_second_of_its_own() -> None:
    assert len(aside.begun(lambda: set(aside.shared(lambda _: os.getpid(), LONG)()), set)()) == 1


def test_a_process_with_threads_does_the_work_itself() -> None:
    done = Event()
    thread = Thread(target=done.wait)
    thread.start()
    try:
        assert set(aside.table(lambda _: os.getpid(), MANY).values()) == {HERE}
    finally:
        done.set()
        thread.join()


def test_one_processor_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert set(aside.table(lambda _: os.getpid(), MANY).values()) == {HERE}


def test_statements_come_back_as_they_would_be_read_here() -> None:
    texts = (
        "CREATE TABLE t{n} (id bigint PRIMARY KEY, v varchar(8) NOT NULL DEFAULT 'x' CHECK (v <> ''));",
        "-- why\nALTER TABLE t{n} ADD COLUMN c text, DROP COLUMN d; SELECT 1;",
        "COPY t{n} FROM stdin;\n1\tx\n\\.\n",
        "DO $$ BEGIN DELETE FROM t{n}; END $$; NOT SQL;",
    )
    files = {
        f"{n}.sql": Migration(f"{n}.sql", str(n), "", texts[n % len(texts)].format(n=n), "") for n in range(aside.FEW)
    }

    def read(migration: Migration) -> object:
        return sql.statements(migration, "postgres")

    assert dict(aside.table(read, files, tuple[Statement, ...])) == {name: read(file) for name, file in files.items()}


def test_what_is_read_ahead_and_its_answers_are_those_of_the_work_itself() -> None:
    def numbers() -> list[int]:
        return [os.getpid(), *range(aside.FEW)]

    def answering(made: list[int]) -> tuple[Callable[[int], list[int]], dict[str, int], Callable[[], int]]:
        return lambda number: [number, os.getpid()], {str(n): n for n in made[1:]}, os.getpid

    before = _children()
    made, answers, last = aside.ahead(lambda _: (numbers, answering), b"")()
    assert made[0] != HERE
    assert made[1:] == [*range(aside.FEW)]
    assert [answers[str(n)] for n in made[1:]] == [[n, made[0]] for n in made[1:]]
    assert last() == made[0]
    del answers, last
    assert _children() == before


@pytest.mark.parametrize("upto", [-1, 0, aside.CHUNK, aside.FEW])
def test_what_a_killed_process_did_not_read_ahead_is_read_here(upto: int) -> None:
    def fragile(number: int) -> int:
        if number >= upto and os.getpid() != HERE:
            os.kill(os.getpid(), 9)
        return number + 1

    def task(order: bytes) -> tuple[Callable[[], list[int]], Any]:
        return lambda: [fragile(-1), *order], lambda made: (
            fragile,
            {str(n): n for n in made[1:]},
            lambda: fragile(aside.FEW),
        )

    asked = aside.ahead(task, bytes(range(aside.FEW)))
    made, answers, last = asked()
    assert made == [0, *range(aside.FEW)]
    assert [*answers.values()] == [number + 1 for number in range(aside.FEW)]
    assert last() == aside.FEW + 1


def test_an_error_of_what_is_read_ahead_is_raised_where_it_is_asked_for() -> None:
    def wrong() -> int:
        return 1 // 0

    def then(made: int) -> tuple[Callable[[int], str], dict[str, int], Callable[[], int]]:
        return str, {str(made): made}, lambda: made

    asked = aside.ahead(lambda _: (wrong, then), b"")
    with pytest.raises(ZeroDivisionError):
        asked()


def test_a_process_that_stands_by_is_prepared_before_it_is_told_what_to_do() -> None:
    before = _children()
    aside.stand_by(errand.__name__, "ready")
    (waiting,) = _children() - before
    (order, done_by, *prepared), answers, last = aside.ahead(errand.task, b"abc")()
    assert (order, done_by, prepared) == ("abc", waiting, [f"{waiting} ready"])
    assert dict(answers) == {"a": "A", "b": "B", "c": "C"}
    assert last() == waiting
    del answers, last
    assert _children() == before


def test_a_process_that_stands_by_for_another_task_is_told_nothing_of_this_one() -> None:
    aside.stand_by("json", "ready")  # which has nothing to prepare, so that it ends
    (order, _, *prepared), answers, _ = aside.ahead(errand.task, b"ab")()
    assert (order, prepared) == ("ab", [])
    assert dict(answers) == {"a": "A", "b": "B"}


def test_where_what_stood_by_was_killed_the_work_is_done_all_the_same() -> None:
    before = _children()
    aside.stand_by(errand.__name__, "killed")
    (waiting,) = _children() - before
    os.waitid(os.P_PID, int(waiting), os.WEXITED | os.WNOWAIT)  # it is dead before it is told
    (order, done_by, *prepared), answers, _ = aside.ahead(errand.task, b"ab")()
    assert (order, prepared) == ("ab", [])
    assert done_by != waiting
    assert dict(answers) == {"a": "A", "b": "B"}


def test_a_process_that_is_told_nothing_ends_with_the_first() -> None:
    code = (
        "import os; from pathlib import Path; from ci_runner import aside; os.sched_getaffinity = lambda _: {0, 1};"
        f"aside.stand_by({errand.__name__!r}, 'ready');"
        "print(next(Path('/proc/self/task').glob('*/children')).read_text(), flush=True); os._exit(0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    deadline = time.monotonic() + 30
    while _runs(found.stdout.strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_operation_comes_back_as_the_class_it_was() -> None:
    known = {operation.__name__ for operation in Operation.__subclasses__()}
    shown = Decoder(Statement).decode(Encoder().encode(Statement(0, 1, "x", 1, 1, (Other(kind="x", start=0, end=1),))))
    assert type(shown.operations[0]) is Other
    assert {each.__struct_config__.tag for each in Operation.__subclasses__()} == known
