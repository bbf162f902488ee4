"""Findings a team has seen and lives with: written once to a file, counted as suppressed from then on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.errors import ConfigError
from ci_runner.model.report import Finding, Linted, Severity

VERSION = 1
SHOWN = 100  # characters of a statement that a reviewer of the file gets to see
STALE = "baseline-stale"


class Known(NamedTuple):
    """What names a finding wherever its line moves: file with its folder, rule, and a hash of the statement's words."""

    file: str
    rule: str
    hash: str


class Baseline(Struct, frozen=True):
    """How often each known finding may come up; ``path`` is the file, for messages."""

    path: str
    counts: Mapping[Known, int]


def known(finding: Finding, folder: str) -> Known:
    """The key of a finding in a file of ``folder``. White space in the statement does not matter."""
    words = " ".join(finding.statement.split())
    return Known(f"{folder}/{finding.file}", finding.rule, hashlib.sha256(words.encode()).hexdigest()[:16])


def written(findings: Iterable[tuple[str, Finding]]) -> str:
    """The text of a baseline file: the findings as (folder, finding), sorted, one line each."""
    counts: Counter[Known] = Counter()
    shown: dict[Known, str] = {}
    for folder, finding in findings:
        key = known(finding, folder)
        counts[key] += 1
        shown[key] = " ".join(finding.statement.split())[:SHOWN]
    rows = [
        {**key._asdict(), **({"count": counts[key]} if counts[key] > 1 else {}), "statement": shown[key]}
        for key in sorted(counts)
    ]
    import json

    lines = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
    body = f"[\n{lines}\n  ]" if rows else "[]"
    return f'{{\n  "version": {VERSION},\n  "findings": {body}\n}}\n'


def read(text: str, path: str) -> Baseline:
    """The baseline a file holds. Raises ConfigError for what is none, naming the entry."""
    import json

    try:
        root: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the baseline {path} is not valid JSON: {error}") from None
    if not isinstance(root, dict) or root.get("version") != VERSION or not isinstance(root.get("findings"), list):
        raise ConfigError(
            f"{path} is no baseline of version {VERSION}: write it with 'pilotage lint --write-baseline {path}'"
        )
    counts: Counter[Known] = Counter()
    for number, entry in enumerate(root["findings"], 1):
        words: list[Any] = [entry.get(name) for name in Known._fields] if isinstance(entry, dict) else []
        count = entry.get("count", 1) if isinstance(entry, dict) else 0
        if not words or not all(isinstance(word, str) for word in words) or type(count) is not int or count < 1:
            raise ConfigError(f"entry {number} of the baseline {path} must have the texts 'file', 'rule' and 'hash'")
        counts[Known(*words)] += count
    return Baseline(path, counts)


def applied(
    linted: Linted,
    baseline: Baseline,
    folder: str,
    judged: Iterable[str],
    present: Iterable[str],
    level: Severity | None = "notice",
) -> tuple[Linted, tuple[str, ...]]:
    """What is left of the findings of ``folder``'s files, and remarks.

    An entry that a file ``judged`` in this run gave no cause for is stale: a finding of that ``level`` there (None: nothing), and a remark
    when the file is not even ``present`` any more.
    """
    left = Counter(dict(baseline.counts))
    kept: list[Finding] = []
    for finding in linted.findings:
        key = known(finding, folder)
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(finding)
    gone = len(linted.findings) - len(kept)
    over = {key: count for key, count in sorted(left.items()) if count > 0 and key.file.startswith(f"{folder}/")}
    names, there = {f"{folder}/{name}" for name in judged}, {f"{folder}/{name}" for name in present}
    kept += [_stale(key, baseline.path, folder, level) for key in over if level is not None and key.file in names]
    lost = list(dict.fromkeys(key.file for key in over if key.file not in names and key.file not in there))
    notes = (
        (f"{baseline.path} lists findings of files that are gone: {', '.join(lost[:5])}; write it anew",)
        if lost
        else ()
    )
    return replace(linted, findings=tuple(kept), suppressed=linted.suppressed + gone), notes


def _stale(key: Known, path: str, folder: str, level: Severity) -> Finding:
    return Finding(
        STALE, level, f"{path} lists {key.rule} for a statement of this file that gives no cause for it any more.",
        key.file.removeprefix(f"{folder}/"), 1, 1, 1, 1, title="Baseline", page=False,
        remedy=f"Write it anew: pilotage lint --write-baseline {path}",
    )  # fmt: skip
