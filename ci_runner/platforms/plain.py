"""A machine with nothing but a log: the report printed there says it all, so only foreign text needs care."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from ci_runner import text
from ci_runner.model.ci import Annotation, Status


class Plain(Struct, frozen=True):
    """Outlets of a machine without pages, annotations or later steps."""

    write: Callable[[str], None]
    name: str = "local"

    def annotate(self, annotations: Sequence[Annotation], status: Status | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: each annotation stands in the printed report with its file and line."""
        return ()

    def summarise(self, markdown: str) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: the printed report is the summary."""
        return ()

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: a shell has the exit code, a script ``--format json``."""
        return ()

    def log(self, foreign: str) -> None:
        """Each line behind a bar, so that a log copied into a CI system's console is harmless there too."""
        for row in text.foreign_lines(foreign):
            self.write(row + "\n")


def outlets(env: Mapping[str, str], write: Callable[[str], None], random: Callable[[], str]) -> Plain:  # noqa: ARG001
    """The outlets of a plain machine."""
    return Plain(write)
