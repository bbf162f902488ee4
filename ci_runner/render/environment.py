"""The one Jinja environment: sandboxed, with every value escaped for the medium unless text.py made it safe already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_runner import text
from ci_runner.errors import ConfigError
from ci_runner.model.stats import amount

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment
    from markupsafe import Markup

PACKAGE = Path(__file__).resolve().parent.parent
# Filters that cannot bring foreign text past the escaping; ``safe``, ``e``, ``replace`` and the like are left out.
FILTERS = (
    *(
        "abs",
        "batch",
        "capitalize",
        "count",
        "default",
        "dictsort",
        "first",
        "float",
        "groupby",
        "int",
        "items",
        "last",
    ),
    *(
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "select",
        "selectattr",
    ),
    *("slice", "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount"),
)


def folder() -> Path:
    """Where Pilotage's own report templates lie: inside the installed package, else beside it in a checkout."""
    installed = PACKAGE / "templates" / "report"
    return installed if installed.is_dir() else PACKAGE.parent / "templates" / "report"


@cache
def environment(override: Path | None = None) -> SandboxedEnvironment:
    """The environment for Markdown templates.

    A template of the same name in ``override`` wins; it may extend the original as ``pilotage/NAME``. Text that is joined with ``~``
    would not pass the escaping, so that operator is refused.
    """
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    own = FileSystemLoader(folder())
    loaders = [FileSystemLoader(override), own] if override else [own]
    made = SandboxedEnvironment(
        loader=ChoiceLoader([*loaders, PrefixLoader({"pilotage": own})]),
        autoescape=True,
        finalize=_final,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.code_generator_class = _generator()
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.filters.update({"code": _code, "fence": _fence, "quote": _quote, "join": _join, "plural": plural})
    made.filters.update(
        {"cell": _cell, "address": _address, "html": _html, "clip": clip, "words": words, "amount": amount}
    )
    return made


def fill(template: str, values: dict[str, Any], override: Path | None = None) -> str:
    """The template's text, without blanks at its ends. A wrong template of the user's is a :class:`ConfigError` naming file and line."""
    return filled(environment(override), template, values, override)


def filled(made: SandboxedEnvironment, template: str, values: dict[str, Any], override: Path | None) -> str:
    """The same for an environment ``made`` for another medium."""
    from jinja2 import TemplateError

    try:
        return made.get_template(template).render(values).strip("\n")
    except TemplateError as error:
        where = f"{getattr(error, 'name', None) or template}:{getattr(error, 'lineno', None) or '?'}"
        raise ConfigError(
            f"template {where} in {override or folder()}: {error.message} — correct it or remove the file"
        ) from error
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RecursionError) as error:
        raise ConfigError(
            f"template {template} in {override or folder()}: {error} — correct it or remove the file"
        ) from error


def safe(markdown: str) -> Markup:
    """Marks Markdown that text.py made, or that is built of such, as not to be escaped again."""
    from markupsafe import Markup

    return Markup(markdown)  # noqa: S704  the one place


def _final(value: object) -> Markup:
    return value if hasattr(value, "__html__") else safe(text.prose(_plain(value)))  # type: ignore[return-value]


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _generator() -> Any:
    from jinja2 import TemplateAssertionError
    from jinja2.compiler import CodeGenerator

    class Generator(CodeGenerator):
        def visit_Concat(self, node: Any, frame: Any) -> None:  # noqa: ARG002, N802  Jinja's names
            raise TemplateAssertionError(
                "~ joins text unescaped; write {{ a }}{{ b }}", node.lineno, self.name, self.filename
            )

    return Generator


def _code(value: object) -> Markup:
    return safe(text.code_cell(_plain(value)))


def _fence(value: object, language: str = "") -> Markup:
    return safe(text.fenced(_plain(value), language if language.isalnum() else ""))


def _quote(value: object) -> Markup:
    return safe("\n".join(f"> {row}" if row else ">" for row in str(_final(value)).split("\n")))


def _join(values: Iterable[object], separator: str = ", ") -> Markup:
    between = separator if separator in {", ", " · ", " ", "<br>"} else text.prose(separator)
    return safe(between.join(str(_final(value)) for value in values))


def _cell(value: object) -> Markup:
    """Code in a table cell; nothing for nothing."""
    return _code(value) if _plain(value).strip() else safe("")


def _html(value: object) -> Markup:
    """Text inside a line of HTML, such as ``<summary>``, where Markdown is not read but mentions and references are."""
    broken = re.sub(r"([@#]|://|www(?=\.)|GH-)", lambda match: match[0] + "\u200b", text.inline(_plain(value)))
    return safe(text.html(broken))


def _address(value: object) -> Markup:
    """An address the program built, for the brackets of a Markdown link; anything but HTTP leads nowhere."""
    address = _plain(value)
    good = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?", address)
    return safe(re.sub(r"[()<>\\\"'`*_\[\]|$]", lambda match: f"%{ord(match[0]):02X}", address) if good else "")


def plural(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clip(value: str, lines: int, characters: int = 1500) -> str:
    """At most so many lines and characters, with an ellipsis where something was left out."""
    rows = value.strip("\n").splitlines()
    short = "\n".join(rows[:lines])
    if len(rows) <= lines and len(short) <= characters:
        return short
    return short[:characters].rstrip() + (" …" if lines == 1 or len(short) > characters else "\n…")


def words(kind: str) -> str:
    """``alter-table.add-column`` as ``add column``."""
    return kind.rpartition(".")[2].replace("-", " ")
