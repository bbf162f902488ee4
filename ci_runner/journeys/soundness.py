"""Whether a directory may be used at all: what is wrong with the directory itself, whatever its migrations do."""

from __future__ import annotations

from ci_runner.errors import ConflictError
from ci_runner.model.directory import MigrationDir


def sound(read: MigrationDir, *, with_sum: bool = False) -> None:
    """ConflictError for the first error of the directory itself, such as a sum that does not fit; ``with_sum`` also for a sum that is missing."""
    broken = [
        problem
        for problem in read.problems
        if problem.level == "error" or (with_sum and problem.code == "sum-file-missing")
    ]
    if broken:
        first = broken[0]
        where = f"{read.path}/{first.file}" + (f":{first.line}" if first.line else "") if first.file else read.path
        more = f" (and {len(broken) - 1} more: pilotage ls)" if len(broken) > 1 else ""
        raise ConflictError(f"{where}: {first.message}{more}: {first.remedy}".rstrip(" :"))
