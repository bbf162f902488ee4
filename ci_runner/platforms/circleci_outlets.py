"""CircleCI: outputs are exported by $BASH_ENV, which each later step sources; findings reach its pages by the JUnit report."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ci_runner.platforms import files
from ci_runner.platforms.plain import Plain


class Job(Plain, frozen=True):
    """The outlets of one job: there are no annotations and no summary there."""

    bash_env: str | None = None
    name: str = "circleci"

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """``export PILOTAGE_NAME=value`` lines, quoted for the shell."""
        if self.bash_env is None:
            return ("outputs not exported: BASH_ENV is not set; run Pilotage in a step of a CircleCI job",)
        fit, lost = files.named(values)
        try:
            files.append(self.bash_env, files.exports(fit))
        except OSError as error:
            return (*lost, f"outputs not exported by {self.bash_env}: {error.strerror or error}")
        return lost


def outlets(env: Mapping[str, str], write: Callable[[str], None], random: Callable[[], str]) -> Job:  # noqa: ARG001
    """The outlets of the job this environment belongs to."""
    return Job(write, bash_env=env.get("BASH_ENV") or None)
