"""Takes secrets out of text: by structure (addresses, connection strings, headers) and by value (every secret known).

A word everybody knows (``postgres`` as a password) or one of fewer than four characters is no secret worth blotting the whole
report for: such values go only where the structure shows them.
"""

from __future__ import annotations

import operator
import re
from binascii import b2a_base64
from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec import Struct, structs

from ci_runner.text import escape
from ci_runner.text.pattern import later

MASK = "***"
T = TypeVar("T")

_WELL_KNOWN = frozenset(
    {
        *("postgres", "postgresql", "mysql", "mariadb", "sqlite", "docker", "localhost", "public", "main", "default"),
        *("root", "admin", "user", "password", "passwd", "pass", "secret", "test", "tests", "testing", "dev"),
        *("true", "false", "none", "null", "changeme", "example", "pilotage"),
    }
)
_WORD = (
    "passwords?|passwd|pwd|passphrase|(?<![a-z])pass|secrets?|tokens?|api_?-?key|access_?-?key|account_?-?key|signature"
)
_ADDRESS = later(r'://((?:(?!://)[^\s"<>])+)')
_KEYWORD = later(
    rf"""(?i)({_WORD})(=)('(?:[^'\\\n]|\\.|'')*'|"(?:[^"\\\n]|\\.|"")*"|\{{(?:[^}}\n]|}}}})*}}|[^\s;&,"'<>)\]]+)"""
)
_JSON = later(rf"""(?i)(\\?"[\w.-]{{0,40}}(?:{_WORD})\\?"\s?:\s?\\?")((?:[^"\\\n]|\\[^"\n])+)""")
_HEADER = later(
    r"(?i)((?:authorization|private-token|job-token|x-api-key)['\"]?\s?:\s?['\"]?(?:bearer |basic |token )?)([^\s'\",]+)"
)
_TOKEN = later(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{20,255}|xox[abeprs]-[\w-]{10,255}|AKIA[0-9A-Z]{16})\b"
    r"|(?<=hooks\.slack\.com/services/)[\w/]{10,255}"
)


# Every secret known by where it stands has one of these near by, in whatever case; what Unicode takes for an i is left out of them, or
# stands in each of its forms. A key alone is none: every table has its PRIMARY KEY. They stand under what they have in common, which
# spares a text without that the look for each.
_SIGNS = {
    **{sign: (sign,) for sign in ("://", "pass", "pwd", "secret", "token", "gnature", "author")},
    "key": ("_key", "-key", "sskey", "ntkey", "apikey", "ap\u0131key", "api\u0307key"),
    "gh": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    **{sign: (sign,) for sign in ("github_pat_", "glpat-", "xox", "akia", "hooks.slack.com")},
}
_BELOW = 2  # lines: the colon behind a key, and the value, may each stand on the next


def _address(match: re.Match[str]) -> str:
    """``://user:password@host`` without the password; a password may itself hold ``@`` or ``/``, a port is none."""
    body = match[1]
    at = body.rfind("@")
    if at < 0:
        return match[0]
    authority = re.split("[/?#]", body, maxsplit=1)[0]
    user, colon, password = body[:at].partition(":")
    if "@" not in authority and (not colon or "/" in user or authority.rpartition(":")[2].isdigit()):
        return match[0]
    if "@" in authority and not colon:
        at = authority.rfind("@")
        user = authority[:at]
    shown = MASK if len(user) >= 20 else user
    return f"://{shown}{colon}{MASK if colon and password else ''}{body[at:]}"


def _keyword(match: re.Match[str]) -> str:
    value = match[3]
    quotes = {"'": "'", '"': '"', "{": "}"}
    close = quotes.get(value[0], "")
    return f"{match[1]}={value[0] if close else ''}{MASK}{close}"


def by_structure(text: str) -> str:
    """Secrets known by where they stand; linear in the length of the text, and quick where no line can hold one."""
    lines = text.split("\n")
    said = "\n".join({*lines}).casefold()  # a report says much twice, and a sign stands on one line
    signs = [sign for common, each in _SIGNS.items() if common in said for sign in each if sign in said]
    if not signs:
        return text
    folded = text.casefold()
    done: list[str] = []
    start = stop = 0  # of the lines to be looked at together
    for number in _lines_with(signs, folded):
        if number > stop:
            done += _masked(lines, start, stop)
            done += lines[stop:number]
            start = number
        stop = number + 1 + _BELOW
    done += _masked(lines, start, stop)
    return "\n".join([*done, *lines[stop:]])


def _lines_with(signs: Iterable[str], text: str) -> list[int]:
    """The numbers of the lines, from 0, that hold any of the signs, in order."""
    found = set()
    for sign in signs:
        number = at = 0
        while at >= 0 and (hit := text.find(sign, at)) >= 0:
            number += text.count("\n", at, hit)
            found.add(number)
            at = text.find("\n", hit)
    return sorted(found)


