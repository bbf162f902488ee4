"""Cuts the text of one statement into tokens with exact offsets, in time linear to its length.

Nothing here knows grammar. The speed that a thousand files need (tens of milliseconds for all of them) rules out sqlglot as the first
stage: importing it costs 142 ms before the first byte is read, its tokenizer five times what this one takes. So each dialect has one
compiled expression whose every token swallows the white space behind it; ``findall`` then walks the text in C, and offsets are the
running sum of the tokens' lengths. All quantifiers over quoted text are possessive: nothing is ever tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

from ci_runner.sql.dialects import DIALECTS, Dialect
from ci_runner.text.pattern import later, many

# What begins a word, told by what does not: a set that names a range of Unicode takes a millisecond to compile, one of ASCII nothing.
LETTER = r"[^\x00-@\[-^`{-\x7f]"  # a letter, _, all beyond ASCII
_LETTER_OR_DOLLAR = r"[^\x00-#%-@\[-^`{-\x7f]"
_LETTER_OR_SIGN = r'[^\x00-"$-?\[-^`{-\x7f]'  # or @ or #
_SQLCMD_VARIABLE = r"\$\([\w-]{1,128}\)"
_SQLCMD_REST = many(rf"(?:{_SQLCMD_VARIABLE}|\$)[\w@#]*+")
_VALUE = r"\{\{[^{}]*+\}\}"  # a template's, which may be a part of a name
_CLIENT_VALUE = (
    r"&(?:\{\s*+[\w.]++\s*+\}|[A-Za-z_]\w*+)|<%[^%<>]*+%>"  # what SnowSQL and Snowflake's own client put values for
)
_VALUES = many(rf"(?:{_VALUE}|{_CLIENT_VALUE})[\w$]*+")
_WORD = {
    "sqlserver": rf"(?:{_LETTER_OR_SIGN}|{_SQLCMD_VARIABLE})[\w@#]*+{_SQLCMD_REST}",
    "mysql": rf"@{{0,2}}{_LETTER_OR_DOLLAR}[\w$]*",
    "mariadb": rf"@{{0,2}}{_LETTER_OR_DOLLAR}[\w$]*",
    "snowflake": rf"{_LETTER_OR_DOLLAR}[\w$]*+{_VALUES}|[@~%][\w$]+",
    "redshift": rf"#?{LETTER}[\w$]*",
    "clickhouse": rf"{LETTER}[\w$]*|\{{\s*+\w++\s*+:\s*+(?:[Ii]dentifier|IDENTIFIER)\s*+\}}",  # a name that is a parameter
}
_PLAIN_WORD = rf"{LETTER}[\w$]*"
_PREFIXES = {
    "postgres": "[eEnNxXbB]",
    "redshift": "[eEnNxXbB]",
    "sqlserver": "[nN]",
    "mysql": "[nNxXbB]",
    "mariadb": "[nNxXbB]",
}
_OPERATORS = r"::|:=|<=>|<=|>=|<>|!=|\|\||->>|->|&&|=>"
_QUOTED_PLACEHOLDER = r'"\{\{[^{}]*+\}\}"'  # a template's quotes inside quotes
# What runners and installers put values for before a server gets the text, and what begins each: Jinja and Go, Flyway and the shell,
# programs' own format strings, synapse, old installers.
_PLACEHOLDER = many(r"(?:\{(?:\{[^{}]*+\}\}|\$?[A-Za-z_]\w*+\})|\$(?:\{[^{}\s]*+\}|%\w++%\$)|%%\w++%%)\w*+", least=1)
_BEGINS = ("{", "$%", "%%")
# What Go's templates do and put nothing for (of a comment's braces nothing else is left); whichever branch is taken, what stands in it may run.
_CONTROL = later(
    r"'[^']*+'?|\"[^\"]*+\"?|(\{\{-?\s*+(?:(?:if|else|end|range|with|define|block)\b[^{}]*+|-?)\}\})"  # in quotes it is text
)
# Those of one dialect: bun's for ClickHouse, where ``?(x)`` is parted from what follows; DbUp's for SQL Server; ``&{x}`` and ``<% x %>``.
_PLACEHOLDERS = {
    "clickhouse": r"\?(?:\(\w++\)|[A-Za-z_])\w*+", "sqlserver": r"\$[A-Za-z_]\w*+\$\w*+",
    "snowflake": many(rf"(?:{_CLIENT_VALUE}|{_VALUE})[\w$]*+", least=1),
}  # fmt: skip


def opened(quote: str, *, backslash: bool) -> str:
    """The expression of quoted text without its closing quote; a doubled quote, and where so said a backslash, keeps it open."""
    close = {"[": r"\]"}.get(quote, quote)
    if backslash:
        escaped = many(rf"(?:\\[\s\S]|{close}{close})[^{close}\\]*+")
        return rf"{re.escape(quote)}[^{close}\\]*+{escaped}"
    doubled = many(rf"{close}{close}[^{close}]*+")
    return rf"{re.escape(quote)}[^{close}]*+{doubled}"


def quoted(quote: str, *, backslash: bool) -> str:
    """The expression of quoted text, to the end of the input where the quote is never closed."""
    close = {"[": r"\]"}.get(quote, quote)
    return rf"{opened(quote, backslash=backslash)}(?:{close}|\\?\Z)"


@cache
def _pattern(name: str) -> re.Pattern[str]:
    traits = DIALECTS[name]
    prefix = _PREFIXES.get(name)
    texts = [quoted(quote, backslash=traits.backslash) for quote in traits.text_quotes]
    names = [quoted(quote, backslash=False) for quote in traits.name_quotes]
    first = []
    if prefix:
        escaped = [rf"[eE]{quoted(chr(39), backslash=True)}"] if traits.psql else []
        first = [*escaped, f"{prefix}{texts[0]}", rf"[uU]&{quoted(chr(39), backslash=False)}"]
    word = _WORD.get(name, _PLAIN_WORD)
    values = [_PLACEHOLDER, *([_PLACEHOLDERS[name]] if name in _PLACEHOLDERS else [])]
    parts = [*first, word, _QUOTED_PLACEHOLDER, *texts, *names, "[(),;.]", r"\d[\w.]*+", *values, _OPERATORS, r"[\s\S]"]
    return re.compile(rf"(?:{'|'.join(parts)})\s*+")


class Tokens(NamedTuple):
    """Tokens as written, in upper case, and their offsets in the file; the first two end with an empty sentinel."""

    text: list[str]
    upper: list[str]
    start: list[int]


def without_controls(source: str) -> str:
    """The text with blanks where tags of Go's templates put nothing, and for all but the first branch within a statement."""
    plain = _CONTROL.sub(lambda tag: " " * len(tag[0]) if tag[1] else tag[0], source)
    if "else" not in source:
        return plain
    pieces, at = [], 0
    for start, end in _other_branches(source, len(plain) - len(plain.lstrip())):
        if start >= at:
            pieces += [plain[at:start], " " * (end - start)]
            at = end
    return "".join((*pieces, plain[at:]))


