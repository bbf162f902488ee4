"""Lets a second process work through a list, or on one thing, while this one goes on; its answers can always be done without."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

if TYPE_CHECKING:
    from msgspec.msgpack import Decoder

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")
L = TypeVar("L")
Steps = tuple[Callable[[T], R], Mapping[str, T], Callable[[], L]]

FEW = 200  # items below which a process costs more than it brings: some 10 ms
MANY = 1000  # the same of a list that both work at
CHUNK = 25  # items whose answers are sent together
SHARE = 100  # the same of a list whose other end this process works at: it may do as many in vain
_KILL = 9
_PIPE = 1024 * 1024  # bytes
_BUFFER = 64 * 1024  # bytes
_HEAD = 8  # bytes that say how long a message is
_PLAIN = 2  # marshal's form without references, which would be looked for in every value

_second: list[bool] = []  # not empty: this is the second process, which has no second of its own
_standing: dict[str, tuple[_Second, int]] = {}  # what stands by, by module, each with where it is told what to do


def table(work: Callable[[T], R], items: Mapping[str, T], kind: Any = Any) -> Mapping[str, R]:
    """``work`` of every item under the item's name. It may run anywhere and any time until the value is asked for, so it must be pure.

    ``kind`` is what an answer is: a value that msgspec packs.
    """
    values = [*items.values()]
    second = _beside(lambda answers: _one_by_one(work, values, answers)) if len(items) >= FEW else None
    if second is None:
        return {name: work(item) for name, item in items.items()}
    return _Table(items, _received(work, values, second, kind, ends=True))


def stand_by(module: str, *words: str) -> None:
    """Let another process import ``module`` now and call its ``prepare`` with ``words``, to be told by :func:`ahead` what to do.

    Whoever does not come to that lets it end with this process.
    """
    import atexit

    told, telling = os.pipe()
    second = _beside(lambda answers: _told(module, words, told, telling, answers))
    os.close(told)
    if second is None:
        os.close(telling)
    else:
        _standing[module] = second, telling
        atexit.register(_standing.clear)


def ahead(
    task: Callable[[bytes], tuple[Callable[[], A], Callable[[A], Steps[T, R, L]]]],
    order: bytes,
    made: Any = Any,
    kind: Any = Any,
    end: Any = Any,
) -> Callable[[], tuple[A, Mapping[str, R], Callable[[], L]]]:
    """What ``task`` makes of ``order``, begun at once by another process, by that which stands by for its module if there is one.

    A task is a function without arguments, and one that finds in its result the work and the items of a :func:`table`, and what is to be
    worked out when all that is done, to be asked for behind the last answer. ``made`` is what the first makes, ``kind`` what an answer is
    and ``end`` what comes last. To be asked for once. What the other process cannot do this one does when it is asked, and raises what
    there is to raise.
    """
    first, then = task(order)
    second = _ordered(task.__module__, order) or _beside(lambda answers: _first(first, then, answers))

    def result() -> tuple[A, Mapping[str, R], Callable[[], L]]:
        from msgspec.msgpack import Decoder

        sent = _message(second.answers, Decoder(list[made])) if second else None
        found: A = sent[0] if sent else first()
        work, items, last = then(found)
        if second is None:
            return found, table(work, items, kind), last
        rows = _received(work, [*items.values()], second, kind)
        return found, _Table(items, rows), lambda: _last(second, last, Decoder(list[end]))

    return result


def begun(work: Callable[[], R], kind: type[R]) -> Callable[[], R]:
    """``work`` begun at once by another process where there is one to spare, to be asked for its result, or its error, once.

    ``kind`` is what the result is: a value that msgspec packs.
    """
    from msgspec import MsgspecError, msgpack

    second = _beside(lambda answers: answers.write(msgpack.encode(work())))
    if second is None:
        return work

    def result() -> R:
        try:
            return msgpack.decode(second.everything(), type=kind)
        except MsgspecError:  # it ended before it had a result, or has one that cannot be sent
            return work()

    return result


def shared(work: Callable[[T], R], items: Sequence[T]) -> Callable[[], list[R]]:
    """``work`` of every item, in order: another process begins with the last now, this one with the first when it is asked, until they meet.

    An answer is bytes, text, a number, None or a list or tuple of such. The work may be done twice, so it must change nothing.
    """
    chunks = [items[at : at + SHARE] for at in range(0, len(items), SHARE)]
    second = _beside(lambda answers: _from_the_end(work, chunks, answers)) if len(items) >= MANY else None
    if second is None:
        return lambda: [*map(work, items)]
    return lambda: _met(work, chunks, second)


def widen(pipe: int) -> None:
    """Let a pipe hold as much as the system allows, so that who writes into it need not wait for who reads, who has other things to do."""
    with suppress(ImportError, OSError):
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(pipe, F_SETPIPE_SZ, _PIPE)


class _Table(Mapping[str, R]):
    """Answers that are waited for when they are looked up; best asked for in order."""

    def __init__(self, names: Iterable[str], answers: Iterator[R]) -> None:
        self._names = dict.fromkeys(names)
        self._answers = zip(
            answers, self._names, strict=True
        )  # answers first: they are asked for an end, and so come to one
        self._known: dict[str, R] = {}

    def __getitem__(self, name: str) -> R:
        known = self._known
        if name not in known:
            if name not in self._names:
                raise KeyError(name)
            for answer, each in self._answers:
                known[each] = answer
                if each == name and len(known) < len(self._names):
                    break
        return known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Second:
    """Another process, and what it sends. It is over when this value is let go of, which may be the interpreter's last act."""

    __slots__ = ("_child", "answers")

    def __init__(self, child: int, reading: int) -> None:
        self._child = child
        self.answers = os.fdopen(reading, "rb", _BUFFER)

    def __del__(self) -> None:
        self.end()

    def stop(self) -> None:
        """Let it come to its end, wherever it is, while this process goes on and lets go of this value later."""
        with suppress(OSError):
            os.kill(self._child, _KILL)

    def end(self) -> None:
        """End it, wherever it is."""
        if self.answers.closed:
            return
        self.answers.close()
        self.stop()
        with suppress(OSError):
            os.waitpid(self._child, 0)

    def everything(self) -> bytes:
        """All it has to say, which is waited for."""
        try:
            return self.answers.read()
        finally:
            self.end()

    def so_far(self) -> bytes:
        """What it has sent meanwhile, without waiting for more."""
        found = []
        with suppress(OSError):
            while more := os.read(self.answers.fileno(), _PIPE):
                found.append(more)
        return b"".join(found)


