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


TOLD = {
    "format": "in the format {0}", "version": "`server_version: {0}`", "edition": "`server_edition: {0}`",
    "naming": "`naming: {{{0}: \"{1}\"}}`", "edited": "as it is now", "out": "it sorts before a released one",
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
    for number, example in enumerate(words.examples):
        lines += [f"## {'Good' if example.good else 'Reported'}: {NAMES[example.dialect]}", "", *shown(example), ""]
        lines += proposed(rule, number) if not example.good else []
    if rule.on:
        lines += ["## Silence it", "", "```sql", f"-- pilotage:ignore {rule.slug}: why it is fine here", "```", ""]
    if also:
        names = "names" if len(rule.aliases) > 1 else "name"
        lines += [f"Ignore comments of other tools are honoured too, under the {names} {also}.", ""]
    lines += ["[All rules](README.md)", ""]
    return "\n".join(lines)


def shown(example: Example) -> list[str]:
    """An example as Markdown: what was there, then the file."""
    lines = []
    told = [TOLD[name].format(*value.split("=", 1)) for name, value in example.traits.items() if name in TOLD]
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


@cache
def reported(rule: Rule, number: int) -> tuple[str, Finding] | None:
    """The file of a rule's example and what the rule says of it, run as the newest file of a directory; None when it says nothing."""
    example = document(rule.docstring).examples[number]
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
    return next(((newest.text, each) for each in found.findings if each.rule == rule.slug), None)


def proposed(rule: Rule, number: int) -> list[str]:
    """What is said of a bad example and the rewrite that is suggested for it, as Markdown."""
    found = reported(rule, number)
    if found is None:
        return []
    text, finding = found
    message = ["What is said:", "", f"> {finding.message}", ""]
    said = finding.suggestion
    if said is None:
        return message
    who = "`pilotage lint --fix` writes it" if said.safe else "for you to decide"
    lines = [
        *message,
        f"Suggested, {who}: {said.summary}.",
        "",
        "```sql",
        combined(text, [finding])[0].strip(),
        "```",
        "",
    ]
    for file in said.files:
        lines += [f"and a new file `{file.name}`:", "", "```sql", file.text.strip(), "```", ""]
    return lines


@cache
def rewrite(rule: Rule) -> str:
    """``fix``: some rewrite changes no meaning; ``suggested``: there is one for a person to decide; "" when there is none."""
    bad = [number for number, example in enumerate(document(rule.docstring).examples) if not example.good]
    made = [each[1].suggestion for number in bad if (each := reported(rule, number)) and each[1].suggestion]
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
