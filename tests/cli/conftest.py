"""A repository of one's own to run the real command in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Repository:
    """A folder, its environment, and the real command run in it as a process."""

    path: Path
    environ: Mapping[str, str]

    def write(self, files: Mapping[str, str | bytes]) -> Repository:
        for name, content in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def with_registry(self, **environ: str) -> Repository:
        """The same, its environment naming a registry and an SQLite database that lie beside it."""
        beside = self.path.parent
        named = {
            "PILOTAGE_REGISTRY": (beside / "registry").as_uri(),
            "PILOTAGE_DATABASE_URL": f"sqlite://{beside}/app.db",
        }
        return Repository(self.path, {**self.environ, **named, **environ})

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**self.environ, **IDENTITY},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes], message: str = "change") -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def run(self, *arguments: str, cwd: str = ".", **environ: str) -> Done:
        """Pilotage in the folder ``cwd`` of it, with those variables beside its own."""
        return self.process(sys.executable, "-m", "ci_runner", *arguments, cwd=cwd, **environ)

    def process(self, *command: str, cwd: str = ".", **environ: str) -> Done:
        """Any command, which may say what it likes but no traceback."""
        done = subprocess.run(
            command,
            cwd=self.path / cwd,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Repository:
    """A plain folder, not in any repository, with an environment that holds nothing but what a shell needs."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PILOTAGE_SUM": "optional",  # these directories have no atlas.sum, and most tests are not about that
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
    }
    return Repository(work, environ)


@pytest.fixture
def repository(folder: Repository) -> Repository:
    """A Git repository with one released migration on main."""
    folder.git("init", "-q", "-b", "main")
    folder.commit({"migrations/1_init.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n"}, "init")
    return folder


@pytest.fixture
def branch(repository: Repository) -> Callable[[Mapping[str, str | bytes]], Repository]:
    """``branch({path: text})``: the repository on a branch with these files committed."""

    def make(files: Mapping[str, str | bytes]) -> Repository:
        repository.git("checkout", "-q", "-b", "feature")
        repository.commit(files)
        return repository

    return make
