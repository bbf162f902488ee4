"""The manifest: every option once, from which flags, variables, file keys, wrappers, docs and the JSON schema follow."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["text", "version", "choice", "integer", "switch", "list", "rules", "naming"]

DIALECTS = ("postgres", "mysql", "mariadb", "sqlite", "sqlserver", "clickhouse", "redshift", "snowflake")
FORMATS = (
    "atlas", "golang-migrate", "goose", "flyway", "liquibase", "dbmate",
    "prisma", "diesel", "sqlx", "supabase", "drizzle",
)  # fmt: skip
REPORTS = ("text", "json", "markdown", "sarif", "junit", "codequality", "github")
NAMED = ("table", "column", "index", "foreign_key", "unique", "check")
SEVERITIES = ("error", "warning", "notice", "off")


class Option(Struct, frozen=True):
    """One option.

    ``name`` is the key in pilotage.yml; the flag is ``--name`` with hyphens, the variable ``PILOTAGE_NAME``. ``default`` is what
    holds when nobody says anything. ``scope``: a directory's own or the run's. ``secret`` values are redacted everywhere;
    ``commands`` are those that have the flag; ``wrapper`` says that CI wrappers offer it as an input.
    """

    name: str
    kind: Kind
    help: str
    default: str | int | bool | None = None
    choices: tuple[str, ...] = ()
    scope: Literal["directory", "run"] = "run"
    commands: tuple[str, ...] = ()
    secret: bool = False
    wrapper: bool = True
    file: bool = True
    metavar: str = ""


_DEPLOYS = ("deploy", "status", "plan", "down", "baseline")
_READS = ("ci", "lint", "push", "ls", "hash", "rebase", "doctor", "schema", *_DEPLOYS)
_LINTS = ("ci", "lint")

OPTIONS: tuple[Option, ...] = (
    Option(
        "dir",
        "text",
        "Migration directory, relative to the repository root",
        "migrations",
        scope="directory",
        commands=_READS,
        metavar="DIR",
    ),
    Option(
        "dir_format",
        "choice",
        "Directory format; detected from the files when not given",
        None,
        FORMATS,
        "directory",
        _READS,
    ),
    Option(
        "dialect",
        "choice",
        "SQL dialect of the files (tsql is accepted for sqlserver)",
        None,
        DIALECTS,
        "directory",
        _READS,
    ),
    Option(
        "dev_url",
        "text",
        "Empty throw-away database to replay on: auto, embedded://postgres/18, docker://mysql/8/dev, sqlite://dev?mode=memory or a direct URL",
        None,
        (),
        "directory",
        ("ci", "lint", "push", "doctor", "schema"),
        secret=True,
        metavar="URL",
    ),
    Option(
        "dev_init",
        "text",
        "SQL file that prepares the dev database (extensions, schemas, roles) before migrations run; on pull requests that of the base commit",
        None,
        (),
        "directory",
        wrapper=False,
        metavar="FILE",
    ),
    Option(
        "allow_fork_dev_url",
        "switch",
        "Run the SQL of pull requests from forks on a dev database you name by its address; counts on the base branch only",
        False,
        (),
        "directory",
        wrapper=False,
    ),
    Option(
        "tx_mode",
        "choice",
        "What your migration runner wraps in a transaction",
        "file",
        ("file", "all", "none"),
        "directory",
        ("ci", "lint", "push", "ls", "schema", *_DEPLOYS),
    ),
    Option(
        "server_version",
        "version",
        "Version of the production server; rules that depend on it use it",
        None,
        (),
        "directory",
        _LINTS,
        metavar="VERSION",
    ),
    Option(
        "server_edition",
        "text",
        "Edition of a SQL Server (enterprise, standard, azure)",
        None,
        (),
        "directory",
        _LINTS,
        metavar="EDITION",
    ),
    Option(
        "sum",
        "choice",
        "Whether atlas.sum must exist",
        None,
        ("required", "optional", "off"),
        "directory",
        wrapper=False,
    ),
    Option(
        "directives",
        "choice",
        "lenient honours Atlas directives that Atlas itself would ignore",
        "strict",
        ("strict", "lenient"),
        "directory",
        wrapper=False,
    ),
    Option(
        "rules",
        "rules",
        "Severity per rule: error, warning, notice or off",
        None,
        SEVERITIES,
        "directory",
        wrapper=False,
    ),
    Option(
        "require_ignore_reason", "switch", "Ignore comments must give a reason", False, (), "directory", wrapper=False
    ),
    Option(
        "naming",
        "naming",
        "Regular expression per kind of object that the whole of a new name must match",
        None,
        NAMED,
        "directory",
        wrapper=False,
    ),
    Option(
        "rules_path",
        "text",
        "Folder of your own rules, Python files; on pull requests read from the base commit (docs/own-rules.md)",
        None,
        (),
        "directory",
        wrapper=False,
        metavar="DIR",
    ),
    Option(
        "baseline",
        "text",
        "File of findings that are known and do not count (lint --write-baseline FILE); deploy's --baseline is a version",
        None,
        (),
        "directory",
        _LINTS,
        wrapper=False,
        metavar="FILE",
    ),
    Option(
        "seeds",
        "text",
        "Folder of SQL files with rows that tables hold when the dev database watches the change (docs/data.md)",
        None,
        (),
        "directory",
        wrapper=False,
        metavar="DIR",
    ),
    Option(
        "stats",
        "text",
        "File with the rows and bytes of production's tables, so that findings say how much (pilotage stats writes it)",
        None,
        (),
        "directory",
        _LINTS,
        wrapper=False,
        metavar="FILE",
    ),
    Option(
        "name", "text", "Key of this job's comment; give each job its own", "pilotage", commands=_LINTS, metavar="NAME"
    ),
    Option(
        "base",
        "text",
        "Compare with this commit or branch, or with a registry: pilotage://NAME",
        None,
        commands=_LINTS,
        file=False,
        metavar="REF",
    ),
    Option("latest", "integer", "Lint the newest N files", None, commands=_LINTS, file=False, metavar="N"),
    Option("all", "switch", "Lint every file", False, commands=_LINTS, file=False),
    Option(
        "fail_on",
        "choice",
        "Severity from which the check fails",
        "error",
        ("error", "warning", "never"),
        commands=_LINTS,
    ),
    Option(
        "report",
        "list",
        "Also write FORMAT=FILE; formats: " + ", ".join(REPORTS),
        None,
        commands=_LINTS,
        metavar="FORMAT=FILE",
    ),
    Option(
        "registry",
        "text",
        "Registry address, for example file:///srv/registry",
        None,
        commands=("ci", "lint", "push", "pull", "log", "verify", "doctor", *_DEPLOYS, "resolve"),
        metavar="URL",
    ),
    Option("comment", "switch", "Write the comment on the pull request", True, commands=("ci",)),
    Option(
        "code_scanning",
        "switch",
        "Upload the findings to GitHub code scanning (needs security-events: write)",
        False,
        commands=("ci",),
    ),
    Option(
        "skip_replay",
        "switch",
        "Do not replay on the dev database before a push",
        False,
        commands=("ci", "push"),
        file=False,
    ),
    Option(
        "platform",
        "choice",
        "CI platform, when detection must be overruled",
        None,
        ("github", "gitlab", "bitbucket", "azure", "circleci", "local"),
        commands=("ci", "doctor", "trigger"),
        wrapper=False,
        file=False,
    ),
    Option(
        "scm_url",
        "text",
        "Address of the pull request or of the repository, where the environment does not tell it",
        None,
        commands=("ci", "doctor", "trigger"),
        wrapper=False,
        file=False,
        metavar="URL",
    ),
    Option("token", "text", "API token of the platform", None, secret=True, file=False),
    Option(
        "templates",
        "text",
        "Folder of templates that override Pilotage's own",
        None,
        commands=_LINTS,
        wrapper=False,
        metavar="DIR",
    ),
    Option(
        "cache_dir",
        "text",
        "Folder for what is worth keeping between runs",
        None,
        commands=("ci", "lint", "push"),
        file=False,
        metavar="DIR",
    ),
)

# Options of a directory that are paths, relative to the folder of the configuration or, as flags, to the working folder.
PATHS = ("dir", "baseline", "rules_path", "seeds", "stats", "dev_init")

BY_NAME = {option.name: option for option in OPTIONS}


def variable(option: Option) -> str:
    """Name of the environment variable that gives ``option``."""
    return f"PILOTAGE_{option.name.upper()}"


def flag(option: Option) -> str:
    """The command-line flag of ``option``."""
    return "--" + option.name.replace("_", "-")
