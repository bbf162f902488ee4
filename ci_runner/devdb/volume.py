"""The data folder of a container kept from run to run, through the engine's archive interface: nothing is mounted."""

from __future__ import annotations

import json
import posixpath
import zlib
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ci_runner.databases import Address
from ci_runner.devdb.container import told
from ci_runner.devdb.images import Wanted
from ci_runner.devdb.shelf import Shelf, Slot
from ci_runner.errors import PilotageError, SetupError

if TYPE_CHECKING:
    from docker.models.containers import Container

UNFIT = (
    PilotageError,
    OSError,
    EOFError,
    zlib.error,
)  # what a file that is whole by its hash and yet no kept base comes to
KEPT = frozenset({"postgres", "mysql", "clickhouse"})
STOP_LIMIT = 30
HEAD = 4096
_CHUNK = 1 << 20


class Passwords(NamedTuple):
    """Of the replay's role and of the administrator, as the data folder has them; they are changed when it is taken up."""

    replay: str
    admin: str


class Volume(NamedTuple):
    """Where the state of the data ``folder`` is kept, under ``key``."""

    key: str
    slot: Slot
    folder: str

    def fill(self, made: Container) -> Passwords | None:
        """Put the kept state into a container that does not run yet; None when there is none. SetupError when the engine refuses it."""
        with self.slot.reading() as stream:
            if stream is None:
                return None
            try:
                passwords = Passwords(*map(str, json.loads(stream.readline(HEAD))))
            except (ValueError, TypeError):
                raise SetupError("a kept base is not one of ours") from None
            with told("cannot put a kept base into a container"):
                made.put_archive(posixpath.dirname(self.folder), chunks(stream))
        return passwords

    def keep(self, made: Container, passwords: Passwords, again: Callable[[], Address]) -> Address:
        """Stop the server so that its files are whole, fetch them, start it; ``again`` finds it at its new address."""

        def write(stream: IO[bytes]) -> None:
            stream.write(json.dumps(passwords).encode() + b"\n")
            for chunk in made.get_archive(self.folder)[0]:
                stream.write(chunk)

        with told("cannot stop the container to keep its data"):
            made.stop(timeout=STOP_LIMIT)
            self.slot.write(write)
            made.start()
        return again()


def volume_of(shelf: Shelf | None, image: Any, wanted: Wanted) -> Volume | None:
    """The volume of an image's data folder; None where nothing is to be kept, or of an engine nobody has tried it with."""
    if shelf is None or wanted.driver.engine not in KEPT:
        return None
    volumes = sorted(image.attrs["Config"].get("Volumes") or {}) or [wanted.driver.data]
    folder = wanted.driver.data if wanted.driver.data in volumes else volumes[0]
    command = () if wanted.custom else wanted.driver.command
    options = " ".join(f"{name}={value}" for name, value in sorted(wanted.options.items()))
    traits = (image.id, wanted.database, str(wanted.superuser), str(wanted.custom), " ".join(command), options)
    return Volume(shelf.base, shelf.slot("docker", *traits), folder)


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of it, piece by piece."""
    while chunk := stream.read(_CHUNK):
        yield chunk