def _spare() -> bool:
    """Whether there is a processor for a second process, and no thread that a fork would cut off."""
    if _second or not hasattr(os, "fork") or not hasattr(os, "sched_getaffinity"):
        return False
    threading = sys.modules.get("threading")
    return len(os.sched_getaffinity(0)) > 1 and (threading is None or threading.active_count() == 1)


def _beside(serve: Callable[[BinaryIO], object]) -> _Second | None:
    """A process that starts at once and sends what ``serve`` writes; None where there is none to be had."""
    if not _spare():
        return None
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if child == 0:
        os.close(reading)  # so that it ends when nobody is left to read
        _serve(serve, writing)
    os.close(writing)
    return _Second(child, reading)


def _serve(serve: Callable[[BinaryIO], object], writing: int) -> None:
    """What the second process does: it answers and is gone, without a word and without what a process does on its way out."""
    try:
        import gc

        _second.append(True)
        gc.disable()
        if signal := sys.modules.get("signal"):  # where nobody imported it nobody set another way to handle them
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):  # whoever reads what the first process prints does not wait for the second
            os.dup2(nothing, stream)
        with os.fdopen(writing, "wb") as answers:
            serve(answers)
    finally:
        os._exit(0)


def _told(module: str, words: Sequence[str], told: int, telling: int, answers: BinaryIO) -> None:
    from importlib import import_module

    os.close(telling)  # so that it ends when nobody is left to tell it anything
    found = import_module(module)
    found.prepare(*words)
    with os.fdopen(told, "rb") as orders:
        order = orders.read()
    if order:
        first, then = found.task(order)
        _first(first, then, answers)


def _ordered(module: str, order: bytes) -> _Second | None:
    """The process that stands by for the module, once it is told; None where there is none, or no longer."""
    second, telling = _standing.pop(module, (None, -1))
    if second is None:
        return None
    try:
        with os.fdopen(telling, "wb") as orders:
            orders.write(order)
    except OSError:
        second.end()
        return None
    return second