def _masked(lines: list[str], start: int, stop: int) -> list[str]:
    """Those lines without secrets."""
    return _without("\n".join(lines[start:stop])).split("\n") if start < stop else []


def _without(text: str) -> str:
    if "://" in text:
        text = _ADDRESS.sub(_address, text)
    if "=" in text:
        text = _KEYWORD.sub(_keyword, text)
    if ":" in text:
        text = _HEADER.sub(rf"\g<1>{MASK}", _JSON.sub(rf"\g<1>{MASK}", text))
    return _TOKEN.sub(MASK, text)


def _percent(secret: str, safe: str) -> str:
    plain = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~" + safe.encode())
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in secret.encode(errors="surrogatepass"))


def _base64_cores(secret: str) -> Iterable[str]:
    """The Base64 characters the secret alone decides, at each of the three places it can take in longer data."""
    data = secret.encode(errors="surrogatepass")
    for offset in range(3):
        encoded = b2a_base64(b"\0" * offset + data, newline=False).decode()
        core = encoded[-(-8 * offset // 6) : (8 * (offset + len(data))) // 6]
        if len(core) >= 8:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _lower_hex(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _spellings(secret: str) -> set[str]:
    """Every way this program or a client library may write the secret."""
    import json

    percent = [_percent(secret, safe) for safe in ("", "/", "/:@!$&'()*+,;=")]
    percent.append(percent[0].replace("%20", "+"))
    quoted = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]]
    shown = [
        make(secret)
        for make in (escape.markdown, escape.html, escape.slack, escape.visible, escape.github_data, escape.line)
    ]
    shown.append(escape.github_property(secret))
    nested = [json.dumps(quoted[0])[1:-1], escape.html(quoted[0])]
    found = {secret, *percent, *map(_lower_hex, percent), *quoted, *shown, *nested, *_base64_cores(secret)}
    return {spelling for spelling in found if len(spelling) >= 4}


_APART = "\n\n\n"  # nothing that is taken for a secret reaches over it


def _gather(value: Any, texts: list[str]) -> None:
    if isinstance(value, dict):
        items: Iterable[Any] = value.values()
    elif isinstance(value, (tuple, list)):
        items = value
    elif isinstance(value, Struct):
        items = structs.astuple(value)
    else:
        items = (value,) if isinstance(value, str) else ()
    for item in items:
        if isinstance(item, str):
            texts.append(item)
        elif item and not isinstance(item, (int, float)):
            _gather(item, texts)


class Redactor(Struct, frozen=True):
    """Removes secrets from text; ``Redactor()`` knows no value and works by structure alone. Prints nothing of what it knows."""

    pattern: re.Pattern[str] | None = None
    secrets: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return "Redactor(…)"

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by ``***``."""
        if self.pattern is not None:
            text = self.pattern.sub(MASK, text)
        return by_structure(text)

    def value(self, value: T) -> T:
        """The same value (text, tuple, list, dict, struct, nested) with every text in it redacted."""
        texts: list[str] = []
        _gather(value, texts)
        together = _APART.join({*texts})
        return value if self(together) == together else self._walk(value, {})

    def _walk(self, value: Any, known: dict[str, str]) -> Any:
        """``known`` are the texts seen so far: a report says the same words of many findings."""
        if isinstance(value, str):
            found = known.get(value)
            if found is None:
                found = known[value] = self(value)
            return value if found == value else found
        if isinstance(value, dict):
            return {key: self._walk(item, known) for key, item in value.items()}
        if isinstance(value, list):
            return [self._walk(item, known) for item in value]
        if isinstance(value, tuple):
            items = [self._walk(item, known) for item in value]
            if all(map(operator.is_, items, value)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, Struct):
            after = {}
            for name in value.__struct_fields__:
                item = getattr(value, name)
                clean = self._walk(item, known) if item else item
                if clean is not item:
                    after[name] = clean
            return structs.replace(value, **after) if after else value
        return value

    def knowing(self, *secrets: str | None) -> Redactor:
        """A redactor that knows these values as well."""
        return redactor([*self.secrets, *secrets])


def redactor(secrets: Iterable[str | None] = ()) -> Redactor:
    """A redactor for the given values; None and "" are passed over, each line of a multi-line value counts for itself."""
    known = frozenset(secret for secret in secrets if secret)
    pieces = {piece.strip() for secret in known for piece in (secret, *secret.splitlines())}
    worth = [piece for piece in pieces if len(piece) >= 4 and piece not in _WELL_KNOWN]
    spellings = {(spelling, len(piece) < 8 and piece.isalnum()) for piece in worth for spelling in _spellings(piece)}
    if not spellings:
        return Redactor(None, known)
    parts = [
        rf"(?<!\w){re.escape(spelling)}(?!\w)" if short else re.escape(spelling)
        for spelling, short in sorted(spellings, key=lambda each: (-len(each[0]), each))
    ]
    return Redactor(re.compile("|".join(parts)), known)
