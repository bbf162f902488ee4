"""A store in a cloud's bucket: objects are created on condition that they are not there, and the client repeats no write by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ci_runner.errors import IntegrityError, RefusedError, SetupError
from ci_runner.stores import answers
from ci_runner.stores.address import Settings
from ci_runner.stores.store import Created, check_hint_key, check_inbox_key, check_key, check_prefix

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_READ_RETRIES = 3
_BODY_ATTEMPTS = 3


class CloudStore:
    """Objects below a prefix of a bucket, reached by the client library's class ``kind`` with what its cloud alone needs in ``config``."""

    def __init__(self, settings: Settings, kind: Callable[..., ObjectStore], config: Mapping[str, Any]) -> None:
        self.address = settings.shown
        self._hints = settings.hints
        # A client that repeats a write by itself would take its own first success for somebody else's object.
        self._writer, self._reader = (
            kind(
                settings.bucket,
                prefix=settings.prefix or None,
                client_options=_client(settings),
                retry_config=_retries(settings, most),
                **config,
            )
            for most in (0, _READ_RETRIES)
        )

    def create(self, key: str, content: bytes) -> Created:
        """See Store. One request with the condition that the key is free."""
        from obstore import put

        check_key(key)
        try:
            put(self._writer, key, content, mode="create", use_multipart=False)
        except Exception as error:
            if not _of_client(error):
                raise
            if answers.is_taken(error):
                return Created.EXISTS
            raise answers.failure(key, self.address, error, writing=True) from None
        return Created.CREATED

    def get(self, key: str, limit: int) -> bytes | None:
        """See Store. A body that ends early is asked for again."""
        check_key(key)
        for attempt in range(1, _BODY_ATTEMPTS + 1):
            try:
                return self._get(key, limit)
            except Exception as error:
                if not _of_client(error):
                    raise
                if answers.is_absent(error):
                    return None
                if answers.status(error) or attempt == _BODY_ATTEMPTS:
                    raise answers.failure(key, self.address, error, writing=False) from None
        return None

    def _get(self, key: str, limit: int) -> bytes:
        from obstore import get

        found = get(self._reader, key)
        if found.meta["size"] > limit:
            raise IntegrityError(f"{key} in {self.address} is longer than {limit} bytes, more than it may hold")
        return bytes(found.bytes())

    def list(self, prefix: str) -> Iterator[str]:
        """See Store."""
        from obstore import list as every

        check_prefix(prefix)
        with self._errors(prefix):
            for chunk in every(self._reader, prefix=prefix.rstrip("/") or None):
                yield from (meta["path"] for meta in chunk if _named(meta["path"]))

    def folders(self, prefix: str) -> Iterator[str]:
        """See Store."""
        from obstore import list_with_delimiter

        check_prefix(prefix)
        with self._errors(prefix):
            found = list_with_delimiter(self._reader, prefix=prefix.rstrip("/") or None)
        names = (path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"])
        return iter([name for name in names if _named(name)])

    def put_hint(self, key: str, content: bytes) -> None:
        """See Store. With ``hints=off`` nothing is written, because the bucket keeps what it has."""
        from obstore import put

        check_hint_key(key)
        if not self._hints:
            return
        with self._errors(key, writing=True):
            put(self._writer, key, content, mode="overwrite", use_multipart=False)

    def discard(self, key: str) -> None:
        """See Store."""
        from obstore import delete

        check_inbox_key(key)
        try:
            delete(self._writer, key)
        except Exception as error:
            if not _of_client(error):
                raise
            if not answers.is_absent(error):
                raise answers.failure(key, self.address, error, writing=True) from None

    @contextmanager
    def _errors(self, key: str, *, writing: bool = False) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not _of_client(error):
                raise
            raise answers.failure(key or "the bucket", self.address, error, writing=writing) from None


def _client(settings: Settings) -> ClientConfig:
    """How the client speaks HTTP: time limits, no answer taken over an unencrypted line unless that was allowed."""
    return {
        "timeout": timedelta(seconds=settings.timeout),
        "connect_timeout": timedelta(seconds=min(10, settings.timeout)),
        "allow_http": settings.insecure,
    }


def _retries(settings: Settings, most: int) -> RetryConfig:
    """How often, and for how long, the client repeats a request that failed."""
    return {
        "max_retries": most,
        "retry_timeout": timedelta(seconds=2 * settings.timeout),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
    }


def need(extra: str, *modules: str) -> None:
    """SetupError, saying what to install, unless all ``modules`` can be imported."""
    from importlib import import_module

    for module in modules:
        try:
            import_module(module)
        except ImportError:
            raise SetupError(
                f"this store needs the package {module.partition('.')[0]}, which is not installed: pip install 'pilotage[{extra}]'"
            ) from None


def no_credentials(what: str, ways: str) -> SetupError:
    """The error for a store nobody gave credentials for."""
    return SetupError(
        f"no credentials for {what}: {ways}. A machine's own identity is used only with ?credentials=instance, a public bucket read "
        "with ?credentials=anonymous"
    )


def _of_client(error: BaseException) -> bool:
    """Whether an exception comes from the client library: its own kinds, and the built-in ones it uses for missing keys."""
    from obstore.exceptions import BaseError

    return isinstance(error, BaseError | FileNotFoundError)


def _named(path: str) -> bool:
    try:
        check_key(path)
    except RefusedError:
        return False
    return True
