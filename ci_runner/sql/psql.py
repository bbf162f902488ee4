"""Reads the commands psql keeps for itself: where one ends, and what it does to the statement before it."""

from __future__ import annotations

import re

from ci_runner.text.pattern import later, many

# Some take the rest of the line whatever stands there; the arguments of all others end at the next backslash.
_COMMAND = later(
    r"\\(?:(copy|!|h|help|ef|ev|sf|sv)(?![a-z_])[^\n]*|([a-z_]*)"
    + many(r"'(?:[^'\\\n]|\\.)*'|\"[^\"\n]*\"|`[^`\n]*`|[^'\"`\\\n]")
    + r"(?:['\"`][^\n]*)?)"
)
_FROM_STDIN = later(r"\\copy\b(?:'[^'\n]*'|\"[^\"\n]*\"|[^'\"\n])*?\sfrom\s+stdin\b", re.IGNORECASE)
SENDS = frozenset({"g", "gx", "gset", "gexec", "gdesc", "crosstabview", "watch"})
BRANCHES = frozenset({"if", "elif", "else", "endif"})
QUITS = frozenset({"q", "quit"})
_RUNS, _MAY_RUN, _NOT_YET, _OVER = "runs", "may run", "not yet", "over"  # what a branch of \if does
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
RUNS_ROWS = "psql's \\gexec runs what the query before it returns"
_REASONS = {
    "gexec": RUNS_ROWS,
    "copy": "psql's \\copy is no SQL: it moves rows between a table and a file of the client's",
    **dict.fromkeys(("i", "ir", "include", "include_relative"), "psql's \\{} is no SQL and runs what stands elsewhere"),
}


def command(text: str, at: int, end: int) -> tuple[str, int]:
    """The name of the command whose backslash stands at ``at``, and the offset behind its arguments, at most ``end``."""
    if text.startswith(("\\\\", "\\;"), at, end):  # the mark between a command and SQL; a semicolon that does not send
        return text[at + 1], at + 2
    match = _COMMAND.match(text, at, end)
    return (match[1] or match[2] or "", match.end()) if match else ("", at + 1)


def reason(name: str) -> str | None:
    """Why what that command does is not known from here; None when it changes nothing in the database."""
    found = _REASONS.get(name)
    return found.format(name) if found else None


def reads_on(text: str, at: int, stop: int) -> bool:
    """Whether the ``\\copy`` in ``text[at:stop]`` takes the lines that follow it as data."""
    return _FROM_STDIN.match(text, at, stop) is not None


class Branches:
    """Which branches of ``\\if`` are open where a file is read, and whether what stands there runs."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._count = dict.fromkeys((_RUNS, _MAY_RUN, _NOT_YET, _OVER), 0)  # of those, however many are nested
        self.left = False  # whether a \q that may run stood before

    @property
    def dead(self) -> bool:
        """Whether what stands here never runs."""
        return self._count[_NOT_YET] + self._count[_OVER] > 0

    @property
    def unsure(self) -> bool:
        """Whether what stands here may not run."""
        return self.left or self._count[_MAY_RUN] > 0

    def take(self, name: str, condition: str) -> None:
        """Reads ``\\if condition``, ``\\elif condition``, ``\\else`` or ``\\endif``."""
        if name == "if":
            self._enter(_OVER if self.dead else _branch(condition))
            return
        if not self._open:
            return
        state = self._open.pop()
        self._count[state] -= 1
        if name == "endif":
            return
        if state == _NOT_YET:
            self._enter(_RUNS if name == "else" else _branch(condition))
        else:
            self._enter(_MAY_RUN if state == _MAY_RUN else _OVER)

    def _enter(self, state: str) -> None:
        self._open.append(state)
        self._count[state] += 1


def _branch(condition: str) -> str:
    """What a branch does whose condition that is: psql takes any beginning of true, yes, on and their opposites."""
    word = condition.strip().strip("'").lower()
    if word and (any(each.startswith(word) for each in _TRUE) or word == "on"):
        return _RUNS
    if word and (any(each.startswith(word) for each in _FALSE) or word in ("of", "off")):
        return _NOT_YET
    return _MAY_RUN
