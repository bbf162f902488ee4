"""The pages under docs/rules, from the docstrings of the rules."""

from __future__ import annotations

from ci_runner.lint import Document, Example, Rule, catalogue, document

NAMES = {
    "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite", "sqlserver": "SQL Server",
    "clickhouse": "ClickHouse", "redshift": "Redshift", "snowflake": "Snowflake",
}  # fmt: skip


def files() -> dict[str, str]:
    """Path from the repository's root to content, for every page and the index."""
    pages = {f"docs/rules/{rule.slug}.md": page(rule, document(rule.docstring)) for rule in catalogue()}
    return {"docs/rules/README.md": index(), **pages}


def page(rule: Rule, words: Document) -> str:
    """The page of one rule."""
    databases = ", ".join(NAMES[database] for database in rule.databases)
    also = ", ".join(f"`{name}`" for name in rule.aliases)
    lines = [
        f"# {words.title}", "",
        f"`{rule.slug}` · {rule.severity if rule.default else 'off unless asked for'} · {databases}", "",
        words.why, "", "## Instead", "", words.remedy, "",
    ]  # fmt: skip
    for example in words.examples:
        lines += [f"## {'Good' if example.good else 'Reported'}: {NAMES[example.dialect]}", "", *shown(example), ""]
    if rule.on:
        lines += ["## Silence it", "", "```sql", f"-- pilotage:ignore {rule.slug}: why it is fine here", "```", ""]
    if also:
        lines += [f"Ignore comments of other tools are honoured too, under the name {also}.", ""]
    lines += ["[All rules](README.md)", ""]
    return "\n".join(lines)


def shown(example: Example) -> list[str]:
    """An example as Markdown: what was there, then the file."""
    lines = []
    told = [f"{name} {value}".strip() for name, value in example.traits.items() if name != "tx"]
    if example.traits.get("tx") == "none":
        told.append("the runner does not wrap the file in a transaction")
    if example.before:
        lines += ["Already released:", "", "```sql", example.before.strip(), "```", ""]
    head = "The file" + (f" ({', '.join(told)})" if told else "") + ":"
    sql = "\n".join(
        line
        for line in example.sql.replace(" -- here", "").strip().split("\n")
        if not line.startswith("-- pilotage:ignore")
    )
    return [*lines, head, "", "```sql", sql, "```"] if sql else [*lines, "The file is gone."]


def index() -> str:
    """The table of all rules."""
    lines = [
        "# Rules", "",
        "What `pilotage lint` looks for. Each page says why it matters and what to do instead, with examples that the tests run.",
        "Severities can be changed per rule in `pilotage.yml`; rules marked off are for teams that ask for them.", "",
        "| rule | what | severity | databases | other names |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for rule in catalogue():
        databases = "all" if len(rule.databases) == len(NAMES) else ", ".join(NAMES[name] for name in rule.databases)
        level = rule.severity if rule.default else "off"
        names = ", ".join(rule.aliases)
        lines.append(
            f"| [{rule.slug}]({rule.slug}.md) | {document(rule.docstring).title} | {level} | {databases} | {names} |"
        )
    return "\n".join([*lines, ""])
