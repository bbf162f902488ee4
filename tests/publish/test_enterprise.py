"""GitHub Enterprise Server: the API lies under a path of the server."""

from __future__ import annotations

from ci_runner import platforms
from ci_runner.publish import Target, publish
from tests.fakes.github import GitHub
from tests.publish.test_publish import FOUND, MARKER
from tests.scm.conftest import Bench
from tests.scm.host import BY_NAME, HEAD


def test_a_run_on_an_enterprise_server_publishes_under_its_path_with_both_kinds_of_token() -> None:
    quiet = platforms.open("local", {}, lambda _: None, lambda: "r")
    with GitHub(prefix="/api/v3") as fake:
        bench = Bench(BY_NAME["github"], fake)
        for number in range(150):
            BY_NAME["github"].add_comment(fake, "mira", f"comment {number}")
        for who in ("bot", "owner"):
            for _ in range(2):
                assert publish(FOUND, quiet, Target(bench.scm(who), 7, HEAD), bench.waits.patience()).warnings == ()
        written = [login for login, body in BY_NAME["github"].comments(fake) if body.startswith(MARKER)]
        assert written == ["github-actions[bot]", "mira"]
        assert fake.violations == []
        assert bench.waits.slept == []
