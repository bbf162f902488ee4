"""Real repositories for tests, made with git itself in a folder of the test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ci_runner.sources import Git

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}  # fmt: skip


def git(folder: Path, *arguments: str, feed: bytes | None = None) -> str:
    """Run git; its output without the last line break."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=ENVIRON, input=feed, capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode().strip()


def repository(folder: Path, branch: str = "main") -> Git:
    """A new repository without commits."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", branch)
    return Git(folder, ENVIRON)


def commit(folder: Path, message: str = "x", **files: str | bytes) -> str:
    """Commit everything in the folder after writing ``files``; the new commit."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def commits(folder: Path, branch: str, count: int) -> str:
    """``count`` empty commits on top of ``branch``, in one process; the newest."""
    start = git(folder, "rev-parse", branch)
    lines = []
    for number in range(count):
        parent = f"from {start}\n" if number == 0 else ""
        lines.append(
            f"commit refs/heads/{branch}\ncommitter a <a@example.org> {1767225600 + number} +0000\ndata {len(branch)}\n{branch}\n{parent}"
        )
    git(folder, "fast-import", "--quiet", "--force", feed="".join(lines).encode())
    return git(folder, "rev-parse", branch)


def clone(origin: Path, folder: Path, *options: str) -> Git:
    """A clone over file://, so that --depth is honoured."""
    subprocess.run(
        ["git", "clone", "-q", *options, f"file://{origin}", str(folder)],
        env=ENVIRON,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return Git(folder, ENVIRON)