def _other_branches(source: str, first: int) -> list[tuple[int, int]]:
    """Where ``{{else}} … {{end}}`` of what opens behind the ``first`` word stands: one branch alone makes a statement."""
    found: list[tuple[int, int]] = []
    tags: list[tuple[int, int]] = []  # of each that is open: where it begins, and its first else or 0
    for tag in _CONTROL.finditer(source):
        word = re.sub(r"[^a-z].*", "", (tag[1] or "").lstrip("{- \t\r\n"), flags=re.DOTALL)
        if word == "else" and tags:
            tags[-1] = tags[-1][0], tags[-1][1] or tag.start()
        elif word == "end" and tags:
            begin, other = tags.pop()
            if other and begin > first:
                found.append((other, tag.end()))
        elif word not in ("", "else", "end"):
            tags.append((tag.start(), 0))
    return sorted(found)


def tokenize(source: str, base: int, traits: Dialect, opaque: Sequence[tuple[int, int]] = ()) -> Tokens:
    """The tokens of ``source`` (comments blanked, first character no white space), which stands at offset ``base`` of its file.

    ``opaque`` are spans relative to ``source`` that are one token each: dollar-quoted text.
    """
    find = _pattern(traits.name).findall
    if not opaque and "{{" in source:
        plain = without_controls(source)
        base, source = base + len(plain) - len(plain.lstrip()), plain.lstrip()
    if not opaque:
        found: list[str] = find(source)
        return _finish(_joined(found) if any(map(source.__contains__, _BEGINS)) else found, base)
    raw: list[str] = []
    at = 0
    for start, end in (*opaque, (len(source), len(source))):
        piece = source[at:start].lstrip()
        if raw:
            raw[-1] += source[at : start - len(piece)]
        raw += find(piece)
        raw.append(source[start:end])
        at = end
    raw.pop()
    return _finish(raw, base)


