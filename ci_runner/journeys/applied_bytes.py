"""The bytes a file had when it was applied: a diff shows what was changed since."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ci_runner.errors import PilotageError
from ci_runner.model.deploy import Revision
from ci_runner.sources import Git

_MOST = 20  # versions of one file that are looked at


def committed(git: Git, file: Path, row: Revision) -> bytes | None:
    """The version of ``file`` in the history of HEAD that has the row's hash; a diff is a help, so no failure here is one."""
    try:
        where = file.resolve().relative_to(git.root.resolve())
        for blob in _blobs(git, where.as_posix()):
            code, data, _ = git.attempt("cat-file", "blob", blob)
            if code == 0 and row.file_hash == "s1:" + hashlib.sha256(data).hexdigest():
                return data
    except (PilotageError, ValueError, OSError):
        return None
    return None


def _blobs(git: Git, where: str) -> list[str]:
    """Object names of the file's versions, the newest first."""
    code, listed, _ = git.attempt(
        "--literal-pathspecs", "log", f"--max-count={_MOST}", "--raw", "--no-abbrev", "--format=", "--", where
    )
    if code:
        return []
    # :100644 100644 <before> <after> M<tab>path (https://git-scm.com/docs/git-diff#_raw_output_format)
    lines = [line.split()[2:4] for line in listed.decode("utf-8", "replace").splitlines() if line.startswith(":")]
    names = [name for before, after in lines for name in (after, before) if name.strip("0")]
    return list(dict.fromkeys(names))[:_MOST]
