"""Init: look at a repository and propose its pilotage.yml and CI file."""

from __future__ import annotations

import posixpath
from collections import Counter
from pathlib import Path

from msgspec import Struct

from ci_runner import __version__, migrations, sources
from ci_runner.config import default_name
from ci_runner.config.names import CONFIG_FILE, DOCS, HOMEPAGE, IMAGE, REPOSITORY
from ci_runner.errors import PilotageError, UsageError
from ci_runner.render.files import configuration
from ci_runner.sql import normalize_dialect

# actions/checkout v4.2.2, by commit: a tag can be moved
CHECKOUT = "11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
CI_FILES = {
    "github": ".github/workflows/migrations.yml",
    "gitlab": ".gitlab-ci.yml",
    "bitbucket": "bitbucket-pipelines.yml",
    "azure": "azure-pipelines.yml",
    "circleci": ".circleci/config.yml",
}
DEV_URLS = {
    "postgres": "embedded://postgres/18",
    "sqlite": "sqlite://dev?mode=memory",
    "mysql": "docker://mysql/8/dev",
    "mariadb": "docker://mariadb/11/dev",
}
_HIDDEN = (".", "node_modules/", "vendor/", "venv/")


class Found(Struct, frozen=True):
    """A migration directory as proposed."""

    name: str
    dir: str
    dialect: str
    dev_url: str
    summed: bool


class Plan(Struct, frozen=True):
    """Files to write, as (path from the root, text), and what a person should know."""

    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def plan(
    root: Path,
    git: sources.Git | None,
    *,
    directory: str | None,
    dialect: str | None,
    platform: str | None,
    registry: str | None,
) -> Plan:
    """What ``init`` would write; UsageError when no migration directory is found or the platform is unknown."""
    chosen = platform or _platform(root, git)
    if chosen and chosen not in CI_FILES:
        raise UsageError(f"there is no CI file for '{chosen}' (one of {', '.join(CI_FILES)})")
    paths = [directory] if directory else _directories(root)
    if not paths:
        raise UsageError(f"no folder with .sql migrations was found below {root}: name it with --dir")
    found = tuple(_found(root, path, dialect) for path in paths)
    values = {
        "directories": found,
        "registry": registry,
        "docs": DOCS,
        "schema": f"{HOMEPAGE}/raw/main/docs/pilotage.schema.json",
        "paths": [*(f"{one.dir}/**" for one in found), CONFIG_FILE],
        "branch": ((git.default_branch() if git else None) or "main").removeprefix("origin/"),
        "action": f"{REPOSITORY}@v{__version__}",
        "image": f"{IMAGE}:{__version__}",
        "checkout": CHECKOUT,
    }
    files = [(CONFIG_FILE, configuration(CONFIG_FILE, values))]
    notes = [f"found {one.dir} ({one.dialect})" for one in found]
    notes += [
        f"{one.dir} has no atlas.sum, which a push to a registry asks for: pilotage hash writes it, 'sum: optional' in {CONFIG_FILE} does without"
        for one in found
        if not one.summed
    ]
    if chosen:
        files.append((CI_FILES[chosen], configuration(chosen, values)))
    else:
        notes.append("no CI platform was recognised: give --platform to get a CI file as well")
    return Plan(tuple(files), tuple(notes))


def write(root: Path, path: str, text: str, *, force: bool) -> bool:
    """Write one file of the plan; False when it is there already and stays."""
    target = root / path
    if target.exists() and not force:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    sources.write(target, text.encode())
    return True


def _platform(root: Path, git: sources.Git | None) -> str | None:
    for name, path in CI_FILES.items():
        if (root / path).exists() or (name == "github" and (root / ".github").is_dir()):
            return name
    host = (git.remote_host() if git else None) or ""
    return next((name for name in ("github", "gitlab", "bitbucket", "azure") if name in host), None)


def _directories(root: Path) -> list[str]:
    """Folders that hold migrations: those with .sql files and a telling name, folder-per-migration layouts counted by their parent."""
    counts: Counter[str] = Counter()
    for path in sorted(root.rglob("*.sql"))[:20_000]:
        relative = path.relative_to(root).as_posix()
        if any(relative.startswith(hidden) or f"/{hidden}" in relative for hidden in _HIDDEN):
            continue
        folder = posixpath.dirname(relative)
        single = posixpath.basename(relative) in {"migration.sql", "up.sql", "down.sql"}
        counts[posixpath.dirname(folder) if single else folder] += 1
    telling = [folder for folder in counts if "migrat" in folder.lower()]
    return telling or [folder for folder, _ in counts.most_common(1)]


def _found(root: Path, path: str, dialect: str | None) -> Found:
    clean = posixpath.normpath(path)
    tree = sources.folder(root / clean, root=root, shown=clean)
    known = normalize_dialect(dialect) if dialect else _guess(tree)
    return Found(default_name(clean), clean, known, DEV_URLS.get(known, ""), summed=_summed(tree, known))


def _summed(tree: sources.Tree, dialect: str) -> bool:
    """Whether the directory has the sum file that its format asks for, as far as it can be read."""
    try:
        problems = migrations.read(tree, dialect=dialect).problems
    except PilotageError:
        return True
    return all(problem.code != "sum-file-missing" for problem in problems)


def _guess(tree: sources.Tree) -> str:
    try:
        return migrations.guess_dialect(tree)
    except PilotageError:
        return "postgres"
