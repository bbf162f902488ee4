"""A team's own rules: Python files of its repository, each one rule, declared as the catalogue's are."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType, ModuleType

from ci_runner.errors import ConfigError
from ci_runner.lint.rule import Rule
from ci_runner.text.pattern import later

_NAME = later(r"[a-z][a-z0-9_]{0,62}")
PACKAGE = "pilotage_rules"


def own(files: Iterable[tuple[str, str]], taken: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of (path, source) pairs. A file's name is the rule's, and what it decorates with ``@rule`` must be called ``check``.

    This runs the files: who calls it answers for where they come from. Raises ConfigError with file and line for what is no rule, and
    for names ``taken`` by the catalogue.
    """
    known, found = set(taken), []
    for path, source in files:
        made = _rule(path, source)
        if made.slug in known:
            raise ConfigError(f"{path} declares the rule '{made.slug}', a name that is taken: rename the file")
        known.add(made.slug)
        found.append(made)
    return tuple(found)


def _rule(path: str, source: str) -> Rule:
    stem = path.rpartition("/")[2].removesuffix(".py")
    if not _NAME.fullmatch(stem):
        raise ConfigError(
            f"{path} cannot name a rule: lower case, digits and underscores, for example no_float_money.py"
        )
    module = ModuleType(f"{PACKAGE}.{stem}")
    sys.modules[module.__name__] = module  # where a rule finds its docstring
    code = _compiled(path, source)
    try:
        exec(code, module.__dict__)  # noqa: S102  # running these files is what was asked for
    except Exception as error:  # noqa: BLE001  # whatever a team's file raises is said with its place
        raise ConfigError(f"{where(error, path)} could not be loaded: {words(error)}") from None
    made = getattr(module, "check", None)
    if not isinstance(made, Rule):
        raise ConfigError(f"{path} declares no rule: decorate a function called 'check' with @rule (docs/own-rules.md)")
    return made


def _compiled(path: str, source: str) -> CodeType:
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ConfigError(f"{path}:{line} is not Python: {getattr(error, 'msg', error)}") from None


def where(error: BaseException, path: str) -> str:
    """``path:line`` of the innermost place in that file an exception came through."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{path}:{line}" if line else path


def words(error: BaseException) -> str:
    """An exception in a line."""
    return f"{type(error).__name__}: {error}".split("\n", 1)[0][:300]
