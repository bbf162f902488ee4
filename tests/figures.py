"""A plugin of pytest that prints, at the end of a run, what tests that passed have said: ``pytest -p tests.figures``."""

from __future__ import annotations

from pytest import TerminalReporter  # noqa: PT013  # a type, not a use


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Each line a test printed, behind its name; the figures of long runs are nothing but that."""
    said = [
        (report.nodeid.rpartition("::")[2], line)
        for report in terminalreporter.stats.get("passed", [])
        for line in report.capstdout.splitlines()
        if line.strip()
    ]
    if said:
        terminalreporter.section("figures")
    for name, line in said:
        terminalreporter.write_line(f"{name}: {line.strip()}")
