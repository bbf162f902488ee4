"""The pages under docs/rules, from the docstrings of the rules."""

from __future__ import annotations

from functools import cache

from ci_runner import migrations, sql
from ci_runner.lint import Document, Example, LintFile, Policy, Rule, catalogue, combined, document, lint
from ci_runner.model.directory import Tree
from ci_runner.model.report import ChangedFile, Finding
from ci_runner.model.schema import Catalog
from ci_runner.sql import catalog as schema

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
        lines += proposed(rule, example) if not example.good else []
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


def suggestion(rule: Rule, example: Example) -> tuple[str, Finding] | None:
    """The file of a bad example and its finding, where it comes with a rewrite. The example is run as the newest file of a directory."""
    names = ("1_released.sql", "2_change.sql")
    files = dict(
        zip(names, (f"{example.before}\n".encode(), example.sql.replace(" -- here", "").encode()), strict=True)
    )
    mode = example.traits.get("tx", "file")
    head = migrations.read(
        Tree("migrations", files), format="atlas", dialect=example.dialect, tx_mode=mode, sum_mode="off"
    )
    first, newest = head.migrations
    before = schema.fold(Catalog(), sql.statements(first, example.dialect), example.dialect)
    found = lint(
        [LintFile(ChangedFile(newest.name, "added", newest), sql.statements(newest, example.dialect))], before, dialect=example.dialect,
        policy=Policy({} if rule.default else {rule.slug: "warning"}), format="atlas", directory=head,
        server_version=example.traits.get("version"), server_edition=example.traits.get("edition"),
        parse=lambda migration: sql.statements(migration, example.dialect),
    )  # fmt: skip
    return next(((newest.text, each) for each in found.findings if each.rule == rule.slug and each.suggestion), None)


def proposed(rule: Rule, example: Example) -> list[str]:
    """The rewrite that is suggested for a bad example, as Markdown."""
    found = suggestion(rule, example)
    if found is None or found[1].suggestion is None:
        return []
    text, finding = found
    said = found[1].suggestion
    who = "`pilotage lint --fix` writes it" if said.safe else "for you to decide"
    lines = [f"Suggested, {who}: {said.summary}.", "", "```sql", combined(text, [finding])[0].strip(), "```", ""]
    for file in said.files:
        lines += [f"and a new file `{file.name}`:", "", "```sql", file.text.strip(), "```", ""]
    return lines


@cache
def rewrite(rule: Rule) -> str:
    """``fix``: some rewrite changes no meaning; ``suggested``: there is one for a person to decide; "" when there is none."""
    found = [
        suggestion(rule, example) for example in document(rule.docstring).examples if not example.good and example.sql
    ]
    made = [each[1].suggestion for each in found if each and each[1].suggestion]
    return "fix" if any(each.safe for each in made) else "suggested" if made else ""


def index() -> str:
    """The table of all rules."""
    lines = [
        "# Rules", "",
        "What `pilotage lint` looks for. Each page says why it matters and what to do instead, with examples that the tests run.",
        "Severities can be changed per rule in `pilotage.yml`; rules marked off are for teams that ask for them. Rewrite: `fix` = `pilotage lint",
        "--fix` can write it, `suggested` = it is shown for a person to decide ([why others have none](../lint.md#rules-without-a-rewrite)).", "",
        "| rule | what | severity | databases | rewrite | other names |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for rule in catalogue():
        databases = "all" if len(rule.databases) == len(NAMES) else ", ".join(NAMES[name] for name in rule.databases)
        level = rule.severity if rule.default else "off"
        names = ", ".join(rule.aliases)
        lines.append(
            f"| [{rule.slug}]({rule.slug}.md) | {document(rule.docstring).title} | {level} | {databases} | {rewrite(rule)} | {names} |"
        )
    return "\n".join([*lines, ""])
