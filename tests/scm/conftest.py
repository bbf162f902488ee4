"""A fresh fake for each test, held against its vendor's description at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ci_runner.http import Limits, Patience
from ci_runner.scm import Scm, ScmError
from tests.fakes.server import Fault
from tests.scm.host import HOSTS, Host, Waits


class Bench:
    """A fake, its SCM, and the waits that were asked for."""

    def __init__(self, host: Host, fake: Any):
        self.host, self.fake, self.waits = host, fake, Waits()

    def scm(self, who: str = "bot", *, patience: Patience | None = None, limits: Limits | None = None) -> Scm:
        return self.host.scm(self.fake, self.host.tokens[who], patience or self.waits.patience(), limits)

    def refused(self, status: int, body: Any) -> ScmError:
        """What becomes of every attempt to comment when the host answers with that."""
        self.fake.faults.append(Fault("POST", "status", 99, status, body))
        with pytest.raises(ScmError) as failed:
            self.scm().create_comment(7, "x")
        assert sum(self.waits.slept) <= 120
        return failed.value

    def misread(self, body: Any) -> ScmError:
        """What becomes of listing the comments when the host answers with that."""
        self.fake.faults.append(Fault("GET", "status", 1, 200, body))
        with pytest.raises(ScmError) as failed:
            self.scm().comments(7)
        return failed.value

    def login(self, who: str = "bot") -> str:
        return self.host.logins[who]


@pytest.fixture(params=HOSTS, ids=lambda host: host.name)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with request.param.make() as fake:
        yield Bench(request.param, fake)
        assert fake.violations == []
