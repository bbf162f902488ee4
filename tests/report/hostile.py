"""Texts that want to be mark-up or a command, in every place that a pull request or a database controls."""

from __future__ import annotations

from functools import partial

from ci_runner import report
from ci_runner.model.directory import Problem
from ci_runner.model.report import (
    Base,
    Finding,
    Linted,
    NotAnalysed,
    Replay,
    ReplayError,
    Run,
    SchemaChange,
    StatementEffect,
    Suggestion,
)
from tests.report.making import change_set, changed

HOSTILE = (
    "::error file=a::pwned",
    "##vso[task.setvariable variable=x]y",
    "<img src=x onerror=alert(1)>",
    "</details><script>alert(1)</script>",
    "[link](https://evil.example) ![i](https://evil.example/i.png)",
    "@octocat #1 org/repo#2 https://evil.example www.evil.example me@evil.example GH-3",
    "```\n# heading\n~~~\n- [ ] task",
    "a|b\\|c `d` ``e``",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07 \x1b[31mred\x1b[0m \x00\x08\r",
    "\u202egpj.exe \u2028 \u2066 \udcff \U000e0041",
    "[bold red]rich[/bold red] [link=https://evil.example]x[/link]",
    "{{ 7 * 7 }} {% raw %} $x^2$ :shipit: <!-- c --> &lt; \\",
    "1. one\n2. two\n===\n---\n| a | b |\n|---|---|",
)


def _effects(name: str, bad: str) -> dict[str, tuple[StatementEffect, ...]]:
    return {name: (StatementEffect(1, 1, bad, ((bad, bad, True),), bad, bad, bad),)}


def hostile(payloads: tuple[str, ...] = HOSTILE) -> Run:
    """Every text a pull request or a database controls, set to something that wants to be mark-up or a command."""
    reports = []
    for number, bad in enumerate(payloads):
        name, text = f"{number:04}_{bad}.sql", f"{bad}\nSELECT 1; -- {bad}\n"
        found = Finding(
            "drop-column",
            "error",
            bad,
            name,
            1,
            1,
            2,
            9,
            bad,
            bad,
            bad,
            (bad,),
            "observed",
            bad,
            Suggestion(1, 1, bad, bad),
        )
        built = report.build(
            change_set(
                changed(name, text),
                path=bad,
                problems=(Problem("line-endings", "warning", bad, f"x{bad}", 1, bad),),
                base=Base("git", bad),
            ),
            Linted((found,), (NotAnalysed(name, 1, bad),), 1),
            Replay(
                "failed",
                bad,
                1,
                ReplayError(name, 1, 1, bad, bad, bad),
                changes=(SchemaChange("added", bad, bad, bad, bad),),
            ),
            name=bad,
            notes=(bad,),
            effects=partial(_effects, name, bad),
        )
        reports.append(built)
    return report.combine(reports, (payloads[0],))
