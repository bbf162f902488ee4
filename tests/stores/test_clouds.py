"""What a cloud's answers come to: every status, lost answers, short and foreign bodies; one table for three dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ci_runner import stores
from ci_runner.errors import IntegrityError, PilotageError, SetupError, TemporaryError
from ci_runner.stores import AmbiguousError, Created, Store
from tests.fakes.objects import CLOUDS, Fault, Objects

KEY = "dirs/app/log/0000000001.json"
SECRET = "s3cr3t-of-the-store"


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> Iterator[Objects]:
    with CLOUDS[request.param]() as fake:
        yield fake


@pytest.fixture
def store(cloud: Objects) -> Store:
    return stores.open(cloud.address, cloud.environ)


WRITES = [
    (304, "", Created.EXISTS),
    (400, "InvalidRequest", SetupError),
    (400, "AuthorizationHeaderMalformed", SetupError),
    (401, "Unauthorized", SetupError),
    (403, "AccessDenied", SetupError),
    (403, "RequestTimeTooSkewed", SetupError),
    (404, "NoSuchBucket", SetupError),
    (404, "ContainerNotFound", SetupError),
    (408, "RequestTimeout", AmbiguousError),
    (409, "BlobAlreadyExists", Created.EXISTS),
    (409, "ConditionalRequestConflict", AmbiguousError),
    (409, "BlobBeingRehydrated", AmbiguousError),
    (412, "PreconditionFailed", Created.EXISTS),
    (416, "InvalidRange", SetupError),
    (429, "TooManyRequests", AmbiguousError),
    (500, "InternalError", AmbiguousError),
    (502, "BadGateway", AmbiguousError),
    (503, "SlowDown", AmbiguousError),
]


@pytest.mark.parametrize("how", ["status", "empty"])
@pytest.mark.parametrize(("status", "code", "outcome"), WRITES)
def test_each_refusal_of_a_create_is_told_apart_and_nothing_is_sent_twice(
    cloud: Objects, store: Store, how: str, status: int, code: str, outcome: Created | type[PilotageError]
) -> None:
    cloud.faults = [Fault("^PUT", how, 99, status, code)]
    if how == "empty" and code in {"ConditionalRequestConflict", "BlobBeingRehydrated"}:
        outcome = Created.EXISTS  # a 409 that does not say why is settled by reading the key
    if isinstance(outcome, Created):
        assert store.create(KEY, b"x") is outcome
    else:
        with pytest.raises(PilotageError) as caught:
            store.create(KEY, b"x")
        assert type(caught.value) is outcome
        assert str(status) in str(caught.value)
        assert SECRET not in str(caught.value)
    assert [asked.method for asked in cloud.requests] == ["PUT"]
    assert cloud.objects == {}


READS = [
    (400, "InvalidRequest", SetupError, 1),
    (401, "Unauthorized", SetupError, 1),
    (403, "AccessDenied", SetupError, 1),
    (404, "NoSuchBucket", SetupError, 1),
    (404, "ContainerNotFound", SetupError, 1),
    (429, "TooManyRequests", TemporaryError, 4),
    (500, "InternalError", TemporaryError, 4),
    (502, "BadGateway", TemporaryError, 4),
    (503, "SlowDown", TemporaryError, 4),
]


@pytest.mark.parametrize(("status", "code", "error", "requests"), READS)
def test_a_read_is_repeated_three_times_where_that_can_help_and_a_missing_bucket_is_no_missing_key(
    cloud: Objects, store: Store, status: int, code: str, error: type[PilotageError], requests: int
) -> None:
    cloud.faults = [Fault("^GET", "status", 99, status, code)]
    with pytest.raises(PilotageError) as caught:
        store.get(KEY, 10)
    assert type(caught.value) is error
    assert len(cloud.requests) == requests


@pytest.mark.parametrize(
    ("how", "written"), [("cut", True), ("drop", False), ("done-then-status", True), ("html", False)]
)
def test_a_create_whose_answer_is_lost_is_ambiguous_and_sent_once(
    cloud: Objects, store: Store, how: str, written: bool
) -> None:
    cloud.faults = [Fault("^PUT", how, 1, 503, "SlowDown")]
    with pytest.raises(AmbiguousError):
        store.create(KEY, b"x")
    assert store.get(KEY, 10) == (b"x" if written else None)
    assert len([asked for asked in cloud.requests if asked.method == "PUT"]) == 1


def test_a_create_that_takes_too_long_is_ambiguous(cloud: Objects) -> None:
    store = stores.open(f"{cloud.address}&timeout=1", cloud.environ)
    cloud.faults = [Fault("^PUT", "slow", seconds=1.5)]
    with pytest.raises(AmbiguousError):
        store.create(KEY, b"x")


@pytest.mark.parametrize("how", ["short", "drop", "cut"])
def test_a_body_that_ends_early_is_never_taken_for_the_object(cloud: Objects, store: Store, how: str) -> None:
    store.create(KEY, b"0123456789")
    cloud.faults = [Fault("^GET", how, 1)]
    assert store.get(KEY, 100) == b"0123456789"
    cloud.faults = [Fault("^GET", how, 99)]
    with pytest.raises(TemporaryError):
        store.get(KEY, 100)


def test_an_object_over_its_limit_is_refused_before_its_body_is_read(cloud: Objects, store: Store) -> None:
    store.create("blobs/large", b"x" * 5_000_000)
    with pytest.raises(IntegrityError, match="longer than 10 bytes"):
        store.get("blobs/large", 10)


OPERATIONS: dict[str, Callable[[Store], object]] = {
    "list": lambda store: list(store.list("dirs/")),
    "folders": lambda store: list(store.folders("dirs/")),
    "hint": lambda store: store.put_hint("hints/app", b"1"),
    "discard": lambda store: store.discard("dirs/app/inbox/a.json"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "code", "error"), [(403, "AccessDenied", SetupError), (503, "Busy", TemporaryError)]
)
def test_every_other_operation_tells_a_missing_right_from_an_outage(
    cloud: Objects, store: Store, operation: str, status: int, code: str, error: type[PilotageError]
) -> None:
    cloud.faults = [Fault("", "status", 99, status, code)]
    with pytest.raises(error):
        OPERATIONS[operation](store)


def test_a_list_of_several_pages_is_whole(cloud: Objects, store: Store) -> None:
    keys = [f"dirs/app/log/{number:010d}.json" for number in range(1, 12)]
    for key in keys:
        store.create(key, b"x")
    assert sorted(store.list("dirs/app/log/")) == keys
    assert len([asked for asked in cloud.requests if asked.method == "GET"]) > 3


def test_every_create_carries_its_condition_and_only_hints_do_without(cloud: Objects, store: Store) -> None:
    store.create(KEY, b"x")
    store.put_hint("hints/app", b"1")
    guarded = {asked.key.removeprefix("prod/"): asked.guarded for asked in cloud.requests}
    assert guarded == {KEY: True, "hints/app": False}


def test_s3_gets_a_checksum_that_it_holds_against_the_body() -> None:
    with CLOUDS["s3"]() as cloud:
        stores.open(cloud.address, cloud.environ).create(KEY, b"x")
        assert cloud.requests[0].headers["x-amz-checksum-sha256"]
        assert "AWS4-HMAC-SHA256" in cloud.requests[0].headers["authorization"]
        assert SECRET not in str(cloud.requests)


def test_hints_can_be_off_where_the_bucket_keeps_what_it_has(cloud: Objects) -> None:
    stores.open(f"{cloud.address}&hints=off", cloud.environ).put_hint("hints/app", b"1")
    assert cloud.requests == []


def test_nobody_answering_is_an_outage(cloud: Objects) -> None:
    store = stores.open(f"{cloud.address}&timeout=1", cloud.environ)
    cloud.server.server_close()
    cloud.server.shutdown()
    with pytest.raises(TemporaryError):
        store.get(KEY, 10)
    with pytest.raises(AmbiguousError):
        store.create(KEY, b"x")
