"""Asks Git what a change is made of, and fetches the history that a shallow clone left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha1
from pathlib import Path

from msgspec import Struct

from ci_runner import aside
from ci_runner.errors import HistoryError, SetupError, TemporaryError, UsageError
from ci_runner.text.pattern import later

_SHA = later(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BAD_REF = later(r"^-|[\x00-\x20\x7f]|\.\.")
_PASSWORD = later(r"://[^/@\s]*@")
_REMOTE = r"(?:[a-z][a-z0-9+.-]*://(?:[^/@]*@)?(?P<host>\[[^\]]*\]|[^/:]+)(?::\d+)?/|(?:[^@/:]+@)?(?P<scp>[^/:]+):)(?P<path>.+)"
DEEPEN = (50, 200, 1000)
SECONDS = 60
FETCH_SECONDS = 300


class Git(Struct, frozen=True):
    """A repository by the folder that holds its ``.git``; every question is one ``git`` process with a time limit in seconds."""

    root: Path
    environ: Mapping[str, str]
    remote: str = "origin"

    def __repr__(self) -> str:
        return f"Git({self.root})"

    @classmethod
    def find(cls, path: Path, environ: Mapping[str, str]) -> Git | None:
        """The repository that ``path`` lies in, by the nearest ``.git`` above it; None when there is none. Starts no process."""
        start = path.resolve()
        for folder in (start, *start.parents):
            if (folder / ".git").exists():
                return cls(folder, environ)
        return None

    def head(self) -> str | None:
        """The commit checked out; None before the first commit."""
        return self.resolve("HEAD")

    def branch(self) -> str | None:
        """The branch checked out; None when HEAD is detached."""
        code, output, _ = self.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
        return _text(output) if code == 0 else None

    def resolve(self, ref: str) -> str | None:
        """The commit that a name means here; None when it means none."""
        code, output, _ = self.attempt("rev-parse", "--verify", "--quiet", f"{self.checked(ref)}^{{commit}}")
        return _text(output) if code == 0 else None

    def is_shallow(self) -> bool:
        """Whether history was cut off when the repository was cloned."""
        return _text(self.output("rev-parse", "--is-shallow-repository")) == "true"

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Whether ``newer`` descends from ``older``; None when this clone does not hold enough history to tell."""
        code, _, _ = self.attempt("merge-base", "--is-ancestor", self.checked(older), self.checked(newer))
        if code == 0:
            return True
        return False if code == 1 and not self.is_shallow() else None

    def default_branch(self) -> str | None:
        """The branch that changes are merged into: the remote's own word, then main and master, then init.defaultBranch."""
        usual = [
            f"{folder}/{name}"
            for folder in (f"refs/remotes/{self.remote}", "refs/heads")
            for name in ("main", "master")
        ]
        said = self.output("for-each-ref", "--format=%(refname) %(symref)", f"refs/remotes/{self.remote}/HEAD", *usual)
        found = dict(row.partition(" ")[::2] for row in _text(said).splitlines())
        target = found.get(f"refs/remotes/{self.remote}/HEAD")
        known = [target] if target else [ref for ref in usual if ref in found]
        if known:
            return known[0].removeprefix("refs/remotes/").removeprefix("refs/heads/")
        code, output, _ = self.attempt("config", "--get", "init.defaultBranch")
        name = _text(output)
        if code or not name or _BAD_REF.search(name):
            return None
        return next((ref for ref in (f"{self.remote}/{name}", name) if self.resolve(ref)), None)

    def remote_slug(self) -> str | None:
        """``owner/name`` (with groups, ``group/sub/name``) of the remote's address; None without one that has it."""
        found = self._address()
        slug = found["path"].strip("/").removesuffix(".git") if found else ""
        return slug or None

    def remote_host(self) -> str | None:
        """The host in the remote's address, in lower case."""
        found = self._address()
        return (found["host"] or found["scp"]).lower() if found else None

    def _address(self) -> re.Match[str] | None:
        code, output, _ = self.attempt("config", "--get", f"remote.{self.remote}.url")
        return re.fullmatch(_REMOTE, _text(output)) if code == 0 else None

    def ensure_commit(self, commit: str) -> str:
        """The full name of a commit (hash, branch, remote branch or tag), fetched when it is not here; HistoryError when that fails."""
        found = self.resolve(commit)
        if found:
            return found
        branch = commit.removeprefix("refs/remotes/").removeprefix(f"{self.remote}/")
        tracked = f"{self.remote}/{branch}"
        wanted = commit if _SHA.fullmatch(commit) else f"+refs/heads/{branch}:refs/remotes/{tracked}"
        said = self._fetch(*(("--depth=1",) if self.is_shallow() else ()), wanted=(wanted,))
        found = self.resolve(commit) or self.resolve(tracked)
        if found:
            return found
        raise HistoryError(
            f"the commit {commit} is not in this clone and cannot be fetched from {self.remote}{said}: {_DEPTH_HINT}"
        )

    def merge_base(self, ours: str, theirs: str) -> str:
        """The newest commit both histories share; in a shallow clone history is fetched in steps until it is found.

        HistoryError when there is none, or when the history that would tell cannot be fetched.
        """
        code, output, _ = self.attempt("merge-base", self.checked(ours), self.checked(theirs))
        if code == 0:  # both are here: the rule in anything but a shallow clone
            return _text(output)
        one, other = self.ensure_commit(ours), self.ensure_commit(theirs)
        said = ""
        for step in ("", *(f"--deepen={count}" for count in DEEPEN), "--unshallow"):
            if step:
                said = self._fetch(step, wanted=(one, other)) and self._fetch(step)
            base = self._common(one, other)
            if base:
                return base
            if not self.is_shallow():
                raise HistoryError(f"{ours} and {theirs} have no commit in common: give the right --base")
        raise HistoryError(
            f"this clone is shallow and does not hold the commit that {ours} and {theirs} have in common, "
            f"and more cannot be fetched{said}: {_DEPTH_HINT}"
        )

    def _common(self, one: str, other: str) -> str | None:
        code, output, said = self.attempt("merge-base", one, other)
        if code > 1:
            raise HistoryError(f"git cannot compare {one[:12]} and {other[:12]}{_quoted(said)}: {_DEPTH_HINT}")
        return _text(output) or None

    def _fetch(self, *options: str, wanted: tuple[str, ...] = ()) -> str:
        """ "" when it worked, else what Git said."""
        code, _, said = self.attempt(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            *options,
            self.remote,
            *wanted,
            seconds=FETCH_SECONDS,
        )
        return _quoted(said) if code else ""

    def checked(self, ref: str) -> str:
        """``ref``, when it can be a name and not an option or an expression; else UsageError."""
        name = ref.partition(":")[0]
        if not name or _BAD_REF.search(name) or "\0" in ref:
            raise UsageError(f"{ref!r} is no name of a commit, branch or tag")
        return ref

    def output(self, *arguments: str, input: bytes | None = None) -> bytes:  # noqa: A002 - subprocess's word
        """What a command printed; SetupError with Git's own words when it failed."""
        code, printed, said = self.attempt(*arguments, input=input)
        if code:
            raise SetupError(f"git {arguments[0]} failed in {self.root}{_quoted(said)}")
        return printed

    def attempt(self, *arguments: str, input: bytes | None = None, seconds: int = SECONDS) -> tuple[int, bytes, str]:  # noqa: A002
        """(exit code, output, error text) of a command; SetupError without git, TemporaryError after ``seconds``."""
        return self.begun(*arguments, input=input, seconds=seconds)()

    def begun(
        self,
        *arguments: str,
        input: bytes | None = None,  # noqa: A002
        seconds: int = SECONDS,
    ) -> Callable[[], tuple[int, bytes, str]]:
        """As :meth:`attempt`, for whoever has something else to do first; to be asked once, ``seconds`` count from then."""
        import subprocess

        command = ("git", "-C", str(self.root), "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", *arguments)
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=self._environment(),
            )  # fmt: skip
        except FileNotFoundError:
            raise SetupError("git is not installed, or not on the PATH: install it, or lint with --all") from None
        except OSError as error:
            raise SetupError(f"git cannot be run in {self.root}: {error.strerror or error}") from None

        if process.stdout is not None:
            aside.widen(process.stdout.fileno())

        def ended() -> tuple[int, bytes, str]:
            with process:
                try:
                    output, said = process.communicate(input, timeout=seconds)
                except subprocess.TimeoutExpired:
                    raise TemporaryError(
                        f"git {arguments[0]} took longer than {seconds} seconds in {self.root}: run again"
                    ) from None
                finally:
                    if process.poll() is None:  # out of time, or out of patience
                        process.kill()
            return process.returncode, output, said.decode("utf-8", "replace")

        return ended

    def _environment(self) -> dict[str, str]:
        """The environment given, without questions to a terminal, in English, trusting this one folder whoever owns it."""
        environ = {key: value for key, value in self.environ.items() if key not in _MISLEADING}
        count = int(environ.get("GIT_CONFIG_COUNT", "") or 0) if environ.get("GIT_CONFIG_COUNT", "").isdigit() else 0
        return {
            **environ,
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": "safe.directory",
            f"GIT_CONFIG_VALUE_{count}": str(self.root),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }


_DEPTH_HINT = (
    "check out the whole history (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0), or give --latest N or --all"
)
# A hook or an outer git command sets these for itself; they would lead to another repository than the one found.
_MISLEADING = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
}


def git_blob(data: bytes) -> str:
    """What Git calls a file of these bytes, where its objects are named by SHA-1: the hash of kind, size and bytes."""
    return sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip()


def _quoted(said: str) -> str:
    """Git's own reason in parentheses, without a password in an address; the advice it adds below is not ours."""
    rows = [row.strip() for row in said.splitlines() if row.strip()]
    reason = next((row for row in rows if row.startswith(("fatal:", "error:"))), rows[-1] if rows else "")
    return f" ({_PASSWORD.sub('://', reason)[:300]})" if reason else " (git gave no reason)"
