"""A dev database on a container's server that cannot copy databases: what is kept is its whole data folder, which a new start begins with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from ci_runner.databases import Address, Database, DatabaseFailure
from ci_runner.devdb import container, ending, engine
from ci_runner.devdb.emptied import Emptied
from ci_runner.devdb.reach import Rung
from ci_runner.devdb.shelf import Slot
from ci_runner.devdb.starting import Begin, reached, start_options
from ci_runner.devdb.volume import HEAD, STOP_LIMIT, UNFIT, Volume, chunks
from ci_runner.errors import SetupError

if TYPE_CHECKING:
    from docker.models.containers import Container

COPY = "/pilotage-base"
STORED = frozenset({"mysql"})  # engines whose data folder holds the administrator's password
AGAIN = 1.0  # seconds: a history that runs in less is run again, for a server does not start anew in that time
Attach = Callable[[Address, bool], Emptied]


class Known(NamedTuple):
    """What has to be known of a kept data folder: its administrator's password, and how many seconds its history took."""

    password: str
    seconds: float


class Data(NamedTuple):
    """The data ``folder`` of a server's container, in memory, and a copy of it.

    The second container does nothing: memory is given back when the last container that uses it ends, and a server must end for its files
    to be whole.
    """

    made: Container
    holder: Container
    folder: str

    def take_up(self, slot: Slot) -> Known | None:
        """Make both from what is kept, before the server is started; None when nothing is. SetupError for what is not one of ours."""
        with slot.reading() as stream:
            if stream is None:
                return None
            try:
                password, seconds = json.loads(stream.readline(HEAD))
                known = Known(str(password), float(seconds))
            except (ValueError, TypeError):
                raise SetupError("a kept base is not one of ours") from None
            with container.told("cannot put a kept base into a container"):
                self.holder.put_archive("/", chunks(stream))
        self._taken_back()
        return known

    def keep(self, slot: Slot, known: Known) -> bool:
        """Stop the server, copy its files, start it again, and write the copy to the slot; False where there is no copy."""
        with container.told("cannot stop the container to keep its data"):
            self.made.stop(timeout=STOP_LIMIT)
        words = self._copied(self.folder, COPY)
        with container.told("cannot start the container again"):
            self.made.start()

        def write(stream: IO[bytes]) -> None:
            stream.write(json.dumps(known).encode() + b"\n")
            for chunk in self.holder.get_archive(COPY)[0]:
                stream.write(chunk)

        if words:
            slot.unkept(words)
            return False
        try:
            slot.write(write)
        except engine.refusals() as error:
            slot.unkept(str(error))
        return True

    def back(self) -> None:
        """Start the server anew on the copy."""
        container.kill(self.made)
        self._taken_back()
        with container.told("cannot start the container anew"):
            self.made.start()

    def remove(self) -> None:
        """Remove both containers, and the memory with them."""
        container.remove(self.holder)
        container.remove(self.made)

    def _taken_back(self) -> None:
        if words := self._copied(COPY, self.folder):
            raise SetupError(f"cannot copy the data of a container: {words}")

    def _copied(self, source: str, target: str) -> str:
        """Make one folder equal to the other; "" when that is done, else why not. The names are ours or the image's."""
        return self.ran('rm -rf "$2"/* "$2"/.[!.]* && cp -a "$1/." "$2/"', source, target)

    def ran(self, script: str, *words: str) -> str:
        """Run a script in the second container; "" when it ended well, else what it said."""
        with container.told("cannot copy the data of a container"):
            code, said = cast("tuple[int, bytes]", self.holder.exec_run(["sh", "-c", script, "sh", *words]))
        return f"exit code {code} {said[-500:].decode(errors='replace')}" if code else ""


