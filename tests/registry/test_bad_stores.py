"""Stores that are full, read-only, silent, busy, or lie: the old head stays, the push says why, and nothing is acknowledged that is not kept."""

from __future__ import annotations

import pytest

from ci_runner import registry, stores
from ci_runner.errors import IntegrityError, PilotageError, SetupError, TemporaryError
from ci_runner.registry import canonical, keys
from ci_runner.stores import Created, Store
from ci_runner.stores.memory import MemoryStore
from tests.registry.world import Editable, Job, files, snapshot


class _Failing(MemoryStore):
    def __init__(self, error: PilotageError, *prefixes: str) -> None:
        super().__init__()
        self._failure = (error, prefixes)

    def create(self, key: str, content: bytes) -> Created:
        if key.startswith(self._failure[1]):
            raise self._failure[0]
        return super().create(key, content)

    def put_hint(self, key: str, content: bytes) -> None:
        if key.startswith(self._failure[1]):
            raise self._failure[0]
        super().put_hint(key, content)


@pytest.mark.parametrize("prefix", ["format", "blobs/", "dirs/"])
@pytest.mark.parametrize(("error", "code"), [(TemporaryError("no space"), 5), (SetupError("no right"), 2)])
def test_a_full_or_read_only_store_keeps_its_old_head(prefix: str, error: PilotageError, code: int) -> None:
    store = _Failing(error, prefix)
    with pytest.raises(type(error)) as caught:
        Job(store).push(snapshot(files(1)), "1")
    assert caught.value.exit_code == code
    assert list(store.list("dirs/")) == []


def test_a_store_that_takes_no_hints_still_takes_pushes_and_says_so() -> None:
    store = _Failing(SetupError("no right"), "hints/")
    pushed = Job(store).push(snapshot(files(1)), "1")
    assert pushed.outcome == "ok"
    assert "hint" in pushed.warnings[0]


class _Forgetful(MemoryStore):
    """Says yes and keeps nothing below ``prefix``."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def create(self, key: str, content: bytes) -> Created:
        return Created.CREATED if key.startswith(self._prefix) else super().create(key, content)


class _LastWins(MemoryStore):
    """Lets two writers win, the way some clones of S3 do: the rival's entry replaces ours after we were told we had won."""

    def create(self, key: str, content: bytes) -> Created:
        with self._lock:
            rival = key.startswith("dirs/")
            self._objects[key] = content.replace(b'"id":"0', b'"id":"f') if rival else content
        return Created.CREATED


class _Flips(MemoryStore):
    """Stores the manifest with one bit changed."""

    def create(self, key: str, content: bytes) -> Created:
        return super().create(
            key, content.replace(b'"kind":"up"', b'"kind":"UP"') if key.startswith("blobs/") else content
        )


@pytest.mark.parametrize(
    "store", [_Forgetful("dirs/"), _Forgetful("blobs/"), _LastWins(), _Flips()], ids=lambda store: type(store).__name__
)
def test_the_read_back_catches_a_store_that_lies(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IntegrityError, match="does not give it back"):
        Job(store).push(snapshot(files(1)), "1")


@pytest.mark.parametrize(
    "store", [_Forgetful("dirs/"), _Forgetful("blobs/"), _LastWins(), _Flips()], ids=lambda store: type(store).__name__
)
def test_without_the_read_back_a_lying_store_would_go_unnoticed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_runner.registry.pushing._read_back", lambda *_arguments: [])
    assert Job(store).push(snapshot(files(1)), "1").outcome == "ok"


def test_a_blob_that_is_there_with_other_bytes_stops_the_push() -> None:
    store = Editable()
    store.create(keys.blob(canonical.sha256(files(1)["0001.sql"])), b"other")
    with pytest.raises(IntegrityError, match="damaged"):
        Job(store).push(snapshot(files(1)), "1")
    assert list(store.list("dirs/")) == []


def test_a_store_that_never_answers_is_given_up_after_bounded_rounds() -> None:
    class Silent(MemoryStore):
        def create(self, key: str, content: bytes) -> Created:
            raise stores.AmbiguousError("time-out")

    job = Job(Silent())
    with pytest.raises(TemporaryError, match="safe to push again"):
        job.push(snapshot(files(1)), "1")
    assert len(job.pauses) == 200


def test_a_push_that_always_comes_second_is_given_up_after_bounded_rounds() -> None:
    class Busy(MemoryStore):
        """Before each claim of a slot a rival takes it with a state that goes on from the last."""

        count = 0

        def create(self, key: str, content: bytes) -> Created:
            if key.startswith("dirs/") and not self.busy:
                self.busy, self.count = True, self.count + 1
                Job(self, seed=self.count).push(snapshot(files(self.count)), str(self.count))
                self.busy = False
            return super().create(key, content)

        busy = False

    store = Busy()
    with pytest.raises(TemporaryError, match="came first"):
        Job(store, seed=1000).push(snapshot({}, aux={"note": b"x"}), "999999", allow_rewrite=True)
    assert registry.verify(store).damages == ()


class _Folding(MemoryStore):
    """Takes upper and lower case for the same, as the file systems of some machines do."""

    def create(self, key: str, content: bytes) -> Created:
        return super().create(key.lower(), content)

    def get(self, key: str, limit: int) -> bytes | None:
        return super().get(key.lower(), limit)


def test_on_a_store_that_folds_case_two_names_never_share_a_log() -> None:
    store = _Folding()
    Job(store).push(snapshot(files(1)), "1", name="app")
    with pytest.raises(IntegrityError, match="belongs to the directory 'app', not to 'App'"):
        Job(store).push(snapshot(files(2)), "2", name="App")
    assert len(registry.log(store, "app")) == 1
