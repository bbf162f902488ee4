"""A fresh fake for each test, held against its vendor's description at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ci_runner.http import Limits, Patience
from ci_runner.scm import Scm
from tests.scm.host import HOSTS, Host, Waits


class Bench:
    """A fake, its SCM, and the waits that were asked for."""

    def __init__(self, host: Host, fake: Any):
        self.host, self.fake, self.waits = host, fake, Waits()

    def scm(self, who: str = "bot", *, patience: Patience | None = None, limits: Limits | None = None) -> Scm:
        return self.host.scm(self.fake, self.host.tokens[who], patience or self.waits.patience(), limits)

    def login(self, who: str = "bot") -> str:
        return self.host.logins[who]


@pytest.fixture(params=HOSTS, ids=lambda host: host.name)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with request.param.make() as fake:
        yield Bench(request.param, fake)
        assert fake.violations == []