class Whole:
    """The server's databases, emptied before each replay, or in the state its folder is kept with under one key.

    ``held`` is what is known of a base the server came up with; ``connect`` speaks to it after each start.
    """

    def __init__(
        self, data: Data, volume: Volume, connect: Callable[[], tuple[Rung, Emptied]], password: str, held: Known | None
    ) -> None:
        self._data = data
        self._volume = volume
        self._connect = connect
        self._known = held
        self._password = password
        self._begun = time.monotonic()
        self._untouched = held is not None
        self.rung, self._server = connect()
        self.engine = self._server.engine
        self.dialect = self._server.dialect

    def fresh(self, scripts: Iterable[str] = ()) -> Database:
        """An empty database."""
        self._untouched = False
        database = self._server.fresh(scripts)
        self._begun = time.monotonic()
        return database

    def snapshot(self, database: Database, key: str, scripts: Iterable[str] = ()) -> Database:  # noqa: ARG002
        """Keep the state under the one ``key``; the server is started anew for that. One with rows that would be lost is not kept."""
        if key != self._volume.key or self._known or self._server.fleeting():
            return database
        known = Known(self._password, time.monotonic() - self._begun)
        database.close()
        self._server.close()
        self._known = known if self._data.keep(self._volume.slot, known) else None
        self.rung, self._server = self._connect()
        return self._server.session()

    def restore(self, key: str, scripts: Iterable[str] = ()) -> Database | None:  # noqa: ARG002
        """The state kept under ``key``; None when nothing is kept, or when running the history again takes less than a start of the server."""
        if key != self._volume.key or self._known is None:
            return None
        if not self._untouched:
            if self._known.seconds < AGAIN:
                return None
            self._server.close()
            self._data.back()
            self.rung, self._server = self._connect()
        self._untouched = False
        return self._server.session()

    def kill(self) -> None:
        """End the server, whatever it does."""
        container.kill(self._data.made)

    def advice(self, failure: DatabaseFailure) -> str:
        """What the user can do about a refusal that is the dev database's and not the migration's; "" when there is nothing."""
        return self._server.advice(failure)

    def close(self) -> None:
        """End the session the databases are made through."""
        self._server.close()

    @property
    def made(self) -> Container:
        """The server's container."""
        return self._data.made

    @property
    def held(self) -> bool:
        """Did the server come up with a kept base that nothing ran on since?"""
        return self._untouched


def opened(begin: Begin, volume: Volume, attach: Attach, stack: ExitStack) -> Whole | None:
    """The dev database of a container, on the base that is kept where there is one it starts with; ``attach`` speaks to a server at an
    address, whose data somebody else may have read where they come from a file.

    None where the container engine or the image cannot keep data in memory, or no server starts there.
    """
    data = _made(begin, volume, stack)
    if data is None:
        return None
    try:
        held = data.take_up(volume.slot)
        if held:
            return _running(begin, volume, attach, data, held, stack)
    except UNFIT:
        volume.slot.discard()
        data.remove()
        data = _made(begin, volume, stack)
    if data is None:
        return None
    try:
        return _running(begin, volume, attach, data, None, stack)
    except SetupError:  # why a server does not start is said where it is started without all this
        data.remove()
        return None


def _running(begin: Begin, volume: Volume, attach: Attach, data: Data, held: Known | None, stack: ExitStack) -> Whole:
    stored = begin.wanted.driver.engine in STORED
    password = held.password if held and stored else begin.password

    def connect() -> tuple[Rung, Emptied]:
        rung = reached(begin, data.made, password, stack)
        with ending.told(lambda: container.ended(data.made)):
            return rung, attach(rung.address, held is not None)

    with container.told(f"cannot start a container of {begin.wanted.image}"):
        data.made.start()
    return Whole(data, volume, connect, password if stored else "", held)


def _made(begin: Begin, volume: Volume, stack: ExitStack) -> Data | None:
    """Both containers, of which the first does not run yet; None where one of them is refused."""
    options = start_options(begin.image, begin.wanted, begin.password, begin.environment, begin.client)
    options["tmpfs"].pop(volume.folder, None)
    options["mounts"] = [_in_memory(volume.folder)]
    made: Container | None = None
    try:
        made = stack.enter_context(container.created(begin.client, begin.image, options, *begin.run))
        beside = {
            "entrypoint": ["sleep", str(container.LIFETIME)],
            "command": [],
            "user": "0:0",
            "network_mode": "none",
            "security_opt": ["no-new-privileges"],
            "volumes_from": [made.id],
            "mounts": [_in_memory(COPY)],
        }
        holder = stack.enter_context(container.started(begin.client, begin.image, beside, *begin.run))
        data = Data(made, holder, volume.folder)
        if not data.ran("command -v cp && command -v rm"):
            return data
        container.remove(holder)
    except SetupError:
        pass
    if made is not None:
        container.remove(made)
    return None


def _in_memory(place: str) -> Any:
    """A volume without a name, which goes with its container."""
    from docker.types import DriverConfig, Mount

    memory = {"type": "tmpfs", "device": "tmpfs", "o": "mode=1777"}
    return Mount(place, None, type="volume", driver_config=DriverConfig("local", memory))