def plain_tokens(source: str, base: int, traits: Dialect) -> Tokens:
    """As :func:`tokenize`, of a text without placeholders, tags and dollar quotes."""
    return _finish(_pattern(traits.name).findall(source), base)


def _joined(raw: list[str]) -> list[str]:
    """The tokens with a placeholder and the word right before it as one: ``users_{year}`` is a single name."""
    if {token[0] for token in raw}.isdisjoint("{$%"):  # they stand in quotes
        return raw
    found = raw[:1]
    for token in raw[1:]:
        before = found[-1][-1]
        if len(token) > 2 and (
            (token[0] in "{$%" and (before.isalnum() or before in "_$")) or (token[0] == "[" and before == "}")
        ):
            found[-1] += token
        else:
            found.append(token)
    return found


def tokenize_head(source: str, base: int, traits: Dialect) -> Tokens:
    """The tokens of a bulk INSERT as far as the end of its first row: the rest of the rows teaches nothing."""
    raw: list[str] = []
    depth, values = 0, False
    for match in _pattern(traits.name).finditer(source):
        token = match.group()
        raw.append(token)
        first = token[0]
        if first == "(":
            depth += 1
        elif first == ")":
            depth -= 1
            if values and depth <= 0:
                break
        elif depth == 0 and first in "vV" and token.rstrip().upper() in ("VALUES", "VALUE"):
            values = True
    return _finish(raw, base)


def _finish(raw: list[str], base: int) -> Tokens:
    text = list(map(str.rstrip, raw))
    upper = list(map(str.upper, text))
    starts = list(accumulate(map(len, raw), initial=base))
    text.append("")
    upper.append("")
    return Tokens(text, upper, starts)


@lru_cache(maxsize=64)
def landmarks(name: str, delimiter: str) -> re.Pattern[str]:
    """One match leads over plain and quoted text to the next thing of note; quoted text it cannot close is such a thing.

    In PostgreSQL a quote behind an ``e`` is left to the one who cuts, for what it opens may have escapes.
    """
    traits = DIALECTS[name]
    quotes = traits.text_quotes + traits.name_quotes
    items = [re.escape(delimiter)] if delimiter else []
    items += [r"--(?=\s|\Z|> ?statement-breakpoint|bun:split)" if traits.dash_blank else "--", r"/\*"]
    if traits.executable_comments:
        items.append(r"\*/")
    if traits.hash_comments:
        items.append(r"#(?=[ !])" if name == "clickhouse" else "#")
    if traits.slash_comments:
        items.append("//")
    if traits.psql:
        items.append(r"\\")
    if traits.templates:
        items.append(r"\{[%#]")
    if traits.dollar:
        items.append(r"\$\$" if traits.dollar == "bare" else rf"\$(?:{LETTER}\w*)?\$")
    opening = {item.removeprefix("\\")[0] for item in items} - set(quotes)
    found = "|".join(items)
    skipped = [f"[^{_charset(opening | set(quotes))}]++", f"(?!{found})[{_charset(opening)}]"]
    for quote in quotes:
        close = re.escape("]" if quote == "[" else quote)
        plain = opened(quote, backslash=traits.backslash and quote in traits.text_quotes) + close
        skipped.append(f"(?<![eE]){plain}" if traits.psql and quote == "'" else plain)
    return re.compile(f"{many('|'.join(skipped))}({found}|[{_charset(set(quotes))}])")


def _charset(chars: set[str]) -> str:
    return "".join(map(re.escape, sorted(chars)))
