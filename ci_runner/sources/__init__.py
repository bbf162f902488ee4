"""Where a migration directory comes from: a folder or a Git commit, read into one value."""

from __future__ import annotations

from ci_runner.model.directory import Tree
from ci_runner.sources.commit import at_commit, listed
from ci_runner.sources.folder import begun, folder, write
from ci_runner.sources.git import Git
from ci_runner.sources.limits import Limits
from ci_runner.sources.plain import text, texts, texts_at

__all__ = ["Git", "Limits", "Tree", "at_commit", "begun", "folder", "listed", "text", "texts", "texts_at", "write"]
