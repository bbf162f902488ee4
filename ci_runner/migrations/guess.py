"""Guesses the dialect nobody stated, from the dev database, the format's own metadata, or words only one dialect has."""

from __future__ import annotations

import re

from ci_runner.errors import ConfigError
from ci_runner.model.directory import Tree

_SCHEMES = {
    "postgres": "postgres", "postgresql": "postgres", "postgis": "postgres", "pgvector": "postgres", "mysql": "mysql",
    "mariadb": "mariadb", "maria": "mariadb", "sqlite": "sqlite", "sqlserver": "sqlserver", "clickhouse": "clickhouse",
    "redshift": "redshift", "snowflake": "snowflake",
}  # fmt: skip
_PROVIDER = re.compile(rb'^\s*provider\s*=\s*"(\w+)"', re.MULTILINE)
_WORDS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (dialect, re.compile(pattern, re.IGNORECASE))
    for dialect, pattern in (
        ("clickhouse", rb"\bENGINE\s*=\s*(?:Replicated)?\w*MergeTree\b|\bLowCardinality\("),
        ("sqlserver", rb"^GO\s*$|\bNVARCHAR\b|\bIDENTITY\s*\(\s*1|\bsys\.objects\b|\[dbo\]\."),
        ("snowflake", rb"\bVARIANT\b|\bTIMESTAMP_(?:NTZ|LTZ|TZ)\b|\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:STAGE|WAREHOUSE|PIPE)\b"),
        ("redshift", rb"\bDISTKEY\b|\bSORTKEY\b|\bDISTSTYLE\b"),
        ("mysql", rb"\bAUTO_INCREMENT\b|\bENGINE\s*=\s*InnoDB\b|\bCHARSET\s*=|\bDATETIME\(\d\)|\bUNSIGNED\b"),
        ("sqlite", rb"\bAUTOINCREMENT\b|\bPRAGMA\s+\w|\bWITHOUT\s+ROWID\b|\bdatetime\('now'\)"),
        (
            "postgres",
            rb"\b(?:BIG|SMALL)?SERIAL\b|\bTIMESTAMPTZ\b|\bJSONB\b|\bplpgsql\b|\bgen_random_uuid\b|\bTEXT\[\]|\bCONCURRENTLY\b|::\w+|\bTIMESTAMP\(3\)",
        ),
    )
)  # fmt: skip
SAMPLE = 200


def guess_dialect(tree: Tree, dev_url: str | None = None) -> str:
    """The dialect of a directory; postgres when nothing speaks for any, ConfigError asking for ``dialect:`` when two are as likely."""
    if dev_url and (stated := _from_url(dev_url)):
        return stated
    lock = next((content for name, content in tree.files.items() if name.endswith("migration_lock.toml")), b"")
    if (found := _PROVIDER.search(lock)) and (stated := _SCHEMES.get(found[1].decode().lower())):
        return stated
    named = [_SCHEMES[part] for part in tree.path.lower().replace("_", "/").split("/") if part in _SCHEMES]
    if named:
        return named[-1]
    return _from_words(tree)


def _from_url(url: str) -> str | None:
    scheme, _, rest = url.partition("://")
    driver = rest.split("/", 1)[0] if scheme in {"docker", "embedded"} else scheme.partition("+")[0]
    return _SCHEMES.get(driver.lower())


def _from_words(tree: Tree) -> str:
    texts = [content[:65536] for name, content in sorted(tree.files.items()) if name.endswith(".sql")][:SAMPLE]
    votes = {dialect: sum(1 for text in texts if pattern.search(text)) for dialect, pattern in _WORDS}
    best = sorted(votes, key=lambda dialect: -votes[dialect])
    if not votes[best[0]]:
        return "postgres"
    if votes[best[0]] == votes[best[1]]:
        raise ConfigError(
            f"the SQL dialect of {tree.path} cannot be told from its files: give --dialect, or 'dialect:' in pilotage.yml "
            f"(one of {', '.join(sorted(set(_SCHEMES.values())))})"
        )
    return best[0]
