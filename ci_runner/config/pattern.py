"""Regular expressions of names, matched in time proportional to the name whatever the expression: no step is ever taken back.

Known are characters, ``.``, ``[a-z]``, ``[^…]``, ``\\d \\w \\s`` and their capitals, groups, ``|``, ``* + ? {m,n}``; ``^`` and ``$`` at the ends
change nothing, for a pattern is always held against the whole name.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ci_runner.errors import ConfigError
from ci_runner.text.pattern import later

LONGEST = 255  # characters of a pattern, and of a name that is looked at
STATES = 4000
DEPTH = 50
Test = Callable[[str], bool]


class Node(Struct, frozen=True):
    """A state: a test for the next character and where it leads, or (without a test) where one may go unread."""

    test: Test | None
    next: tuple[int, ...]


class Pattern(Struct, frozen=True):
    """A compiled pattern; ``text`` is what was written."""

    text: str
    nodes: tuple[Node, ...]
    start: int

    def matches(self, name: str) -> bool:
        """Whether the whole name fits. A name of more than 255 characters never does."""
        if len(name) > LONGEST:
            return False
        states = self._closed([self.start])
        for character in name:
            steps = [node.next[0] for node in map(self.nodes.__getitem__, states) if node.test and node.test(character)]
            states = self._closed(steps)
        return 0 in states

    def _closed(self, states: list[int]) -> set[int]:
        """These states and all that can be reached from them without reading."""
        found, open_ = set(states), list(states)
        while open_:
            node = self.nodes[open_.pop()]
            if node.test is None:
                fresh = [state for state in node.next if state not in found]
                found.update(fresh)
                open_ += fresh
        return found


def pattern(text: str, where: str) -> Pattern:
    """Compile a pattern. Raises ConfigError, naming ``where`` it stands, for one that is malformed, too large or beyond what is known."""
    if len(text) > LONGEST:
        raise ConfigError(f"the pattern in {where} is longer than {LONGEST} characters")
    parser = _Parser(text.removeprefix("^"), where)
    start = parser.alternatives(0)
    if parser.at < len(parser.text):
        raise parser.error("a ')' that closes nothing")
    return Pattern(text, tuple(parser.nodes), start)


class _Parser:
    """Builds the states from the end of the pattern's pieces to their beginning; state 0 is the end."""

    def __init__(self, text: str, where: str) -> None:
        escaped = len(text[:-1]) - len(text[:-1].rstrip("\\")) if text.endswith("$") else 1
        self.text = text[:-1] if text.endswith("$") and escaped % 2 == 0 else text
        self.where = where
        self.at = 0
        self.depth = 0
        self.spent = 0
        self.nodes: list[Node] = [Node(None, ())]

    def error(self, what: str) -> ConfigError:
        return ConfigError(f"the pattern in {self.where} has {what} at character {self.at + 1}")

    def add(self, test: Test | None, *following: int) -> int:
        self.spend()
        self.nodes.append(Node(test, following))
        return len(self.nodes) - 1

    def spend(self) -> None:
        """One more state, or one more repetition of a piece that may need none."""
        self.spent += 1
        if self.spent > STATES:
            raise ConfigError(f"the pattern in {self.where} repeats too much: more than {STATES} states")

    def alternatives(self, end: int) -> int:
        """Alternatives up to ``)`` or the end, each leading to ``end``; returns the state they begin in."""
        starts = [self.sequence(end)]
        while self.peek() == "|":
            self.at += 1
            starts.append(self.sequence(end))
        return starts[0] if len(starts) == 1 else self.add(None, *starts)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def sequence(self, end: int) -> int:
        """The spans of the pieces are found first; then they are built back to front, so that each knows what follows it."""
        pieces: list[tuple[int, int, int, int | None]] = []
        while self.peek() not in {"", "|", ")"}:
            first = self.at
            self.skip()
            last = self.at
            pieces.append((first, last, *self.repetition()))
        after = self.at
        for first, last, least, most in reversed(pieces):
            end = self.repeated(first, last, least, most, end)
        self.at = after
        return end

    def skip(self) -> None:
        """Past one piece."""
        character = self.peek()
        if character in set("*+?{}^$"):
            raise self.error(f"a '{character}' that means nothing there (write \\{character} for the character itself)")
        if character == "\\":
            self.escape()
        elif character == "[":
            self.characters()
        elif character == "(":
            self.over()
        else:
            self.at += 1

    def over(self) -> None:
        """Past a group, without a look at what it means."""
        begin, depth = self.at, 0
        while depth or self.at == begin:
            if not self.peek():
                self.at = begin
                raise self.error("a '(' that is not closed")
            if self.peek() in "\\[":
                self.skip()
                continue
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self.at += 1

    def group(self, end: int) -> int:
        """The states of a group."""
        self.depth += 1
        if self.depth > DEPTH:
            raise self.error("groups that are nested too deeply")
        self.at += 3 if self.text.startswith("(?:", self.at) else 1
        if self.peek() == "?":
            raise self.error("a '(?' of a kind that is not known")
        start = self.alternatives(end)
        self.at += 1
        self.depth -= 1
        return start

    def repetition(self) -> tuple[int, int | None]:
        """How often at least and at most (None: without end) the piece before comes."""
        found = _REPEAT.match(self.text, self.at)
        if found is None:
            return 1, 1
        self.at = found.end()
        if found[1]:
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[1]]
        least = int(found[2])
        most = least if found[3] is None else int(found[4]) if found[4] else None
        if max(least, most or 0) > LONGEST or (most is not None and most < least):
            raise self.error("a repetition that cannot be")
        return least, most

    def repeated(self, first: int, last: int, least: int, most: int | None, end: int) -> int:
        """The states of a piece that comes ``least`` to ``most`` times before ``end``."""
        if most is None:
            loop = self.add(None)
            self.nodes[loop] = Node(None, (self.piece(first, last, loop), end))
            end = loop
        for _ in range((most or least) - least):
            end = self.add(None, self.piece(first, last, end), end)
        for _ in range(least):
            end = self.piece(first, last, end)
        return end

    def piece(self, first: int, last: int, end: int) -> int:
        """The states of one piece, once."""
        self.spend()
        self.at = first
        character = self.peek()
        if character == "(":
            return self.group(end)
        if character == "[":
            return self.add(self.characters(), end)
        if character == "\\":
            return self.add(self.escape(), end)
        self.at = last
        return self.add((lambda _: True) if character == "." else (lambda one: one == character), end)

    def escape(self) -> Test:
        character = self.text[self.at + 1 : self.at + 2]
        if not character or (character.isalnum() and character.lower() not in _CLASSES):
            raise self.error("an escape that is not known")
        self.at += 2
        test = _CLASSES.get(character.lower())
        if test is None:
            return lambda one: one == character
        return test if character.islower() else lambda one: not test(one)

    def characters(self) -> Test:
        """``[…]``"""
        begin = self.at
        self.at += 2 if self.text.startswith("[^", self.at) else 1
        negative = self.at - begin == 2
        tests: list[Test] = []
        while self.peek() != "]" or not tests:
            if not self.peek():
                self.at = begin
                raise self.error("a '[' that is not closed")
            tests.append(self.member())
        self.at += 1
        return lambda one: any(test(one) for test in tests) is not negative

    def member(self) -> Test:
        """A character, a range or a class between the brackets."""
        low = self.peek()
        if low == "\\":
            test = self.escape()
            if self.text[self.at - 1].isalpha():
                return test
            low = self.text[self.at - 1]
        else:
            self.at += 1
        rest = self.text[self.at : self.at + 2]
        if len(rest) < 2 or rest[0] != "-" or rest[1] in "]\\":
            return lambda one: one == low
        high = rest[1]
        if high < low:
            raise self.error(f"a range from '{low}' down to '{high}'")
        self.at += 2
        return lambda one: low <= one <= high


_REPEAT = later(r"([*+?])|\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")
_CLASSES: dict[str, Test] = {
    "d": lambda one: "0" <= one <= "9",
    "w": lambda one: one == "_" or one.isalnum(),
    "s": str.isspace,
}
