"""A server that ends in the middle is told as that, with what ended it, whichever step met it first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ci_runner.databases import DatabaseFailure, NobodyThere
from ci_runner.errors import TemporaryError

SOON = 3.0  # seconds: a connection breaks before the process or container behind it counts as ended
_LOOK = 0.05


class WentAway(TemporaryError):  # noqa: N818 - names what happened
    """The dev database's server is gone. ``where`` is the place of the statement that met it, as in " at 1.sql:3", or ""."""

    def __init__(self, where: str, words: str, remedy: str = "run it again") -> None:
        super().__init__(f"the dev database's server went away{where}: {words}; {remedy}")
        self.parts = (where, words, remedy)

    def because(self, why: str) -> WentAway:
        """The same, with what ended the server."""
        where, words, remedy = self.parts
        return WentAway(where, f"{words} ({why})", remedy)


@contextmanager
def told(why: Callable[[], str]) -> Iterator[None]:
    """Failures to speak to a server are raised as WentAway where ``why`` says what ended it; "" says that it runs."""
    try:
        yield
    except WentAway as error:
        cause = _soon(why)
        raise error.because(cause) if cause else error from None
    except (DatabaseFailure, NobodyThere, TemporaryError) as error:
        cause = _soon(why)
        if not cause:
            raise
        raise WentAway("", f"{cause} ({str(error).splitlines()[0]})") from None


def _soon(why: Callable[[], str]) -> str:
    end = time.monotonic() + SOON
    while not (cause := why()) and time.monotonic() < end:
        time.sleep(_LOOK)
    return cause
