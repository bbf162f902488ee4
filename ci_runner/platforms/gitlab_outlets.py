"""GitLab CI/CD: outputs go into the dotenv file that the job's artifacts hand to later jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ci_runner.platforms.plain import Plain
from ci_runner.text import line

FILE = "pilotage.env"
# https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv : a larger file fails the upload of all of it
LIMIT_BYTES = 5 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Job(Plain, frozen=True):
    """The outlets of one job: findings reach GitLab's pages by the report files (code quality, JUnit), which are written elsewhere."""

    folder: str | None = None
    name: str = "gitlab"

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """``PILOTAGE_NAME=value`` lines, beside what other steps of the job put there; a value of several lines cannot be carried."""
        if self.folder is None:
            return (f"outputs not written to {FILE}: CI_PROJECT_DIR is not set; run Pilotage in a job of GitLab",)
        path = Path(self.folder) / FILE
        ours = {f"PILOTAGE_{name.upper()}": value for name, value in values.items()}
        fit = {name: value for name, value in ours.items() if _NAME.match(name) and value.isprintable()}
        warnings = [
            f"output {line(name)} not written to {FILE}: a dotenv file holds no control characters"
            for name in ours
            if name not in fit
        ]
        try:
            there = path.read_text(errors="replace").splitlines() if path.exists() else []
            kept = [row for row in there if row.partition("=")[0] not in ours]
            body = "".join(f"{row}\n" for row in (*kept, *(f"{name}={value}" for name, value in fit.items())))
            if len(body.encode(errors="replace")) > LIMIT_BYTES:
                return (
                    *warnings,
                    f"outputs not written to {FILE}: GitLab takes {LIMIT_BYTES >> 10} KiB, and they are longer",
                )
            path.write_bytes(body.encode(errors="replace"))
        except OSError as error:
            return (*warnings, f"outputs not written to {path}: {error.strerror or error}")
        return tuple(warnings)


def outlets(env: Mapping[str, str], write: Callable[[str], None], random: Callable[[], str]) -> Job:  # noqa: ARG001
    """The outlets of the job this environment belongs to."""
    return Job(write, folder=env.get("CI_PROJECT_DIR") or None)