def _first(first: Callable[[], A], then: Callable[[A], Steps[T, R, L]], answers: BinaryIO) -> None:
    widen(answers.fileno())
    made = first()
    _send([made], answers)
    work, items, last = then(made)
    _one_by_one(work, [*items.values()], answers)
    _send([last()], answers)


def _last(second: _Second, last: Callable[[], L], decoder: Decoder[list[Any]]) -> L:
    """What it says last; that it is gone is waited for when this value is let go of, for giving its memory back takes milliseconds."""
    sent = None if second.answers.closed else _message(second.answers, decoder)
    found: L = sent[0] if sent else last()
    return found


def _one_by_one(work: Callable[[T], R], items: Sequence[T], answers: BinaryIO) -> None:
    for at in range(0, len(items), CHUNK):
        _send([work(item) for item in items[at : at + CHUNK]], answers)


def _send(message: list[Any], answers: BinaryIO) -> None:
    from msgspec.msgpack import encode

    packed = encode(message)
    answers.write(len(packed).to_bytes(_HEAD, "big") + packed)
    answers.flush()


def _received(
    work: Callable[[T], R], items: Sequence[T], second: _Second, kind: Any, *, ends: bool = False
) -> Iterator[R]:
    """The answers; what the second process did not give, for whatever reason, is worked out here. ``ends``: it has nothing more to say."""
    from msgspec.msgpack import Decoder

    decoder, done = Decoder(list[kind]), 0
    while done < len(items) and (chunk := _message(second.answers, decoder)) is not None:
        done += len(chunk)
        yield from chunk
    if ends or done < len(items):
        second.end()
    yield from map(work, items[done:])


def _message(answers: BinaryIO, decoder: Decoder[list[Any]]) -> list[Any] | None:
    """The next message; None where the second process ended before it gave one."""
    from msgspec import MsgspecError

    size = int.from_bytes(answers.read(_HEAD), "big")
    try:
        return decoder.decode(answers.read(size))
    except MsgspecError:  # none, or the beginning of one
        return None


def _from_the_end(work: Callable[[T], R], chunks: Sequence[Sequence[T]], answers: BinaryIO) -> None:
    """Works on while the other process takes no answers: it may be busy for longer than a pipe holds them.

    What the two of them say is in Python's own form, which is the fastest for many small texts.
    """
    from marshal import dumps

    pipe = answers.fileno()
    widen(pipe)
    os.set_blocking(pipe, False)
    unsaid: list[bytes] = []
    for chunk in reversed(chunks):
        packed = dumps([work(item) for item in chunk], _PLAIN)
        unsaid.append(len(packed).to_bytes(_HEAD, "big") + packed)
        with suppress(BlockingIOError):
            while unsaid:
                said = os.write(pipe, unsaid[0])
                unsaid[:1] = [unsaid[0][said:]] if said < len(unsaid[0]) else []
    os.set_blocking(pipe, True)
    answers.write(b"".join(unsaid))


def _met(work: Callable[[T], R], chunks: Sequence[Sequence[T]], second: _Second) -> list[R]:
    """Every answer, once this process has come to where the other one is."""
    found: list[R] = []
    theirs: list[list[R]] = []  # of the last chunk first
    unread = b""
    os.set_blocking(second.answers.fileno(), False)
    for number, chunk in enumerate(chunks):
        unread = _messages(unread + second.so_far(), theirs)
        if len(theirs) >= len(chunks) - number:
            break
        found += map(work, chunk)
    second.stop()
    done = -(-len(found) // SHARE)
    for answers in reversed(theirs[: len(chunks) - done]):
        found += answers
    return found


def _messages(said: bytes, found: list[list[Any]]) -> bytes:
    """Puts what the whole messages of what was said hold to what was ``found``; the beginning of the next one."""
    from marshal import loads

    at = 0
    while len(said) >= at + _HEAD and len(said) >= (end := at + _HEAD + int.from_bytes(said[at : at + _HEAD], "big")):
        found.append(loads(said[at + _HEAD : end]))  # noqa: S302  said by our own code
        at = end
    return said[at:]
