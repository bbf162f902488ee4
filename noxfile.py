"""Everything that judges the project, one session each; `nox -l` lists them, `make test` runs those that matter daily."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "generate", "tests"]
nox.options.default_venv_backend = "venv"

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
# The modules that compute without touching the world; every branch of theirs can be reached by a test.
PURE = ("changes", "lint", "report", "formats", "migrations", "sql", "config", "model", "text")
# Tests that need more than this interpreter: engines, containers, runners, processes.
OUTSIDE = (
    "databases",
    "devdb",
    "replay",
    "stores",
    "registry",
    "scm",
    "publish",
    "wrappers",
    "image",
    "cli",
    "journeys",
)
WORKFLOWS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github" / "workflows").glob("*.yml"))


def ready(session: nox.Session, *groups: str) -> None:
    """Install Pilotage with all its extras and the dependency ``groups``; with --no-venv all of it is there already."""
    if session.virtualenv.venv_backend != "none":
        session.install("--editable", ".[all]", *nox.project.dependency_groups(PYPROJECT, *groups))


def workers() -> str:
    """How many test processes: PILOTAGE_TEST_WORKERS, else one a processor, at most eight."""
    return os.environ.get("PILOTAGE_TEST_WORKERS") or str(min(8, os.cpu_count() or 1))


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite, in parallel; words after -- go to pytest."""
    ready(session, "test", "lint")
    session.run("python", "-m", "pytest", "-n", workers(), "--dist", "loadgroup", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """The tests of the pure modules under coverage: at least 95 % of their lines and branches must have run."""
    ready(session, "test")
    session.run("coverage", "erase")
    folders = [f"tests/{name}" for name in PURE if (ROOT / "tests" / name).is_dir()]
    # The values of registry and databases are made and compared in the tests of those.
    folders += ["tests/registry/test_prefix.py", "tests/registry/test_snapshots.py", "tests/replay/test_difference.py"]
    # A test that fails here fails in the session "tests", too; what counts here is what was run.
    session.run("coverage", "run", "-m", "pytest", "-n", workers(), *folders, *session.posargs, success_codes=[0, 1])
    session.run("coverage", "combine", "--quiet")
    pure = ",".join(f"ci_runner/{name}.py,ci_runner/{name}/*" for name in PURE)
    session.run("coverage", "report", "--skip-covered", "--fail-under", "95", "--include", pure)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, the import contract, workflows, the action's manifest and the Dockerfile."""
    ready(session, "test", "lint")
    schema = ("check-jsonschema", "--builtin-schema")
    every(
        session,
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        (
            "mypy",
            "noxfile.py",
            *(f"bench/{name}.py" for name in ("run", "linting", "oracle", "kept", "deploying", "image")),
        ),
        ("lint-imports",),
        (*schema, "vendor.github-actions", "action.yml"),
        (*schema, "vendor.github-workflows", *WORKFLOWS),
        (*schema, "vendor.dependabot", ".github/dependabot.yml"),
        ("check-jsonschema", "--schemafile", "docs/pilotage.schema.json", "examples/shop/pilotage.yml"),
        ("actionlint", *WORKFLOWS),
        ("zizmor", "--offline", "--persona", "auditor", "--quiet", ".github", "action.yml"),
        ("hadolint", "Dockerfile"),
    )


def every(session: nox.Session, *commands: tuple[str, ...]) -> None:
    """Run all of ``commands``, so that one run shows all there is to mend; fail when one of them did."""
    failed = []
    for command in commands:
        try:
            session.run(*command)
        except nox.command.CommandFailed:
            failed.append(command[0])
    if failed:
        session.error("not clean: " + ", ".join(failed))


@nox.session
def generate(session: nox.Session) -> None:
    """What is generated must be what the program says today; ``python scripts/generate.py`` writes it."""
    ready(session, "test")
    session.run("python", "scripts/generate.py", "--check")


@nox.session
def integration(session: nox.Session) -> None:
    """Only what meets the outside: engines, containers, the platform's runner, the command line."""
    ready(session, "test")
    folders = [f"tests/{name}" for name in OUTSIDE if (ROOT / "tests" / name).is_dir()]
    session.run("python", "-m", "pytest", "-n", workers(), *(session.posargs or folders))


@nox.session
def faults(session: nox.Session) -> None:
    """Kills, cuts and failed operations only, and their figures; PILOTAGE_TEST_ROUNDS=N makes them longer, PILOTAGE_TEST_SEED=N others."""
    ready(session, "test")
    names = (
        "kill",
        "locks",
        "proxy",
        "faults",
        "failures",
        "concurrent",
        "simulator",
        "model",
        "bad_stores",
        "damage",
        "clouds",
        "checking",
    )
    files = [str(path.relative_to(ROOT)) for name in names for path in sorted(ROOT.glob(f"tests/*/test*_{name}.py"))]
    longer = ("--timeout=0",) if os.environ.get("PILOTAGE_TEST_ROUNDS") else ()  # a long run is meant to be long
    session.run("python", "-m", "pytest", "-p", "tests.figures", "-n", workers(), *longer, *files, *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Mutated directories, SQL and settings, then readers of SQL guided by coverage, each for half a minute; -- --seconds 600 for longer."""
    ready(session, "test", "fuzz")
    words = session.posargs or ("--seconds", "30")
    session.run("python", "scripts/fuzz.py", *words)
    for target in ("segments", "operations", "comments"):
        session.run("python", "scripts/fuzz_guided.py", target, *words)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed, memory, requests and bytes beside peers in one run; nothing fails by time. Words after -- choose sections: linting, oracle, …"""
    ready(session, "test")
    session.run("python", "bench/run.py", *session.posargs)
