"""A place in the tokens of one statement, and the small readings every grammar is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ci_runner.model.operations import Name, Operation

if TYPE_CHECKING:
    from ci_runner.sql.dialects import Dialect
    from ci_runner.sql.lexer import Tokens

Op = TypeVar("Op", bound=Operation)

_OPENERS = {"(": 1, ")": -1}
_PUNCTUATION = frozenset("(),;=*+-/<>%^&|!~?:.")
_QUOTES = frozenset('"`[')
_NOT_NAMES = frozenset(
    {"", "(", ")", ",", ";", "=", ".", "*", "+", "-", "/", "<", ">", "::", "<=", ">=", "<>", "!=", "||", "{", "}"}
)


class Unmatched(Exception):  # noqa: N818 — a signal between matchers, not a failure of the program
    """The tokens are not what the grammar has at this place; ``at`` is the index of the token that does not fit."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.at = at


class Cursor:
    """Tokens with a position. ``upper[i]`` is always readable: the list ends with an empty sentinel."""

    __slots__ = ("dialect", "i", "last", "partial", "source", "start", "text", "traits", "upper", "zero")

    def __init__(self, tokens: Tokens, source: str, traits: Dialect, *, zero: int = 0, partial: bool = False) -> None:
        """``source`` is the whole file; ``zero`` what to subtract from a token's offset to index it; ``partial``: a bulk INSERT's head."""
        self.text, self.upper, self.start = tokens
        self.source, self.traits, self.dialect = source, traits, traits.name
        self.i, self.zero, self.partial = 0, zero, partial
        last = len(self.text) - 1
        while last and self.text[last - 1] == ";":
            last -= 1
        self.last = last
        self.text[last:] = self.upper[last:] = ["", "", "", ""]  # looking three tokens ahead is always safe
        self.start += self.start[-1:] * 3

    # ── looking ──

    def at(self, *words: str) -> bool:
        """Whether the next token is one of ``words`` (upper case)."""
        return self.upper[self.i] in words

    def ahead(self, *words: str) -> bool:
        """Whether exactly these tokens follow."""
        return (*self.upper[self.i : self.i + len(words)],) == words  # behind the end stand empty words

    def peek(self, distance: int = 1) -> str:
        """The upper-case token ``distance`` further on, "" behind the end."""
        return self.upper[min(self.i + distance, self.last)]

    @property
    def done(self) -> bool:
        """Whether every token was read."""
        return self.i >= self.last

    # ── reading ──

    def take(self, *words: str) -> bool:
        """Reads one token if it is one of ``words``."""
        if self.upper[self.i] in words and self.i < self.last:
            self.i += 1
            return True
        return False

    def seq(self, *words: str) -> bool:
        """Reads exactly these tokens, or none."""
        upper, i = self.upper, self.i
        if upper[i] != words[0]:
            return False
        for k, word in enumerate(words):
            if i + k >= self.last or upper[i + k] != word:
                return False
        self.i = i + len(words)
        return True

    def need(self, *words: str) -> None:
        """Reads one of ``words`` or gives up."""
        if not self.take(*words):
            self.fail()

    def fail(self, reason: str = "") -> NoReturn:
        """Gives up at this token."""
        found = self.text[self.i] if self.i < self.last else "the end"
        raise Unmatched(reason or f"not understood at {found[:40]!r}", min(self.i, self.last))

    def word(self) -> str:
        """Reads any one token and returns it in upper case."""
        if self.done:
            self.fail()
        self.i += 1
        return self.upper[self.i - 1]

    def if_exists(self) -> bool:
        """Reads IF EXISTS."""
        return self.upper[self.i] == "IF" and self.seq("IF", "EXISTS")

    def if_not_exists(self) -> bool:
        """Reads IF NOT EXISTS."""
        return self.upper[self.i] == "IF" and self.seq("IF", "NOT", "EXISTS")

    def end(self) -> None:
        """Gives up unless every token was read."""
        if self.i < self.last:
            self.fail()

    def rest(self) -> None:
        """Reads everything that is left."""
        self.i = self.last

    # ── names ──

    def identifier(self, fold: str = "") -> str:
        """Reads one part of a name, folded as ``fold`` says (default: as the dialect folds names of tables)."""
        i = self.i
        token = self.text[i]
        how = fold or self.traits.fold
        if token[:1].isalpha():  # nearly every name; behind the end stand empty words
            self.i = i + 1
            return token.lower() if how == "lower" else token.upper() if how == "upper" else token
        if token in _NOT_NAMES or i >= self.last or (token[0] == "'" and self.dialect != "sqlite"):
            self.fail()
        self.i = i + 1
        if token == ":" and self.text[i + 1] not in _NOT_NAMES:  # psql's variable
            self.i = i + 2
            return token + self.text[i + 1]
        if token[0] == "'":  # SQLite takes a string where only a name can stand
            return unquote_text(token)
        if token[0] in _QUOTES:
            return unquote(token, self.traits, how)
        if how == "lower":
            return token.lower()
        return token.upper() if how == "upper" else token

    def column(self) -> str:
        """Reads the name of a column; of a qualified one the last part."""
        name = self.identifier(self.traits.fold_columns)
        while self.text[self.i] == "." and self.i < self.last:
            self.i += 1
            name = self.identifier(self.traits.fold_columns)
        return name.lower() if self.traits.caseless_columns else name

    def name(self) -> Name:
        """Reads a name of up to four parts; ``schema`` gets all but the last."""
        first = self.identifier()
        if self.text[self.i] != ".":
            return self._called() if first == "IDENTIFIER" and self.text[self.i] == "(" else Name("", first)
        parts = [first]
        while self.text[self.i] == ".":
            self.i += 1
            if self.text[self.i] == ".":
                parts.append("")  # db..table
                continue
            parts.append(self.identifier())
        return Name(".".join(parts[:-1]), parts[-1])

    def _called(self) -> Name:
        """Snowflake's IDENTIFIER('a.b') behind that word; the name of a variable stays as it is written."""
        text = self.parens()
        if text[:1] != "'":
            return Name("", text)
        parts = [unquote(part, self.traits, self.traits.fold) for part in text.strip("'").split(".")]
        return Name(".".join(parts[:-1]), parts[-1])

    def names(self) -> tuple[Name, ...]:
        """Reads names parted by commas."""
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        return tuple(found)

    # ── text ──

    def slice(self, first: int, stop: int) -> str:
        """The source text of the tokens from ``first`` up to, without, ``stop``."""
        if stop <= first:
            return ""
        end = self.start[stop - 1] - self.zero + len(self.text[stop - 1])
        return self.source[self.start[first] - self.zero : end]

    def offset(self, index: int) -> int:
        """Where token ``index`` starts in the file."""
        return self.start[index]

    def parens(self) -> str:
        """Reads a group in parentheses and returns its text without them."""
        first = self.i
        self.skip_parens()
        return self.slice(first + 1, self.i - 1)

    def skip_parens(self) -> None:
        """Reads a group in parentheses."""
        text, i, depth = self.text, self.i, 0
        if text[i] != "(":
            self.fail()
        while i < self.last:
            depth += _OPENERS.get(text[i], 0)
            i += 1
            if depth == 0:
                self.i = i
                return
        self.fail("a parenthesis is never closed")

    def until(self, stops: frozenset[str]) -> str:
        """Reads an expression: to a comma, closing parenthesis or one of ``stops`` outside parentheses and CASE … END."""
        first = i = self.i
        upper, depth, cases = self.upper, 0, 0
        while i < self.last:
            token = upper[i]
            if token in ("(", "[", "{"):
                depth += 1
            elif token in (")", "]", "}"):
                if depth == 0:
                    break
                depth -= 1
            elif token == "CASE":
                cases += 1
            elif token == "END" and cases:
                cases -= 1
            elif depth == 0 and cases == 0 and (token == "," or (i > first and token in stops and _stops_at(upper, i))):
                break
            i += 1
        self.i = i
        return self.slice(first, i)

    # ── making ──

    def op(self, make: type[Op], kind: str, first: int, **fields: Any) -> Op:
        """An operation whose text runs from token ``first`` to here."""
        last = max(self.i - 1, first)
        end = self.start[last] + len(self.text[last])
        return make(kind=kind, start=self.start[first], end=end, **fields)


def _stops_at(upper: list[str], i: int) -> bool:
    """False for the WITH of ``now() :: timestamp with time zone``."""
    return upper[i] != "WITH" or upper[i + 1] != "TIME"


def unquote(token: str, traits: Dialect, fold: str) -> str:
    """A name as the dialect keeps it: quotes removed, folded where it is not quoted (or where quoting does not protect)."""
    first = token[0]
    if first in _QUOTES and len(token) > 1:
        close = "]" if first == "[" else first
        if token[-1] == close:
            token = token[1:-1].replace(close * 2, close)
        if not traits.fold_quoted:
            return token
    if fold == "lower":
        return token.lower()
    return token.upper() if fold == "upper" else token


def unquote_text(token: str) -> str:
    """The value of a string token, as far as doubled quotes go."""
    at = token.find("'")
    if at < 0:
        return token[1:-1] if token[:1] == '"' else token
    return token[at + 1 : -1].replace("''", "'")
